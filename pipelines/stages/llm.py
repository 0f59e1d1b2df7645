"""Text to text, by the first provider that can."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from pipelines.conversation import GO_ON, Brief, Message, Tokens, ToolCall
from pipelines.providers.contracts import LanguageModel, Piece, ProviderError
from pipelines.stages.attempts import Attempts
from pipelines.stages.budgets import Budgets
from pipelines.stages.deadlines import ResultPace, with_deadlines
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import DraftCost, Usage
from pipelines.text.sentences import SentenceCutter

SLOWEST = 7.0
"""Characters a second of a model that keeps up: half of what a voice speaks, since there are pauses
between sentences, and fillers in them."""

_GO_ON = Message("user", GO_ON)


class FailoverLanguageModel:
    """Text to text for one call, by the first provider that can.

    Args:
        pool: The providers, in the order in which they are wanted.
        budgets: How long each may take.
        usage: The call's; is added to.
    """

    def __init__(self, pool: ProviderPool[LanguageModel], budgets: Budgets, usage: Usage) -> None:
        self._pool = pool
        self._budgets = budgets
        self._usage = usage

    async def reply(
        self, brief: Brief, conversation: Sequence[Message], spent: DraftCost
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the sentences of the next message, then the tools it asks for.

        A sentence is given when it is whole: so the next provider can go on after it. Tool calls
        are given when the reply is whole: so none is given twice. An empty reply is a failure.

        Raises:
            ProviderError: If there is no reply, or no more of it. What was yielded still stands.
        """
        attempts = Attempts(self._pool, self._usage)
        said: list[str] = []
        known: set[str] = set()  # what a provider that takes over may not say again
        asked = conversation
        while True:
            calls: list[ToolCall] = []
            attempt = self._sentences(attempts, brief, asked, calls, spent)
            try:
                async with aclosing(attempt) as sentences:
                    async for sentence in sentences:
                        if _gist(sentence) not in known:
                            said.append(sentence)
                            yield sentence
            except ProviderError as error:
                attempts.failed(error)
                if said:
                    known = set(map(_gist, said))
                    so_far = Message("assistant", " ".join(said))
                    asked = [*conversation, so_far, _GO_ON]
            else:
                attempts.worked()
                for call in calls:
                    yield call
                return

    async def _sentences(
        self,
        attempts: Attempts[LanguageModel],
        brief: Brief,
        asked: Sequence[Message],
        calls: list[ToolCall],
        spent: DraftCost,
    ) -> AsyncGenerator[str, None]:
        cutter = SentenceCutter()
        async with aclosing(self._attempt(attempts, brief, asked)) as pieces:
            async for piece in pieces:
                match piece:
                    case str():
                        spent.tokens += 1
                        for sentence in cutter.feed(piece):
                            yield sentence
                    case ToolCall():
                        calls.append(piece)
        for sentence in cutter.flush():
            yield sentence

    async def _attempt(
        self, attempts: Attempts[LanguageModel], brief: Brief, asked: Sequence[Message]
    ) -> AsyncGenerator[str | ToolCall, None]:
        budgets, used = self._budgets, self._usage.of("llm", attempts.candidate.name)
        first = attempts.patience(budgets.first_token, budgets.patience)
        attempts.asked()
        source = attempts.candidate.provider.reply(brief, asked)
        blank = True
        after = attempts.patience(budgets.next_token, budgets.patience)
        pace = ResultPace[Piece](first=first, behind=after, seconds=seconds_of)
        pieces = with_deadlines(source, pace, "llm")
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Tokens):
                    used.count(piece)
                    continue
                if blank and seconds_of(piece):
                    attempts.answered()
                    blank = False
                yield piece
        if blank and asked[-1:] != [_GO_ON]:
            raise ProviderError("llm", "the reply is empty")


def seconds_of(piece: Piece) -> float:
    """Return how long a piece of a reply may take to be written; 0 if it is none."""
    match piece:
        case str():
            return len(piece) / SLOWEST if piece.strip() else 0.0
        case ToolCall():
            return 1.0  # its arguments are text, too
    return 0.0


def _gist(sentence: str) -> str:
    return "".join(filter(str.isalnum, sentence.casefold()))
