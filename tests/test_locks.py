"""The locks: what they hold, and that every platform has what they pin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "deploy/requirements.lock")

PLATFORMS = {
    "Linux on x86-64": "x86_64-manylinux_2_34",
    "Linux on ARM64": "aarch64-manylinux_2_31",
    "macOS 15 on ARM64": "aarch64-apple-darwin",
    "Windows": "x86_64-pc-windows-msvc",
}
MACOS = {"MACOSX_DEPLOYMENT_TARGET": "15.0"}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHONS = [
    classifier.rpartition(" ")[2]
    for classifier in PROJECT["classifiers"]
    if re.search(r":: 3\.\d+$", classifier)
]


def pins(lock: str) -> set[tuple[str, str]]:
    """Return names and versions of a lock."""
    text = (ROOT / lock).read_text()
    return set(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_each_pin_has_hashes_and_none_names_a_registry(lock: str) -> None:
    """What is installed is what was locked, from wherever it comes."""
    text = (ROOT / lock).read_text()
    assert pins(lock)
    for entry in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert "--index-url" not in text


def test_what_runs_is_what_was_tested() -> None:
    """Both locks for running are parts of the one for developing."""
    developing = pins("requirements-dev.lock")
    assert pins("requirements.lock") <= developing
    assert pins("deploy/requirements.lock") <= developing


def test_serving_installs_no_tools_of_the_developers() -> None:
    """Nor anything that only the tests speak with; the image has what many machines need."""
    serving = {name for name, _ in pins("requirements.lock")}
    assert not serving & {"pytest", "mypy", "ruff", "uv", "anthropic", "mcp", "moonshine-cpp"}
    assert {"scipy", "sqlalchemy", "moonshine-voice", "hatchling"} <= serving
    image = {name for name, _ in pins("deploy/requirements.lock")}
    assert {"asyncpg", "mcp", "moonshine-voice"} <= image
    assert not image & {"pytest", "hatchling"}


def test_the_pythons_are_those_of_the_classifiers() -> None:
    """The upper bound of `requires-python` and of the installer is the first that is not one."""
    assert PYTHONS == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == ">=3.11,<3.15"


def _registry_is_there() -> bool:
    """Whether uv can look a package up at all, within a time that does not hold the tests."""
    try:
        found = _uv("-", "x86_64-manylinux_2_34", "3.11", given="six\n", timeout=15)
    except subprocess.TimeoutExpired:
        return False
    return found.returncode == 0


def _uv(
    lock: str, platform: str, python: str, *, given: str = "", timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "compile", "--quiet"]
    what = ["--no-deps", "--only-binary", ":all:", "--output-file", os.devnull]
    where = ["--python-platform", platform, "--python-version", python]
    return subprocess.run(
        [*uv, *what, *where, lock],
        input=given,
        cwd=ROOT,
        env=os.environ | MACOS,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def _registry() -> None:
    if not _registry_is_there():
        pytest.skip("the package registry cannot be reached from here")


@pytest.mark.registry
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_registry")
@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_has_a_wheel_of_each_package(platform: str) -> None:
    """For every Python that the project says it runs on: nothing is built while installing.

    The other locks are parts of this one, which is tested above.
    """
    with ThreadPoolExecutor(len(PYTHONS)) as pool:
        looks = [
            pool.submit(_uv, "requirements-dev.lock", PLATFORMS[platform], python)
            for python in PYTHONS
        ]
        for python, look in zip(PYTHONS, looks, strict=True):
            found = look.result()
            assert found.returncode == 0, f"Python {python}: {found.stderr}"


@pytest.mark.registry
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_registry")
def test_the_next_python_has_not_all_of_them_yet() -> None:
    """Once it has, `requires-python` and the installer can be raised."""
    newest = PYTHONS[-1].partition(".")[2]
    found = _uv("requirements.lock", PLATFORMS["Linux on x86-64"], f"3.{int(newest) + 1}")
    assert found.returncode != 0, "raise requires-python: every package has wheels for it"
