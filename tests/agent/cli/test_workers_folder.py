"""Where workers tell each other how they are."""

from __future__ import annotations

import stat
import sys
import tempfile
from pathlib import Path

import pytest

from agent.cli import supervised

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="one process there")


def test_a_socket_fits_wherever_temporary_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path of a socket has some hundred bytes: a longer folder is passed over."""
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(long))
    with supervised._folder() as folder:
        assert len(str(folder / "metrics-255.sock")) < 104
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def test_it_is_not_gone_when_its_user_logs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a session's folder is; one that a service manager has for us is taken."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        with supervised._folder() as folder:
            assert folder.parent != Path(short)
        monkeypatch.setenv("RUNTIME_DIRECTORY", short)
        with supervised._folder() as folder:
            assert folder.parent == Path(short)
