"""The outbox in the database: what is to be told to whom, and when it is tried next.

Messages of one call to one endpoint are in order: a later one is never due before an earlier one,
and is not taken while that is there. Whoever takes one has it for :data:`LEASE`; if nothing is
heard of it by then, it is due again, for any process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from agent.records.events import JournalLine
from agent.records.legs import is_settled
from agent.records.webhooks.messages import event_of
from agent.settings.webhooks import WebhookEvent
from agent.store.engine import Database
from agent.store.outbox_table import PROBLEM, webhook_outbox
from agent.store.record_tables import call_records
from agent.store.tables import Now

Known = Callable[[], Mapping[str, Any]]

LEASE = 60.0
"""Seconds for whoever has taken a message to send it and to say how that went: longer than both may
take."""

SETTLES_WITHIN = 60.0
"""Seconds that the price of a call waits for its legs that have not ended, and what comes behind it
with it: they hang up with the call, and the platform tells of that at once."""

WAITS = "waits for the price of other legs"
"""Stands as the problem of a message until it is sent for want of that."""

GIVEN_UP_AFTER = 4 * 86_400.0
"""Seconds after which a message is given up, however few attempts there were."""

KEPT = 14 * 86_400.0
"""Seconds after which a message that was given up is forgotten."""

MOST = 100_000
"""Messages to one endpoint that are kept, some 20 MB: a day of a full process. Of more, the oldest
are forgotten."""

AT_ONCE = 500
"""Rows deleted in one transaction, as :mod:`agent.store.sweep` has it."""

_outbox = webhook_outbox.c
_waiting = _outbox.due.is_not(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingMessage:
    """A message in the outbox."""

    id: int
    endpoint: str
    record: int
    """Number of its record."""

    journal: str
    line: int
    event: WebhookEvent
    attempts: int
    """That were begun, this one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A message, as people see it."""

    id: int
    endpoint: str
    call: str | None
    """Id of the record; None if that was erased."""

    event: str
    made: float
    due: float | None
    """Unix time of the next attempt; None: given up."""

    attempts: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many messages there are to an endpoint."""

    waiting: int
    given_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """Messages that are sent no more for their age, by endpoint; and that are gone altogether."""

    given_up: Mapping[str, int]
    lost: int


