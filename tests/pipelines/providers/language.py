"""What the tests of all language models share: a server, questions to it, conversations."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.conversation import Brief, Message, ToolCall, ToolResult
from pipelines.providers.contracts import Piece, ProviderError
from tests.contract.bench import BRIEF as BRIEF_WITH_TOOLS
from tests.contract.case import Case, Plan

KEY = "sk-very-secret"
SECRET_WORDS = "the caller's own words"
CONVERSATION = (Message("user", SECRET_WORDS),)
BRIEF = Brief(prompt="You are the secret prompt.")

Answer = Callable[[web.StreamResponse], Awaitable[None]]
"""Writes the body of one answer."""


def body(*parts: bytes) -> Answer:
    """Answer with ``parts``, each in a write of its own."""

    async def answer(response: web.StreamResponse) -> None:
        for part in parts:
            await response.write(part)

    return answer


def hang(*parts: bytes) -> Answer:
    """Answer with ``parts``, then say nothing until the client has gone."""

    async def answer(response: web.StreamResponse) -> None:
        await body(*parts)(response)
        await asyncio.Event().wait()

    return answer


def in_bits(size: int, *parts: bytes) -> Answer:
    """Answer with ``parts``, cut after every ``size`` bytes."""

    async def answer(response: web.StreamResponse) -> None:
        stream = b"".join(parts)
        for at in range(0, len(stream), size):
            await response.write(stream[at : at + size])
            await asyncio.sleep(0)

    return answer


@dataclass
class Server:
    """A server of a language model that gives one answer after the other."""

    answers: Sequence[Answer | int]
    """What is streamed, or an HTTP status; the last is repeated."""

    path: str
    content_type: str = "text/event-stream"
    refuses: Callable[[dict[str, Any]], tuple[int, Any] | None] = lambda _: None
    """Status and body of the answer to a request that it does not take; None if it does."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    queries: list[Mapping[str, str]] = field(default_factory=list)
    peers: set[Any] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """The client disconnected before its answer was whole."""

    url: str = ""

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        self.headers.append(request.headers)
        self.queries.append(request.query)
        self.bodies.append(await request.json())
        self.asked.set()
        if refused := self.refuses(self.bodies[-1]):
            status, said = refused
            if isinstance(said, str):
                return web.Response(text=said, status=status)
            return web.json_response(said, status=status)
        answer = self.answers[min(len(self.bodies), len(self.answers)) - 1]
        if isinstance(answer, int):
            text = f"Incorrect API key provided: {KEY}. You said: {SECRET_WORDS}."
            return web.json_response({"error": {"message": text}}, status=answer)
        response = web.StreamResponse(headers={"Content-Type": self.content_type})
        await response.prepare(request)
        try:
            await answer(response)
        except (asyncio.CancelledError, ConnectionResetError):
            self.gone.set()
            raise
        return response

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve on loopback."""
        app = web.Application()
        app.router.add_post(self.path, self._complete)
        async with _running(app) as self.url:
            yield


@asynccontextmanager
async def _running(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site.name
    finally:
        await runner.cleanup()


def replying(
    model: Any, brief: Brief = BRIEF, conversation: Sequence[Message] = CONVERSATION
) -> aclosing[AsyncGenerator[Piece, None]]:
    return aclosing(model.reply(brief, conversation))


async def gather(
    model: Any, brief: Brief = BRIEF, conversation: Sequence[Message] = CONVERSATION
) -> list[Piece]:
    async with replying(model, brief, conversation) as pieces:
        return [piece async for piece in pieces]


@dataclass(frozen=True)
class Adapter:
    """A language model, and where its server is found."""

    kind: type[Any]
    path: str
    options: Callable[[str], Mapping[str, Any]]
    """Given the server's address."""

    def server(self, *answers: Answer | int, **more: Any) -> Server:
        return Server(answers, self.path, **more)

    @asynccontextmanager
    async def started(self, server: Server, **options: Any) -> AsyncIterator[Any]:
        """Run the server, and the model before it."""
        async with server.serving():
            given = {"api_key": KEY, **self.options(server.url), **options}
            model = self.kind(self.kind.Options.model_validate(given))
            await model.start()
            try:
                yield model
            finally:
                await model.aclose()

    def reply(
        self,
        server: Server,
        brief: Brief = BRIEF,
        conversation: Sequence[Message] = CONVERSATION,
        **options: Any,
    ) -> list[Piece]:
        """Return one reply of ``server``, whole."""

        async def main() -> list[Piece]:
            async with self.started(server, **options) as model:
                return await gather(model, brief, conversation)

        return asyncio.run(main())

    def error(self, server: Server, **options: Any) -> ProviderError:
        """Return why there is no reply; neither key, prompt nor words are in its traceback."""
        with pytest.raises(ProviderError) as caught:
            self.reply(server, **options)
        assert caught.value.stage == "llm"
        shown = "".join(traceback.format_exception(caught.value))
        for secret in (KEY, SECRET_WORDS, BRIEF.prompt):
            assert secret not in shown
        return caught.value

    def failure(self, server: Server, **options: Any) -> str:
        """Return the text of :meth:`error`."""
        return str(self.error(server, **options))


