"""How much of a conversation a language model is shown: the newest turns, as far as they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from pipelines.conversation import GO_ON, Message, ToolResult

BYTES_A_TOKEN = 3
"""Of UTF-8. English has 4 to 5, Chinese 3 to 4, JSON and numbers 2 to 3."""

A_MESSAGE = 4
"""Tokens around each message and each tool call, as OpenAI counts them."""

KEPT = 0.75
"""Share of what may be shown that is kept when turns are left out: so that it is not done again in
the next turn, and what the server has cached of the conversation stays of use."""

SHORTEST = 200
"""Characters that are left of a tool's result."""


class ContextWindow:
    """What one model is shown of one call's conversation, which only grows.

    Whole turns are left out, the oldest first: what the caller said, with all that was said and
    done about it, so that a tool call never stands without its result. The last turn is always
    shown; if it is too long by itself, its results are shortened.

    Args:
        most: Tokens that may be shown, as :func:`tokens` estimates them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._start = 0

    def shown(self, conversation: Sequence[Message]) -> list[Message]:
        """Return what to show of the conversation as it is now."""
        starts = _turns(conversation)
        self._start = max(start for start in starts if start <= self._start)
        turns = [list(conversation[a:b]) for a, b in pairwise([*starts, len(conversation)])]
        turns = turns[starts.index(self._start) :]
        sizes = [sum(map(tokens, turn)) for turn in turns]
        size, dropped = sum(sizes), 0
        if size > self._most:
            while size > self._most * KEPT and dropped < len(turns) - 1:
                self._start += len(turns[dropped])
                size -= sizes[dropped]
                dropped += 1
        shown = [message for turn in turns[dropped:] for message in turn]
        return _shortened(shown, self._most) if size > self._most else shown

    def narrow(self, conversation: Sequence[Message]) -> bool:
        """Show half as much from now on, since the server has found it too long.

        Returns:
            Whether less will be shown; if not, to ask again is of no use.
        """
        size = before = _size(self.shown(conversation))
        self._most = min(self._most, before)
        while size >= before and self._most:
            self._most //= 2
            size = _size(self.shown(conversation))
        return size < before


def tokens(message: Message) -> int:
    """Return about how many tokens a message has: rather too many than too few."""
    return A_MESSAGE + _length(message.text) + sum(map(_tokens_of, message.results))


def _tokens_of(result: ToolResult) -> int:
    call = result.call
    return A_MESSAGE + _length(f"{call.name}{dict(call.arguments)}") + _length(result.text)


def _length(text: str) -> int:
    return len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN


def _size(conversation: Sequence[Message]) -> int:
    return sum(map(tokens, conversation))


def _turns(conversation: Sequence[Message]) -> list[int]:
    """Return where turns begin: at the start, and where the caller speaks after us."""
    return [
        at
        for at, message in enumerate(conversation)
        if at == 0
        or (
            message.role == "user"
            and conversation[at - 1].role != "user"
            and message.text != GO_ON  # which is no turn of the caller's
        )
    ] or [0]


def _shortened(turn: Sequence[Message], most: int) -> list[Message]:
    """Return one turn with the results of its tools cut so that it fits, as far as that goes."""
    count = sum(len(message.results) for message in turn)
    words = _size([replace(message, results=()) for message in turn])
    longest = max(SHORTEST, (most - words) * BYTES_A_TOKEN // count) if count else 0
    return [
        replace(message, results=tuple(_cut(result, longest) for result in message.results))
        for message in turn
    ]


def _cut(result: ToolResult, longest: int) -> ToolResult:
    if len(result.text) <= longest:
        return result
    return replace(result, text=f"{result.text[:longest]}\n[cut here: too long]")
