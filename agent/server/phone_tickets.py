"""One-use tickets of the browser phone: what its stream brings where Sinch's brings a token.

Whoever may call the agent by the console is given one, and has a minute to use it. They stand in
the store, by their digests, so that any process of the service takes what another has issued.
"""

from __future__ import annotations

import secrets
import time

from agent.store.entries import Entries

PREFIX = "phone."
"""What a ticket begins with; a token of :mod:`agent.sinch.tokens` has a JSON object there."""

GOOD_FOR = 60.0
"""Seconds: a browser asks its user for the microphone meanwhile."""


class TicketError(Exception):
    """The ticket is none, used, or expired. The message is for our log, and does not quote it."""


class PhoneTickets:
    """Issue tickets and redeem them. Every method raises StoreError if the database fails.

    Args:
        entries: Where they stand.
    """

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    async def issue(self) -> str:
        """Return a new ticket: letters, digits, ``_``, ``-`` and one dot."""
        ticket = PREFIX + secrets.token_urlsafe(24)
        await self._entries.put(ticket, {"until": time.time() + GOOD_FOR})
        return ticket

    async def redeem(self, ticket: str) -> None:
        """Use a ticket up.

        Raises:
            TicketError: If it is not good.
        """
        entry = await self._entries.take(ticket)
        if entry is None:
            raise TicketError("the ticket is not ours, or was used")
        if time.time() > float(entry.get("until", 0.0)):
            raise TicketError("the ticket has expired")


def is_ticket(token: str) -> bool:
    """Return whether a token is a ticket of the browser phone, good or not."""
    return token.startswith(PREFIX)
