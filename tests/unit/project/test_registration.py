"""Tests of `miniapp register`: one call, and its answer kept."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from miniapp import ConfigurationError, HostRefused, HostUnreachable, MiniAppError, OneChat, Settings
from miniapp.project import register as register_module
from miniapp.project.envfile import open_env_file, quoted, with_values
from miniapp.project.register import API_KEY, APP_ID, NotStored, Plan, register
from miniapp.settings import Secret
from miniapp.testing.onechat import LocalOneChat

MakePlan = Callable[..., Plan]


@pytest.fixture
def plan(onechat_server: LocalOneChat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePlan:
    """Makes a plan for the sandbox, with its .env in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def make(**fields: object) -> Plan:
        values = {
            "name": "Lunch",
            "icon": "https://lunch.example/static/icon.svg",
            "url": "https://lunch.example",
            "admin_jid": onechat_server.admin.jid,
            "api_url": onechat_server.config["ONECHAT_API_URL"],
            "env_file": tmp_path / ".env",
        }
        return Plan(**(values | fields))  # type: ignore[arg-type]

    return make


def session(onechat: LocalOneChat) -> Secret:
    return Secret(onechat.session(onechat.admin))


def app_count(onechat: LocalOneChat) -> int:
    return len(onechat.controls.state()["apps"])


def test_registers_and_stores(onechat_server: LocalOneChat, plan: MakePlan, tmp_path: Path) -> None:
    """The app is in the admin portal, and .env has what is needed to call OneChat as that app."""
    registered = register(plan(), session(onechat_server))
    stored = dotenv_values(tmp_path / ".env")
    assert (stored[APP_ID], stored[API_KEY]) == (registered.app_id, registered.api_key)
    assert stored["ONECHAT_PUBLIC_URL"] == "https://lunch.example"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert "Lunch" in [app["name"] for app in onechat_server.controls.state()["apps"]]
    with OneChat(Settings.read({}, tmp_path / ".env")) as client:
        client.send_message(onechat_server.alice.jid, "Registered")
    assert [call["appId"] for call in onechat_server.sent()] == [registered.app_id]


