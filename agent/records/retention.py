"""What is older than the settings say is erased, a little at a time, beside everything else."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import structlog
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, or_, select, update

from agent.records import record_files
from agent.records.call_records import hidden, shown
from agent.records.erasing import AT_ONCE, OVER_AFTER, Erasing, forget_words
from agent.records.seals import Seal, SealError
from agent.settings.privacy import PrivacySettings
from agent.store.engine import Database
from agent.store.errors import StoreError
from agent.store.record_tables import call_events, call_records, record_reads

log = structlog.get_logger()

DAY = 86_400.0

SWEEP_EVERY = 600.0
"""Seconds between two sweeps: what is kept by the day goes within minutes of it."""

PAUSE = 0.05
"""Seconds between two transactions, in which others can write."""

Part = Literal["words", "numbers", "recordings"]

BITS: Mapping[Part, int] = {"words": 1, "numbers": 2, "recordings": 4}
"""What of a record is gone, as ``call_records.erased`` has it."""

_STAYS = frozenset((
    "at", "until", "turn", "id", "call_id", "agent", "agent_version", "started", "announced",
    "connected", "direction", "rate", "language", "lineup", "caller", "called", "dialled",
    "application", "confidence", "decided", "cut_off", "said", "name", "seconds", "status",
    "reason", "hung_up_by", "close_code", "stage", "provider", "kind", "missing",
))  # fmt: skip
"""Fields of lines with words that are none."""

_WORDLESS = frozenset((
    "timing", "held", "resumed", "failover", "failed", "transfer", "recording", "usage",
    "ended", "platform", "dropped",
))  # fmt: skip
"""Lines without words. Of other kinds all is words but what is known to be none."""

_OF_NUMBERS: Mapping[str, frozenset[str]] = {
    "call": frozenset(("caller", "called", "headers", "dialled")),
    "transfer": frozenset(("to",)),
}

_OF_RECORDINGS: Mapping[str, frozenset[str]] = {"recording": frozenset(("file",))}


def without(part: Part, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a line without those that hold words, numbers or recordings."""
    if part == "words":
        if kind in _WORDLESS:
            return dict(fields)
        return {name: value for name, value in fields.items() if name in _STAYS}
    named = (_OF_NUMBERS if part == "numbers" else _OF_RECORDINGS).get(kind, frozenset())
    return {name: value for name, value in fields.items() if name not in named}


