"""Chat completions, against a loopback server that speaks their wire format."""

from __future__ import annotations

import asyncio
import json
import socket
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from pipelines.providers.base import (
    END_CALL,
    PRESS_KEYS,
    TRANSFER_CALL,
    Brief,
    Destination,
    Message,
    ProviderError,
    Question,
    ToolCall,
)
from pipelines.providers.openai_chat import NO_KEY, LanguageModel, system_message

KEY = "sk-very-secret"
SECRET_WORDS = "the caller's own words"
CONVERSATION = [Message("user", SECRET_WORDS)]
BRIEF = Brief(prompt="You are the secret prompt.")
DONE = b"data: [DONE]\n\n"

Answer = Callable[[web.StreamResponse], Awaitable[None]]
"""Writes the body of one answer."""


def event(payload: object) -> bytes:
    return f"data: {json.dumps(payload, ensure_ascii=False)}\n\n".encode()


def chunk(delta: object, finish: str | None = None) -> bytes:
    """Return a server-sent event as OpenAI sends it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "created": 1, "choices": [choice]})


def said(text: str) -> bytes:
    return chunk({"content": text})


def asked(index: int, *, name: str | None = None, arguments: str | None = None) -> bytes:
    """Return a fragment of a tool call."""
    function = {"name": name} if name else {}
    if arguments is not None:
        function["arguments"] = arguments
    return chunk({"tool_calls": [{"index": index, "type": "function", "function": function}]})


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop") + DONE
TOOL_STOP = chunk({}, "tool_calls") + DONE


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


@dataclass
class Server:
    """A chat completions server that gives one answer after the other."""

    answers: list[Answer | int]
    """What is streamed, or an HTTP status; the last is repeated."""

    content_type: str = "text/event-stream"
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """The client disconnected before its answer was whole."""

    url: str = ""

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers["Authorization"])
        self.bodies.append(await request.json())
        self.asked.set()
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
async def serving(server: Server) -> AsyncIterator[Server]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.complete)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"{site.name}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def started(server: Server, **options: Any) -> AsyncIterator[LanguageModel]:
    options = {"base_url": server.url, "api_key": KEY, "model": "m", **options}
    model = LanguageModel(LanguageModel.Options.model_validate(options))
    await model.start()
    try:
        yield model
    finally:
        await model.aclose()


def replying(
    model: LanguageModel, brief: Brief = BRIEF, conversation: Sequence[Message] = CONVERSATION
) -> aclosing[AsyncGenerator[str | ToolCall, None]]:
    return aclosing(model.reply(brief, conversation))


async def gather(
    model: LanguageModel, brief: Brief = BRIEF, conversation: Sequence[Message] = CONVERSATION
) -> list[str | ToolCall]:
    async with replying(model, brief, conversation) as pieces:
        return [piece async for piece in pieces]


def reply(server: Server, brief: Brief = BRIEF, **options: Any) -> list[str | ToolCall]:
    """Return one reply of ``server``, whole."""

    async def main() -> list[str | ToolCall]:
        async with serving(server), started(server, **options) as model:
            return await gather(model, brief)

    return asyncio.run(main())


def failure(server: Server, **options: Any) -> str:
    """Return why there is no reply, traceback and all; neither key, prompt nor words are in it."""
    with pytest.raises(ProviderError) as caught:
        reply(server, **options)
    assert caught.value.stage == "llm"
    shown = "".join(traceback.format_exception(caught.value))
    for secret in (KEY, SECRET_WORDS, BRIEF.prompt):
        assert secret not in shown
    return str(caught.value)


leaves_nothing = pytest.mark.usefixtures("nothing_left")


@leaves_nothing
def test_text_comes_while_it_is_written() -> None:
    """The first piece is here before the server has written the second."""

    async def main() -> None:
        heard = asyncio.Event()

        async def answer(response: web.StreamResponse) -> None:
            await body(ROLE, said("We open "))(response)
            await heard.wait()
            await body(said("at nine."), STOP)(response)

        server = Server([answer])
        async with serving(server), started(server) as model, replying(model) as pieces:
            assert await anext(pieces) == "We open "
            heard.set()
            assert [piece async for piece in pieces] == ["at nine."]

    asyncio.run(main())


@pytest.mark.parametrize("size", [1, 7, 64])
def test_events_may_be_cut_anywhere(size: int) -> None:
    """Words arrive whole though the stream is cut within events and within characters."""
    stream = ROLE + said("Café, ") + said("naïve: 9 €.") + asked(0, name=END_CALL) + TOOL_STOP

    async def answer(response: web.StreamResponse) -> None:
        for at in range(0, len(stream), size):
            await response.write(stream[at : at + size])
            await asyncio.sleep(0)

    assert reply(Server([answer])) == ["Café, ", "naïve: 9 €.", ToolCall(END_CALL)]


def test_fragments_of_a_tool_call_are_joined_by_index() -> None:
    """Arguments come in fragments, of several calls in turn; the calls are yielded at the end."""
    parts = (
        asked(0, name="look_up", arguments=""),
        asked(1, name=END_CALL, arguments=""),
        asked(0, arguments='{"city": "Ber'),
        asked(1, arguments="{}"),
        asked(0, arguments='lin"}'),
    )
    calls = [ToolCall("look_up", {"city": "Berlin"}), ToolCall(END_CALL)]
    assert reply(Server([body(ROLE, *parts, TOOL_STOP)])) == calls


def test_text_and_tool_in_one_turn() -> None:
    """A goodbye and the hanging up that goes with it are both there, the text first."""
    answer = body(ROLE, asked(0, name=END_CALL), said("Bye!"), asked(0, arguments="{}"), TOOL_STOP)
    assert reply(Server([answer])) == ["Bye!", ToolCall(END_CALL)]


@pytest.mark.parametrize("arguments", ["", "{}", "null"])
def test_no_arguments_are_written_in_several_ways(arguments: str) -> None:
    """Servers differ in how they write that a tool has no arguments."""
    answer = body(asked(0, name=END_CALL, arguments=arguments), TOOL_STOP)
    assert reply(Server([answer])) == [ToolCall(END_CALL)]


@pytest.mark.parametrize("arguments", ['{"cut', "7"])
def test_arguments_that_are_no_object_are_an_error(arguments: str) -> None:
    """A tool is not called with arguments that nobody can read."""
    answer = body(asked(0, name=END_CALL, arguments=arguments), TOOL_STOP)
    assert failure(Server([answer])) == "llm: a tool call that cannot be read"


def test_the_tail_that_counts_tokens_is_no_reply() -> None:
    """An event without choices, as servers send it with the token counts, changes nothing."""
    usage = event({"id": "c", "choices": [], "usage": {"total_tokens": 9}})
    assert reply(Server([body(said("Hi."), chunk({}, "stop"), usage, DONE)])) == ["Hi."]


def test_a_reply_cut_off_at_the_limit_is_still_spoken() -> None:
    """What there is of a reply that grew too long is not thrown away."""
    assert reply(Server([body(said("We are open"), chunk({}, "length"), DONE)])) == ["We are open"]


def test_the_model_is_offered_what_the_call_allows() -> None:
    """Whom the caller can be passed on to, and keys where we dialled; with what they take."""
    brief = replace(
        BRIEF,
        destinations=(Destination(name="desk", when="the caller is angry"),),
        may_press_keys=True,
    )
    server = Server([body(said("Hi."), STOP)])
    reply(server, brief)
    tools = {tool["function"]["name"]: tool["function"] for tool in server.bodies[0]["tools"]}
    assert list(tools) == [END_CALL, TRANSFER_CALL, PRESS_KEYS]
    assert "desk: the caller is angry." in tools[TRANSFER_CALL]["description"]
    assert tools[TRANSFER_CALL]["parameters"]["properties"]["to"]["enum"] == ["desk"]
    assert tools[PRESS_KEYS]["parameters"]["required"] == ["keys"]
    assert "required" not in tools[END_CALL]["parameters"]


def test_what_is_sent() -> None:
    """The request holds brief, conversation and the one tool, and asks for a stream."""
    server = Server([body(said("Hi."), STOP)])
    reply(server, temperature=0.5, max_tokens=99)
    (sent,) = server.bodies
    (tool,) = sent.pop("tools")
    assert tool["function"]["name"] == END_CALL
    assert "goodbye" in tool["function"]["description"]
    assert sent == {
        "model": "m",
        "stream": True,
        "temperature": 0.5,
        "max_tokens": 99,  # not max_completion_tokens, which not every server knows
        "messages": [
            {"role": "system", "content": BRIEF.prompt},
            {"role": "user", "content": SECRET_WORDS},
        ],
    }


def test_openai_gets_its_own_name_for_the_limit() -> None:
    """OpenAI's newer models refuse `max_tokens`."""
    server = Server([body(said("Hi."), STOP)])

    async def main() -> None:
        async with serving(server), started(server, base_url=None) as model:
            assert model._client is not None
            model._client = model._client.with_options(base_url=server.url)
            await gather(model)

    asyncio.run(main())
    (sent,) = server.bodies
    assert "max_tokens" not in sent
    assert sent["max_completion_tokens"] == LanguageModel.Options().max_tokens


