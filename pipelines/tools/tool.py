"""What a tool is: a name, a JSON Schema and a coroutine function, and what it is told of the call.

:mod:`pipelines.tools.python`, :mod:`pipelines.tools.http` and :mod:`pipelines.tools.mcp` make them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.conversation import ToolResult, ToolSpec

MAX_REASON = 300
"""Characters of a reason why something failed."""


class ToolError(Exception):
    """A tool could not do what it was asked to; the message tells the model why.

    Args:
        message: A sentence or so, without secrets. It is spoken of, and kept in the transcript.
        undone: Whether it is certain that nothing was done, so that the same may be asked for
            again in this turn.
    """

    def __init__(self, message: str, *, undone: bool = False) -> None:
        super().__init__(message)
        self.undone = undone


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInfo:
    """What a tool is told of the call besides its arguments."""

    call_id: str
    tool_call: str = ""
    """Which of the call's tool calls this is; no two of a call have the same. A tool that has an
    effect elsewhere passes on both, so that a repeat is recognised there."""

    caller: str = ""
    """Number in E.164, or SIP address; ``""`` if it is withheld."""

    called: str = ""


OnBargeIn = Literal["cancel", "keep"]
"""What becomes of a tool that runs when the caller interrupts: it is cancelled, or it goes on to
its end and the model is told the result with the next turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a model may have done."""

    spec: ToolSpec

    run: Callable[[Mapping[str, Any], CallInfo], Coroutine[Any, Any, str]]
    """Does it, and returns what the model is told: JSON or plain text. Raises :class:`ToolError`.
    The arguments have been checked against ``spec.parameters``; cancelling has to be safe."""

    timeout: float = 5.0
    """Seconds. Nobody waits on the phone for much longer without being told why."""

    on_barge_in: OnBargeIn = "keep"
    """Half a booking is worse than one that the caller did not wait for, so ``keep``."""

    filler: str = ""
    """What to say while it takes long; ``""`` if it has no words of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """A tool has been run, or was asked for in a way that it could not be."""

    result: ToolResult
    tool_call: str
    """As in :class:`CallInfo`; ``""`` if nothing was run."""

    seconds: float
    cancelled: bool = False
