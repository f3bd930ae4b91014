"""Threat 34, secrets in git: a new project's secrets stay out of its repository and its image."""

from __future__ import annotations

import fnmatch
import os
import stat
import subprocess

import pytest
from dotenv import dotenv_values

from miniapp.project import new as scaffold

CANARY = "canary-key-0123456789"


@pytest.fixture
def project(tmp_path):
    """A new project with an API key in its `.env`."""
    scaffold.create(tmp_path / "lunch", {})
    with open(tmp_path / "lunch/.env", "a") as env_file:
        env_file.write(f"ONECHAT_API_KEY={CANARY}\n")
    return tmp_path / "lunch"


def git(project, *arguments):
    """What git prints; none of the developer's own git settings apply."""
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *arguments], cwd=project, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_git_add_stages_no_secret(project):
    """`git add -A` in a new project stages its files but neither `.env` nor anything with a secret in it."""
    secret = dotenv_values(project / ".env")["SECRET_KEY"]
    (project / ".env.backup").write_text(CANARY)
    git(project, "init", "-q")
    git(project, "add", "-A")
    staged = git(project, "ls-files", "--cached").splitlines()
    assert "wsgi.py" in staged
    assert not [name for name in staged if name.startswith(".env")]
    for name in staged:
        content = git(project, "show", f":{name}")
        assert CANARY not in content
        assert secret not in content


def test_only_the_owner_reads_the_secrets(project):
    """`.env` is readable and writable by its owner alone."""
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600


def test_no_image_has_the_secrets(project):
    """The image leaves `.env` out twice: it is ignored, and the build fails if it is there all the same."""
    ignored = (project / ".dockerignore").read_text().splitlines()
    assert any(fnmatch.fnmatch(".env", pattern) for pattern in ignored)
    steps = (project / "Dockerfile").read_text().splitlines()
    last_copy = max(number for number, line in enumerate(steps) if line.startswith("COPY"))
    (check,) = (line.removeprefix("RUN ") for line in steps[last_copy:] if ".env" in line and line.startswith("RUN "))
    assert subprocess.run(["sh", "-c", check], cwd=project, capture_output=True).returncode == 1
    (project / ".env").unlink()
    assert subprocess.run(["sh", "-c", check], cwd=project, capture_output=True).returncode == 0
