"""What is older than the settings say is erased, a little at a time, beside everything else."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    or_,
    select,
    tuple_,
    update,
)

from agent.records.call_records import Place, hidden, shown
from agent.records.erasing import AT_ONCE, OVER_AFTER, Erasing, InProgressError
from agent.records.journals import record_files
from agent.records.legs import legs_of
from agent.records.recordings.buckets import BucketError
from agent.records.seals import Seal, SealError
from agent.records.search import call_numbers, words_index
from agent.settings.errors import SettingsError
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

MOST_FAILED = 20
"""Records of one kind that cannot be erased, in one sweep: a bucket that does not answer takes half
a minute for each. The next sweep goes on behind them, so that nothing else waits for them."""

Part = Literal["words", "numbers", "recordings"]

BITS: Mapping[Part, int] = {"words": 1, "numbers": 2, "recordings": 4}
"""What of a record is gone, as ``call_records.erased`` has it."""

_STAYS = frozenset((
    "at", "until", "turn", "id", "call_id", "agent", "agent_version", "started", "announced",
    "connected", "direction", "rate", "language", "lineup", "caller", "called", "dialled",
    "application", "confidence", "decided", "cut_off", "said", "name", "seconds", "status",
    "answer_time", "reason", "hung_up_by", "close_code", "stage", "provider", "kind", "missing",
    "below", "legs", "discloses",
))  # fmt: skip
"""Fields of lines with words that are none."""

_WORDLESS = frozenset((
    "timing", "held", "resumed", "failover", "failed", "transfer", "recording", "usage",
    "ended", "platform", "leg", "dropped",
))  # fmt: skip
"""Lines without words. Of other kinds all is words but what is known to be none."""

_OF_NUMBERS: Mapping[str, frozenset[str]] = {
    "call": frozenset(("caller", "called", "headers", "dialled", "legs")),
    "transfer": frozenset(("to",)),
    "leg": frozenset(("to",)),
}

_NUMBERS = frozenset(("about",))
"""Fields of any line with numbers: whose call it is about, of one that came behind its end."""

_OF_RECORDINGS: Mapping[str, frozenset[str]] = {"recording": frozenset(("file",))}


def without(part: Part, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a line without those that hold words, numbers or recordings."""
    if part == "words":
        if kind in _WORDLESS:
            return dict(fields)
        return {name: value for name, value in fields.items() if name in _STAYS}
    if part == "numbers":
        named = _OF_NUMBERS.get(kind, frozenset()) | _NUMBERS
    else:
        named = _OF_RECORDINGS.get(kind, frozenset())
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
        most_failed: See :data:`MOST_FAILED`.
    """

    def __init__(
        self,
        settings: PrivacySettings,
        database: Database,
        seal: Seal,
        journals: Path,
        erasing: Erasing,
        *,
        most_failed: int = MOST_FAILED,
    ) -> None:
        self._settings = settings
        self._database = database
        self._seal = seal
        self._journals = journals
        self._erasing = erasing
        self._most_failed = most_failed
        self._behind: dict[str, Place] = {}
        """By what is erased, the record behind which the next sweep goes on; else at the oldest."""

    async def keep(self) -> None:
        """Sweep now and then, until this is cancelled."""
        while True:
            try:
                await self.sweep(time.time())
            except StoreError:  # the database has logged it
                await asyncio.sleep(PAUSE)
            except OSError as error:  # the folder of journals
                log.warning("what is old cannot be erased", error=error.strerror)
            await asyncio.sleep(SWEEP_EVERY)

    async def sweep(self, now: float) -> Mapping[str, int]:
        """Erase what is old at a Unix time; return how many of each kind that was.

        A record of which something cannot be deleted is logged, and let be until the next sweep.

        Raises:
            StoreError: If the database fails; what was erased before stays so.
            OSError: If the folder of journals cannot be read.
        """
        erased: Counter[str] = Counter()
        try:
            await self._sweep(now, erased)
        finally:  # what was deleted before something failed is to be gone, too
            if self._erasing.unfinished:
                await self._erasing.finish()
        if found := {name: count for name, count in erased.items() if count}:
            log.info("what was kept long enough is erased", **found)
        return erased

    async def _sweep(self, now: float, erased: Counter[str]) -> None:
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

    async def _records_before(self, before: float, now: float) -> int:
        async def erase(row: Row[Any]) -> None:
            record = await self._erasing.get(row.id)
            if record is not None:
                await self._erasing.erase(record)

        return await self._each("records", _over(before, now), erase)

    async def _parts_before(self, part: Part, before: float, now: float) -> int:
        masks = [mask for mask in range(sum(BITS.values()) + 1) if not mask & BITS[part]]

        async def strip(row: Row[Any]) -> None:
            record = await self._erasing.get(row.id) if part == "recordings" else None
            if record is not None:
                await self._erasing.delete_recordings(record)
            self._erasing.begin()
            after: int | None = 0
            while after is not None:
                after = await self._database.write(
                    lambda c, a=after: self._strip_some(c, part, row.number, a)  # type: ignore[misc]
                )
            await self._database.write(lambda c: self._strip_record(c, part, row.number))

        due = and_(call_records.c.erased.in_(masks), _over(before, now))
        return await self._each(part, due, strip)

    async def _each(
        self, what: str, due: ColumnElement[bool], work: Callable[[Row[Any]], Awaitable[None]]
    ) -> int:
        """Do ``work`` with each record that is due, once, the oldest first; return how many."""
        columns = call_records.c
        oldest = select(columns.number, columns.id, columns.started).where(due)
        oldest = oldest.order_by(columns.started, columns.number).limit(1)
        behind = self._behind.get(what)
        done, failed, reason = 0, 0, ""
        while failed < self._most_failed:
            rest = oldest
            if behind is not None:
                rest = oldest.where(tuple_(columns.started, columns.number) > tuple_(*behind))
            row = await self._database.read(lambda c, rest=rest: c.execute(rest).first())  # type: ignore[misc]
            if row is None:
                self._behind.pop(what, None)
                break
            self._behind[what] = behind = (row.started, row.number)
            try:
                await work(row)
                done += 1
            except OSError as error:
                failed, reason = failed + 1, error.strerror or ""
            except (BucketError, InProgressError, SettingsError) as error:
                failed, reason = failed + 1, str(error)
            await asyncio.sleep(PAUSE)
        if failed:
            log.warning("what is old cannot be erased yet", what=what, records=failed, error=reason)
        return done

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
        values: dict[str, Any] = {
            "data": hidden(self._seal, _of_record(part, data)),
            "erased": call_records.c.erased.bitwise_or(BITS[part]),
        }
        if part == "numbers":
            values |= {"caller": "", "called": ""}
        if part == "words":
            words_index.remove(connection, number)
        connection.execute(update(call_records).where(its).values(values))
        if part == "numbers":
            call_numbers.remove(connection, number)
            words_index.renew_facts(connection, self._seal, number)

    def _files_before(self, before: float) -> int:
        deleted = failed = 0
        for path in record_files.journals_before(self._journals, before):
            try:
                deleted += record_files.delete(path)
            except OSError:
                failed += 1
        if failed:
            log.warning("what is old cannot be erased yet", what="journals", files=failed)
        return deleted

    async def _reads_before(self, before: float) -> int:
        some = select(record_reads.c.id).where(record_reads.c.at < before).limit(AT_ONCE)
        gone = delete(record_reads).where(record_reads.c.id.in_(some))
        count = 0
        while rows := await self._database.write(lambda c: c.execute(gone).rowcount):
            count += rows
            await asyncio.sleep(PAUSE)
        return count


def _of_record(part: Part, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a record, without words, numbers or recordings."""
    kinds = {name: one for name, one in data.items() if isinstance(one, dict)}
    kinds.pop("headers", None)
    kept = without(part, "call", {n: one for n, one in data.items() if n not in kinds})
    for kind, fields in kinds.items():
        kept[kind] = fields if kind in _STAYS else without(part, kind, fields)
    if part == "recordings" and "headers" in data:
        kept["headers"] = data["headers"]
    if legs := legs_of(data):
        kept["legs"] = [without(part, "leg", leg) for leg in legs]
    if usage := data.get("usage"):
        kept["usage"] = usage
    return kept


def _over(before: float, now: float) -> ColumnElement[bool]:
    """Return what is true of records of calls that began before, and are over."""
    ended = or_(call_records.c.ended.is_not(None), call_records.c.started < now - OVER_AFTER)
    return and_(call_records.c.started < before, ended)
