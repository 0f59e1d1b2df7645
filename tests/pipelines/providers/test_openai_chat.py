"""Chat completions, against a loopback server that speaks their wire format."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from pipelines.conversation import Brief, Message, Tokens, ToolCall, ToolResult, ToolSpec
from pipelines.providers.contracts import ProviderError
from pipelines.providers.openai_chat import LanguageModel, _OverAiohttp
from tests.contract.wires.openai_chat import CASE, DONE, chunk, event, mistake, usage

from .language import (
    BRIEF,
    KEY,
    SECRET_WORDS,
    SHAPES,
    Adapter,
    Server,
    body,
    gather,
    hang,
    in_bits,
    replying,
    takes_any_conversation,
)

CLIENT = ["aiohttp"]
"""What carries the requests of the present test."""


@pytest.fixture(autouse=True, params=["aiohttp", "sdk"])
def client(request: pytest.FixtureRequest) -> None:
    """Each test is run with either."""
    CLIENT[:] = [request.param]


CHAT = Adapter(
    LanguageModel,
    "/v1/chat/completions",
    lambda url: {"base_url": f"{url}/v1", "model": "m", "client": CLIENT[0]},
)
WEATHER = ToolSpec(
    name="weather",
    description="Ask for the weather.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)


def said(text: str) -> bytes:
    return chunk({"content": text})


def asked(
    index: int | None, *, name: str | None = None, arguments: str | None = None, id_: str = ""
) -> bytes:
    """Return a fragment of a tool call."""
    function = {"name": name} if name else {}
    if arguments is not None:
        function["arguments"] = arguments
    delta: dict[str, Any] = {"type": "function", "function": function}
    if index is not None:
        delta["index"] = index
    if id_:
        delta["id"] = id_
    return chunk({"tool_calls": [delta]})


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop") + DONE
TOOL_STOP = chunk({}, "tool_calls") + DONE

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

        async with CHAT.started(CHAT.server(answer)) as model, replying(model) as pieces:
            assert await anext(pieces) == "We open "
            heard.set()
            assert [piece async for piece in pieces] == ["at nine."]

    asyncio.run(main())


@pytest.mark.parametrize("size", [1, 7, 64])
def test_events_may_be_cut_anywhere(size: int) -> None:
    """Words arrive whole though the stream is cut within events and within characters."""
    parts = (ROLE, said("Café, "), said("naïve: 9 €."), asked(0, name="weather"), TOOL_STOP)
    answer = in_bits(size, *parts)
    assert CHAT.reply(CHAT.server(answer)) == ["Café, ", "naïve: 9 €.", ToolCall("weather")]


# Tool calls.


def test_fragments_of_a_tool_call_are_joined_by_index() -> None:
    """Arguments come in fragments, of several calls in turn; the calls are yielded at the end."""
    parts = (
        asked(0, name="look_up", arguments="", id_="call_a"),
        asked(1, name="weather", arguments="", id_="call_b"),
        asked(0, arguments='{"city": "Ber'),
        asked(1, arguments="{}"),
        asked(0, arguments='lin"}'),
    )
    calls = [ToolCall("look_up", {"city": "Berlin"}, "call_a"), ToolCall("weather", {}, "call_b")]
    assert CHAT.reply(CHAT.server(body(ROLE, *parts, TOOL_STOP))) == calls


@pytest.mark.parametrize("index", [None, 0])
@pytest.mark.parametrize("ids", [("call_a", "call_b"), ("", "")])
def test_whole_calls_without_numbers_of_their_own_are_told_apart(
    index: int | None, ids: tuple[str, str]
) -> None:
    """Servers that send each call whole number them all 0, or not at all, some without ids."""
    parts = (
        asked(index, name="weather", arguments='{"city": "Rome"}', id_=ids[0]),
        asked(index, name="weather", arguments='{"city": "Oslo"}', id_=ids[1]),
    )
    calls = [
        ToolCall("weather", {"city": "Rome"}, ids[0]),
        ToolCall("weather", {"city": "Oslo"}, ids[1]),
    ]
    assert CHAT.reply(CHAT.server(body(ROLE, *parts, TOOL_STOP))) == calls


def test_several_calls_in_one_chunk() -> None:
    """Servers that do not stream calls send all of them at once."""
    function = {"name": "weather", "arguments": "{}"}
    calls = [{"index": at, "id": f"call_{at}", "function": function} for at in range(2)]
    answer = body(chunk({"role": "assistant", "content": None, "tool_calls": calls}), TOOL_STOP)
    assert CHAT.reply(CHAT.server(answer)) == [
        ToolCall("weather", {}, "call_0"),
        ToolCall("weather", {}, "call_1"),
    ]


def test_an_id_that_is_repeated_begins_no_other_call() -> None:
    """Some servers send id and name with every fragment."""
    parts = (
        asked(0, name="weather", arguments='{"city": ', id_="call_a"),
        asked(0, name="weather", arguments='"Rome"}', id_="call_a"),
    )
    answer = body(*parts, TOOL_STOP)
    assert CHAT.reply(CHAT.server(answer)) == [ToolCall("weather", {"city": "Rome"}, "call_a")]


def test_text_and_tool_in_one_turn() -> None:
    """Words and the call that goes with them are both there, whichever came first."""
    parts = (ROLE, asked(0, name="weather"), said("One moment."), asked(0, arguments="{}"))
    answer = body(*parts, TOOL_STOP)
    assert CHAT.reply(CHAT.server(answer)) == ["One moment.", ToolCall("weather")]


@pytest.mark.parametrize("arguments", ["", " ", "{}", "null", "[]"])
def test_no_arguments_are_written_in_several_ways(arguments: str) -> None:
    """Servers differ in how they write that a tool has no arguments."""
    answer = body(asked(0, name="weather", arguments=arguments), TOOL_STOP)
    assert CHAT.reply(CHAT.server(answer)) == [ToolCall("weather")]


@pytest.mark.parametrize("arguments", ['{"cut', "7", '{"n": NaN}', "[" * 5000])
def test_arguments_that_are_no_object_are_an_error(arguments: str) -> None:
    """A tool is not called with arguments that nobody can read."""
    answer = body(asked(0, name="weather", arguments=arguments), TOOL_STOP)
    assert CHAT.failure(CHAT.server(answer)) == "llm: a tool call that cannot be read"


def test_a_call_without_a_name_is_an_error() -> None:
    """Nobody knows what to do then; without arguments, it is none."""
    answer = body(asked(0, arguments='{"a": 1}'), TOOL_STOP)
    assert CHAT.failure(CHAT.server(answer)) == "llm: a tool call that cannot be read"


def test_a_call_at_the_limit_is_not_made() -> None:
    """A call that was cut off may look whole: here what it is about is missing."""
    answer = body(asked(0, name="weather"), chunk({}, "length"), DONE)
    assert CHAT.failure(CHAT.server(answer)) == "llm: a tool call that cannot be read"


# How a reply ends.


def test_tokens_are_told() -> None:
    """What the reply has cost comes last, as the server counts it."""
    tail = (chunk({}, "stop"), usage(Tokens(21, 7, 5)), DONE)
    assert CHAT.reply(CHAT.server(body(said("Hi."), *tail))) == ["Hi.", Tokens(21, 7, 5)]


@pytest.mark.parametrize("details", [{}, {"prompt_tokens_details": None}])
def test_tokens_without_details(details: dict[str, Any]) -> None:
    """Most compatible servers do not tell what was cached."""
    counted = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, **details}
    answer = body(said("Hi."), chunk({}, "stop", usage=counted), DONE)
    assert CHAT.reply(CHAT.server(answer)) == ["Hi.", Tokens(9, 2)]


def test_a_reply_cut_off_at_the_limit_is_still_spoken() -> None:
    """What there is of a reply that grew too long is not thrown away."""
    answer = body(said("We are open"), chunk({}, "length"), DONE)
    assert CHAT.reply(CHAT.server(answer)) == ["We are open"]


def test_an_empty_reply_is_told_as_it_is() -> None:
    """It is for others to ask again, or somebody else."""
    server = CHAT.server(body(ROLE, STOP))
    assert CHAT.reply(server) == []
    assert len(server.bodies) == 1


def test_a_stream_without_an_end_is_half_a_reply() -> None:
    """A stream that closes politely, but says of no end, is not taken for whole."""
    assert CHAT.failure(CHAT.server(body(said("We are ")))) == "llm: the reply broke off"


@pytest.mark.parametrize("finish", [None, "", "whatever", 7])
def test_done_says_that_a_reply_is_whole(finish: Any) -> None:
    """Some servers send an odd finish_reason, or none at all."""
    answer = body(said("We are open."), chunk({}, finish), DONE)
    assert CHAT.reply(CHAT.server(answer)) == ["We are open."]


def test_a_finish_reason_says_that_a_reply_is_whole() -> None:
    """Some servers do not say that they are done."""
    assert CHAT.reply(CHAT.server(body(said("Hi."), chunk({}, "stop").rstrip()))) == ["Hi."]


@pytest.mark.parametrize("finish", ["error", "abort", "insufficient_system_resource"])
def test_a_server_that_finishes_by_failing_has_failed(finish: str) -> None:
    """The next provider goes on from there."""
    server = CHAT.server(body(said("We are "), chunk({}, finish), DONE))
    assert CHAT.failure(server) == "llm: the server reported an error"


# What is sent.


def test_what_is_sent() -> None:
    """The request holds brief, conversation and tool, and asks for a stream that counts."""
    server = CHAT.server(body(said("Hi."), STOP))
    brief = Brief(prompt=BRIEF.prompt, tools=(WEATHER,))
    CHAT.reply(server, brief, temperature=0.5, max_tokens=99)
    (sent,) = server.bodies
    assert mistake(sent) is None
    assert sent == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_tokens": 99,  # not max_completion_tokens, which not every server knows
        "messages": [
            {"role": "system", "content": BRIEF.prompt},
            {"role": "user", "content": SECRET_WORDS},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Ask for the weather.",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                },
            }
        ],
    }


def test_what_is_left_out() -> None:
    """Without tools, temperature and prompt, the request does not mention any of them."""
    server = CHAT.server(body(said("Hi."), STOP))
    CHAT.reply(server, Brief())
    (sent,) = server.bodies
    assert sent.keys() == {"model", "stream", "stream_options", "max_tokens", "messages"}
    assert [message["role"] for message in sent["messages"]] == ["user"]


def test_options_that_some_servers_know() -> None:
    """They are sent as they are given."""
    server = CHAT.server(body(said("Hi."), STOP))
    CHAT.reply(server, reasoning_effort="low", service_tier="priority")
    assert server.bodies[0]["reasoning_effort"] == "low"
    assert server.bodies[0]["service_tier"] == "priority"


def test_results_are_sent_with_their_calls() -> None:
    """An assistant's message with the calls, then a message for each result."""
    server = CHAT.server(body(said("Hi."), STOP))
    results = (
        ToolResult(ToolCall("weather", {"city": "Köln"}, "call_a"), "Rain."),
        ToolResult(ToolCall("functions.weather:0", {}, ""), "There is no such tool.", failed=True),
    )
    conversation = [Message("user", "Hm?"), Message("assistant", "", results=results)]
    CHAT.reply(server, Brief(tools=(WEATHER,), may_call_tools=False), conversation)
    (sent,) = server.bodies
    assert mistake(sent) is None
    assert sent["tool_choice"] == "none"  # the tools are told, but not to be used
    assert sent["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_a",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Köln"}'},
                },
                {
                    "id": "call_2",
                    "type": "function",
                    "function": {"name": "functions_weather_0", "arguments": "{}"},
                },
            ],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": "Rain."},
        {"role": "tool", "tool_call_id": "call_2", "content": "There is no such tool."},
    ]


