"""HTTP endpoints as tools: what they are sent, once, and what the model hears of their answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from pipelines.conversation import ToolCall, ToolResult, ToolSpec
from pipelines.tools.http import MAX_ANSWER, http_tool, signature, signing_keys, webhook_id
from pipelines.tools.tool import CallInfo, OnBargeIn, ToolError, ToolRun
from pipelines.tools.toolbox import MAX_RESULT, Toolbox

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ABOUT = CallInfo(call_id="call-1", tool_call="1", caller="+15550001", called="+15550002")
SPEC = ToolSpec(name="book_table", description="Book.", parameters={"type": "object"})

pytestmark = pytest.mark.usefixtures("nothing_left")


def verified(secret: str, headers: Any, body: bytes) -> bool:
    """Verify a request, written from the specification alone."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    given = [part.partition(",") for part in headers["webhook-signature"].split(" ")]
    return fresh and any(v == "v1" and hmac.compare_digest(s, expected) for v, _, s in given)


class Endpoint:
    """An endpoint of the operator's."""

    def __init__(self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        self._answer = answer
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.cancelled = 0

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append(({k.lower(): v for k, v in request.headers.items()}, body))
        try:
            return await self._answer(request)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    @asynccontextmanager
    async def served(self, port: int = 0) -> AsyncIterator[str]:
        application = web.Application()
        application.router.add_post("/book", self._take)
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/book"
        finally:
            await runner.cleanup()


def answers(
    text: str = "", status: int = 200, **given: Any
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, **given)

    return answer


async def ask(url: str, secret: str = SECRET, about: CallInfo = ABOUT, **arguments: Any) -> str:
    return await http_tool(SPEC, url, signing_keys(secret)).run(arguments, about)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_signed_as_the_reference_libraries_do() -> None:
    """The vector that the libraries of Standard Webhooks are tested with."""
    keys = signing_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    given = signature(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(
    st.binary(min_size=24, max_size=64), st.text().map(lambda t: t.encode("utf-8", "replace")),
    st.integers(0, 2**33),
)  # fmt: skip
def test_every_key_and_body_verifies(key: bytes, body: bytes, timestamp: int) -> None:
    """And none with another key."""
    secret = "whsec_" + base64.b64encode(key).decode()
    made = signature(signing_keys(secret), "msg_1", timestamp, body)
    signed = b"msg_1.%d." % timestamp + body
    assert made == "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    other = signature((hashlib.sha256(key).digest(),), "msg_1", timestamp, body)
    assert other != made


def test_the_specifications_own_library_verifies_what_we_send() -> None:
    """Each of several keys by itself, as while a secret is being replaced."""
    secrets = ["whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in range(3)]
    now, body = int(time.time()), '{"name": "Zoë"}'.encode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(signing_keys(" ".join(secrets[:2])), "msg_1", now, body),
    }
    for secret in secrets[:2]:
        assert Webhook(secret).verify(body, headers) == {"name": "Zoë"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[2]).verify(body, headers)


@pytest.mark.parametrize(
    "secret",
    ["", "hunter2", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_no base64!"],
)
def test_a_secret_that_libraries_would_take_differently_is_refused(secret: str) -> None:
    """And not quoted."""
    with pytest.raises(ValueError, match="whsec_ and then 24 to 64") as caught:
        signing_keys(secret)
    assert "hunter2" not in str(caught.value)


def test_an_endpoint_is_told_all_and_can_verify_it() -> None:
    """Call, tool call, name, arguments and numbers, in a body whose signature is right."""

    async def main() -> None:
        endpoint = Endpoint(answers('{"booked": true}', content_type="application/json"))
        async with endpoint.served() as url:
            assert await ask(url, guests=4, name="Zoë") == '{"booked": true}'
        ((headers, body),) = endpoint.requests
        assert verified(SECRET, headers, body)
        assert not verified("whsec_" + "A" * 32, headers, body)
        assert not verified(SECRET, headers, body + b" ")
        assert headers["content-type"] == "application/json"
        assert json.loads(body) == {
            "call_id": "call-1",
            "tool_call": "1",
            "name": "book_table",
            "arguments": {"guests": 4, "name": "Zoë"},
            "caller": "+15550001",
            "called": "+15550002",
        }

    asyncio.run(main())


def test_two_secrets_while_one_is_replaced() -> None:
    """The endpoint may have either."""
    other = "whsec_" + base64.b64encode(b"another key of 24 bytes.").decode()

    async def main() -> None:
        endpoint = Endpoint(answers("ok"))
        async with endpoint.served() as url:
            await ask(url, secret=f"{SECRET} {other}")
        ((headers, body),) = endpoint.requests
        assert verified(SECRET, headers, body)
        assert verified(other, headers, body)

    asyncio.run(main())


def test_a_request_is_recognised_by_its_id() -> None:
    """The same for the same tool call; without a dot, whatever the call is called."""
    ids = {
        webhook_id(CallInfo(call_id=call, tool_call=number))
        for call in ("a", "b", "a.b", "a\n1", "\ud800")
        for number in ("1", "2")
    }
    assert len(ids) == 10
    assert not any("." in one or not one.isascii() for one in ids)
    assert webhook_id(ABOUT) == webhook_id(
        CallInfo(call_id="call-1", tool_call="1", caller="other")
    )


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ('{"error": "no table is free at eight"}', 409, "HTTP 409: no table is free at eight"),
        ('{"error": {"message": "no such day"}}', 400, "HTTP 400: no such day"),
        ('{"error": {"code": 7}}', 400, "HTTP 400"),
        ("<html>a stack trace</html>", 500, "HTTP 500"),
        ('["error"]', 503, "HTTP 503"),
        ("", 404, "HTTP 404"),
    ],
)
def test_a_refusal_reaches_the_model(text: str, status: int, told: str) -> None:
    """Its status, and the reason that was written for it; no page of a proxy's."""

    async def main() -> None:
        async with Endpoint(answers(text, status)).served() as url:
            with pytest.raises(ToolError) as caught:
                await ask(url)
        assert str(caught.value) == told
        assert not caught.value.undone

    asyncio.run(main())


def test_redirects_are_not_followed() -> None:
    """A signed request goes where it was declared to go."""

    async def main() -> None:
        elsewhere = Endpoint(answers("ok"))
        async with elsewhere.served() as other:
            moved = Endpoint(answers(status=307, headers={"Location": other}))
            async with moved.served() as url:
                with pytest.raises(ToolError, match="307: redirects"):
                    await ask(url)
        assert elsewhere.requests == []

    asyncio.run(main())


def test_an_empty_answer_is_a_success() -> None:
    """A model makes more of a word than of nothing."""

    async def main() -> None:
        async with Endpoint(answers(status=204)).served() as url:
            assert await ask(url) == "done"

    asyncio.run(main())


def test_of_an_endless_answer_the_beginning_is_read() -> None:
    """Then the connection is closed; the model is told that there was more."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    async def main() -> None:
        async with Endpoint(endless).served() as url:
            tool = http_tool(SPEC, url, signing_keys(SECRET))
            assert len(await tool.run({}, ABOUT)) == MAX_ANSWER
            (result,) = await toolbox(tool).run_all([ToolCall("book_table")])
            assert "cut here" in result.text
            assert MAX_RESULT < len(result.text) < MAX_RESULT + 100

    asyncio.run(main())


def toolbox(*tools: Any, ran: list[ToolRun] | None = None) -> Toolbox:
    return Toolbox(
        tools,
        CallInfo(call_id="call-1"),
        spawn=asyncio.get_running_loop().create_task,
        on_kept=lambda _result: None,
        on_done=(ran if ran is not None else []).append,
    )


def test_without_a_connection_it_is_tried_once_more() -> None:
    """A server that is being restarted gets the request, once, with the id that it would have."""

    async def main() -> None:
        port = free_port()
        endpoint = Endpoint(answers("booked"))
        asking = asyncio.ensure_future(ask(f"http://127.0.0.1:{port}/book"))
        await asyncio.sleep(0.1)
        async with endpoint.served(port):
            assert await asking == "booked"
        ((headers, _body),) = endpoint.requests
        assert headers["webhook-id"] == webhook_id(ABOUT)

    asyncio.run(main())


def test_where_nobody_listens_nothing_was_done() -> None:
    """The model may ask for the same again in this turn, and is told so."""

    async def main() -> None:
        with pytest.raises(ToolError, match="no connection; nothing was done") as caught:
            await ask(f"http://127.0.0.1:{free_port()}/book")
        assert caught.value.undone

    asyncio.run(main())


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"x"]
)
def test_what_was_sent_is_never_sent_again(answer: bytes) -> None:
    """A connection that breaks after the request leaves it unknown what was done."""
    connections = 0

    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"}")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(broken, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ToolError, match="not known") as caught:
                await ask(f"http://127.0.0.1:{port}/book")
        assert not caught.value.undone
        assert connections == 1

    asyncio.run(main())


def test_a_connection_is_used_once() -> None:
    """One that the endpoint has closed meanwhile cannot swallow a request."""

    async def main() -> None:
        endpoint = Endpoint(answers("ok"))
        async with endpoint.served() as url:
            await ask(url)
            await ask(url)
        assert [headers["connection"] for headers, _ in endpoint.requests] == ["close", "close"]

    asyncio.run(main())


def test_a_slow_endpoint_is_let_go_at_the_deadline() -> None:
    """The request is closed within 100 ms, and the same is not sent again in this turn."""

    async def never(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError

    async def main() -> None:
        endpoint = Endpoint(never)
        ran: list[ToolRun] = []
        async with endpoint.served() as url:
            box = toolbox(http_tool(SPEC, url, signing_keys(SECRET), timeout=0.2), ran=ran)
            results: list[ToolResult] = []
            for _ in range(2):
                results += await box.run_all([ToolCall("book_table", {"guests": 2})])
            await asyncio.sleep(0.1)
            assert endpoint.cancelled == 1
            assert len(endpoint.requests) == 1
        assert [result.failed for result in results] == [True, True]
        assert "not known" in results[0].text
        assert len(ran) == 1

    asyncio.run(main())


@pytest.mark.parametrize("on_barge_in", ["keep", "cancel"])
def test_what_a_barge_in_does_to_a_request(on_barge_in: OnBargeIn) -> None:
    """It goes on, once, and its result is told; or its connection is closed within 100 ms."""

    async def slowly(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.3)
        return web.Response(text="booked")

    async def main() -> None:
        endpoint = Endpoint(slowly)
        kept: list[ToolResult] = []
        async with endpoint.served() as url:
            tool = http_tool(SPEC, url, signing_keys(SECRET), on_barge_in=on_barge_in)
            box = Toolbox(
                [tool],
                CallInfo(call_id="call-1"),
                spawn=asyncio.get_running_loop().create_task,
                on_kept=kept.append,
                on_done=lambda _ran: None,
            )
            reply = asyncio.ensure_future(box.run_all([ToolCall("book_table")]))
            await asyncio.sleep(0.1)
            reply.cancel()
            await asyncio.sleep(0.1)
            assert endpoint.cancelled == (on_barge_in == "cancel")
            await asyncio.sleep(0.2)
            await box.aclose()
        assert [result.text for result in kept] == ["booked"] * (on_barge_in == "keep")
        assert len(endpoint.requests) == 1

    asyncio.run(main())


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a .netrc: what is declared is what is asked."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")

    async def main() -> None:
        async with Endpoint(answers("ok")).served() as url:
            assert await ask(url) == "ok"

    asyncio.run(main())


@given(st.binary(max_size=300), st.integers(200, 599))
def test_any_answer_gives_a_text_or_a_tool_error(answer: bytes, status: int) -> None:
    """Whatever bytes an endpoint has."""

    async def main() -> None:
        async with Endpoint(answers_bytes(answer, status)).served() as url:
            try:
                text = await ask(url)
            except ToolError as error:
                text = str(error)
            assert text
            text.encode()

    asyncio.run(main())


def answers_bytes(
    body: bytes, status: int
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status)

    return answer


@pytest.mark.parametrize("traceparent", ["", f"00-{'a' * 32}-{'b' * 16}-01"])
def test_an_endpoint_is_told_of_the_trace_if_there_is_one(traceparent: str) -> None:
    """By the header of W3C Trace Context; without traces there is none."""

    async def main() -> None:
        endpoint, port = Endpoint(answers("booked")), free_port()
        async with endpoint.served(port):
            tool = http_tool(SPEC, f"http://127.0.0.1:{port}/book", signing_keys(SECRET))
            await tool.run({}, CallInfo(call_id="c", traceparent=traceparent))
        ((headers, _body),) = endpoint.requests
        assert headers.get("traceparent", "") == traceparent

    asyncio.run(main())
