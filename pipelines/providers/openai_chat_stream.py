"""What a chat completions server streams, and the reply that is gathered from it. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import BaseModel

from pipelines.conversation import Tokens, ToolCall
from pipelines.providers.contracts import ProviderError
from pipelines.providers.partial_call import PartialCall, unreadable_call
from pipelines.providers.transport.failures import reported
from pipelines.providers.transport.reading import Count, read

log = structlog.get_logger()

CUT_SHORT = {"length", "max_tokens", "model_length", "content_filter", "sensitive", "safety"}
"""Reasons to finish before the reply is whole, as servers call them, in lower case."""

BROKEN = {"error", "abort", "network_error", "insufficient_system_resource"}
"""Reasons to finish that mean that the server failed: OpenRouter's, vLLM's, Zhipu's, DeepSeek's."""

THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
"""Fields of visible reasoning, as servers call them."""


class _Function(BaseModel):
    name: str | None = None
    arguments: Any = None
    """Fragments of JSON; some servers send the object itself."""


class _ToolDelta(BaseModel):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(BaseModel):
    content: Any = None
    """Text; of some servers a list of parts."""

    tool_calls: tuple[_ToolDelta, ...] | None = None
    function_call: _Function | None = None
    """What tool calls were before there could be several."""

    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    thinking: Any = None


class _Choice(BaseModel):
    delta: _Delta | None = None
    message: _Delta | None = None
    """In place of ``delta``, of a server that does not stream."""

    finish_reason: Any = None


class _Details(BaseModel):
    cached_tokens: Count = None


class _Usage(BaseModel):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _Details | None = None


class Chunk(BaseModel):
    """One event of the stream."""

    choices: tuple[_Choice, ...] | None = None
    """One, or none in the chunk that only counts tokens."""

    usage: _Usage | None = None

    @classmethod
    def of(cls, event: dict[str, Any], name: str = "message") -> Chunk:
        """Return what an event says.

        Args:
            event: Its data.
            name: Of the event.

        Raises:
            ProviderError: If it reports an error.
        """
        if event.get("error"):
            raise reported(event["error"] if event.get("choices") else event)
        told = {"error", event.get("object"), event.get("type")} if name == "error" else ()
        if told or (
            not event.get("choices") and "error" in (event.get("object"), event.get("type"))
        ):
            raise reported(event)
        return read(cls, event)

    @property
    def deltas(self) -> Iterator[_Delta]:
        """Yield what it adds to the reply."""
        for choice in self.choices or ():
            if (delta := choice.delta or choice.message) is not None:
                yield delta

    @property
    def has_content(self) -> bool:
        """Whether there is text in it, or a part of a tool call: a first one often has neither.

        Raises:
            ValueError: If what should be text is none.
        """
        return any(spoken(each.content) or each.tool_calls for each in self.deltas)

    @property
    def thinks(self) -> bool:
        """Whether it shows that the model is at work, and has nothing to say yet."""
        return any(
            any(getattr(each, name) for name in THOUGHTS) or isinstance(each.content, list)
            for each in self.deltas
        )


def spoken(content: object) -> str:
    """Return the text in a content, which may be a list of parts; other parts are not spoken.

    Raises:
        ValueError: If it is none of that.
    """
    match content:
        case str():
            return content
        case None:
            return ""
        case list():
            return "".join(map(spoken, content))
        case Mapping():
            kind = content.get("type") or "text"
            return spoken(content.get("text")) if kind in ("text", "output_text") else ""
    raise ValueError("no text")


@dataclass(slots=True)
class StreamedReply:
    """A reply, as far as it has arrived.

    Args:
        model: Named in the log.
    """

    model: str
    calls: list[PartialCall] = field(default_factory=list)
    """In the order in which they began."""

    done: bool = False
    """Whether the server has said that the stream is whole."""

    _latest: dict[int, PartialCall] = field(default_factory=dict)
    """The latest call of each index."""

    _finish: str = ""
    _usage: _Usage | None = None

    def take(self, chunk: Chunk) -> Iterator[str]:
        """Take a chunk; yield the text in it. To be iterated to its end.

        Raises:
            ProviderError: If a tool call is too long.
        """
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices or ():
            self._finish = str(choice.finish_reason or self._finish).lower()
        for delta in chunk.deltas:
            self._add(delta.tool_calls or ())
            if delta.function_call is not None:
                self._add([_ToolDelta(function=delta.function_call)])
            if text := spoken(delta.content):
                yield text

    def _add(self, deltas: Iterable[_ToolDelta]) -> None:
        for delta in deltas:
            function = delta.function or _Function()
            call = self._call(delta, function.name)
            call.id = call.id or delta.id or ""
            call.name = function.name or call.name
            call.add(function.arguments)

    def _call(self, delta: _ToolDelta, name: str | None) -> PartialCall:
        """Return the call that a fragment is of; a new one if it begins one.

        OpenAI numbers the calls; others number all alike, or none, or only the first fragment of
        each. What neither names a tool nor an id goes on with the latest.
        """
        call = self._latest.get(-1 if delta.index is None else delta.index)
        if call is None and (delta.index is None or not (name or delta.id)):
            same = (each for each in self.calls if each.id and each.id == delta.id)
            call = next(same, self.calls[-1] if self.calls else None)
        if call is None or _another(call, delta.id, name):
            call = PartialCall()
            self.calls.append(call)
        if delta.index is not None:
            self._latest[delta.index] = call
        return call

    def whole(self) -> list[ToolCall]:
        """Return the tool calls, now that the stream has ended.

        Raises:
            ProviderError: If the reply is not whole, so far as that matters.
        """
        if self._finish in BROKEN:
            raise ProviderError("llm", "the server reported an error")
        if not self._finish and not self.done:
            raise ProviderError("llm", "the reply broke off")
        if self._finish in CUT_SHORT:
            log.warning("reply cut off", reason=self._finish, model=self.model)
            if self.calls:  # half of the last one may look whole
                raise unreadable_call()
        begun = (each for each in self.calls if each.name or each.fragments)
        return [call for each in begun for call in each.whole()]

    def tokens(self) -> Tokens | None:
        """Return what the reply has cost, as far as the server tells."""
        if (usage := self._usage) is None:
            return None
        details = usage.prompt_tokens_details
        counts = usage.prompt_tokens, usage.completion_tokens, details and details.cached_tokens
        return Tokens(*(max(0, count or 0) for count in counts)) if any(counts) else None


def _another(call: PartialCall, new_id: str | None, new_name: str | None) -> bool:
    """Return whether a fragment with that id and name begins a call of its own.

    It does not while the arguments before it are begun and not whole. Then its id tells, if it
    comes with a name, or nothing is left to be said of the call before; without ids, a name does
    after arguments, since fragments of one call mostly have its name in the first alone.
    """
    same_name = not new_name or new_name == call.name
    if (not new_id or new_id == call.id) and not new_name:
        return False
    if new_id and new_id == call.id and same_name:
        return False
    if call.amid:
        return False
    if new_id and call.id and new_id != call.id:
        return bool(new_name) or not call.empty
    return bool(call.name) and (not same_name or bool(new_name and not call.empty))
