"""Which files of a project changed, and what that calls for."""

from __future__ import annotations

import errno
import logging
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

Change = Literal["code", "page"]

# It calls it an error that a file changes while it stops.
logging.getLogger("watchdog").setLevel(logging.CRITICAL)

_LIMITS = (errno.ENOSPC, errno.EMFILE)  # of inotify: too many watches, too many instances of one user
QUIET = 0.05  # seconds without a further change: one save by an editor is several events within a few milliseconds
_PAGE_FOLDERS = {"templates", "static"}
_NEVER = {"node_modules", "__pycache__", "site-packages"}
_TOP_LEVEL_NEVER = {"tests", "build", "dist", "htmlcov", "instance"}  # of no account to the running app
_TOLD = {"created", "modified", "closed", "moved", "deleted"}


def kind(path: Path) -> Change | None:
    """Return what a change of `path` (relative to the project) needs: `code` a restart of the app, `page` a reload."""
    *folders, name = path.parts
    if any(part in _NEVER or part.startswith(".") for part in folders) or (folders and folders[0] in _TOP_LEVEL_NEVER):
        return None
    if name == ".env" or name.startswith(".env.") or (name.endswith(".py") and not name.startswith(".")):
        return "code"
    if name.startswith(".") or name.endswith("~"):  # what editors write while they save
        return None
    return "page" if _PAGE_FOLDERS.intersection(folders) else None


class Watcher(FileSystemEventHandler):
    """Calls `changed` with the paths, relative to `root`, of each burst of changes that call for something.

    Left out is what git ignores, `.env` aside, and what matches one of the patterns `ignore`. `say` is told, in one
    line, what can't be followed.
    """

    def __init__(
        self,
        root: Path,
        changed: Callable[[frozenset[Path]], object],
        *,
        say: Callable[[str], object] = lambda line: None,
        ignore: tuple[str, ...] = (),
    ) -> None:
        self._root = root.resolve()
        self._changed = changed
        self._say = say
        self._ignore = tuple(pattern.removeprefix("./").rstrip("/") for pattern in ignore)
        self._paths: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._observer: BaseObserver = Observer()
        self._whole: set[Path] = set()  # folders that are watched with all below them
        self._thread = threading.Thread(target=self._gather, name="changes", daemon=True)

    def start(self) -> None:
        """Begin to watch. Falls back to polling where the system limits watches."""
        closed: list[Path] = []
        plan = list(_plan(self._root, closed.append))
        if closed:
            names = ", ".join(str(folder.relative_to(self._root)) for folder in closed)
            self._say(f"Changes in {names} are not followed: this user may not read there.")
        try:
            self._begin(plan)
        except OSError as error:
            if error.errno not in _LIMITS:
                raise
            self._say(
                f"Files are looked at once a second: {error.strerror}. "
                "To follow them at once, raise fs.inotify.max_user_watches and max_user_instances with sysctl."
            )
            self._observer.unschedule_all()
            self._observer = PollingObserver(timeout=1)
            self._begin(plan)
        self._thread.start()

    def _begin(self, plan: list[tuple[Path, bool]]) -> None:
        for folder, whole in plan:
            self._watch(folder, whole)
        self._observer.start()

    def stop(self) -> None:
        """Stop watching."""
        self._observer.stop()
        self._observer.join()
        self._paths.put(None)
        self._thread.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Queue a change that matters; watchdog calls this in its own thread."""
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
            try:
                self._watch(folder)
            except OSError as error:
                self._say(f"Changes in {self._relative(str(folder))} are not followed: {error.strerror}.")

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
            if wanted := self._not_ignored(paths):
                self._changed(frozenset(wanted))

    def _not_ignored(self, paths: set[Path]) -> set[Path]:
        wanted = {path for path in paths if not any(self._matches(part) for part in (path, *path.parents))}
        ours = {path for path in wanted if path.name.startswith(".env")}  # git ignores it, since it holds secrets
        return ours | (wanted - ours - _ignored_by_git(self._root, wanted - ours))

    def _matches(self, path: Path) -> bool:
        return any(fnmatchcase(path.as_posix(), pattern) for pattern in self._ignore)


def _ignored_by_git(root: Path, paths: set[Path]) -> set[Path]:
    """Those of `paths` that git ignores; none where there is no git, or no repository."""
    if not paths:
        return set()
    names = b"\0".join(os.fsencode(path) for path in paths)
    try:
        git = ["git", "-C", str(root), "check-ignore", "-z", "--stdin"]
        found = subprocess.run(git, input=names, capture_output=True, check=False).stdout
    except OSError:
        return set()
    return {Path(os.fsdecode(name)) for name in found.split(b"\0") if name}


def _is_heavy(folder: Path) -> bool:
    """Return whether `folder` is full of files that are not the project's own."""
    name = folder.name
    if name in _NEVER - {"__pycache__"} or name.startswith("."):
        return True
    return os.path.isfile(folder / "pyvenv.cfg")  # False too if this user may not look


def _plan(root: Path, closed: Callable[[Path], object] = lambda folder: None) -> Iterator[tuple[Path, bool]]:
    """Yield the folders to watch, and whether with all below them. `closed` is told those that can't be read.

    A watch costs one kernel object for each folder below it; a `.venv` or `node_modules` has thousands. So a folder
    that has such a one below it is watched by itself, and its other subfolders one by one.
    """
    try:
        folders = [Path(entry.path) for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        closed(root)
        return
    light = [folder for folder in folders if not _is_heavy(folder)]
    below = {folder: list(_plan(folder, closed)) for folder in light}
    if len(light) == len(folders) and all(plan == [(folder, True)] for folder, plan in below.items()):
        yield root, True
    else:
        yield root, False
        for plan in below.values():
            yield from plan