class Retention:
    """Sweeps.

    What was done is noted in each record, so that it goes on after a restart where it was; several
    processes may sweep at once.

    Args:
        settings: What is kept, and for how long.
        database: Shared by all processes.
        seal: Hides what people said.
        journals: Folder of journals.
        erasing: Erases whole records.
    """

    def __init__(
        self,
        settings: PrivacySettings,
        database: Database,
        seal: Seal,
        journals: Path,
        erasing: Erasing,
    ) -> None:
        self._settings = settings
        self._database = database
        self._seal = seal
        self._journals = journals
        self._erasing = erasing

    async def keep(self) -> None:
        """Sweep now and then, until this is cancelled."""
        while True:
            try:
                await self.sweep(time.time())
            except StoreError:  # the database has logged it
                await asyncio.sleep(PAUSE)
            except OSError as error:
                log.warning("what is old cannot be erased", error=error.strerror)
            await asyncio.sleep(SWEEP_EVERY)

    async def sweep(self, now: float) -> Mapping[str, int]:
        """Erase what is old at a Unix time; return how many of each kind that was.

        Raises:
            StoreError: If the database fails; what was erased before stays so.
            OSError: If a file cannot be deleted.
        """
        erased: Counter[str] = Counter()
        if days := self._settings.keep_records:
            erased["records"] = await self._records_before(now - days * DAY, now)
        kept: dict[Part, float | None] = {
            "words": self._settings.keep_words,
            "numbers": self._settings.keep_numbers,
            "recordings": self._settings.keep_recordings,
        }
        for part, kept_for in kept.items():
            if kept_for is not None:
                erased[part] = await self._parts_before(part, now - kept_for * DAY, now)
        wanted = (self._settings.keep_records, kept["words"], kept["numbers"])
        days = min((one for one in wanted if one is not None), default=None)
        if days is not None:
            erased["journals"] = await asyncio.to_thread(self._files_before, now - days * DAY)
        erased["reads"] = await self._reads_before(now - self._settings.keep_reads * DAY)
        found = {name: count for name, count in erased.items() if count}
        if found or self._erasing.unfinished:
            await self._erasing.finish()
        if found:
            log.info("what was kept long enough is erased", **found)
        return erased

    async def _records_before(self, before: float, now: float) -> int:
        gone = select(call_records.c.id).where(_over(before, now)).order_by(call_records.c.started)
        count = 0
        while name := await self._database.read(lambda c: c.execute(gone.limit(1)).scalar()):
            record = await self._erasing.get(name)
            if record is not None:
                await self._erasing.erase(record)
                count += 1
            await asyncio.sleep(PAUSE)
        return count

    async def _parts_before(self, part: Part, before: float, now: float) -> int:
        masks = [mask for mask in range(sum(BITS.values()) + 1) if not mask & BITS[part]]
        due = (
            select(call_records.c.number, call_records.c.id)
            .where(call_records.c.erased.in_(masks), _over(before, now))
            .order_by(call_records.c.started)
            .limit(1)
        )
        count = 0
        while row := await self._database.read(lambda c: c.execute(due).first()):
            record = await self._erasing.get(row.id) if part == "recordings" else None
            if record is not None:
                await self._erasing.delete_recordings(record)
            after: int | None = 0
            while after is not None:
                after = await self._database.write(
                    lambda c, n=row.number, a=after: self._strip_some(c, part, n, a)  # type: ignore[misc]
                )
            await self._database.write(lambda c, n=row.number: self._strip_record(c, part, n))  # type: ignore[misc]
            count += 1
            await asyncio.sleep(PAUSE)
        return count

    def _strip_some(
        self, connection: Connection, part: Part, record: int, after: int
    ) -> int | None:
        """Take it out of some lines of a record; return the last of them, None if that was all."""
        columns = (call_events.c.id, call_events.c.kind, call_events.c.data)
        some = select(*columns).where(call_events.c.record == record, call_events.c.id > after)
        rows = connection.execute(some.order_by(call_events.c.id).limit(AT_ONCE)).all()
        changed = [
            {"event": row.id, "new": self._stripped(part, row.kind, row.data)} for row in rows
        ]
        if changed:
            change = update(call_events).where(call_events.c.id == bindparam("event"))
            connection.execute(change.values(data=bindparam("new")), changed)
        return rows[-1].id if len(rows) == AT_ONCE else None

    def _stripped(self, part: Part, kind: str, data: str) -> str:
        try:
            return hidden(self._seal, without(part, kind, shown(self._seal, data)))
        except SealError:  # the key is lost, and what it hid with it
            return hidden(self._seal, {})

    def _strip_record(self, connection: Connection, part: Part, number: int) -> None:
        its = call_records.c.number == number
        found = select(call_records.c.data).where(its).with_for_update()
        stored = connection.execute(found).scalar()
        if stored is None:
            return  # erased meanwhile
        try:
            data = shown(self._seal, stored)
        except SealError:
            data = {}
        kinds = {name: one for name, one in data.items() if isinstance(one, dict)}
        kinds.pop("headers", None)
        kept = without(part, "call", {n: one for n, one in data.items() if n not in kinds})
        for kind, fields in kinds.items():
            kept[kind] = fields if kind in _STAYS else without(part, kind, fields)
        if part == "recordings" and "headers" in data:
            kept["headers"] = data["headers"]
        if usage := data.get("usage"):
            kept["usage"] = usage
        values: dict[str, Any] = {
            "data": hidden(self._seal, kept),
            "erased": call_records.c.erased.bitwise_or(BITS[part]),
        }
        if part == "numbers":
            values |= {"caller": "", "called": ""}
        if part == "words":
            forget_words(connection, number)
        connection.execute(update(call_records).where(its).values(values))

    def _files_before(self, before: float) -> int:
        return sum(
            record_files.delete(path)
            for path in record_files.journals_before(self._journals, before)
        )

    async def _reads_before(self, before: float) -> int:
        some = select(record_reads.c.id).where(record_reads.c.at < before).limit(AT_ONCE)
        gone = delete(record_reads).where(record_reads.c.id.in_(some))
        count = 0
        while rows := await self._database.write(lambda c: c.execute(gone).rowcount):
            count += rows
            await asyncio.sleep(PAUSE)
        return count


def _over(before: float, now: float) -> ColumnElement[bool]:
    """Return what is true of records of calls that began before, and are over."""
    ended = or_(call_records.c.ended.is_not(None), call_records.c.started < now - OVER_AFTER)
    return and_(call_records.c.started < before, ended)
