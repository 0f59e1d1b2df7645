"""Who looked at which record, and who has had one erased. Never what was searched for."""

from __future__ import annotations

import getpass
import hashlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from sqlalchemy import insert, select

from agent.store.engine import Database
from agent.store.record_tables import record_reads

Access = Literal[
    "list", "search", "show", "play", "follow", "listen", "export", "replay", "verify", "erase"
]
"""What somebody did with a record."""

AT_ONCE = 500
"""Rows written in one transaction."""

LISTED_FOR = 3600.0
"""Seconds for which one holder of a token who lists a record again is not noted again: a page that
is open all day asks every few seconds."""

MOST_LISTED = 10_000
"""Records that are known to have been listed."""

MOST_SHOWN = 10_000
"""Rows of one record that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAccess:
    """Somebody has looked at a record."""

    at: float
    """Unix time."""

    who: str
    what: str


class AccessLog:
    """Keeps who looked at what. Every method raises StoreError if the database fails.

    Whoever shows a record notes it **before** it is shown: what cannot be noted is not shown.

    Args:
        database: Shared by all processes.
        who: :func:`this_user`, or :func:`holder_of` a token; who looks unless :meth:`note` is told.
    """

    def __init__(self, database: Database, who: str) -> None:
        self._database = database
        self._who = who[:200]
        self._listed: dict[tuple[str, str, str], float] = {}

    async def note(self, what: Access, records: Sequence[str], who: str = "") -> None:
        """Note that these records are about to be shown.

        Args:
            what: In which way.
            records: Their ids; ``""`` for one that is no more, so that nobody learns whose it was.
            who: Who looks, such as who is signed in; ``""`` for whom this was made for.
        """
        at, who = time.time(), (who or self._who)[:200]
        listed = self._listed
        new = [one for one in records if at - listed.get((who, what, one), 0.0) > LISTED_FOR]
        rows = iter([{"at": at, "who": who, "what": what, "record": one[:32]} for one in new])
        while some := list(islice(rows, AT_ONCE)):
            await self._database.write(lambda c, some=some: c.execute(insert(record_reads), some))  # type: ignore[misc]
        if what in ("list", "search"):
            self._listed |= {(who, what, one): at for one in new}
            for oldest in list(islice(self._listed, max(0, len(self._listed) - MOST_LISTED))):
                del self._listed[oldest]

    async def of(self, record: str) -> list[RecordAccess]:
        """Return who has looked at a record, the latest first."""
        found = (
            select(record_reads.c.at, record_reads.c.who, record_reads.c.what)
            .where(record_reads.c.record == record)
            .order_by(record_reads.c.id.desc())
            .limit(MOST_SHOWN)
        )
        rows = await self._database.read(lambda c: c.execute(found).all())
        return [RecordAccess(at=row.at, who=row.who, what=row.what) for row in rows]


def this_user() -> str:
    """Return who runs a command: the user of this machine, and its name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have users without names
        user = "?"
    return f"{user}@{socket.gethostname()}"


def holder_of(token: str) -> str:
    """Return what a token is told by from another, and says nothing of it."""
    return f"operator token {hashlib.sha256(token.encode()).hexdigest()[:8]}"
