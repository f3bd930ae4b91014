"""Tests of `miniapp doctor`: what it finds, and that it gives nothing away."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from flask import Flask, Response

from miniapp.project import doctor
from miniapp.project.doctor import Finding, examine
from miniapp.testing.onechat import LocalOneChat
from support.commands import Run, loaded
from support.paths import ROOT
from support.servers import serving

Look = Callable[[], dict[str, Finding]]

APP = "from flask import Flask\nfrom miniapp import MiniApp\napp = Flask(__name__)\nMiniApp(app)\n"


@pytest.fixture
def look(env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """`look()`: the findings about the working directory by code, with the settings of a sandbox's app."""
    monkeypatch.chdir(tmp_path)
    for key, value in env.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("ONECHAT_PUBLIC_URL")

    def examined() -> dict[str, Finding]:
        findings = examine(tmp_path)
        assert all(finding.fix for finding in findings if finding.level != "ok"), "each finding has its fix"
        return {finding.code: finding for finding in findings}

    return examined


def git(*command: str, cwd: Path) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.example"]
    subprocess.run(["git", *identity, *command], cwd=cwd, check=True, capture_output=True)


def as_json(cwd: Path, env: dict[str, str]) -> tuple[int, str, dict[str, dict[str, str]]]:
    """The real command with --json: exit code, whole output, findings by code."""
    done = subprocess.run(
        [sys.executable, "-m", "miniapp", "doctor", "--json"],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    document = json.loads(done.stdout)
    assert document["ok"] == (done.returncode == 0)
    return done.returncode, done.stdout + done.stderr, {found["code"]: found for found in document["findings"]}


# --- the whole ---


def test_healthy_app_has_no_error(env: dict[str, str], tmp_path: Path) -> None:
    """An app whose settings fit, before a sandbox that answers, exits with 0."""
    (tmp_path / "wsgi.py").write_text(APP)
    code, _, found = as_json(tmp_path, env | {"ONECHAT_PUBLIC_URL": ""})
    assert code == 0
    assert {code: finding["level"] for code, finding in found.items()} == {
        "settings": "ok",
        "env_file": "ok",
        "leak": "ok",
        "version": "ok",
        "cookie": "ok",
        "framing": "ok",
        "headers": "warn",  # the app does not set ONECHAT_HEADERS
        "host": "ok",
        "credentials": "ok",
        "clock": "ok",
        "https": "warn",  # its public URL is not known
    }


def test_text_for_people(look: Look, run: Run) -> None:
    """Without --json each finding is a line, its fix below it, and the last line counts them."""
    result = run("doctor", env={"ONECHAT_API_KEY": "", "ONECHAT_PUBLIC_URL": ""})
    lines = result.output.splitlines()
    assert any("error ONECHAT_API_KEY is not set." in line for line in lines)
    assert any(line.strip().startswith("`miniapp register` gets one") for line in lines)
    assert lines[-1].startswith("1 error(s), ")
    assert result.exit_code == 1


def test_every_code_is_documented() -> None:
    """docs/cli.md has every code that doctor.py gives."""
    text = (ROOT / "docs" / "cli.md").read_text()
    source = Path(doctor.__file__).read_text()

    codes = set(re.findall(r'Finding\(\s*f?"([a-z_]+)', source))
    assert len(codes) > 12
    assert all(f"`{code}" in text for code in codes), codes
    assert "doctor" in loaded()


# --- settings and app ---


def test_all_problems_of_the_settings(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wrong setting is a finding by itself, with its own fix."""
    monkeypatch.setenv("ONECHAT_APP_ID", "")
    monkeypatch.setenv("ONECHAT_BODY", "xml")
    monkeypatch.setenv("SECRET_KEY", "short")
    found = look()
    assert {code for code in found if code.startswith("setting:")} == {
        "setting:ONECHAT_APP_ID",
        "setting:ONECHAT_BODY",
        "setting:SECRET_KEY",
    }


def test_settings_of_the_app_count(env: dict[str, str], tmp_path: Path) -> None:
    """What the app sets by itself is what is judged."""
    (tmp_path / "wsgi.py").write_text(
        APP.replace("MiniApp(app)", "app.config['ONECHAT_HEADERS'] = 'app'\nMiniApp(app)")
    )
    assert as_json(tmp_path, env)[2]["headers"]["level"] == "ok"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise RuntimeError('canary-in-the-error')", "RuntimeError"),
        ("def broken(:", "can't be loaded"),
        ("import os\nos.environ['NOT_SET']", "KeyError"),
        ("from flask import Flask\napp = Flask(__name__)", "no MiniApp"),
    ],
)
def test_app_that_can_not_be_loaded(env: dict[str, str], tmp_path: Path, source: str, words: str) -> None:
    """An app that fails is an error that names its kind and not its text, and the other checks are made."""
    (tmp_path / "wsgi.py").write_text(source)
    code, output, found = as_json(tmp_path, env)
    assert code == 1
    assert words in found["app"]["what"]
    assert "canary" not in output
    assert found["host"]["level"] == "ok"


# --- the way to OneChat ---


def test_host_that_is_away(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that can't be reached is an error."""
    monkeypatch.setenv("ONECHAT_API_URL", "http://127.0.0.1:9/onechat/api")
    assert look()["host"].level == "error"


def test_host_that_is_something_else(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers without OneChat's documented form is a warning; a clock that is off is another."""

    def other(_: int) -> Flask:
        app = Flask("other")
        date = formatdate(time.time() - 3600, usegmt=True)
        app.add_url_rule("/<path:_>", view_func=lambda _: Response("Hi", headers={"Date": date}), methods=["POST"])
        return app

    with serving(other) as (_, port):
        monkeypatch.setenv("ONECHAT_API_URL", f"http://127.0.0.1:{port}")
        found = look()
    assert found["host"].level == "warn"


def test_probe_carries_no_secret(look: Look, monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    """OneChat and the public URL get requests without key, app ID, session ID or cookie."""
    seen: list[str] = []

    def listener(_: int) -> Flask:
        from flask import request

        app = Flask("listener")

        @app.before_request
        def note() -> str:
            seen.append(f"{request.method} {request.url}\n{request.headers}\n{request.get_data(as_text=True)}")
            return ""

        return app

    with serving(listener) as (_, port):
        monkeypatch.setenv("ONECHAT_API_URL", f"http://127.0.0.1:{port}/api")
        monkeypatch.setenv("ONECHAT_PUBLIC_URL", f"http://127.0.0.1:{port}")
        look()
    assert len(seen) == 4  # one to OneChat, three below the public URL
    for secret in (env["ONECHAT_API_KEY"], env["ONECHAT_APP_ID"], env["SECRET_KEY"]):
        assert secret not in "".join(seen)


def test_a_wrong_key_is_told_apart_from_a_host_that_is_away(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """OneChat answers, but refuses the app's calls: the finding says so and what to check."""
    monkeypatch.setenv("ONECHAT_API_KEY", "not-the-key-of-this-app")
    found = look()
    assert found["host"].level == "ok"
    assert found["credentials"].level == "error"
    assert "ONECHAT_API_KEY" in found["credentials"].fix


# --- cookies, framing, the public URL ---


@pytest.mark.parametrize(
    ("settings", "code", "level"),
    [
        ({"COOKIE": "partitioned"}, "cookie", "error"),
        ({"CONTAINER_ORIGINS": "https://app.onechat.net", "PUBLIC_URL": "https://lunch.invalid"}, "cookie", "warn"),
        ({"CONTAINER_ORIGINS": "https://app.lunch.invalid", "PUBLIC_URL": "https://lunch.invalid"}, "cookie", "ok"),
        ({"COOKIE": "partitioned", "PUBLIC_URL": "https://lunch.invalid"}, "cookie", "ok"),
        ({"CONTAINER_ORIGINS": ""}, "framing", "warn"),
        ({}, "framing", "ok"),
        ({}, "https", "warn"),
        ({"PUBLIC_URL": "https://lunch.invalid"}, "https", "error"),
    ],
)
def test_policy(look: Look, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], code: str, level: str) -> None:
    """Cookie, framing and public URL are judged together: what one needs of the other is said."""
    for key, value in settings.items():
        monkeypatch.setenv(f"ONECHAT_{key}", value)
    assert look()[code].level == level


@pytest.mark.parametrize(("body", "level"), [("SECRET_KEY=canary-0123456789", "error"), ("<h1>Not here</h1>", "ok")])
def test_env_file_that_is_served(look: Look, monkeypatch: pytest.MonkeyPatch, body: str, level: str) -> None:
    """A .env that the public URL serves is an error; a page of that name that is something else is not."""

    def exposing(_: int) -> Flask:
        app = Flask("exposing")
        app.add_url_rule("/.env", view_func=lambda: body)
        return app

    with serving(exposing) as (_, port):
        monkeypatch.setenv("ONECHAT_PUBLIC_URL", f"http://127.0.0.1:{port}")
        found = look()
    assert found["exposed"].level == level
    assert "canary" not in str(found)


# --- secrets ---


def test_env_file_that_others_can_read(look: Look, tmp_path: Path) -> None:
    """A .env that all users can read is an error; for its owner alone it is fine."""
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(0o644)
    assert look()["env_mode"].fix == "chmod 600 .env"
    (tmp_path / ".env").chmod(0o600)
    assert look()["env_file"].level == "ok"


def test_env_file_in_git(look: Look, tmp_path: Path) -> None:
    """A .env that git tracks, has in its history, or would add is an error, each in its own words."""
    (tmp_path / ".env").touch(0o600)
    (tmp_path / ".env").write_text("A=1\n")
    git("init", "-q", cwd=tmp_path)
    assert "env_ignored" in look()
    git("add", ".env", cwd=tmp_path)
    assert "env_tracked" in look()
    git("commit", "-qm", "oops", cwd=tmp_path)
    git("rm", "-q", "--cached", ".env", cwd=tmp_path)
    (tmp_path / ".gitignore").write_text(".env\n")
    git("add", "-A", cwd=tmp_path)
    git("commit", "-qm", "better", cwd=tmp_path)
    assert "env_history" in look()


@pytest.mark.parametrize("place", ["static/app.js", "templates/home.html", "lunch.py"])
@pytest.mark.parametrize("key", ["ONECHAT_API_KEY", "SECRET_KEY"])
def test_secret_in_a_file(look: Look, tmp_path: Path, env: dict[str, str], place: str, key: str) -> None:
    """A file with the value of a secret is named, and the value is not."""
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(f"const key = '{env[key]}'")
    finding = look()["leak"]
    assert finding.level == "error"
    assert place in finding.what
    assert key in finding.what
    assert env[key] not in str(finding)


def test_env_file_among_static_files(look: Look, tmp_path: Path) -> None:
    """A .env below static/ is served to all."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / ".env").touch()
    assert look()["exposed"].level == "error"


def test_no_output_has_a_secret(env: dict[str, str], tmp_path: Path, onechat_server: LocalOneChat) -> None:
    """Neither the key nor SECRET_KEY is in the output, even where everything is wrong."""
    (tmp_path / "wsgi.py").write_text(APP.replace("MiniApp(app)", "raise RuntimeError(__import__('os').environ)"))
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "x.js").write_text(f"{env['ONECHAT_API_KEY']} {env['SECRET_KEY']}")
    (tmp_path / ".env").write_text(f"ONECHAT_API_KEY={env['ONECHAT_API_KEY']}\nONECHAT_NO_SUCH=1\n")
    onechat_server.fail("authenticateUser", 1, "html")
    _, output, found = as_json(tmp_path, env)
    assert found["leak"]["level"] == "error"
    assert env["ONECHAT_API_KEY"] not in output
    assert env["SECRET_KEY"] not in output
