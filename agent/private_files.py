"""Folders and files for nobody but the service's user: they hold numbers, and what was said."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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


@contextmanager
def whole_private_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write into, which has its name once it is whole, or never.

    What had the name before is replaced then, unless it is no file: a pipe or a device is written
    into as it is. If the process dies meanwhile, a part is left, whose name begins with ``.part-``.

    Raises:
        OSError: If it cannot be made, or not be written.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as there:
            yield there
        return
    # Made for its owner alone.
    descriptor, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)  # noqa: PTH105 - beside what else is done with it here
    finally:
        Path(name).unlink(missing_ok=True)


def keep_files_private() -> None:
    """Have whatever this process makes from now on be for its owner alone, unless it says other."""
    os.umask(0o777 & ~FOLDER)