def _got(name: str, text: str, id_: str = "", *, failed: bool = False) -> ToolResult:
    return ToolResult(ToolCall(name, {"city": "Köln"}, id_), text, failed=failed)


SHAPES: Mapping[str, Sequence[Message]] = {
    "nothing yet": (),
    "greeting first": (Message("assistant", "Hello."), Message("user", "Hi.")),
    "cut off": (Message("assistant", "We are", cut_off=True), Message("user", "Stop.")),
    "we spoke last": (Message("user", "Hi."), Message("assistant", "Are you there?")),
    "twice in a row": (
        Message("assistant", "Hello."),
        Message("assistant", "Are you there?"),
        Message("user", "Yes."),
        Message("user", "When do you open?"),
    ),
    "several results": (
        Message("user", "How is the weather?"),
        Message(
            "assistant",
            "One moment.",
            results=(
                _got("weather", "Rain.", "call_9"),
                _got("book_table", "Full.", "call_9", failed=True),
            ),
        ),
    ),
    "results without words": (
        Message("user", "How is the weather?"),
        Message("assistant", "", results=(_got("weather", ""),)),
        Message("assistant", "It rains", cut_off=True),
        Message("user", "Thank you."),
    ),
    "results, then the caller": (
        Message("user", "How is the weather?"),
        Message("assistant", "", results=(_got("weather", "Rain."),)),
        Message("user", "Are you there?"),
    ),
    "results twice, other ids": (
        Message("assistant", "Hello."),
        Message("assistant", "", results=(_got("weather", "Rain.", "call_7|" + "x" * 80),)),
        Message("assistant", "", results=(_got("functions.weather:0", "Sun.", "toolu_1"),)),
    ),
    "blank": (Message("user", " "), Message("assistant", "\n", cut_off=True), Message("user", "")),
}

_IDS = ("", "call_1", "call_2", "toolu_01", "gemini:c2ln+/8=:g1", "gemini::", "a:0", "ü" * 50)
_NAMES = ("weather", "book_table", "functions.weather:0", "ü x", "x" * 70, "")

_texts = st.sampled_from(("", " ", "\n", "Hi.", "—")) | st.text(max_size=9)
_arguments = st.dictionaries(st.text(max_size=4), st.none() | st.integers() | _texts, max_size=2)
_calls = st.builds(ToolCall, st.sampled_from(_NAMES), _arguments, st.sampled_from(_IDS))
_results = st.builds(ToolResult, _calls, _texts, st.booleans())
_messages = st.builds(
    Message,
    st.sampled_from(("user", "assistant")),
    _texts,
    st.booleans(),
    st.lists(_results, max_size=3).map(tuple),
)


def takes_any_conversation(case: Case, examples: int = 60) -> None:
    """Check that whatever was said, the request is one that the provider takes."""
    with asyncio.Runner() as runner:
        wire = case.wire(Plan())
        running = _running(wire.application())
        url = runner.run(running.__aenter__())
        options = {"api_key": KEY, **case.options(url)}
        model = case.provider(case.provider.Options.model_validate(options))
        runner.run(model.start())

        @settings(
            max_examples=examples,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(
            st.lists(_messages, max_size=6) | st.sampled_from(list(SHAPES.values())),
            st.booleans(),
            st.booleans(),
        )
        def ask(conversation: Sequence[Message], told: bool, may_call: bool) -> None:
            brief = replace(BRIEF_WITH_TOOLS if told else Brief(), may_call_tools=may_call)
            assert "".join(runner.run(_words(model, brief, conversation))) == Plan().text

        ask()
        runner.run(model.aclose())
        runner.run(running.__aexit__(None, None, None))


async def _words(model: Any, brief: Brief, conversation: Sequence[Message]) -> list[str]:
    pieces = await gather(model, brief, conversation)
    return [piece for piece in pieces if isinstance(piece, str)]
