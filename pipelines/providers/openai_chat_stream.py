"""What a chat completions server streams, and the reply that is gathered from it. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import structlog
from pydantic import BaseModel, ConfigDict

from pipelines.conversation import Tokens, ToolCall
from pipelines.providers.contracts import ProviderError
from pipelines.providers.prompt import PartialCall, unreadable_call

log = structlog.get_logger()

CUT_SHORT = ("length", "content_filter")
"""Reasons to finish before the reply is whole."""


class _Wire(BaseModel):
    """What is read of the stream. The SDK does not check what it receives; this does."""

    model_config = ConfigDict(from_attributes=True)


class _Function(_Wire):
    name: str | None = None
    arguments: str | None = None


class _ToolDelta(_Wire):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(_Wire):
    content: str | None = None
    tool_calls: tuple[_ToolDelta, ...] | None = None


class _Choice(_Wire):
    delta: _Delta
    finish_reason: str | None = None


class _Details(_Wire):
    cached_tokens: int | None = None


class _Usage(_Wire):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None


class Chunk(_Wire):
    """One event of the stream."""

    choices: tuple[_Choice, ...]
    """One, or none in the chunk that only counts tokens."""

    usage: _Usage | None = None

    @property
    def has_content(self) -> bool:
        """Whether there is text in it, or a part of a tool call: a first one often has neither."""
        return any(choice.delta.content or choice.delta.tool_calls for choice in self.choices)


@dataclass(slots=True)
class StreamedReply:
    """A reply, as far as it has arrived.

    Args:
        model: Named in the log.
    """

    model: str
    calls: list[PartialCall] = field(default_factory=list)
    """In the order in which they began."""

    _latest: dict[int | None, PartialCall] = field(default_factory=dict)
    """The latest call of each index."""

    _finish: str | None = None
    _usage: _Usage | None = None

    def take(self, chunk: Chunk) -> Iterator[str]:
        """Take a chunk; yield the text in it. To be iterated to its end."""
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices:
            self._finish = choice.finish_reason or self._finish
            self._add(choice.delta.tool_calls or ())
            if choice.delta.content:
                yield choice.delta.content

    def _add(self, deltas: Iterable[_ToolDelta]) -> None:
        """Add fragments: OpenAI numbers the calls, other servers number all alike, or none."""
        for delta in deltas:
            function = delta.function or _Function()
            call = self._latest.get(delta.index)
            if call is None or _another(call, delta.id, function.name):
                call = self._latest[delta.index] = PartialCall()
                self.calls.append(call)
            call.id = delta.id or call.id
            call.name = function.name or call.name
            call.add(function.arguments or "")

    def whole(self) -> list[ToolCall]:
        """Return the tool calls, now that the stream has ended.

        Raises:
            ProviderError: If the reply is not whole, so far as that matters.
        """
        if self._finish is None:
            raise ProviderError("llm", "the reply broke off")
        if self._finish in CUT_SHORT:
            log.warning("reply cut off", reason=self._finish, model=self.model)
            if self.calls:  # half of the last one may look whole
                raise unreadable_call()
        return [call.whole() for call in self.calls]

    def tokens(self) -> Tokens | None:
        """Return what the reply has cost, if the server tells."""
        if (usage := self._usage) is None:
            return None
        details = usage.prompt_tokens_details
        cached = details.cached_tokens if details else None
        return Tokens(usage.prompt_tokens, usage.completion_tokens, cached or 0)


def _another(call: PartialCall, new_id: str | None, new_name: str | None) -> bool:
    """Return whether a fragment with that id and name begins a call of its own.

    Its id tells; without one, a name does after arguments, since fragments of one call have its
    name in the first alone.
    """
    if new_id and call.id:
        return new_id != call.id
    return bool(new_name and call.name and call.fragments)
