"""``kill -9`` at random moments: what was in a journal is stored, once; records are closed.

``RECORDS_CALLS`` is how many calls are tried at the least.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.journals.loader import RecordLoader
from agent.records.journals.spool import Spool
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.process.serving import ROOT

CALLS = int(os.environ.get("RECORDS_CALLS", "100"))
LIVES = 0.5
"""Seconds that a process lives at the most, from its first call on."""

Acknowledged = dict[str, int]
"""The last line of each record that was in its journal."""


async def live_and_die(folder: Path, url: DatabaseUrl) -> Acknowledged:
    """Run a process until it is killed; return what it has acknowledged."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.agent.records.dying", folder, url.get_secret_value()),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    acknowledged: Acknowledged = {}

    async def read(*, one: bool = False) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line.startswith(b"journal ") and line.endswith(b"\n"):  # else it is of the log
                _, name, number = line.decode().split()
                acknowledged[name] = int(number)
                if one:
                    return

    try:
        await read(one=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0.05, LIVES)):
                await read()
    finally:
        process.kill()
    await read()  # what it had still said
    await process.wait()
    return acknowledged


@pytest.mark.timeout(300)
def test_what_was_acknowledged_is_stored_once(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Several processes at a time, of one folder and of two hosts, some of which die."""
    hosts = [tmp_path / "a", tmp_path / "a", tmp_path / "b"]

    async def main() -> None:
        acknowledged: Acknowledged = {}
        while len(acknowledged) < CALLS:
            lives = await asyncio.gather(*(live_and_die(one, database_url) for one in hosts))
            for life in lives:
                acknowledged |= life
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, NoSeal())
            for host in {*hosts}:
                spool = Spool(host)
                loader = RecordLoader(spool, stored, NoSeal())
                # One load need not be enough: on a busy machine a transaction takes longer than it
                # may, and its journal is left for later, twice as long each time.
                while await asyncio.to_thread(unloaded, host):
                    await loader.load()
                    await asyncio.sleep(0.1)
                await loader.aclose()
            await compare(CallRecords(store.database, NoSeal()), acknowledged)

    asyncio.run(main())


def unloaded(folder: Path) -> list[str]:
    """Return the journals that hold something; one that was being begun is thrown away later."""
    return [path.name for path in folder.glob("*.jsonl") if path.stat().st_size]


async def compare(records: CallRecords, acknowledged: Acknowledged) -> None:
    """See to it that the database has all that, and each line once."""
    found: dict[str, list[int]] = defaultdict(list)
    outcomes: dict[str, str] = {}
    for record in await records.find(RecordFilter(), limit=100_000):
        outcomes[record.id] = record.outcome
        for event in await records.events(record):
            if event.kind not in ("platform", "ended") or "number" in event.fields:
                found[record.id].append(int(event.fields["number"]))
    assert {*outcomes.values()} <= {"caller hung up", "interrupted"}
    assert len(outcomes) >= len(acknowledged)
    for name, last in acknowledged.items():
        # All up to the last that was acknowledged; maybe more, which it had no time to tell.
        assert found[name] == list(range(len(found[name]))), name
        assert len(found[name]) > last, name
