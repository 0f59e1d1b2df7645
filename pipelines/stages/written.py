"""What a language model gives, without what is not for the caller."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass

from pipelines.conversation import STAY_SILENT, ToolCall
from pipelines.providers.contracts import Piece
from pipelines.text.reply_text import ReplyText


@dataclass(frozen=True, slots=True)
class BegunAnew:
    """All text before this was reasoning: what was not said of it yet is not to be said."""


Written = Piece | BegunAnew

_NAME = re.compile(r"[\w-]+")


async def for_the_caller(
    source: AsyncGenerator[Piece, None], text: ReplyText, tools: Collection[str] = ()
) -> AsyncGenerator[Written, None]:
    """Yield what ``source`` yields, its text through ``text``; close it in any case.

    A piece of text is given for each that comes, perhaps an empty one: it is a sign of life, and it
    was paid for. Where a model goes on with somebody else's turn, the reply has ended.

    Args:
        source: What a language model gives.
        text: Fresh.
        tools: Names of those that it may ask for. If it has written that it stays silent, and
            nothing else, that is given as the call of the tool: nothing is done by it.
    """
    wrote = False
    async with aclosing(source):
        async for piece in source:
            if not isinstance(piece, str):
                wrote = wrote or isinstance(piece, ToolCall)
                yield piece
                continue
            words = text.feed(piece)
            if text.anew:
                wrote = False
                yield BegunAnew()
            wrote = wrote or bool(words.strip())
            yield words
            if text.over:
                break
    words = "" if text.over else text.flush()
    if text.anew:
        yield BegunAnew()
    if words:
        yield words
    if not (wrote or words.strip()) and called(text.calls, tools) == [STAY_SILENT]:
        yield ToolCall(STAY_SILENT)


def called(calls: str, tools: Collection[str]) -> list[str]:
    """Return which of ``tools`` are named in calls that were written as text."""
    names = set(_NAME.findall(calls))
    return [name for name in tools if name in names]