class Outbox:
    """What is to be told. Every method that waits raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
        wanted: What each endpoint is told, by its name.
    """

    def __init__(
        self, database: Database, wanted: Mapping[str, Collection[WebhookEvent]] | None = None
    ) -> None:
        self._database = database
        self._wanted = wanted or {}

    def add(
        self, connection: Connection, record: int, lines: Iterable[JournalLine], data: Known
    ) -> None:
        """Add what is to be told of lines, in the transaction that stores them.

        What a call has cost waits for its other legs, for :data:`SETTLES_WITHIN`; whatever of them
        comes later is told anew.

        Args:
            connection: Of that transaction, which has locked the record.
            record: Number of the record.
            lines: Of it, in their order; those alone that were not stored before.
            data: Returns what is known of the record, with these lines.
        """
        for one in lines if self._wanted else ():
            event = event_of(one.kind, one.fields)
            place = {"record": record, "journal": one.journal, "line": one.line}
            for name, events in self._wanted.items():
                if event in events:
                    waits = event == "call.settled" and not is_settled(data())
                    row = {"endpoint": name, "event": event, **place}
                    _add(connection, row, after=SETTLES_WITHIN if waits else 0.0)
                elif one.kind == "leg" and "result" in one.fields and "call.settled" in events:
                    _settle(connection, {"endpoint": name, **place}, data())

    async def take(self, endpoint: str) -> WaitingMessage | None:
        """Take the next message to an endpoint for :data:`LEASE`; None if none is due."""
        due = select(_outbox.id).where(_outbox.endpoint == endpoint, _outbox.due <= Now())
        if await self._database.read(lambda c: c.execute(due.limit(1)).first()) is None:
            return None
        return await self._database.write(lambda c: _take(c, endpoint))

    async def taken(self, message: WaitingMessage) -> None:
        """Delete a message that its endpoint has taken: the next of the call is due."""

        def work(connection: Connection) -> None:
            connection.execute(delete(webhook_outbox).where(_outbox.id == message.id))
            _next_is_due(connection, message)

        await self._database.write(work)

    async def postpone(self, message: WaitingMessage, seconds: float, problem: str) -> None:
        """Have a message tried again, and those behind it not before.

        Args:
            message: Which was taken. If its lease has ended, another process has it: it is let be.
            seconds: From now on.
            problem: Why, without anything that the other end has said.
        """
        due = Now() + seconds

        def work(connection: Connection) -> None:
            ours = (_outbox.id == message.id) & (_outbox.attempts == message.attempts)
            values = {"due": due, "problem": problem[:PROBLEM]}
            if connection.execute(update(webhook_outbox).where(ours).values(values)).rowcount:
                later = _outbox.id > message.id, _waiting, _outbox.due < due
                behind = _of_the_call(message.endpoint, message.record)
                connection.execute(update(webhook_outbox).where(behind, *later).values(due=due))

        await self._database.write(work)

    async def give_up(self, message: WaitingMessage, problem: str) -> None:
        """Send a message no more; it is kept to be looked at, and the next of its call is due."""

        def work(connection: Connection) -> None:
            this = update(webhook_outbox).where(_outbox.id == message.id)
            connection.execute(this.values(due=None, problem=problem[:PROBLEM]))
            _next_is_due(connection, message)

        await self._database.write(work)

    async def give_all_up(self, endpoint: str, problem: str) -> int:
        """Send nothing that waits for an endpoint; return how many messages these were."""
        theirs = update(webhook_outbox).where(_outbox.endpoint == endpoint, _waiting)
        values = {"due": None, "problem": problem[:PROBLEM]}
        return await self._database.write(lambda c: c.execute(theirs.values(values)).rowcount)

    async def send_again(
        self, ids: Collection[int] | None = None, *, endpoint: str | None = None
    ) -> int:
        """Have messages sent now, with all attempts before them; return how many these are.

        Args:
            ids: Which; None for all that were given up.
            endpoint: To whom; None for all.
        """
        which: list[ColumnElement[bool]] = [
            _outbox.due.is_(None) if ids is None else _outbox.id.in_(list(ids))
        ]
        which += [_outbox.endpoint == endpoint] if endpoint is not None else []
        values = {"due": Now(), "attempts": 0, "made": Now()}
        again = update(webhook_outbox).where(*which).values(values)
        return await self._database.write(lambda c: c.execute(again).rowcount)

    async def list(
        self, *, endpoint: str | None = None, given_up: bool = False, after: int = 0, limit: int
    ) -> list[Listed]:
        """Return messages, the oldest first.

        Args:
            endpoint: To whom; None for all.
            given_up: Whether those alone that were given up.
            after: ``id`` of the last of the page before.
            limit: Most that are returned.
        """
        columns = (_outbox.id, _outbox.endpoint, _outbox.event, _outbox.made, _outbox.due)
        found = (
            select(*columns, _outbox.attempts, _outbox.problem, call_records.c.id.label("call"))
            .outerjoin(call_records, call_records.c.number == _outbox.record)
            .where(_outbox.id > after)
        )
        if endpoint is not None:
            found = found.where(_outbox.endpoint == endpoint)
        if given_up:
            found = found.where(_outbox.due.is_(None))
        found = found.order_by(_outbox.id).limit(limit)
        rows = await self._database.read(lambda c: c.execute(found).mappings().all())
        return [Listed(**row) for row in rows]

    async def backlog(self) -> dict[str, Backlog]:
        """Return how many messages there are, by endpoint."""
        counted = select(_outbox.endpoint, func.count(_outbox.due), func.count(_outbox.id))
        grouped = counted.group_by(_outbox.endpoint)
        rows = await self._database.read(lambda c: c.execute(grouped).all())
        return {name: Backlog(waiting=n, given_up=most - n) for name, n, most in rows}

    async def prune(self) -> Pruned:
        """Give up what is old, and forget what is older, or too much.

        Returns:
            What became of messages that were still to be sent.
        """
        old = update(webhook_outbox).where(_waiting, _outbox.made < Now() - GIVEN_UP_AFTER)
        why = func.coalesce(func.nullif(_outbox.problem, ""), "its endpoint was away for days")
        given_up = old.values(due=None, problem=why).returning(_outbox.endpoint)
        names = await self._database.write(lambda c: c.execute(given_up).scalars().all())
        await self._forget(_outbox.made < Now() - KEPT)
        lost = 0
        for name, backlog in (await self.backlog()).items():
            if backlog.waiting + backlog.given_up <= MOST:
                continue
            theirs = select(_outbox.id).where(_outbox.endpoint == name)
            kept = theirs.order_by(_outbox.id.desc()).offset(MOST - 1).limit(1)
            first = await self._database.read(lambda c, kept=kept: c.scalar(kept))  # type: ignore[misc]
            before = (_outbox.endpoint == name) & (_outbox.id < (first or 0))
            lost += await self._forget(before)
        return Pruned(given_up=Counter(names), lost=lost)

    async def _forget(self, which: ColumnElement[bool]) -> int:
        """Delete rows a few at a time; return how many of them were still to be sent."""
        some = select(_outbox.id, _outbox.due).where(which).limit(AT_ONCE)
        lost = 0
        while rows := await self._database.read(lambda c: c.execute(some).all()):
            gone = delete(webhook_outbox).where(_outbox.id.in_([row.id for row in rows]))
            await self._database.write(lambda c, gone=gone: c.execute(gone))  # type: ignore[misc]
            lost += sum(row.due is not None for row in rows)
        return lost


