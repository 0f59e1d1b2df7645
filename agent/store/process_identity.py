"""Which process is which: so that one of the same machine is known to have ended at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BOOT, NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


def own() -> dict[str, Any]:
    """Return what others may know of this process.

    Host and process id are for people. ``place`` is within which that id is one process, until the
    machine starts anew; ``born`` tells it from a later one of the same id. They are ``""`` where
    the system does not tell, which is everywhere but on Linux.
    """
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "place": _place(),
        "born": _born(os.getpid()) or "",
    }


def has_ended(known: Mapping[str, Any] | None) -> bool:
    """Return whether a process has ended, for certain: False if that cannot be told from here.

    Args:
        known: What :func:`own` returned there.
    """
    match known:
        case {"pid": int(pid), "place": str(place), "born": str(born)} if place and born:
            there = _born(pid)
            if place != _place() or there == born:
                return False
            return there is not None or not _is_there(pid)
    return False


def _place() -> str:
    try:
        return f"{BOOT.read_text().strip()} {NAMESPACE.readlink()}"
    except OSError:
        return ""


def _is_there(pid: int) -> bool:
    """Return whether there is a process of that id, though /proc may hide it from us."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _born(pid: int) -> str | None:
    """Return when a process began, in ticks; ``""`` if it waits to be buried, None if unknown."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name in brackets may hold anything; proc(5) has the fields behind it from the third on.
    state, *fields = text.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]
