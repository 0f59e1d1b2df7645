"""What a thread does with files and other things that block, by Python's audit events."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

BLOCKING = {
    "open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
    "os.truncate", "os.chmod", "os.link", "os.symlink", "os.utime", "glob.glob",
    "pathlib.Path.glob", "shutil.copyfile", "shutil.rmtree", "sqlite3.connect",
    "subprocess.Popen", "os.system",
    "time.sleep", "socket.getaddrinfo", "socket.gethostbyname", "import",
}  # fmt: skip
"""`os.stat` has no event: tests/test_architecture.py looks for it in the source."""


@dataclass
class Trap:
    """What was caught: the event, and where it came from, innermost first."""

    thread: int = field(default_factory=threading.get_ident)
    caught: list[tuple[str, ...]] = field(default_factory=list)


_active: list[Trap] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _active or event not in BLOCKING:
        return
    for trap in _active:
        if trap.thread == threading.get_ident():
            places: list[str] = []
            frame: FrameType | None = sys._getframe(1)
            while frame is not None and len(places) < 12:
                places.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
                frame = frame.f_back
            trap.caught.append((event, str(arguments[0])[:200], *places))


_installed: list[bool] = []


@contextmanager
def trapped() -> Iterator[Trap]:
    """Catch what this thread does with files inside the block. Hooks cannot be taken out again."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    trap = Trap()
    _active.append(trap)
    try:
        yield trap
    finally:
        _active.remove(trap)