def test_a_form_is_asked_for_by_its_name() -> None:
    """It may be longer than a reply; what the server refuses of it is left out of forms alone."""

    def refuses(sent: dict[str, Any]) -> tuple[int, Any] | None:
        forced = isinstance(sent.get("tool_choice"), dict)
        return (400, "tool_choice: a name is not supported") if forced else None

    server = CHAT.server(body(said("{}"), STOP), refuses=refuses)

    async def main() -> None:
        async with CHAT.started(server, max_tokens=99) as model:
            await gather(model, Brief(tools=(WEATHER,), form="weather"))
            await gather(model, Brief(tools=(WEATHER,), may_call_tools=False))

    asyncio.run(main())
    asked, again, in_a_call = server.bodies
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert asked["max_tokens"] == 4096
    assert "tool_choice" not in again
    assert mistake(asked) is None
    assert (in_a_call["tool_choice"], in_a_call["max_tokens"]) == ("none", 99)


def test_a_server_that_refuses_tools_is_told_results_in_words() -> None:
    """Another server had asked for them; this one takes over."""
    server = CHAT.server(body(said("Hi."), STOP))
    conversation = SHAPES["results, then the caller"]
    CHAT.reply(server, Brief(tools=(WEATHER,)), conversation, tools=False)
    (sent,) = server.bodies
    assert "tools" not in sent
    words = "How is the weather?\n(weather: Rain.)\nAre you there?"
    assert sent["messages"] == [{"role": "user", "content": words}]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_a_conversation_is_taken(name: str) -> None:
    """By a server with a strict chat template."""
    server = CHAT.server(body(said("Hi."), STOP))
    CHAT.reply(server, Brief(tools=(WEATHER,)), SHAPES[name])
    assert mistake(server.bodies[0]) is None


