"""Threat 1, the command line's part: every process of a machine can read the arguments of every other."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from miniapp.cli import cli
from support.commands import loaded

CANARY = "s-canary-0123456789"


def test_no_parameter_takes_a_secret() -> None:
    """No command has an option or argument whose value is a session ID, key or other secret."""
    for name, command in loaded().items():
        for parameter in command.params:
            words = " ".join([*parameter.opts, parameter.name or ""]).lower()
            if any(secret in words for secret in ("session", "key", "secret", "token", "password")):
                assert isinstance(parameter, click.Option), (name, words)
                assert parameter.is_flag, (name, words)


@pytest.mark.parametrize("option", ["--session-id", "--session", "--sessionId"])
def test_such_an_option_is_refused_without_repeating_its_value(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt ends in a usage error that does not show the value."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["register", option, CANARY])
    assert result.exit_code == 2
    assert CANARY not in result.output
