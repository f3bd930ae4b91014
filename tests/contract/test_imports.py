"""Imports run one way, as docs and design draw them. Read from the source, so those inside of functions count too."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import miniapp

PACKAGE = Path(miniapp.__file__).parent
ROOT = PACKAGE.parent

# A unit (a module or a folder of `miniapp/`) imports only from rows above its own.
LAYERS = [
    {"errors", "contract", "hosts", "texts"},
    {"jid", "responses"},
    {"settings"},
    {"onechat"},
    {"login", "shim", "outbox"},
    {"state"},
    {"script_tag", "routes"},
    {"extension"},
    {"__init__"},
    {"sandbox", "project"},
    {"testing"},
    {"dev"},
    {"cli"},
    {"__main__"},
]
SANDBOX_MAY = {
    "contract",
    "errors",
    "hosts",
    "jid",
    "sandbox",
}  # no parser shared with the client
KNOW_THE_SANDBOX = {"cli", "dev", "testing"}  # `dev` is the inside of `miniapp dev`
SANDBOX_LAYERS = [{"store"}, {"network"}, {"config", "prosody"}, {"networks"}, {"web"}, {"server"}, {"__init__"}]
ROUTES = {"rest_api", "controls", "portal", "phones"}  # of `sandbox/web/`


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Yield the full names that a module imports, for types too; with `top_level_only`, when it is imported itself."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if top_level_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if top_level_only and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            source = ".".join(filter(None, (base, node.module)))
            for alias in node.names:
                name = f"{source}.{alias.name}"
                yield name if is_module(name) else source
        waiting.extend(ast.iter_child_nodes(node))


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def unit(name: str, depth: int = 1) -> str:
    """The part of `miniapp` (or, with depth 2, of `miniapp.sandbox`) that a full name belongs to."""
    parts = name.split(".")
    return parts[depth] if len(parts) > depth else "__init__"


def modules(folder: Path = PACKAGE) -> list[Path]:
    data = {"static", "templates", "_starter"}  # files of new projects, not of the package
    return sorted(path for path in folder.rglob("*.py") if not data & set(path.relative_to(PACKAGE).parts))


def own(path: Path, **how: bool) -> set[str]:
    return {name for name in imports(path, **how) if name.split(".")[0] == "miniapp"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_the_rows_above_its_own(path: Path) -> None:
    """errors, contract, jid, settings, client, then what uses them, then the extension: never the reverse."""
    place = {name: number for number, names in enumerate(LAYERS) for name in names}
    here = unit_of(path)
    assert here in place, f"miniapp/{here} has no row in LAYERS: give it one"
    for name in own(path):
        there = unit(name)
        assert there == here or place[there] < place[here], f"{path} imports {name}"


def test_there_is_no_circle() -> None:
    """No module imports itself through others: not inside of functions, and not for types."""
    graph = {name_of(path): own(path) - {name_of(path)} for path in modules()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("path", modules(PACKAGE / "sandbox"), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_sandbox_stands_apart(path: Path) -> None:
    """The sandbox takes the contract, errors, host names and JIDs from the framework, and nothing else."""
    assert {unit(name) for name in own(path)} <= SANDBOX_MAY


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_and_the_test_plugin_know_the_sandbox(path: Path) -> None:
    """They import it where they use it, so that an installation without its extra works."""
    if unit_of(path) == "sandbox":
        return
    if unit_of(path) not in KNOW_THE_SANDBOX:
        assert "sandbox" not in {unit(name) for name in own(path)}
    assert "sandbox" not in {unit(name) for name in own(path, top_level_only=True)}


@pytest.mark.parametrize("path", modules(PACKAGE / "sandbox"), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_inside_the_sandbox_requests_go_down_to_the_store(path: Path) -> None:
    """The server, then the routes, then the network, then the store; routes know nothing of each other."""
    place = {name: number for number, names in enumerate(SANDBOX_LAYERS) for name in names}
    here = unit(name_of(path), 2)
    for name in own(path):
        there = unit(name, 2)
        if unit(name) == "sandbox" and there != here:
            assert place[there] < place[here], f"{path} imports {name}"
    if path.stem in ROUTES:
        assert not {name.rpartition(".")[2] for name in own(path)} & (ROUTES - {path.stem})


def test_the_starter_knows_miniapp_and_flask_alone() -> None:
    """The starter imports two packages, and only public names of ours."""
    used = set(imports(ROOT / "wsgi.py"))
    foreign = {name for name in used if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name.split(".")[0] for name in foreign} == {"miniapp", "flask"}


def test_the_reader_of_imports_sees_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative and absolute imports are found, in functions and classes and for types too."""
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    folder = tmp_path / "miniapp" / "part"
    folder.mkdir(parents=True)
    for name in (
        "miniapp/client.py",
        "miniapp/state.py",
        "miniapp/jid.py",
        "miniapp/part/other.py",
        "miniapp/part/__init__.py",
    ):
        (tmp_path / name).touch()
    (folder / "module.py").write_text(
        "import miniapp.jid\n"
        "from . import other\n"
        "from .. import __version__\n"
        "if TYPE_CHECKING:\n    from ..state import State\n"
        "def f():\n    from ..client import OneChat\n"
        "class C:\n    async def g(self):\n        if 1:\n            from miniapp import jid\n"
    )
    assert sorted(imports(folder / "module.py")) == [
        "miniapp", "miniapp.client", "miniapp.jid", "miniapp.jid", "miniapp.part.other", "miniapp.state",
    ]  # fmt: skip
    assert sorted(imports(folder / "module.py", top_level_only=True)) == [
        "miniapp",
        "miniapp.jid",
        "miniapp.part.other",
    ]