def test_any_conversation_is_taken() -> None:
    """By a server with a strict chat template."""
    takes_any_conversation(CASE)


def test_the_model_sees_where_it_was_cut_off() -> None:
    """It is shown what was heard, and that the caller heard no more."""
    server = CHAT.server(body(said("Hi."), STOP))
    CHAT.reply(server, conversation=SHAPES["cut off"])
    assert server.bodies[0]["messages"][2] == {"role": "assistant", "content": "We are —"}


# What goes wrong.


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_http_error_is_told_by_its_status_alone(status: int) -> None:
    """The server's own text, which may quote the key, is left out; nothing is tried again."""
    server = CHAT.server(status)
    error = CHAT.error(server)
    assert str(error).startswith(f"llm: HTTP {status}")
    assert error.retryable == (status >= 429)
    assert not error.timed_out
    assert len(server.bodies) == 1


def test_a_refused_connection_is_an_error() -> None:
    """A server that is not there is noticed; it may be there soon."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        error = CHAT.error(CHAT.server(500), base_url=url)
    assert str(error) in ("llm: no connection", "llm: the connection failed")
    assert error.retryable


@pytest.mark.parametrize("parts", [(), (ROLE,), (ROLE, b": keep-alive\n\n")])
def test_a_first_token_that_does_not_come(parts: tuple[bytes, ...]) -> None:
    """A server that accepts the request and then hangs is given up, and told so."""
    server = CHAT.server(hang(*parts))
    error = CHAT.error(server, first_token_timeout=0.1, gap_timeout=30)
    assert str(error) == "llm: nothing came for 0.1 s"
    assert error.timed_out
    assert server.gone.is_set()


@leaves_nothing
def test_a_reply_that_stops_in_the_middle() -> None:
    """A server that hangs after a few words is given up after the shorter of the two times."""
    server = CHAT.server(hang(ROLE, said("We are ")))
    message = CHAT.failure(server, first_token_timeout=30, gap_timeout=0.1)
    assert message == "llm: nothing came for 0.1 s"
    assert server.gone.is_set()


def test_time_that_the_caller_listens_is_not_the_servers() -> None:
    """Between two pieces that are there, any time may pass before the second is wanted."""

    async def main() -> None:
        server = CHAT.server(body(said("One. "), said("Two."), STOP))
        async with CHAT.started(server, gap_timeout=0.2) as model, replying(model) as pieces:
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
        async with CHAT.started(CHAT.server(answer)) as model, replying(model) as pieces:
            assert await anext(pieces) == "We are "
            with pytest.raises(ProviderError, match=r"the connection failed|broke off"):
                await anext(pieces)

    asyncio.run(main())


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: {not json\n\n",
        b"data: {\xff\xfe\n\n",
        b'data: {"choices": [\n\n',
        event({"choices": [{"delta": {"content": 5}}]}),
        event({"choices": [{"delta": {"content": [["a", True]]}}]}),
    ],
)
def test_garbage_is_a_provider_error(garbage: bytes) -> None:
    """What is no JSON, or holds no words where words should be, may have been the reply."""
    server = CHAT.server(body(garbage, said("Hi."), STOP))
    assert CHAT.failure(server) == "llm: the server's answer cannot be read"


def test_a_web_page_is_no_reply() -> None:
    """A proxy's page with status 200 is not spoken to the caller."""
    server = CHAT.server(body(b"<html>Please log in</html>"), content_type="text/html")
    assert CHAT.failure(server) == "llm: the reply broke off"


