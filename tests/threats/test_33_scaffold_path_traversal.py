"""Threat 33, path traversal: `miniapp new` writes into the one directory that was named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from miniapp.errors import ScaffoldError
from miniapp.project import new as scaffold


def everything(directory):
    """Every path below `directory`, with the content of the files."""
    return {
        path: path.read_bytes() if path.is_file() and not path.is_symlink() else None for path in directory.rglob("*")
    }


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../evil",
        "a/../../evil",
        "a/..",
        "%2e%2e",
        "%2e%2e%2fevil",
        "a%00b",
        "a\0b",
        "..\\evil",
        ".hidden",
        "-rf",
        "a b",
        "a\nb",
        "ä",
        "a:b",
        "x" * 65,
    ],
)
def test_bad_names_make_nothing(tmp_path, monkeypatch, name):
    """A name that leads elsewhere, or isn't an identifier, is refused before anything is written."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    with pytest.raises(ScaffoldError) as caught:
        scaffold.create(Path(name), {})
    assert caught.value.hint
    assert everything(tmp_path) == {work: None}


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_not_followed(tmp_path, exists):
    """A link in the project's place is refused, whether or not it leads anywhere."""
    elsewhere = tmp_path / "elsewhere"
    if exists:
        elsewhere.mkdir()
    (tmp_path / "lunch").symlink_to(elsewhere)
    before = everything(tmp_path)
    with pytest.raises(ScaffoldError, match="symbolic link"):
        scaffold.create(tmp_path / "lunch", {}, force=True)
    assert everything(tmp_path) == before


def test_links_inside_the_directory_are_not_followed(tmp_path):
    """With force, a linked subdirectory stops everything, and a linked file stays what it is."""
    project, elsewhere = tmp_path / "lunch", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "templates").symlink_to(elsewhere)
    before = everything(tmp_path)
    with pytest.raises(ScaffoldError, match="symbolic link"):
        scaffold.create(project, {}, force=True)
    assert everything(tmp_path) == before

    (project / "templates").unlink()
    (project / ".env").symlink_to(elsewhere / "planted")
    scaffold.create(project, {}, force=True)
    assert os.readlink(project / ".env") == str(elsewhere / "planted")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["/etc/passwd", "../evil", "a\0b", "%2e%2e/evil"])
def test_answers_are_never_paths(tmp_path, name):
    """The app's name can't smuggle in a path: those that look like one are refused."""
    with pytest.raises(ScaffoldError):
        scaffold.create(tmp_path / "lunch", {"name": name})
    assert list(tmp_path.iterdir()) == []