def test_keeps_everything_else_in_the_file(onechat_server: LocalOneChat, plan: MakePlan, tmp_path: Path) -> None:
    """Comments, order, blank lines and other values stay; the mode becomes 0600; no draft is left behind."""
    env = tmp_path / ".env"
    before = "# mine\nSECRET_KEY='a b'  # why\n\nONECHAT_APP_ID=\nONECHAT_API_KEY=\n\nLAST=1"
    env.write_text(before)
    env.chmod(0o644)
    registered = register(plan(), session(onechat_server))
    assert env.read_text().startswith(
        f"# mine\nSECRET_KEY='a b'  # why\n\nONECHAT_APP_ID={registered.app_id}\n"
        f"ONECHAT_API_KEY={registered.api_key}\n\nLAST=1\n"
    )
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_api_url_is_stored_where_it_is_not_the_settings_own(
    onechat_server: LocalOneChat, plan: MakePlan, tmp_path: Path
) -> None:
    """An app ID is known to one host only, so --api-url is kept with it."""
    register(plan(), session(onechat_server))
    assert Settings.read({}, tmp_path / ".env").api_url == onechat_server.config["ONECHAT_API_URL"]


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_refuses_a_second_registration(
    onechat_server: LocalOneChat, plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """An app that has an app ID is not registered again, unless that is forced."""
    if where == "environment":
        monkeypatch.setenv(APP_ID, "app-12345678")
    else:
        (tmp_path / ".env").write_text(f"{APP_ID}=app-12345678\n")
    count = app_count(onechat_server)
    with pytest.raises(MiniAppError, match="--force"):
        register(plan(), session(onechat_server))
    assert app_count(onechat_server) == count
    register(plan(force=True), session(onechat_server))
    assert app_count(onechat_server) == count + 1
    assert dotenv_values(tmp_path / ".env")[APP_ID] != "app-12345678"


def test_refusal_stores_nothing(onechat_server: LocalOneChat, plan: MakePlan, tmp_path: Path) -> None:
    """A user who is no admin is refused by the host, and no file is made."""
    with pytest.raises(HostRefused):
        register(plan(admin_jid=onechat_server.alice.jid), Secret(onechat_server.session(onechat_server.alice)))
    assert list(tmp_path.iterdir()) == []


def test_a_refused_registration_names_the_session(onechat_server: LocalOneChat, plan: MakePlan) -> None:
    """An app that is only about to be registered has no app ID to check; its admin's session is what was refused."""
    with pytest.raises(HostRefused) as refused:
        register(plan(), Secret("s-of-nobody-at-all"))
    assert "session ID" in refused.value.hint
    assert "ONECHAT_APP_ID" not in refused.value.hint


@pytest.mark.parametrize(
    "obstacle", ["link", "folder", "directory", "tracked", "not ignored", "no folder to write into"]
)
def test_sends_nothing_where_it_could_not_store(
    onechat_server: LocalOneChat, plan: MakePlan, tmp_path: Path, obstacle: str
) -> None:
    """What stands in the way of storing the key is found before the call, which is then not made."""
    env = tmp_path / ".env"
    match obstacle:
        case "link":
            (tmp_path / "target").touch()
            env.symlink_to("target")
        case "folder":
            env.mkdir()
        case "directory":
            env = tmp_path / "missing" / ".env"
        case "tracked":
            git(tmp_path, "init", "-q")
            env.write_text("A=1\n")
            git(tmp_path, "add", "-f", ".env")
        case "not ignored":
            git(tmp_path, "init", "-q")
        case "no folder to write into":
            env = Path("/proc/version/.env")
    count = app_count(onechat_server)
    with pytest.raises(MiniAppError) as caught:
        register(plan(env_file=env), session(onechat_server))
    assert caught.value.code == "env_file"
    assert "Nothing was sent" in caught.value.hint
    assert app_count(onechat_server) == count


def git(directory: Path, *command: str) -> None:
    subprocess.run(["git", *command], cwd=directory, check=True, capture_output=True)


def test_ignored_file_in_a_repository_is_fine(onechat_server: LocalOneChat, plan: MakePlan, tmp_path: Path) -> None:
    """In a git repository that ignores .env the key is stored, and `git add` leaves it out."""
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text(".env\n")
    register(plan(), session(onechat_server))
    git(tmp_path, "add", "-A")
    staged = subprocess.run(["git", "ls-files"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert staged.split() == [".gitignore"]


def test_what_could_not_be_stored_is_handed_over(
    onechat_server: LocalOneChat, plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the file can't be written after the call, the error carries the registration, and the file is as it was."""
    (tmp_path / ".env").write_text("A=1\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("miniapp.project.envfile.os.replace", full)
    with pytest.raises(NotStored, match="No space left") as caught:
        register(plan(), session(onechat_server))
    assert caught.value.registration.api_key not in str(caught.value)
    assert (tmp_path / ".env").read_text() == "A=1\n"
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_time_out_may_have_registered(onechat_server: LocalOneChat, plan: MakePlan) -> None:
    """A connection that breaks off leaves it open whether the app is registered, and the error says so."""
    onechat_server.fail("registerMiniApp", 1, "reset")
    with pytest.raises(HostUnreachable) as caught:
        register(plan(), session(onechat_server))
    assert caught.value.maybe_done


def test_wrong_settings_are_told_before_the_call(plan: MakePlan) -> None:
    """An API URL without https is refused: the session ID would cross the network in the clear."""
    with pytest.raises(ConfigurationError, match="ONECHAT_API_URL"):
        register(plan(api_url="http://onechat.example"), Secret("s-12345678"))


# --- the file's text ---


@given(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40).filter(
        lambda v: "${" not in v
    )
)
def test_every_key_survives_the_file(value: str) -> None:
    """Whatever visible ASCII a key is made of, it is read back as it was."""
    import io

    assert dotenv_values(stream=io.StringIO(with_values("", {"KEY": value})), interpolate=False) == {"KEY": value}


def test_usual_keys_are_not_quoted() -> None:
    """A key of letters, digits, - and _ stands bare, as `docker --env-file` wants it."""
    assert quoted("app-94d3ed8d_1ab6") == "app-94d3ed8d_1ab6"


def test_later_doubles_go() -> None:
    """A second line with the same key, which would count, is taken out; a commented one stays."""
    text = "export KEY=1\n#KEY=2\nOTHER=x\nKEY=3\n"
    assert with_values(text, {"KEY": "new"}) == "KEY=new\n#KEY=2\nOTHER=x\n"


def test_draft_is_never_readable_by_others(tmp_path: Path) -> None:
    """Under any umask the draft has the mode 0600 from the start."""
    before = os.umask(0)
    try:
        with open_env_file(tmp_path / ".env"):
            assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()] == [0o600]
    finally:
        os.umask(before)
    assert list(tmp_path.iterdir()) == []


# --- the script ---


def test_script_is_the_same_command(onechat_server: LocalOneChat, tmp_path: Path) -> None:
    """`scripts/register_miniapp.py` registers as `miniapp register` does, its session ID from standard input."""
    script = Path(register_module.__file__).parents[2] / "scripts" / "register_miniapp.py"
    command = [sys.executable, str(script), "--name", "Lunch", "--url", "https://lunch.example", "--session-id-stdin"]
    command += ["--admin-jid", onechat_server.admin.jid, "--api-url", onechat_server.config["ONECHAT_API_URL"]]
    session_id = session(onechat_server)
    done = subprocess.run(command, cwd=tmp_path, input=session_id + "\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    stored = dotenv_values(tmp_path / ".env")
    assert str(stored[APP_ID]) in done.stdout
    assert str(stored[API_KEY]) not in done.stdout
    assert session_id not in done.stdout
