"""An attempt to sign in by an identity provider, from the browser's leaving to its coming back.

Nothing of it is kept here meanwhile: the browser keeps it in a cookie, so any process of the
service takes it back. What the provider sees is derived from its secret.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.console.sign_in.browsers import derived, new_secret, own_path, same
from agent.console.visitor import Role

_COOKIE = re.compile(r"([A-Za-z0-9_-]{43})\.(\d{1,12})\.([A-Za-z0-9_=-]{0,1400})", re.ASCII)


class ProviderFailedError(Exception):
    """The provider cannot be asked, or what it says makes no sense. The message is for our log."""


class NotLetInError(Exception):
    """The provider does not vouch for somebody, or says nothing of them that lets them in.

    Args:
        message: For our log.
        told: To whoever asks.
    """

    def __init__(self, message: str, told: str) -> None:
        super().__init__(message)
        self.told = told


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody tries to sign in. What the provider sees of it is derived from its secret."""

    secret: str
    at: int
    """Unix time."""

    next: str
    """Where they are led afterwards."""

    @classmethod
    def begun(cls, next_: str) -> Attempt:
        """Return a new attempt."""
        return cls(secret=new_secret(), at=int(time.time()), next=next_)

    @classmethod
    def of(cls, text: str, seconds: float) -> Attempt | None:
        """Return the attempt of a cookie; None if it is none, or began longer ago."""
        found = _COOKIE.fullmatch(text)
        if found is None or not 0 <= time.time() - int(found[2]) + 1 <= seconds + 1:
            return None
        try:
            next_ = base64.urlsafe_b64decode(found[3]).decode("ascii")
        except ValueError:
            return None
        return cls(secret=found[1], at=int(found[2]), next=own_path(next_))

    @property
    def text(self) -> str:
        """The attempt as a cookie."""
        return f"{self.secret}.{self.at}.{base64.urlsafe_b64encode(self.next.encode()).decode()}"

    @property
    def state(self) -> str:
        """What comes back with the browser, and shows that it was sent there by us."""
        return derived(self.secret, "state")

    @property
    def nonce(self) -> str:
        """What comes back in the ID token, and shows that it was made for this attempt."""
        return derived(self.secret, "nonce")

    @property
    def verifier(self) -> str:
        """What shows that whoever exchanges the code has begun the attempt (RFC 7636)."""
        return derived(self.secret, "verifier")

    def is_answered_by(self, state: str) -> bool:
        """Return whether the browser comes back from this attempt."""
        return same(state, self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom the provider vouches for."""

    name: str
    role: Role


class SignInProvider(Protocol):
    """An identity provider."""

    @property
    def host(self) -> str:
        """Its name, for people."""
        ...

    async def address(self, attempt: Attempt, back: str) -> str:
        """Return where a browser is sent to sign in.

        Args:
            attempt: Whose state and nonce go along.
            back: Where it is to be sent afterwards.

        Raises:
            ProviderFailedError: If that cannot be found out.
        """
        ...

    async def person(self, attempt: Attempt, query: Mapping[str, str], back: str) -> Person:
        """Return who has signed in, by what the browser brings back.

        Args:
            attempt: Whose answer this is; that was looked at.
            query: Of the address that it was sent back to.
            back: That address, as it was given.

        Raises:
            ProviderFailedError: If the provider fails.
            NotLetInError: If it does not vouch for them, or they have no role.
        """
        ...
