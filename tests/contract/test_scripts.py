"""What the scripts install, and for whom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement

from support.paths import ROOT


def _locked(path: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)==", (ROOT / path).read_text(), re.MULTILINE))


def _needed(text: str, seen: set[str]) -> Iterator[str]:
    """The distributions that the requirement `text` brings, itself included, as they are installed here."""
    requirement = Requirement(text)
    name = re.sub(r"[-_.]+", "-", requirement.name.lower())
    yield name
    if name in seen:
        return
    seen.add(name)
    for below in metadata.requires(name) or ():
        marker = Requirement(below).marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)):
            yield from _needed(below, seen)


def test_dev_installs_what_building_and_running_need() -> None:
    """`requirements.lock` has the sandbox's dependencies and the build's, and none of the tests' own."""
    needed = {name for text in ("onechat-miniapp[sandbox]", "hatchling") for name in _needed(text, set())}
    other = {"colorama", "onechat-miniapp"}  # of Windows; this project
    assert _locked("requirements.lock") - other == needed - other
    assert _locked("requirements.lock") < _locked("tests/requirements.lock")


def test_the_build_installs_a_bundler_and_what_is_bundled() -> None:
    """`npm ci --omit=dev`, which the build calls, installs esbuild, Lit and Strophe alone."""
    packages = json.loads((ROOT / "js/package-lock.json").read_text())["packages"]
    names = {path for path, package in packages.items() if not (package.get("dev") or package.get("devOptional"))}
    parts = r"node_modules/(@esbuild/.*|@lit.*|lit-.*|@types/trusted-types)"  # of esbuild and Lit
    names = {name.removeprefix("node_modules/") for name in names if not re.fullmatch(parts, name)}
    assert names == {"", "host", "onechat-host-page", "ocwp", "esbuild", "lit", "strophe.js"}


def test_npm_9_can_install_every_package() -> None:
    """No package has a `file:` dependency: npm 9, which is Debian's, fails on those."""
    for lock in ("js/package-lock.json", "bench/package-lock.json"):
        for name, package in json.loads((ROOT / lock).read_text())["packages"].items():
            wanted = package.get("dependencies", {}).values()
            assert not [version for version in wanted if version.startswith("file:")], name
