"""``python -m tests.sizes``: what each part of this environment weighs on disk.

A part is the base, an extra or a group of ``pyproject.toml``, in the order in which a reader adds
them. A package counts where it is first needed: under the base even if an extra needs it, too.
Below each part stands what its heaviest requirements bring: themselves, and what nothing before
them needed or is named itself.
"""

from __future__ import annotations

import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent

LIGHT = 1.0
"""Megabytes below which a requirement is not named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one line of an installation adds to those before it."""

    name: str
    bytes_by_requirement: dict[str, int]

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(self.bytes_by_requirement.values())


def parts() -> list[Part]:
    """Weigh what is installed, part by part; what is not installed weighs nothing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = {"base": project["project"]["dependencies"]}
    named |= project["project"]["optional-dependencies"]
    named |= {
        f"group {name}": [line for line in lines if isinstance(line, str)]
        for name, lines in project["dependency-groups"].items()
    }
    named["pip and setuptools"] = ["pip", "setuptools"]
    counted: set[str] = set()
    return [
        Part(name=name, bytes_by_requirement=dict(_brought(lines, counted)))
        for name, lines in named.items()
    ]


def _brought(lines: Iterable[str], counted: set[str]) -> Iterator[tuple[str, int]]:
    requirements = [Requirement(line) for line in lines]
    named = {canonicalize_name(requirement.name) for requirement in requirements} - counted
    for requirement in requirements:
        found: set[str] = set()
        _reach(requirement, found)
        name = canonicalize_name(requirement.name)
        yield requirement.name, sum(map(on_disk, found - counted - (named - {name})))
        counted |= found - named
    counted |= named


def _reach(requirement: Requirement, found: set[str]) -> None:
    """Add the names of all installed packages that ``requirement`` leads to."""
    name = canonicalize_name(requirement.name)
    try:
        needs = distribution(name).requires or []
    except PackageNotFoundError:
        return  # not in this environment, or not for this platform
    if name in found:
        return
    found.add(name)
    for need in map(Requirement, needs):
        extras = requirement.extras or {""}
        if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras):
            _reach(need, found)


def on_disk(name: str) -> int:
    """Return the bytes of a package's files, compiled ones included, as ``du`` counts blocks."""
    files = distribution(name).files or []
    return sum(_blocks(Path(str(file.locate()))) for file in files)


def _blocks(path: Path) -> int:
    try:
        return -(-path.stat().st_size // 4096) * 4096
    except FileNotFoundError:
        return 0  # a compiled file that was never made


def _megabytes(size: float) -> str:
    return f"{size / 2**20:8.1f} MB"


def report() -> str:
    """Return a line for each part, its heaviest requirements below it."""
    lines: list[str] = []
    total = 0
    for part in parts():
        total += part.bytes
        lines.append(f"{_megabytes(part.bytes)}  {part.name}")
        heaviest: list[tuple[str, Any]] = sorted(
            part.bytes_by_requirement.items(), key=lambda item: -item[1]
        )
        lines += [
            f"{_megabytes(size)}      {name}" for name, size in heaviest if size > LIGHT * 2**20
        ]
    packages = Path(sysconfig.get_path("purelib"))
    lines.append(f"{_megabytes(total)}  all of them, in {packages}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(report() + "\n")
