"""Folders and files for nobody but the service's user: they hold numbers, and what was said."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
"""Modes."""


def make_private_folder(folder: Path) -> None:
    """Make a folder, and what is missing above it, for its owner alone.

    One that is there is left as it is: somebody may have meant it so.

    Raises:
        OSError: If it cannot be made.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=FOLDER, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file for its owner alone, or make one that is there and ours so.

    Raises:
        OSError: If it cannot be made, or not be written.
    """
    make_private_folder(path.parent)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, FILE)
    try:
        status = os.fstat(descriptor)
        # Windows has neither modes nor owners of this kind.
        if hasattr(os, "geteuid") and status.st_uid == os.geteuid() and status.st_mode & 0o077:
            os.chmod(path, FILE)  # noqa: PTH101 - beside what else is done with it here
    finally:
        os.close(descriptor)


def keep_files_private() -> None:
    """Have whatever this process makes from now on be for its owner alone, unless it says other."""
    os.umask(0o777 & ~FOLDER)