def _settle(connection: Connection, row: dict[str, object], data: Mapping[str, Any]) -> None:
    """Have it told what a call has cost, now that one more of its legs has ended."""
    if "platform" not in data:
        return  # which comes yet, and is told then
    of_call = _of_the_call(str(row["endpoint"]), row["record"])
    untold = (of_call, _outbox.event == "call.settled", _waiting, _outbox.attempts == 0)
    waits = connection.scalar(select(func.min(_outbox.id)).where(*untold))
    if waits is None:
        _add(connection, {**row, "event": "call.settled"})
    elif is_settled(data):
        earlier = (of_call, _waiting, _outbox.id < waits)
        before = connection.scalar(select(func.max(_outbox.due)).where(*earlier))
        due = Now() if before is None else before
        behind = (of_call, _waiting, _outbox.id >= waits)
        connection.execute(update(webhook_outbox).where(*behind).values(due=due))
        this = update(webhook_outbox).where(_outbox.id == waits)
        connection.execute(this.values(problem=""))


def _next_is_due(connection: Connection, message: WaitingMessage) -> None:
    """Have those of a call sent that were behind a message; a price not before it is whole."""
    behind = _waiting & _of_the_call(message.endpoint, message.record)
    waits = select(_outbox.id, _outbox.made).where(behind, _outbox.problem == WAITS)
    row = connection.execute(waits.order_by(_outbox.id).limit(1)).first()
    at_once = behind if row is None else behind & (_outbox.id < row.id)
    connection.execute(update(webhook_outbox).where(at_once).values(due=Now()))
    if row is not None:
        later = update(webhook_outbox).where(behind, _outbox.id >= row.id)
        connection.execute(later.values(due=row.made + SETTLES_WITHIN))


def _add(connection: Connection, row: dict[str, object], *, after: float = 0.0) -> None:
    # Not before those of the same call that wait already.
    before = select(func.max(_outbox.due)).where(
        _of_the_call(str(row["endpoint"]), row["record"]), _waiting
    )
    due = func.coalesce(before.scalar_subquery(), Now()) + after
    new = {**row, "made": Now(), "due": due, "attempts": 0, "problem": WAITS if after else ""}
    connection.execute(insert(webhook_outbox).values(new).on_conflict_do_nothing())


def _take(connection: Connection, endpoint: str) -> WaitingMessage | None:
    earlier = webhook_outbox.alias().c
    first = select(func.min(earlier.id)).where(
        earlier.endpoint == endpoint, earlier.record == _outbox.record, earlier.due.is_not(None)
    )
    due = (
        select(webhook_outbox)
        .where(_outbox.endpoint == endpoint, _outbox.due <= Now())
        .where(_outbox.id == first.scalar_subquery())
        .order_by(_outbox.due, _outbox.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(due).first()
    if row is None:
        return None
    attempts = row.attempts + 1
    leased = update(webhook_outbox).where(_outbox.id == row.id)
    problem = "" if row.problem == WAITS else row.problem
    connection.execute(leased.values(due=Now() + LEASE, attempts=attempts, problem=problem))
    behind = (_of_the_call(endpoint, row.record), _outbox.id > row.id, _waiting)
    connection.execute(update(webhook_outbox).where(*behind).values(due=Now() + LEASE))
    return WaitingMessage(
        id=row.id,
        endpoint=endpoint,
        record=row.record,
        journal=row.journal,
        line=row.line,
        event=row.event,
        attempts=attempts,
    )


def _of_the_call(endpoint: str, record: object) -> ColumnElement[bool]:
    return (_outbox.endpoint == endpoint) & (_outbox.record == record)
