"""What processes use, read from files as Linux writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.bench.processes import core_seconds, family, use_of


def stat(proc: Path, pid: int, parent: int, *, ticks: int = 0, pages: int = 0) -> None:
    """Write a ``stat`` by proc(5); the name has all that it may have."""
    fields = ["S", str(parent), *["0"] * 9, str(ticks), "10", "5", "5", *["0"] * 6, str(pages)]
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} (a) b (c) {' '.join(fields)} 0 0\n")


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="no such system")
def test_a_process_counts_with_all_that_it_has_started(tmp_path: Path) -> None:
    """Those of others do not, nor do those that are gone."""
    stat(tmp_path, 10, 1, ticks=80, pages=100)
    stat(tmp_path, 11, 10, ticks=180, pages=50)
    stat(tmp_path, 12, 11, ticks=280, pages=25)
    stat(tmp_path, 20, 1, ticks=9999, pages=9999)
    (tmp_path / "self").mkdir()
    assert sorted(family(10, tmp_path)) == [10, 11, 12]
    use = use_of([10, 11, 12, 99], tmp_path)
    assert use is not None
    assert use.cpu == pytest.approx((100 + 200 + 300) / os.sysconf("SC_CLK_TCK"))
    assert use.memory == 175 * os.sysconf("SC_PAGE_SIZE")
    assert use.processes == 3


def test_a_system_without_proc_tells_nothing(tmp_path: Path) -> None:
    """It is no error."""
    gone = tmp_path / "none"
    assert use_of([10], gone) is None
    assert family(10, gone) == []
    assert core_seconds(frozenset({0}), gone) is None


def test_cores_count_what_they_did_for_whomever(tmp_path: Path) -> None:
    """Idling and waiting for disks is nothing; what the host took away is something."""
    (tmp_path / "stat").write_text(
        "cpu  9 9 9 9 9 9 9 9 0 0\n"
        "cpu0 100 10 20 5000 300 1 2 67 5 0\n"
        "cpu1 1000 0 0 0 0 0 0 0 0 0\n"
        "intr 5\n"
    )
    assert core_seconds(frozenset({0}), tmp_path) == 200 / os.sysconf("SC_CLK_TCK")
