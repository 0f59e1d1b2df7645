"""Passwords: hashed by argon2, and checked where no call waits for it.

One check takes 64 MB and a tenth of a second of a core.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Mapping

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agent.console.visitor import Role
from agent.settings.console import ConsoleUser
from pipelines.priority import lower_thread_priority
from pipelines.workers import WorkerThreads

log = structlog.get_logger()

SHORTEST, LONGEST = 12, 200
"""Characters of a password that is set."""

AT_ONCE = 2
"""Passwords that are checked at once: 128 MB."""

MOST_WAITING = 8
"""Passwords that wait to be; the next is told to come again."""

WITHIN = 10.0
"""Seconds for one to be checked, the waiting included."""

NICE = 10
"""How much less of a core that calls want, too, a check gets: about a tenth."""

AGAIN_AFTER = 5
"""Seconds until whoever was told so may come again."""

# RFC 9106's second recommendation, but for one lane: a try takes one core, and not four from calls.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)

_CHECKER = PasswordHasher()  # takes the parameters that stand in the hash


class BusyError(Exception):
    """Too many passwords are being checked."""


def hashed(password: str) -> str:
    """Return the hash of a password, for the settings. It blocks: a tenth of a second."""
    return _HASHER.hash(_normal(password))


def weakness_of(password: str) -> str:
    """Say why a password is not taken; ``""`` if it is. It is not quoted."""
    if len(password) < SHORTEST:
        return f"take {SHORTEST} characters or more; four words, say"
    if len(password) > LONGEST:
        return f"take {LONGEST} characters at the most"
    if len(set(password)) < 5:
        return "the same few characters again and again"
    if not password.isprintable():
        return "there is a character in it that cannot be typed"
    return ""


class Passwords:
    """Checks passwords, in threads. Close it in the end.

    Args:
        accounts: Who has which, by name.
    """

    def __init__(self, accounts: Mapping[str, ConsoleUser]) -> None:
        self._hashes = {
            name: account.password.get_secret_value() for name, account in accounts.items()
        }
        self._roles = {name: Role.of(account.role) for name, account in accounts.items()}
        self._nobodys = next(iter(self._hashes.values()), "")
        self._workers = WorkerThreads(AT_ONCE, "passwords")
        self._waiting = 0

    def knows(self, name: str) -> bool:
        """Return whether there is somebody of that name."""
        return name in self._hashes

    def role(self, name: str) -> Role:
        """Return what somebody may do, who is known."""
        return self._roles[name]

    async def right(self, name: str, password: str) -> bool:
        """Return whether this is the password of whoever has that name.

        Of nobody it is not, after the same time. Cancelling is safe.

        Raises:
            BusyError: If too many are being checked.
        """
        if self._waiting >= AT_ONCE + MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with asyncio.timeout(WITHIN):
                known = self._hashes.get(name, self._nobodys)
                matches = await self._workers.run(_matches, known, password)
        except TimeoutError:
            raise BusyError from None
        finally:
            self._waiting -= 1
        return matches and self.knows(name)

    async def aclose(self) -> None:
        """End the threads."""
        await self._workers.aclose()


def _matches(known: str, password: str) -> bool:
    if not known or len(password) > LONGEST:
        return False
    lower_thread_priority(NICE)
    try:
        return _CHECKER.verify(known, _normal(password))
    except VerificationError:  # mostly that it is another
        return False
    except InvalidHashError:
        log.warning("the hash of a password cannot be read: make it anew")
        return False


def _normal(password: str) -> str:
    """Return a password as it is typed on any keyboard: an accent by itself, or in its letter."""
    return unicodedata.normalize("NFC", password)
