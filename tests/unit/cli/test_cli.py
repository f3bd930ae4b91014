"""Tests of the command line: what each command does, says and exits with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from miniapp import __version__
from miniapp.testing.controls import Controls
from miniapp.testing.onechat import LocalOneChat
from support.commands import PATIENCE, Run, at_terminal, loaded
from support.paths import ROOT

COMMANDS = [
    *("broadcast", "dev", "docs", "doctor", "exec", "new", "ocwp", "outbox"),
    *("register", "sandbox", "send", "send-group", "worker"),
]


def miniapp(
    *args: str, cwd: Path, env: dict[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """The real command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "miniapp", *args],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


# --- the whole ---


def test_commands() -> None:
    """The commands are these, each with a text for --help."""
    commands = loaded()
    assert sorted(commands) == COMMANDS
    assert all(command.name == name and len(command.help or "") > 20 for name, command in commands.items())


def test_version(run: Run) -> None:
    """--version names the package and its version."""
    assert run("--version").output == f"onechat-miniapp, version {__version__}\n"


def test_documented() -> None:
    """docs/cli.md has every command, every option and every exit code."""
    text = (ROOT / "docs" / "cli.md").read_text()
    for name, command in loaded().items():
        section = re.search(rf"^## `miniapp {name}[^`]*`$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert section, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(f"`{option}" in section[1] for option in parameter.opts), (name, parameter.opts)
    assert all(f"| {code} |" in text for code in (0, 1, 2, 3, 4, 5, 130))


@pytest.mark.parametrize(
    ("args", "change", "code", "words"),
    [
        (["send", "alice@onechat.localhost"], {}, 2, "Missing argument 'TEXT'"),
        (["send", "no JID", "Hi"], {}, 1, "Not a JID"),
        (["send", "alice@onechat.localhost", ""], {}, 1, "is empty"),
        (["send", "alice@onechat.localhost", "Hi"], {"ONECHAT_API_KEY": ""}, 3, "ONECHAT_API_KEY: is not set."),
        (["send", "alice@onechat.localhost", "Hi"], {"ONECHAT_API_URL": "http://127.0.0.1:9/x"}, 4, "reached"),
        (["send", "alice@onechat.localhost", "Hi"], {"ONECHAT_API_KEY": "wrong-key-0123"}, 5, "Unauthorized"),
    ],
)
def test_errors_have_text_and_exit_code(
    env: dict[str, str], tmp_path: Path, args: list[str], change: dict[str, str], code: int, words: str
) -> None:
    """An error goes to standard error, without a traceback or a secret, and its kind is the exit code."""
    done = miniapp(*args, cwd=tmp_path, env=env | change)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "wrong-key" not in done.stderr


def test_interrupted_prompt_exits_130(env: dict[str, str], tmp_path: Path) -> None:
    """Ctrl-C at a question ends the command with 130."""
    code, shown = at_terminal([("[y/N]: ", "\x03")], "broadcast", "Hi", cwd=tmp_path, env=env)
    assert (code, "Traceback" in shown) == (130, False), shown


# --- messages ---


def test_send(onechat_server: LocalOneChat, run: Run, env: dict[str, str]) -> None:
    """The message arrives at the user, from the app."""
    assert run("send", "alice@onechat.localhost", "Hi Alice", env=env).output == "Sent to alice@onechat.localhost.\n"
    assert [message["text"] for message in onechat_server.messages(onechat_server.alice)] == ["Hi Alice"]


def test_text_from_standard_input(onechat_server: LocalOneChat, run: Run, env: dict[str, str]) -> None:
    """A TEXT of - is standard input, without its last line end."""
    assert run("send", "alice@onechat.localhost", "-", stdin="line 1\nline 2\n", env=env).exit_code == 0
    assert [call["text"] for call in onechat_server.sent()] == ["line 1\nline 2"]


def test_send_group(onechat_server: LocalOneChat, run: Run, env: dict[str, str]) -> None:
    """The message arrives in the group."""
    group = onechat_server.controls.state()["groups"][0]["jid"]
    assert run("send-group", group, "Hi all", env=env).exit_code == 0
    assert [(call["to"], call["text"]) for call in onechat_server.sent("groupMessage")] == [(group, "Hi all")]


def test_settings_from_env_file(onechat_server: LocalOneChat, run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """Without settings in the environment those of .env count."""
    (tmp_path / ".env").write_text("".join(f"{key}={value}\n" for key, value in env.items()))
    assert run("send", "bob@onechat.localhost", "Hi").exit_code == 0
    assert [call["to"] for call in onechat_server.sent()] == ["bob@onechat.localhost"]


def test_flask_miniapp_has_the_settings_of_the_app(
    onechat_server: LocalOneChat, env: dict[str, str], tmp_path: Path
) -> None:
    """`flask miniapp send` sends as the app that Flask loads, its own configuration included."""
    settings = {key: value for key, value in env.items() if key != "ONECHAT_API_KEY"}
    (tmp_path / "wsgi.py").write_text(
        "import os\nfrom flask import Flask\nfrom miniapp import MiniApp\napp = Flask(__name__)\n"
        "app.config['ONECHAT_API_KEY'] = os.environ['KEY_OF_THIS_APP']\nMiniApp(app)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "miniapp", "send", "alice@onechat.localhost", "Hi"],
        cwd=tmp_path,
        env={**os.environ, **settings, "KEY_OF_THIS_APP": env["ONECHAT_API_KEY"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "Sent to alice@onechat.localhost.\n"), done.stderr
    assert len(onechat_server.sent("singleMessage")) == 1


# --- register ---


def test_dry_run_sends_nothing(onechat_server: LocalOneChat, run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """--dry-run shows what would be sent, asks for no secret, makes no call and writes nothing."""
    count = len(onechat_server.controls.state()["apps"])
    args = ["--name", "Lunch", "--url", "https://lunch.example", "--admin-jid", "admin@onechat.localhost", "--dry-run"]
    result = run("register", *args, env={"ONECHAT_API_URL": env["ONECHAT_API_URL"], "ONECHAT_SESSION_ID": "s-canary-0"})
    assert result.exit_code == 0
    for part in ("appName", "Lunch", "https://lunch.example/static/icon.svg", "admin@onechat.localhost", "(secret)"):
        assert part in result.output
    assert "canary" not in result.output
    assert len(onechat_server.controls.state()["apps"]) == count
    assert list(tmp_path.iterdir()) == []


def test_session_id_by_hidden_prompt(onechat_server: LocalOneChat, env: dict[str, str], tmp_path: Path) -> None:
    """At a terminal the session ID is asked for and does not show while it is typed."""
    session_id = onechat_server.session(onechat_server.admin)
    code, shown = at_terminal(
        [
            ("mini app's name", "Lunch\n"),
            ("JID as admin", f"{onechat_server.admin}\n"),
            ("not shown", session_id + "\n"),
        ],
        *["register", "--url", "https://lunch.example"],
        cwd=tmp_path,
        env={"ONECHAT_API_URL": env["ONECHAT_API_URL"]},
    )
    assert code == 0, shown
    assert session_id not in shown
    assert "ONECHAT_API_KEY=" in (tmp_path / ".env").read_text()


def test_session_id_from_the_environment(onechat_server: LocalOneChat, run: Run, env: dict[str, str]) -> None:
    """ONECHAT_SESSION_ID spares the prompt, ONECHAT_ADMIN_JID and ONECHAT_PUBLIC_URL their options."""
    result = run(
        *["register", "--name", "Lunch"],
        env={
            "ONECHAT_API_URL": env["ONECHAT_API_URL"],
            "ONECHAT_SESSION_ID": onechat_server.session(onechat_server.admin),
            "ONECHAT_ADMIN_JID": onechat_server.admin.jid,
            "ONECHAT_PUBLIC_URL": "https://lunch.example",
        },
    )
    assert result.exit_code == 0, result.output
    app = next(app for app in onechat_server.controls.state()["apps"] if app["name"] == "Lunch")
    assert (app["url"], app["icon"]) == ("https://lunch.example", "https://lunch.example/static/icon.svg")


def test_no_terminal_and_no_session_id(run: Run) -> None:
    """Without a terminal to ask at, the error names the two other ways."""
    args = ["--name", "Lunch", "--url", "https://lunch.example", "--admin-jid", "admin@onechat.localhost"]
    result = run("register", *args)
    assert result.exit_code == 2
    assert "--session-id-stdin" in result.output
    assert "ONECHAT_SESSION_ID" in result.output


def test_what_could_not_be_stored_is_printed_once(
    onechat_server: LocalOneChat, run: Run, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If storing fails after the call, ID and key go to standard output, once, and the exit code is 1."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("miniapp.project.envfile.os.replace", full)
    args = ["--name", "Lunch", "--url", "https://lunch.example", "--admin-jid", onechat_server.admin.jid]
    args += ["--api-url", env["ONECHAT_API_URL"], "--session-id-stdin"]
    result = run("register", *args, stdin=onechat_server.session(onechat_server.admin) + "\n")
    assert result.exit_code == 1
    assert len(re.findall(r"^ONECHAT_APP_ID=\S+$", result.stdout, re.MULTILINE)) == 1
    assert len(re.findall(r"^ONECHAT_API_KEY=\S{8,}$", result.stdout, re.MULTILINE)) == 1
    assert "registered, but" in result.stderr


# --- new ---


def test_new_with_defaults(run: Run, tmp_path: Path) -> None:
    """--defaults asks nothing, and the next steps are printed."""
    result = run("new", "lunch", "--defaults")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "lunch" / "wsgi.py").is_file()
    assert "cd lunch" in result.output
    assert "miniapp dev" in result.output


def test_new_asks_what_is_not_given(run: Run, tmp_path: Path) -> None:
    """Questions without a flag are asked, and asked again after a wrong answer."""
    result = run("new", "lunch", "--name", "Lunch club", stdin="http://not.https\nhttps://lunch.example\n\n")
    assert result.exit_code == 0, result.output
    assert "Use https" in result.output
    assert "called" not in result.output
    env = (tmp_path / "lunch" / ".env").read_text()
    assert "https://lunch.example" in env


def test_new_refuses_a_full_directory(run: Run, tmp_path: Path) -> None:
    """A directory with files is refused, and left as it is."""
    (tmp_path / "lunch").mkdir()
    (tmp_path / "lunch" / "mine.txt").write_text("mine")
    result = run("new", "lunch", "--defaults")
    assert result.exit_code == 1
    assert [path.name for path in (tmp_path / "lunch").iterdir()] == ["mine.txt"]


# --- docs ---


def test_docs_shows_the_pages(run: Run) -> None:
    """`docs` lists the pages; a page's name, or a text of the form `docs/errors.md#host`, shows one."""
    assert re.search(r"^errors +Errors$", run("docs").output, re.MULTILINE)
    for page in ("errors", "docs/errors.md#host_refused"):
        assert run("docs", page).output.startswith("# Errors\n")
    assert run("docs", "nonsense").exit_code == 2


# --- sandbox ---


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], dict[str, str]]]]:
    """Starts `miniapp sandbox`: the process, and what its banner says by name."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
        command = [sys.executable, "-m", "miniapp", "sandbox", "--port", "0", *options]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        says: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.strip().partition("  ")
            says[name] = value.strip()
            if name == "Stop":
                break
        return process, says

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    return process.returncode


@pytest.mark.system
def test_sandbox_by_itself(sandbox: Callable[..., tuple[subprocess.Popen[str], dict[str, str]]]) -> None:
    """It prints what an app needs, keeps what it was told to keep, empties it on --reset, and ends with 0."""

    def controls(says: dict[str, str]) -> Controls:
        return Controls(says["ONECHAT_API_URL"].removesuffix("/onechat/api"), says["X-Sandbox-Token"])

    def names(says: dict[str, str]) -> list[str]:
        return [user["name"] for user in controls(says).state()["users"]]

    process, says = sandbox("--data", "state", "--xmpp", "off")
    assert says["Network"] == "embedded"
    controls(says).call("POST", "/_sandbox/users", {"name": "Fay"})
    assert stop(process) == 0
    process, says = sandbox("--data", "state")
    assert "Fay" in names(says)
    assert says["Network"] == "XMPP, by Prosody"
    clients = says["XMPP clients"]
    assert stop(process) == 0
    process, says = sandbox("--data", "state", "--reset")
    assert "Fay" not in names(says)
    assert says["XMPP clients"] == clients


def test_sandbox_options_that_make_no_sense(run: Run) -> None:
    """--reset without --data, and an address that others can reach, are refused with what to do."""
    assert run("sandbox", "--reset").exit_code == 2
    result = run("sandbox", "--host", "0.0.0.0")
    assert result.exit_code == 1
    assert "--force-host" in result.output


def test_sandbox_not_installed(tmp_path: Path) -> None:
    """Without the extra, `dev` and `sandbox` say how to install it."""
    for command in ("dev", "sandbox"):
        program = f"import sys; sys.modules['sqlalchemy'] = None; from miniapp.cli import main; main(['{command}'])"
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "pip install 'onechat-miniapp[sandbox]'" in done.stderr


def test_banner_at_a_terminal_is_a_panel(run: Run, tmp_path: Path) -> None:
    """At a terminal the dry run is drawn as a panel; in a pipe it is plain text."""
    args = ["register", "--name", "Lunch", "--url", "https://lunch.example", "--admin-jid", "a@b.example", "--dry-run"]
    code, shown = at_terminal([], *args, cwd=tmp_path, env={"TERM": "xterm"})
    assert code == 0
    assert "╭" in shown
    assert "╭" not in run(*args).output
