"""A caller on their way to somebody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import structlog

from agent.call.history import History
from pipelines.conversation import TRANSFER_CALL, ToolCall, ToolResult

log = structlog.get_logger()


class TransferError(Exception):
    """The caller cannot be passed on. The message is fit for a log."""


Mover = Callable[[str], Awaitable[None]]
"""Dials a number or SIP address into the conversation; raises :class:`TransferError`. What becomes
of it comes as an order to the call: moved, or not moved."""


class CallTransfer:
    """Whom we dial for the caller, at most one at a time; we stay with them until it is answered.

    Args:
        mover: Dials; None if this call cannot be passed on.
        numbers: By the name that the agent file has for them: number or SIP address.
        history: Gets a line when it begins, and when it is over.
    """

    def __init__(self, mover: Mover | None, numbers: Mapping[str, str], history: History) -> None:
        self._mover = mover
        self._numbers = numbers
        self._history = history
        self._to = ""
        self._away_with = ""

    @property
    def under_way(self) -> bool:
        """Whether somebody is being dialled."""
        return bool(self._to)

    async def dial(self, to: str) -> bool:
        """Dial somebody, unless that is under way; return False if they cannot be reached.

        Call :meth:`end` once it is known what became of it, at once if this returns False.
        """
        if self.under_way:
            return True
        self._to = to
        self._history.record.note("transfer", to=to, status="started")
        if self._mover is None:
            return False
        try:
            await self._mover(self._numbers.get(to, to))
        except TransferError as error:
            log.warning("the caller cannot be passed on", reason=str(error))
            if to in self._numbers:  # else the operator asked, and no number is told to a model
                call = ToolCall(TRANSFER_CALL, {"to": to})
                said = f"{to} was not dialled, and cannot be reached now: {error}"
                self._history.tool_gave(ToolResult(call, said, failed=True))
            return False
        return True

    def end(self, *, done: bool) -> None:
        """Note that the dialling is over.

        Args:
            done: Whether the caller talks to them now.
        """
        to, self._to = self._to, ""
        self._away_with = to if done else ""
        self._history.record.note("transfer", to=to, status="done" if done else "failed")

    def returned(self, by: Literal["operator", "service"]) -> None:
        """Note that the caller is with us again, and tell the model."""
        to, self._away_with = self._away_with, ""
        self._history.record.note("transfer", to=to, status="returned", by=by)
        self._history.colleague_talked()
