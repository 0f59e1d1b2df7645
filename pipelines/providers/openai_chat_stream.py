"""What a chat completions server streams, and the reply that is gathered from it. Does no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import structlog
from pydantic import BaseModel

from pipelines.conversation import Tokens, ToolCall
from pipelines.providers.contracts import ProviderError
from pipelines.providers.partial_call import PartialCall, unreadable_call
from pipelines.providers.transport.failures import is_error, reported
from pipelines.providers.transport.reading import SEVERAL, Count, read

log = structlog.get_logger()

CUT_SHORT = {"length", "max_tokens", "model_length", "content_filter", "sensitive", "safety"}
"""Reasons to finish before the reply is whole, as servers call them, in lower case."""

BROKEN = {"error", "abort", "network_error", "insufficient_system_resource"}
"""Reasons to finish that mean that the server failed: OpenRouter's, vLLM's, Zhipu's, DeepSeek's."""

THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
"""Fields of visible reasoning, as servers call them."""


WORDS = {"text", "output_text", "text_delta", "output_text_delta", "refusal"}
"""Types of the parts of a content that are spoken, in small letters."""


class _Function(BaseModel):
    name: str | None = None
    arguments: Any = None
    """Fragments of JSON; some servers send the object itself."""

    parameters: Any = None
    input: Any = None
    """The same under other names."""

    @property
    def given(self) -> Any:  # noqa: ANN401 - any JSON
        """What there is of the arguments."""
        names = (self.arguments, self.parameters, self.input)
        return next((each for each in names if each is not None), None)

    @property
    def says(self) -> bool:
        return bool(self.name) or self.given is not None


class _ToolDelta(_Function):
    """Some servers have name and arguments here, and no function."""

    index: int | None = None
    id: str | None = None
    function: _Function | None = None

    @property
    def called(self) -> _Function:
        return self.function if self.function and self.function.says else self


class _Delta(BaseModel):
    content: Any = None
    """Text; of some servers a list of parts."""

    refusal: str | None = None
    """What the model says in place of a reply that it will not give."""

    tool_calls: Annotated[tuple[_ToolDelta, ...], SEVERAL] | None = None
    function_call: _Function | None = None
    """What tool calls were before there could be several; some servers send both."""

    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    thinking: Any = None

    @property
    def words(self) -> str:
        """The text in it.

        Raises:
            ValueError: If what should be text is none.
        """
        return spoken(self.content) or self.refusal or ""

    @property
    def calls(self) -> Sequence[_ToolDelta]:
        """The fragments of tool calls in it."""
        calls = self.tool_calls or ()
        if self.function_call is None or any(each.called.says for each in calls):
            return calls
        return (_ToolDelta(function=self.function_call),)


class _Choice(BaseModel):
    delta: _Delta | None = None
    message: _Delta | None = None
    """In place of ``delta``, of a server that does not stream; of others all of it, at the end."""

    text: Any = None
    """In place of either, of a server that knows completions alone."""

    finish_reason: Any = None

    @property
    def said(self) -> _Delta | None:
        """The first of these with anything in it."""
        text = None if self.text is None else _Delta(content=self.text)
        found = (each for each in (self.delta, self.message, text) if each is not None)
        return next((each for each in found if each.words or each.calls), None)


class _Details(BaseModel):
    cached_tokens: Count = None


class _Usage(BaseModel):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _Details | None = None


class Chunk(BaseModel):
    """One event of the stream."""

    choices: Annotated[tuple[_Choice, ...], SEVERAL] | None = None
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
        if is_error(event.get("error")):
            raise reported(event["error"] if event.get("choices") else event)
        told = {"error", event.get("object"), event.get("type")} if name == "error" else ()
        if told or (
            not event.get("choices") and "error" in (event.get("object"), event.get("type"))
        ):
            raise reported(event)
        return read(cls, event)

    @property
    def has_content(self) -> bool:
        """Whether there is text in it, or a part of a tool call: a first one often has neither.

        Raises:
            ValueError: If what should be text is none.
        """
        return any(choice.said for choice in self.choices or ())

    @property
    def thinks(self) -> bool:
        """Whether it shows that the model is at work, and has nothing to say yet."""
        deltas = (choice.delta or choice.message for choice in self.choices or ())
        return any(
            any(getattr(each, name) for name in THOUGHTS) or isinstance(each.content, list)
            for each in deltas
            if each is not None
        )


def spoken(content: object) -> str:
    """Return the text in a content, which may be a list of parts; other parts are not spoken.

    Raises:
        ValueError: If it is none of that.
    """
    match content:
        case str():
            return content
        case None | False:
            return ""
        case list():
            return "".join(map(spoken, content))
        case Mapping():
            if str(content.get("type") or "text").lower() not in WORDS:
                return ""
            found = (content.get(name) for name in ("text", "value", "content", "refusal"))
            return spoken(next((each for each in found if each is not None), None))
    raise ValueError("no text")


@dataclass(slots=True)
class StreamedReply:
    """A reply, as far as it has arrived.

    Args:
        model: Named in the log.
        tools: Names of those that the model knows.
    """

    model: str
    tools: Collection[str] = ()
    calls: list[PartialCall] = field(default_factory=list)
    """In the order in which they began."""

    done: bool = False
    """Whether the server has said that the stream is whole."""

    _latest: dict[int, PartialCall] = field(default_factory=dict)
    """The latest call of each index."""

    _streamed: bool = False
    """Whether there was anything in a delta: then a message has it once more."""

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
            said = choice.said
            if said is None or (said is choice.message and self._streamed):
                continue
            self._streamed = self._streamed or said is not choice.message
            self._add(said.calls)
            if text := said.words:
                yield text

    def _add(self, deltas: Iterable[_ToolDelta]) -> None:
        for delta in deltas:
            function = delta.called
            call = self._call(delta, function.name)
            call.id = call.id or delta.id or ""
            call.name = self._whole_name(call.name, function.name)
            call.add(function.given)

    def _call(self, delta: _ToolDelta, name: str | None) -> PartialCall:
        """Return the call that a fragment is of; a new one if it begins one.

        OpenAI numbers the calls; others number all alike, or none, or only the first fragment of
        each. What neither names a tool nor an id goes on with the latest.
        """
        call = self._latest.get(-1 if delta.index is None else delta.index)
        if call is None and (delta.index is None or not (name or delta.id)):
            same = (each for each in self.calls if each.id and each.id == delta.id)
            call = next(same, self.calls[-1] if self.calls else None)
        if call is None or (
            _another(call, delta.id, name) and not self._in_pieces(call, delta.id, name or "")
        ):
            call = PartialCall()
            self.calls.append(call)
        if delta.index is not None:
            self._latest[delta.index] = call
        return call

    def _in_pieces(self, call: PartialCall, new_id: str | None, piece: str) -> bool:
        """Return whether a fragment goes on with the name of ``call``, or repeats what it has."""
        if not (piece and call.name and call.empty) or new_id not in (None, "", call.id):
            return False
        longer = piece.startswith(call.name) and call.name not in self.tools
        return longer or self._whole_name(call.name, piece) != piece

    def _whole_name(self, name: str, piece: str | None) -> str:
        if piece and piece not in self.tools:
            both = name + piece
            if any(tool.startswith(both) for tool in self.tools):
                return both
        return piece or name

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
            if any(each.begun for each in self.calls):  # half of the last one may look whole
                raise unreadable_call()
        return [call for each in self.calls for call in each.whole()]

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
