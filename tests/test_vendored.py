"""What is vendored is what its package has, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

VENDOR = Path(__file__).parents[1] / "agent/console/static/vendor"

UPLOT = "uplot@1.6.32"
INTEGRITY = (
    "sha512-"
    "KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6I"
    "KTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=="
)
"""Of the package, as the registry gives it."""

FILES = {
    "uPlot.iife.min.js": (
        "package/dist/uPlot.iife.min.js",
        "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    ),
    "uPlot.min.css": (
        "package/dist/uPlot.min.css",
        "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    ),
    "uPlot.LICENSE": (
        "package/LICENSE",
        "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    ),
}
"""Our name of each file: its name in the package, and its SHA-256."""


def test_vendored_files_are_those_that_were_looked_at() -> None:
    """Each by its digest; there are no others, and the version is the one that is named."""
    assert {path.name for path in VENDOR.iterdir()} == {*FILES, "README.md"}
    for name, (_, digest) in FILES.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    version = UPLOT.partition("@")[2]
    assert f"(v{version})" in (VENDOR / "uPlot.iife.min.js").read_text()[:200]
    assert f"| {version} | MIT" in (VENDOR / "README.md").read_text()


@pytest.mark.registry
def test_vendored_files_are_what_the_registry_has(tmp_path: Path) -> None:
    """The package as npm gives it, by the registry that this machine is set up for."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, so that no package can be asked for")
    pack = [npm, "pack", UPLOT, "--json", "--silent", "--fetch-retries=0", "--fetch-timeout=15000"]
    try:
        found = subprocess.run(
            pack, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the registry of npm does not answer")
    if found.returncode:
        if re.search(r"E404|ETARGET|EINTEGRITY", found.stderr + found.stdout):
            pytest.fail(found.stderr + found.stdout)
        pytest.skip("the registry of npm cannot be reached from here")
    (told,) = json.loads(found.stdout)
    package = tmp_path / told["filename"]
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert told["integrity"] == f"sha512-{digest}" == INTEGRITY
    with tarfile.open(package) as files:
        for name, (inside, _) in FILES.items():
            file = files.extractfile(inside)
            assert file is not None
            assert file.read() == (VENDOR / name).read_bytes(), name
