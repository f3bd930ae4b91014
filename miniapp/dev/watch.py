"""Which files of a project changed, and what that calls for."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

Kind = Literal["code", "page"]

# It calls it an error that a file changes while it stops.
logging.getLogger("watchdog").setLevel(logging.CRITICAL)

QUIET = 0.05  # seconds without a further change: one save by an editor is several events within a few milliseconds
_PAGE_FOLDERS = {"templates", "static"}
_NEVER = {"node_modules", "__pycache__", "site-packages"}
_TOP_LEVEL_NEVER = {"tests", "build", "dist", "htmlcov", "instance"}  # of no account to the running app
_TOLD = {"created", "modified", "closed", "moved", "deleted"}


def kind(path: Path) -> Kind | None:
    """What a change of `path` (relative to the project) calls for: `code` a new start of the app, `page` a reload."""
    *folders, name = path.parts
    if any(part in _NEVER or part.startswith(".") for part in folders) or (folders and folders[0] in _TOP_LEVEL_NEVER):
        return None
    if name == ".env" or name.startswith(".env.") or (name.endswith(".py") and not name.startswith(".")):
        return "code"
    if name.startswith(".") or name.endswith("~"):  # what editors write while they save
        return None
    return "page" if _PAGE_FOLDERS.intersection(folders) else None


class Watcher(FileSystemEventHandler):
    """Calls `changed` with the paths, relative to `root`, of each burst of changes that call for something."""

    def __init__(self, root: Path, changed: Callable[[frozenset[Path]], object]) -> None:
        self._root = root.resolve()
        self._changed = changed
        self._paths: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._observer = Observer()
        self._whole: set[Path] = set()  # folders that are watched with all below them
        self._thread = threading.Thread(target=self._gather, name="changes", daemon=True)

    def start(self) -> None:
        for folder, whole in _plan(self._root):
            self._watch(folder, whole)
        self._observer.start()
        self._thread.start()

    def stop(self) -> None:
        self._observer.stop()
        self._observer.join()
        self._paths.put(None)
        self._thread.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _TOLD:  # opened, read: `os.scandir` alone causes those
            return
        if event.is_directory:
            if event.event_type in ("created", "moved"):
                self._watch_new(Path(os.fsdecode(event.dest_path or event.src_path)))
            return
        for path in (event.src_path, event.dest_path):
            if path and (relative := self._relative(path)) is not None and kind(relative):
                self._paths.put(relative)

    def _relative(self, path: bytes | str) -> Path | None:
        try:
            return Path(os.fsdecode(path)).relative_to(self._root)
        except ValueError:
            return None

    def _watch(self, folder: Path, whole: bool = True) -> None:
        self._observer.schedule(self, str(folder), recursive=whole)
        if whole:
            self._whole.add(folder)

    def _watch_new(self, folder: Path) -> None:
        if folder.is_dir() and not _is_heavy(folder) and self._whole.isdisjoint((folder, *folder.parents)):
            self._watch(folder)

    def _gather(self) -> None:
        while (path := self._paths.get()) is not None:
            paths = {path}
            while True:
                try:
                    more = self._paths.get(timeout=QUIET)
                except queue.Empty:
                    break
                if more is None:
                    return
                paths.add(more)
            self._changed(frozenset(paths))


def _is_heavy(folder: Path) -> bool:
    """Whether `folder` is full of files that are not the project's own."""
    name = folder.name
    return name in _NEVER - {"__pycache__"} or name.startswith(".") or (folder / "pyvenv.cfg").is_file()


def _plan(root: Path) -> Iterator[tuple[Path, bool]]:
    """The folders to watch, and whether with all below them.

    A watch costs one kernel object for each folder below it; a `.venv` or `node_modules` has thousands. So a folder
    that has such a one below it is watched by itself, and its other subfolders one by one.
    """
    folders = [Path(entry.path) for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    light = [folder for folder in folders if not _is_heavy(folder)]
    below = {folder: list(_plan(folder)) for folder in light}
    if len(light) == len(folders) and all(plan == [(folder, True)] for folder, plan in below.items()):
        yield root, True
    else:
        yield root, False
        for plan in below.values():
            yield from plan
