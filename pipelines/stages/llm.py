"""Text to text, by the first provider that can."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import structlog

from pipelines.clock import now
from pipelines.conversation import GO_ON, Brief, Message, Tokens, ToolCall
from pipelines.encodable import EncodableText, encodable, encodable_json
from pipelines.providers.contracts import (
    ContextTooLongError,
    InstructedModel,
    LanguageModel,
    ProviderError,
    RequestRefusedError,
    WrittenCallError,
)
from pipelines.stages.attempts import Attempts
from pipelines.stages.budgets import Budgets
from pipelines.stages.context import ContextWindow
from pipelines.stages.deadlines import ResultPace, with_deadlines
from pipelines.stages.limits import ModelLimits
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import DraftCost, Usage
from pipelines.stages.written import BegunAnew, Written, called, for_the_caller
from pipelines.text.reply_text import ReplyText
from pipelines.text.sentences import SentenceCutter
from pipelines.text.words import joined, length

log = structlog.get_logger()
SLOWEST = 7.0
"""Characters a second of a model that keeps up: half of what a voice speaks, since there are pauses
between sentences, and fillers in them."""

_GO_ON = Message("user", GO_ON)

MOST_CALLS = 16
"""Tools that a message may ask for, which are run side by side; more is a model that repeats
itself."""


class FailoverLanguageModel:
    """Text to text for one call, by the first provider that can.

    Args:
        pool: The providers, in the order in which they are wanted.
        budgets: How long each may take.
        usage: The call's; is added to.
        limits: How long the conversation and a reply may be.
    """

    def __init__(
        self,
        pool: ProviderPool[LanguageModel],
        budgets: Budgets,
        usage: Usage,
        limits: ModelLimits,
    ) -> None:
        self._pool = pool
        self._budgets = budgets
        self._usage = usage
        self._limits = limits
        self._windows = {
            candidate.name: ContextWindow(limits.max_history) for candidate in pool.candidates
        }

        self._answered: set[str] = set()  # the last request of whom was as it should be

    @property
    def follows_instructions(self) -> bool:
        """Whether whoever is asked first does what it is told, and looks nothing up instead."""
        model = self._pool.first.provider
        return not isinstance(model, InstructedModel) or model.follows_whispers

    async def reply(
        self, brief: Brief, conversation: Sequence[Message], spent: DraftCost
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the sentences of the next message, then the tools it asks for.

        Only words for the caller are given (:mod:`pipelines.text.reply_text`): no reasoning, and no
        tool call that is written as text, which is not run either, but for one that stays silent. A
        sentence is given when it is whole: so the next provider can go on after it. Tool calls are
        given when the reply is whole: so none is given twice. A reply without words or tool calls
        is a failure, though not always of the provider: see
        :class:`~pipelines.providers.contracts.WrittenCallError`. All of it can be encoded, and none
        of it is longer than the limit.

        A provider that finds the conversation too long is asked again with less of it, at once.

        Raises:
            ProviderError: If there is no reply, or no more of it. What was yielded still stands.
        """
        attempts = Attempts(self._pool, self._usage)
        said: list[str] = []
        known: set[str] = set()  # what a provider that takes over may not say again
        asked = conversation
        while True:
            calls: list[ToolCall] = []
            shown = self._windows[attempts.candidate.name].shown(asked)
            attempt = self._sentences(attempts, brief, shown, calls, spent)
            try:
                async with aclosing(attempt) as sentences:
                    async for sentence in sentences:
                        if _gist(sentence) not in known:
                            said.append(sentence)
                            yield sentence
            except ProviderError as error:
                self._choose_next(attempts, asked, error)
                if said:
                    known = set(map(_gist, said))
                    so_far = Message("assistant", joined(said))
                    asked = [*conversation, so_far, _GO_ON]
            else:
                attempts.worked()
                self._answered.add(attempts.candidate.name)
                for call in calls:
                    yield call
                return

    def _choose_next(
        self, attempts: Attempts[LanguageModel], asked: Sequence[Message], error: ProviderError
    ) -> None:
        """Ask the same provider with less if that is what it wants, else the next.

        Raises:
            ProviderError: ``error``, if nobody is left to ask.
        """
        name = attempts.candidate.name
        too_long = isinstance(error, ContextTooLongError)
        if isinstance(error, RequestRefusedError) and name in self._answered:
            too_long = True  # perhaps; once, until it has answered again
            self._answered.remove(name)
        if too_long and self._windows[name].narrow(asked):
            log.warning("the conversation is too long, and is shortened", provider=name)
        else:
            attempts.failed(error)

    async def _sentences(
        self,
        attempts: Attempts[LanguageModel],
        brief: Brief,
        asked: Sequence[Message],
        calls: list[ToolCall],
        spent: DraftCost,
    ) -> AsyncGenerator[str, None]:
        """Yield what is written, sentence by sentence; gather the tool calls."""
        cutter, text, most = SentenceCutter(), EncodableText(), self._limits.max_reply
        async with aclosing(self._attempt(attempts, brief, asked, spent)) as pieces:
            async for piece in pieces:
                match piece:
                    case BegunAnew():
                        cutter, text = SentenceCutter(), EncodableText()
                        continue
                    case ToolCall():
                        calls.append(_cleaned(piece))
                        if len(calls) < MOST_CALLS:
                            continue
                        log.warning("the reply is cut off: it asks for too many tools")
                        break
                spent.tokens += 1
                left = most - spent.characters
                spent.characters += len(piece)
                for sentence in cutter.feed(text.feed(piece[: max(0, left)])):
                    yield sentence
                if _is_too_long(piece, left, most):
                    return
        for sentence in (*cutter.feed(text.flush()), *cutter.flush()):
            yield sentence

    async def _attempt(
        self,
        attempts: Attempts[LanguageModel],
        brief: Brief,
        asked: Sequence[Message],
        spent: DraftCost,
    ) -> AsyncGenerator[str | ToolCall | BegunAnew, None]:
        budgets, used = self._budgets, self._usage.of("llm", attempts.candidate.name)
        first = attempts.patience(budgets.first_token, budgets.patience)
        attempts.asked()
        candidate = attempts.candidate
        text = ReplyText(thinking=candidate.thinks_first)
        tools = [tool.name for tool in brief.tools]
        source = for_the_caller(candidate.provider.reply(brief, asked), text, tools)
        blank = True
        after = attempts.patience(budgets.next_token, budgets.patience)
        pace = ResultPace[Written](first=first, behind=after, seconds=seconds_of)
        pieces = with_deadlines(source, pace, "llm")
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Tokens):
                    used.count(piece)
                    continue
                if blank and seconds_of(piece):
                    attempts.answered()
                    spent.wrote(now())
                    blank = False
                yield piece
        candidate.thinks_first = text.thinks_first
        if unsaid := sorted(text.kinds - {"markup"}):
            log.warning("a reply is not all for the caller", provider=candidate.name, kinds=unsaid)
        if blank and asked[-1:] != [_GO_ON]:
            if "tool call" not in text.kinds:
                raise ProviderError("llm", "the reply is empty")
            log.warning(
                "a tool call was written as text, and is not run: switch the tool parser of the "
                "server on",
                provider=candidate.name,
                tools=called(text.calls, tools),
            )
            raise WrittenCallError


def seconds_of(piece: Written) -> float:
    """Return how long a piece of a reply may take to be written; 0 if it is none."""
    match piece:
        case str():
            return length(piece) / SLOWEST if piece.strip() else 0.0
        case ToolCall():
            return 1.0  # its arguments are text, too
    return 0.0


def _is_too_long(piece: str, left: int, most: int) -> bool:
    if len(piece) > left >= 0:  # for the first time
        log.warning("the reply is cut off: it is too long", characters=most)
    return len(piece) > left


def _cleaned(call: ToolCall) -> ToolCall:
    """Return a tool call that can be written and sent.

    Raises:
        ProviderError: If its arguments are no JSON.
    """
    try:
        arguments = encodable_json(dict(call.arguments))
    except ValueError:
        raise ProviderError("llm", "a tool call that cannot be read") from None
    return ToolCall(encodable(call.name), arguments, encodable(call.id))


def _gist(sentence: str) -> str:
    return "".join(filter(str.isalnum, sentence.casefold()))