@leaves_nothing
def test_an_error_in_the_stream_is_told_without_its_text() -> None:
    """Servers that find out too late for an HTTP status send an error event."""
    server = CHAT.server(body(ROLE, event({"error": {"message": f"bad key {KEY}"}})))
    assert CHAT.failure(server) == "llm: the server reported an error"


@leaves_nothing
def test_closing_the_reply_disconnects() -> None:
    """The server sees at once that nobody listens any more, and can stop."""

    async def main() -> None:
        server = CHAT.server(hang(said("We are ")))
        async with CHAT.started(server) as model:
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
        server = CHAT.server(hang(*parts))
        async with CHAT.started(server) as model:
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
        async with CHAT.started(CHAT.server(hang(said("We are ")))) as model:
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
        server = CHAT.server(body(said("Hi."), STOP))
        async with CHAT.started(server) as model:
            for _ in range(3):
                await gather(model)
        assert len(server.peers) == 1

    asyncio.run(main())


def test_nothing_is_logged_of_a_request(caplog: pytest.LogCaptureFixture) -> None:
    """Not even if everything is logged that the SDK has to say."""
    caplog.set_level(logging.DEBUG)
    CHAT.reply(CHAT.server(body(said("Hi."), STOP)))
    for secret in (KEY, SECRET_WORDS, BRIEF.prompt, "Hi."):
        assert secret not in caplog.text


