"""What a tool is: a name, a JSON Schema and a coroutine function, and what it is told of the call.

:mod:`pipelines.tools.python`, :mod:`pipelines.tools.http` and :mod:`pipelines.tools.mcp` make them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.conversation import ToolResult, ToolSpec
from pipelines.masking import MASK

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
    traceparent: str = ""
    """Of the call's trace, as W3C Trace Context has it, for requests to other services; ``""`` if
    nobody takes traces."""


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

    secret: frozenset[str] = frozenset()
    """Names of arguments, at whatever depth, whose values are on no record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """A tool has been run, or was asked for in a way that it could not be."""

    result: ToolResult
    tool_call: str
    """As in :class:`CallInfo`; ``""`` if nothing was run."""

    seconds: float
    cancelled: bool = False
    secret: frozenset[str] = frozenset()
    """As of :class:`Tool`."""

    @property
    def shown_arguments(self) -> dict[str, Any]:
        """The arguments as they may be on record: with ``***`` for what is secret."""
        return {
            name: MASK if name in self.secret else _without(value, self.secret)
            for name, value in self.result.call.arguments.items()
        }

    @property
    def shown_result(self) -> str:
        """The result as it may be on record: with ``***`` for secret values that it repeats."""
        text = self.result.text
        for value in sorted(_secrets(self.result.call.arguments, self.secret), key=len)[::-1]:
            text = text.replace(value, MASK)
        return text


_SHORTEST = 3
"""Characters of a secret value that is looked for in a result: less is in many words."""


def _without(value: Any, secret: frozenset[str]) -> Any:  # noqa: ANN401 - any JSON
    if not secret:
        return value
    if isinstance(value, Mapping):
        return {
            name: MASK if name in secret else _without(one, secret) for name, one in value.items()
        }
    return [_without(one, secret) for one in value] if isinstance(value, list) else value


def _secrets(value: Any, secret: frozenset[str], *, named: bool = False) -> set[str]:  # noqa: ANN401
    """Return the texts and numbers below secret names."""
    if isinstance(value, Mapping):
        return {
            text
            for name, one in value.items()
            for text in _secrets(one, secret, named=named or name in secret)
        }
    if isinstance(value, list):
        return {text for one in value for text in _secrets(one, secret, named=named)}
    text = str(value)
    return {text} if named and len(text) >= _SHORTEST and not isinstance(value, bool) else set()
