"""The far end of a call, whatever it is."""

from __future__ import annotations

from typing import Literal, Protocol


class LineError(Exception):
    """The line broke, or the far end abuses it: this call is over. Holds a reason fit for a log."""

    by: Literal["platform", "caller"] = "platform"
    """Who has ended the call then."""


class HungUpError(LineError):
    """The far end has left without a word of anything wrong."""

    by = "caller"

    def __init__(self) -> None:
        super().__init__("the caller hung up")


class Line(Protocol):
    """The far end: a websocket, or something that stands in for one."""

    async def receive(self) -> str | bytes | None:
        """Return the next message; None once either side has closed.

        Raises:
            LineError: If the line broke.
        """
        ...

    async def send(self, message: str | bytes) -> None:
        """Send a message; within a deadline, so that a dead line is noticed.

        Messages leave in the order in which this is called, even while an earlier one waits.

        Raises:
            LineError: If it cannot be sent.
        """
        ...

    async def close(self, code: int, reason: str = "") -> None:
        """Close it within a few seconds, which hangs up. Nothing happens the second time.

        Args:
            code: Of RFC 6455, section 7.4.1.
            reason: In words, fit for the platform's log; of ``""`` the code has some of its own.
        """
        ...
