"""What holds numbers and words is for the service's user alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.private_files import make_private_file, make_private_folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def _nothing_masked() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_every_folder_that_is_made_is_private(tmp_path: Path) -> None:
    """Not the last alone; what was there is left as it is."""
    (tmp_path / "there").mkdir(mode=0o755)
    folder = tmp_path / "there" / "a" / "b" / "c"
    make_private_folder(folder)
    make_private_folder(folder)
    assert [mode(one) for one in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3
    assert mode(tmp_path / "there") == 0o755


def test_a_file_is_private_whoever_made_it(tmp_path: Path) -> None:
    """Of a version before, or by hand; what is in it stays."""
    path = tmp_path / "new" / "file"
    make_private_file(path)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    path.write_text("kept")
    path.chmod(0o664)
    make_private_file(path)
    assert (mode(path), path.read_text()) == (0o600, "kept")


def test_what_cannot_be_made_is_told(tmp_path: Path) -> None:
    """As any other failure of a disk."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        make_private_folder(tmp_path / "file" / "folder")
