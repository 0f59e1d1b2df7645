"""What a language model gives, without what is not for the caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from pipelines.providers.contracts import Piece
from pipelines.text.reply_text import ReplyText


@dataclass(frozen=True, slots=True)
class BegunAnew:
    """All text before this was reasoning: what was not said of it yet is not to be said."""


Written = Piece | BegunAnew


async def for_the_caller(
    source: AsyncGenerator[Piece, None], text: ReplyText
) -> AsyncGenerator[Written, None]:
    """Yield what ``source`` yields, its text through ``text``; close it in any case.

    A piece of text is given for each that comes, perhaps an empty one: it is a sign of life, and it
    was paid for. Where a model goes on with somebody else's turn, the reply has ended.
    """
    async with aclosing(source):
        async for piece in source:
            if not isinstance(piece, str):
                yield piece
                continue
            words = text.feed(piece)
            if text.anew:
                yield BegunAnew()
            yield words
            if text.over:
                return
    words = text.flush()
    if text.anew:
        yield BegunAnew()
    if words:
        yield words
