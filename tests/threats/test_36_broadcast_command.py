"""Threat 36, the command's part: a broadcast is confirmed, and never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from miniapp.testing.onechat import LocalOneChat
from support.commands import Run, at_terminal


def test_no_terminal_needs_yes(onechat_server: LocalOneChat, run: Run, env: dict[str, str]) -> None:
    """Without a terminal to confirm at, nothing goes out unless --yes says so."""
    result = run("broadcast", "Hi", env=env)
    assert result.exit_code == 2
    assert "--yes" in result.output
    assert onechat_server.sent() == []


@pytest.mark.parametrize(("answer", "code", "sent"), [("n", 1, 0), ("", 1, 0), ("y", 0, 1)])
def test_confirmation(
    onechat_server: LocalOneChat,
    env: dict[str, str],
    tmp_path: Path,
    answer: str,
    code: int,
    sent: int,
) -> None:
    """It goes out after a yes alone; the question shows the domain and the text."""
    got, shown = at_terminal([("[y/N]", answer + "\n")], "broadcast", "Kitchen closes", cwd=tmp_path, env=env)
    assert got == code
    assert "onechat.localhost" in shown
    assert "Kitchen closes" in shown
    assert len(onechat_server.sent("massBroadcast")) == sent


def test_unknown_outcome_is_told_and_not_repeated(
    onechat_server: LocalOneChat,
    run: Run,
    env: dict[str, str],
) -> None:
    """After a connection that broke off, there was one call, and the error says that its outcome is unknown."""
    onechat_server.fail("massBroadcast", 1, "reset")
    result = run("broadcast", "Hi", "--yes", env=env)
    assert result.exit_code == 4
    assert "Nobody can tell" in result.output
    assert onechat_server.sent() == []  # a repeat would have been accepted: one call alone was to fail
