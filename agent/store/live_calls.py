"""Which process is alive, and which calls it holds: told by each process, known to all.

A process tells by a heartbeat that it is alive. One that has not told for a while is dead, and what
it has left counts no more, though it stands in the tables until it is swept.
"""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from agent.store import process_identity
from agent.store.engine import Database
from agent.store.errors import StoreError
from agent.store.heartbeats import Heartbeats
from agent.store.tables import Now, digest, live_calls, orders, processes
from pipelines.clock import now

BEAT_EVERY = 5.0
"""Seconds between two heartbeats."""

DEAD_AFTER = 15.0
"""Seconds without one, after which a process counts as dead: three were lost."""

AT_ONCE = 100
"""Calls that are written in one transaction."""


HOST = socket.gethostname()
"""What this machine is called, for people who look for the log of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A call that some process holds, which is alive."""

    name: str
    """Ours: for a call that we placed, not the platform's."""

    agent: str
    host: str
    pid: int
    """Of the process that holds it."""

    process: str
    """Our name of that process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanCall:
    """A call of a process that has died."""

    name: str
    held: bool
    """Whether its stream was there; otherwise it was announced, and may come to another process."""

    age: float
    """Seconds since it began, or was announced, or began to ring."""

    rings_for: float = 0.0
    """If it is no call, but somebody whom the process had dialled: seconds that they may ring."""


class LiveCalls:
    """The calls that are held by this process, for all to know; and those of all, for us to know.

    What is told here returns at once; :meth:`keep` writes it.

    Args:
        database: Shared by all processes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.process = f"{uuid.uuid4().hex}"
        """Our name among the processes."""

        self.failing = ""
        """Why the last heartbeat could not be written; ``""`` if it could."""

        self._beat_at: float | None = None
        self._sees_from = -inf
        """When the others had their chance to beat, too, since the database failed us."""

        self._us = process_identity.own()
        self._others = Heartbeats()
        self._calls: dict[str, dict[str, Any]] = {}
        self._written: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Event()

    def announced(self, name: str, agent: str, rings: float = 0.0) -> None:
        """Tell that the stream of the call ``name`` is about to come, here or elsewhere.

        Or that a leg of that name may ring so many seconds, and that we hang it up then. Until
        :meth:`ended` says that it does not, it is left to the others, by :meth:`leave` too.
        """
        value = {"name": name, "agent": agent, "announced": True}
        self._calls[name] = value | ({"rings": rings} if rings else {})
        self._changed.set()

    def began(self, name: str, agent: str) -> None:
        """Tell that we hold the call ``name`` now."""
        self._calls[name] = {"name": name, "agent": agent}
        self._changed.set()

    def ended(self, name: str) -> None:
        """Tell that we hold it no more."""
        if self._calls.pop(name, None) is not None:
            self._changed.set()

    async def keep(self) -> None:
        """Beat, and write what changes, until this is cancelled.

        That the database fails is borne: all is written as soon as it works again.
        """
        while True:
            self._changed.clear()
            try:
                await self.beat()
                self.failing, pause = "", BEAT_EVERY
            except StoreError as error:  # the database has logged it
                self.failing, pause = str(error), BEAT_EVERY / 5
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def beat(self) -> None:
        """Beat once, and write what has changed.

        Raises:
            StoreError: If the database fails.
        """
        calls = dict(self._calls)
        new = [name for name, value in calls.items() if self._written.get(name) != value]
        gone = [name for name in self._written if name not in calls]
        new, gone = new[:AT_ONCE], gone[:AT_ONCE]
        await self._database.write(lambda c: self._write(c, {n: calls[n] for n in new}, gone))
        if self._beat_at is not None and now() - self._beat_at > DEAD_AFTER:
            self._sees_from = now() + BEAT_EVERY
        self._beat_at = now()
        self._written = {n: v for n, v in self._written.items() if n not in gone}
        self._written |= {name: calls[name] for name in new}
        if len(new) == AT_ONCE or len(gone) == AT_ONCE:
            self._changed.set()

    async def leave(self) -> None:
        """Tell that this process is no more. Who still rings is left to another, as by the dead.

        Raises:
            StoreError: If the database fails.
        """
        await self._database.write(lambda c: _leave(c, self.process))

    async def alive(self, process: str) -> bool:
        """Return whether a process is alive.

        Raises:
            StoreError: If the database fails.
        """
        if process == self.process:
            return True
        self._check_sight()
        beats = select(processes.c.id).where(processes.c.id == process, _beats())
        return await self._database.read(lambda c: c.execute(beats).first() is not None)

    async def where(self, name: str) -> str | None:
        """Return the process that holds a call; None if none does that is alive.

        A call that was answered this very moment may not be known yet.

        Raises:
            StoreError: If the database fails.
        """
        self._check_sight()
        held = select(live_calls.c.process).join(processes, processes.c.id == live_calls.c.process)
        held = held.where(live_calls.c.name == digest(name), _beats())
        row = await self._database.read(lambda c: c.execute(held).first())
        return None if row is None else str(row.process)

    async def others(self) -> list[LiveCall]:
        """Return the calls of the other processes that are alive, the oldest first.

        One that began or ended this very moment may be missing, or still be there.

        Raises:
            StoreError: If the database fails.
        """
        self._check_sight()
        calls = select(live_calls.c.value, live_calls.c.process, processes.c.value.label("holder"))
        calls = calls.join(processes, processes.c.id == live_calls.c.process)
        calls = calls.where(_beats(), live_calls.c.process != self.process)
        calls = calls.order_by(live_calls.c.at)
        rows = await self._database.read(lambda c: c.execute(calls).all())
        return [
            LiveCall(
                name=row.value["name"],
                agent=row.value["agent"],
                host=row.holder["host"],
                pid=row.holder["pid"],
                process=row.process,
            )
            for row in rows
            if row.value and row.holder and not row.value.get("announced")
        ]

    async def died(self) -> dict[str, float]:
        """Return the processes that are found dead, each with its last beat, for :meth:`inherit`.

        Dead is who has ended on this machine, or has not beaten for as long as
        :data:`~agent.store.heartbeats.WATCHED`.

        Raises:
            StoreError: If the database fails.
        """
        beats = select(processes.c.id, processes.c.value, processes.c.at)
        try:
            rows = await self._database.read(
                lambda c: c.execute(beats.where(processes.c.id != self.process)).all()
            )
        except StoreError:
            self._others.begin_anew()
            raise
        dead = set(self._others.look({row.id: row.at for row in rows}, now()))
        dead |= {row.id for row in rows if process_identity.has_ended(row.value)}
        return {row.id: row.at for row in rows if row.id in dead}

    async def inherit(self, process: str, at: float) -> list[OrphanCall]:
        """Return the calls that a dead process has left; they are returned to one process only.

        They are ours then, and orders to them are thrown away. Tell by :meth:`settled` what is done
        about each, so that it is not left to the next, should we die as well.

        Args:
            process: One that has died.
            at: Its last beat; if it has beaten since, it is let be.

        Raises:
            StoreError: If the database fails.
        """
        return await self._database.write(lambda c: self._inherit(c, process, at))

    async def settled(self, name: str) -> None:
        """Tell that nothing is left to be done about a call of a dead process.

        Raises:
            StoreError: If the database fails.
        """
        if name in self._calls:
            return  # it has come to us meanwhile
        this = (live_calls.c.name == digest(name), live_calls.c.process == self.process)
        await self._database.write(lambda c: c.execute(delete(live_calls).where(*this)))

    def _check_sight(self) -> None:
        """See to it that a silent heart is a dead process, and not a database that fails.

        Raises:
            StoreError: If ours was not heard either, or not until a moment ago.
        """
        beat_at = self._beat_at
        silent = beat_at is not None and now() - beat_at > DEAD_AFTER
        if silent or now() < self._sees_from:
            raise StoreError("which processes are alive is not known yet")

    def _inherit(self, connection: Connection, process: str, at: float) -> list[OrphanCall]:
        beat = (processes.c.id == process, processes.c.at == at)
        if not connection.execute(delete(processes).where(*beat)).rowcount:
            return []  # it lives, or another has them
        theirs = live_calls.c.process == process
        rows = connection.execute(
            select(live_calls.c.name, live_calls.c.value, (Now() - live_calls.c.at).label("age"))
            .where(theirs)
        ).all()  # fmt: skip
        connection.execute(update(live_calls).where(theirs).values(process=self.process))
        connection.execute(delete(orders).where(orders.c.call.in_([row.name for row in rows])))
        return [
            _orphan(row.value, row.age)
            for row in rows
            if row.value is not None and "name" in row.value
        ]

    def _write(
        self, connection: Connection, new: Mapping[str, dict[str, Any]], gone: list[str]
    ) -> None:
        beat = insert(processes).values(id=self.process, value=self._us, at=Now())
        connection.execute(
            beat.on_conflict_do_update(index_elements=["id"], set_={"at": beat.excluded.at})
        )
        if gone:
            ours = live_calls.c.process == self.process
            those = live_calls.c.name.in_([digest(name) for name in gone])
            connection.execute(delete(live_calls).where(ours, those))
        for name, value in new.items():
            row = insert(live_calls).values(
                name=digest(name), process=self.process, value=value, at=Now()
            )
            set_ = {column: row.excluded[column] for column in ("process", "value", "at")}
            connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=set_))


def _beats() -> ColumnElement[bool]:
    return processes.c.at > Now() - DEAD_AFTER


def _orphan(value: Mapping[str, Any], age: float) -> OrphanCall:
    return OrphanCall(
        name=str(value["name"]),
        held=not value.get("announced"),
        age=age,
        rings_for=float(value.get("rings", 0.0)),
    )


def _leave(connection: Connection, process: str) -> None:
    """Take what a process tells out of the tables, but who rings because of it."""
    ours = live_calls.c.process == process
    rows = connection.execute(select(live_calls.c.name, live_calls.c.value).where(ours))
    # Those that it has inherited, too.
    ringing = [row.name for row in rows if row.value and "rings" in row.value]
    connection.execute(delete(live_calls).where(ours, live_calls.c.name.not_in(ringing)))
    if not ringing:
        connection.execute(delete(processes).where(processes.c.id == process))
