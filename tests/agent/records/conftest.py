"""File systems that are not this one's."""

from __future__ import annotations

import os
from typing import Any

import pytest

from agent.records.journals import locks


@pytest.fixture
def nfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have locks as NFS has them: for those alone who may write (flock(2), "NFS details")."""
    fcntl = pytest.importorskip("fcntl")
    hold = locks.hold

    def as_nfs(file: Any) -> bool:
        flags = fcntl.fcntl(file, fcntl.F_GETFL)
        return flags & os.O_ACCMODE != os.O_RDONLY and hold(file)

    monkeypatch.setattr(locks, "hold", as_nfs)
