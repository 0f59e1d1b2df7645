"""``python -m tests.benchmarks.exports [CALLS]``: what an export of many calls takes.

Each format in a process of its own, which says how much memory it has had at the most.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.records.exports.calls import journal

FORMATS = ("jsonl", "jsonl --events", "csv", "csv --turns", "parquet", "parquet --turns")


async def store_calls(folder: Path, count: int) -> None:
    """Store calls of some 13 lines each."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    async with opened(DatabaseUrl(f"sqlite:///{folder}/records.db")) as store:
        stored = StoredRecords(store.database, NoSeal())
        for first in range(0, count, 100):
            await stored.add(
                [
                    line
                    for n in range(first, min(first + 100, count))
                    for line in journal(f"c{n:08}", (began + timedelta(seconds=n)).isoformat())
                ]
            )


def export(options: list[str]) -> None:
    """Run one, and print the memory that it has had."""
    from agent.cli import main  # noqa: PLC0415 - in its own process

    main(["calls", "export", *options])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)


def main() -> None:
    """Print seconds, megabytes of the file and of memory for each format and two sizes."""
    if "--format" in sys.argv:
        export(sys.argv[1:])
        return
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for count in (most // 10, most):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "voice-agent.toml").write_text('database = "sqlite:///records.db"\n')
            asyncio.run(store_calls(folder, count))
            for form in FORMATS:
                began, out = time.monotonic(), folder / "out"
                command = [sys.executable, "-m", "tests.benchmarks.exports", "--output", str(out)]
                done = subprocess.run(
                    [*command, "--format", *form.split()],
                    stderr=subprocess.PIPE,
                    check=True,
                    cwd=folder,
                    text=True,
                )
                print(
                    f"{count:9,} calls  {form:18} {time.monotonic() - began:7.1f} s"
                    f"  {out.stat().st_size / 1e6:8.1f} MB  memory {done.stderr.split()[-1]} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