def test_what_is_left_out() -> None:
    """Without tools, temperature and prompt, the request does not mention any of them."""
    server = Server([body(said("Hi."), STOP)])
    reply(server, Brief(), tools=False)
    (sent,) = server.bodies
    assert sent.keys() == {"model", "stream", "max_tokens", "messages"}
    assert [message["role"] for message in sent["messages"]] == ["user"]


def test_the_conversation_keeps_its_order_and_roles() -> None:
    """The model is shown who said what."""
    server = Server([body(said("Hi."), STOP)])
    conversation = [Message("assistant", "Hello."), Message("user", "Hi."), Message("user", "So?")]

    async def main() -> None:
        async with serving(server), started(server) as model:
            await gather(model, conversation=conversation)

    asyncio.run(main())
    shown = [(m["role"], m["content"]) for m in server.bodies[0]["messages"]]
    assert shown[1:] == [(message.role, message.text) for message in conversation]


def test_the_model_sees_where_it_was_cut_off() -> None:
    """It is shown what was heard, and that the caller heard no more."""
    server = Server([body(said("Hi."), STOP)])
    conversation = [Message("assistant", "We are open", cut_off=True), Message("user", "Stop.")]

    async def main() -> None:
        async with serving(server), started(server) as model:
            await gather(model, conversation=conversation)

    asyncio.run(main())
    assert server.bodies[0]["messages"][1]["content"] == "We are open —"


