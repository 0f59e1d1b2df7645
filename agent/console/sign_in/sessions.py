"""Who is signed in: known to every process of the service, until it is over.

A session stands in the database under the digest of its secret, which the browser alone has. It is
bound to what the settings said of its user when it began.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.console.sign_in.browsers import new_secret
from agent.settings.console import ConsoleSettings, RoleName
from agent.store.entries import Entries, Entry

OIDC = "oidc "
"""What the name of somebody begins with who has signed in by an identity provider."""

NOTED_EVERY = 60.0
"""Seconds between two times that it is written that somebody is still there."""

_PREFIX = "session."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody is signed in."""

    name: str
    """As the access log has it: ``ann``, or ``oidc ann@example.com``."""

    role: RoleName
    fingerprint: str
    began: float
    """Unix time; so is :attr:`seen`."""

    seen: float


_STORED = TypeAdapter(Session)


class Sessions:
    """Begin, find and end sessions. Every method raises StoreError if the database fails.

    Args:
        entries: Where they stand.
        console: Who may have one, and for how long.
        clock: The Unix time, which all processes go by.
    """

    def __init__(
        self,
        entries: Entries,
        console: ConsoleSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._entries = entries
        self._console = console
        self._clock = clock

    async def begin(self, name: str, role: RoleName) -> str:
        """Begin a session; return its secret, which is nowhere else."""
        secret, at = new_secret(), self._clock()
        of_now = fingerprint(self._console, name)
        session = Session(name=name, role=role, fingerprint=of_now, began=at, seen=at)
        await self._entries.put(_PREFIX + secret, asdict(session))
        return secret

    async def find(self, secret: str, *, active: bool = True) -> Session | None:
        """Return a session that is not over; None if there is none.

        Args:
            secret: As the browser has it.
            active: Whether its user does something, and so is still there.
        """
        session = _session(await self._entries.get(_PREFIX + secret))
        if session is None or self._is_over(session):
            return None
        at = self._clock()
        if active and at - session.seen > NOTED_EVERY:
            # Only what is still there: it may be ended at this very moment.
            await self._entries.change(_PREFIX + secret, lambda now: (now | {"seen": at}, None))
        return session

    async def end(self, secret: str) -> None:
        """End a session, if there is one."""
        await self._entries.take(_PREFIX + secret)

    def _is_over(self, session: Session) -> bool:
        at = self._clock()
        idle = at - session.seen > self._console.idle_timeout
        old = at - session.began > self._console.session_lifetime
        return idle or old or session.fingerprint != fingerprint(self._console, session.name)


def fingerprint(console: ConsoleSettings, name: str) -> str:
    """Return what is told apart by whatever the settings say of who may do what.

    A session with another is over: somebody has been taken away, or has another role or password.
    """
    said: list[Any]
    if name.startswith(OIDC):
        oidc = console.oidc
        said = [
            oidc.issuer,
            oidc.client_id,
            oidc.claim,
            sorted(oidc.roles.items()),
            oidc.name_claim,
        ]
    else:
        account = console.accounts.get(name)
        said = [account.password.get_secret_value(), account.role] if account is not None else []
    return hashlib.sha256(json.dumps([name, *said]).encode()).hexdigest()


def _session(entry: Entry | None) -> Session | None:
    """Return what an entry says; None if that is no session, such as one of a later version."""
    try:
        return _STORED.validate_python(entry)
    except ValidationError:
        return None