# Keys.


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        (None, "OPENAI_API_KEY"),
        ("https://eu.api.openai.com/v1", "OPENAI_API_KEY"),
        ("https://my-office.openai.azure.com/openai/v1", "AZURE_OPENAI_API_KEY"),
        ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        ("https://api.together.ai/v1", "TOGETHER_API_KEY"),
        ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    ],
)
def test_each_service_has_a_variable_of_its_own(
    url: str | None, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its key the start fails, and names the variable; with it, that key is sent."""
    from pipelines.providers.openai_chat_sdk import SdkClient  # noqa: PLC0415 - see `tests.held_things`

    monkeypatch.delenv(variable, raising=False)
    options = {"client": CLIENT[0]} | ({} if url is None else {"base_url": url})
    model = LanguageModel(LanguageModel.Options.model_validate(options))
    with pytest.raises(ProviderError, match=f"set {variable} ") as caught:
        asyncio.run(model.start())
    assert not caught.value.retryable

    async def main() -> None:
        await model.start()
        if isinstance(model._client, SdkClient):
            sent, asked = model._client.client.auth_headers, str(model._client.client.base_url)
        else:
            assert isinstance(model._client, _OverAiohttp)
            sent, asked = model._client._headers, str(model._client._http._url("/"))
        assert sent == {"Authorization": f"Bearer {KEY}"}
        assert asked.rstrip("/") == (url or "https://api.openai.com/v1")
        await model.aclose()

    monkeypatch.setenv(variable, KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")  # which is not looked at
    asyncio.run(main())


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "https://api.openai.com.org", "https://api.openai.com@x.org"]
)
def test_no_key_goes_to_a_server_that_it_is_not_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is not known is asked without a key, whatever the environment has."""
    from pipelines.providers.openai_chat_sdk import NO_KEY, SdkClient  # noqa: PLC0415 - see `tests.held_things`

    for variable in ("OPENAI_API_KEY", "GROQ_API_KEY"):
        monkeypatch.setenv(variable, KEY)
    model = LanguageModel(
        LanguageModel.Options.model_validate({"base_url": url, "client": CLIENT[0]})
    )

    async def main() -> None:
        await model.start()
        if isinstance(model._client, SdkClient):
            assert model._client.client.api_key == NO_KEY
        else:
            assert isinstance(model._client, _OverAiohttp)
            assert not model._client._headers
        await model.aclose()

    asyncio.run(main())


def test_the_key_of_any_other_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its variable is named in the options; the key may be in a file."""
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("OUR_VLLM_KEY_FILE", str(tmp_path / "key"))
    server = CHAT.server(body(said("Hi."), STOP))
    CHAT.reply(server, api_key=None, key_variable="OUR_VLLM_KEY")
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://a.openai.azure.com/openai"])
def test_openai_gets_its_own_name_for_the_limit(url: str) -> None:
    """OpenAI's newer models refuse `max_tokens`, wherever they run."""
    from pipelines.providers.openai_chat_sdk import SdkClient  # noqa: PLC0415 - see `tests.held_things`

    async def main(server: Server) -> None:
        async with server.serving():
            options = {"base_url": url, "api_key": KEY, "client": CLIENT[0]}
            model = LanguageModel(LanguageModel.Options.model_validate(options))
            await model.start()
            if isinstance(model._client, SdkClient):
                model._client.client.base_url = f"{server.url}/v1"
            else:
                assert isinstance(model._client, _OverAiohttp)
                model._client._http._base = f"{server.url}/v1"
            await gather(model)
            await model.aclose()

    server = CHAT.server(body(said("Hi."), STOP))
    asyncio.run(main(server))
    (sent,) = server.bodies
    assert "max_tokens" not in sent
    assert sent["max_completion_tokens"] == LanguageModel.Options().max_tokens


def test_the_key_is_not_shown() -> None:
    """Options can be printed."""
    assert KEY not in repr(LanguageModel.Options.model_validate({"api_key": KEY}))