def test_the_system_message_lists_facts_and_questions() -> None:
    """Everything that the agent file knows is in it, in its order, as plain text."""
    brief = Brief(
        prompt="You are a receptionist.\n",
        facts=("We are in Linden Street.", "Dogs are welcome."),
        questions=(
            Question(asked=("When do you open?", "Opening hours?"), answer="At nine."),
            Question(asked=("Is there parking?",), answer="Behind the house."),
        ),
    )
    assert system_message(brief) == (
        "You are a receptionist.\n"
        "\n"
        "Facts:\n"
        "- We are in Linden Street.\n"
        "- Dogs are welcome.\n"
        "\n"
        "Frequent questions, each with its answer:\n"
        "- When do you open? / Opening hours?\n"
        "  At nine.\n"
        "- Is there parking?\n"
        "  Behind the house."
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_http_error_is_told_by_its_status_alone(status: int) -> None:
    """The server's own text, which may quote the key, is left out; nothing is tried again."""
    server = Server([status])
    assert failure(server).startswith(f"llm: HTTP {status}")
    assert len(server.bodies) == 1


def test_a_refused_connection_is_an_error() -> None:
    """A server that is not there is noticed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        assert failure(Server([500]), base_url=url) == "llm: the connection failed"


@pytest.mark.parametrize("parts", [(), (ROLE,), (ROLE, b": keep-alive\n\n")])
def test_a_first_token_that_does_not_come(parts: tuple[bytes, ...]) -> None:
    """A server that accepts the request and then hangs is given up, and told so."""
    server = Server([hang(*parts)])
    message = failure(server, first_token_timeout=0.1, gap_timeout=30)
    assert message == "llm: nothing came for 0.1 s"
    assert server.gone.is_set()


@leaves_nothing
def test_a_reply_that_stops_in_the_middle() -> None:
    """A server that hangs after a few words is given up after the shorter of the two times."""
    server = Server([hang(ROLE, said("We are "))])
    assert failure(server, first_token_timeout=30, gap_timeout=0.1) == "llm: nothing came for 0.1 s"
    assert server.gone.is_set()


def test_time_that_the_caller_listens_is_not_the_servers() -> None:
    """Between two pieces that are there, any time may pass before the second is wanted."""

    async def main() -> None:
        server = Server([body(said("One. "), said("Two."), STOP)])
        begun = started(server, gap_timeout=0.2)
        async with serving(server), begun as model, replying(model) as pieces:
            assert await anext(pieces) == "One. "
            await asyncio.sleep(0.4)
            assert [piece async for piece in pieces] == ["Two."]

    asyncio.run(main())


@leaves_nothing
def test_a_connection_dropped_in_the_middle() -> None:
    """What came stands; then the reply fails."""

    async def answer(response: web.StreamResponse) -> None:
        await body(ROLE, said("We are "))(response)
        await asyncio.sleep(0.05)
        request = response._req
        assert request is not None
        assert request.transport is not None
        request.transport.abort()

    async def main() -> None:
        server = Server([answer])
        async with serving(server), started(server) as model, replying(model) as pieces:
            assert await anext(pieces) == "We are "
            with pytest.raises(ProviderError, match="the connection failed"):
                await anext(pieces)

    asyncio.run(main())


@pytest.mark.parametrize("end", [b"", DONE])
def test_a_stream_without_an_end_is_half_a_reply(end: bytes) -> None:
    """A stream that closes politely, but before its finish_reason, is not taken for whole."""
    assert failure(Server([body(said("We are "), end)])) == "llm: the reply broke off"


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: {not json\n\n",
        b"data: \xff\xfe\n\n",
        event([]),
        event("text"),
        event({"choices": None}),
        event({"choices": [None]}),
        event({"choices": [{"delta": "text"}]}),
        event({"choices": [{"delta": {"content": {"text": "a"}}}]}),
        event({"choices": [{"delta": {"tool_calls": [7]}}]}),
    ],
)
def test_garbage_is_a_provider_error(garbage: bytes) -> None:
    """Whatever comes instead of an event, nothing but ProviderError leaves the provider."""
    server = Server([body(garbage, said("Hi."), STOP)])
    assert failure(server) == "llm: the server's answer cannot be read"


def test_a_web_page_is_no_reply() -> None:
    """A proxy's page with status 200 is not spoken to the caller."""
    server = Server([body(b"<html>Please log in</html>")], content_type="text/html")
    assert failure(server) == "llm: the reply broke off"


@leaves_nothing
def test_an_error_in_the_stream_is_told_without_its_text() -> None:
    """Servers that find out too late for an HTTP status send an error event."""
    server = Server([body(ROLE, event({"error": {"message": f"bad key {KEY}"}}))])
    assert failure(server) == "llm: the server reported an error"


EMPTY = body(ROLE, said(" \n"), STOP)


def test_an_empty_reply_is_asked_for_once_more() -> None:
    """One empty reply is not noticed by the caller."""
    server = Server([EMPTY, body(said("Hello."), STOP)])
    assert reply(server)[-1] == "Hello."
    assert server.bodies[0] == server.bodies[1]


@leaves_nothing
def test_two_empty_replies_are_an_error() -> None:
    """It is not asked for a third time."""
    server = Server([EMPTY])
    assert failure(server) == "llm: the reply is empty, twice"
    assert len(server.bodies) == 2


def test_a_tool_alone_is_not_empty() -> None:
    """Hanging up without a word is a reply."""
    server = Server([body(asked(0, name=END_CALL), TOOL_STOP)])
    assert reply(server) == [ToolCall(END_CALL)]
    assert len(server.bodies) == 1


@leaves_nothing
def test_closing_the_reply_disconnects() -> None:
    """The server sees at once that nobody listens any more, and can stop."""

    async def main() -> None:
        server = Server([hang(said("We are "))])
        async with serving(server), started(server) as model:
            async with replying(model) as pieces:
                await anext(pieces)
                assert not server.gone.is_set()
            await asyncio.wait_for(server.gone.wait(), 5)

    asyncio.run(main())


@leaves_nothing
@pytest.mark.parametrize("parts", [(), (said("We are "),)])
def test_cancelling_the_reply_disconnects(parts: Sequence[bytes]) -> None:
    """A caller who interrupts, before the first word or after, ends the request."""

    async def main() -> None:
        server = Server([hang(*parts)])
        async with serving(server), started(server) as model:
            task = asyncio.create_task(gather(model))
            await server.asked.wait()
            await asyncio.sleep(0.05)  # the answer is under way
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(server.gone.wait(), 5)

    asyncio.run(main())


@leaves_nothing
def test_closing_the_provider_fails_what_is_under_way() -> None:
    """A reply that is being written when it closes gets ProviderError, and so does a later one."""

    async def main() -> None:
        server = Server([hang(said("We are "))])
        async with serving(server), started(server) as model:
            async with replying(model) as pieces:
                await anext(pieces)
                await model.aclose()
                with pytest.raises(ProviderError):
                    await anext(pieces)
            with pytest.raises(ProviderError, match="closed"):
                await gather(model)

    asyncio.run(main())


@leaves_nothing
def test_turns_share_a_connection() -> None:
    """The next turn needs no new connection: what is left of an answer is read first."""

    async def main() -> None:
        peers = set()

        async def answer(response: web.StreamResponse) -> None:
            request = response._req
            assert isinstance(request, web.Request)
            assert request.transport is not None
            peers.add(request.transport.get_extra_info("peername"))
            await body(said("Hi."), STOP)(response)

        server = Server([answer])
        async with serving(server), started(server) as model:
            for _ in range(3):
                await gather(model)
        assert len(peers) == 1

    asyncio.run(main())


def test_the_configured_key_is_sent() -> None:
    """The server knows who asks."""
    server = Server([body(said("Hi."), STOP)])
    reply(server)
    assert server.keys == [f"Bearer {KEY}"]


def test_openais_key_does_not_go_to_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A local server is asked without the key that the environment has for OpenAI."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = Server([body(said("Hi."), STOP)])
    reply(server, api_key=None)
    assert server.keys == [f"Bearer {NO_KEY}"]


def test_openai_needs_a_key() -> None:
    """Without one the start fails, and says how to give it."""
    with pytest.raises(ProviderError, match="OPENAI_API_KEY"):
        asyncio.run(LanguageModel(LanguageModel.Options()).start())


def test_openai_is_asked_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key of the environment, at OpenAI's own address, whatever else is set there."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")

    async def main() -> None:
        model = LanguageModel(LanguageModel.Options())
        await model.start()
        client = model._client
        assert client is not None
        assert str(client.base_url) == "https://api.openai.com/v1/"
        assert client.api_key == KEY
        await model.aclose()

    asyncio.run(main())


def test_the_key_is_not_shown() -> None:
    """Options can be printed."""
    assert KEY not in repr(LanguageModel.Options.model_validate({"api_key": KEY}))
