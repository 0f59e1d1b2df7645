"""Calls as traces: spans made of the lines of records."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from agent.server.checks import tracing as check
from agent.server.tracing import export
from agent.server.tracing.call_traces import new_trace, root_of
from agent.server.tracing.export import TraceExport
from agent.settings import Settings
from agent.settings.tracing import TracingSettings
from agent.simulator.plan import Plan, Turn
from agent.simulator.stream_caller import place_call
from pipelines.audio import Audio
from tests.agent.conversation import voice
from tests.agent.loopback import running, until
from tests.agent.server.test_call_counts import TIMES

TRACE = "0123456789abcdef0123456789abcdef"
STARTED = 1_790_000_000.0
CALL = {
    "agent": "sales",
    "agent_version": "55a8fd0a773b",
    "call_id": "c1",
    "caller": "+12025550123",
    "direction": "incoming",
    "lineup": {"stt": ["deepgram"], "llm": ["openai", "anthropic"], "tts": ["piper"]},
    "started": "2026-09-21T14:13:20.000+00:00",
    "trace": TRACE,
}
WORDS = ("a table for two", "At which time", "12025550123", "Ann")
LINES: Sequence[tuple[str, dict[str, Any]]] = (
    ("call", CALL),
    ("agent", {"at": 0.1, "turn": 1, "until": 1.5, "text": "Hello.", "said": "greeting"}),
    ("held", {"at": 0.5, "turn": 1}),
    ("resumed", {"at": 0.9, "turn": 1, "by": "noise", "after": 0.4}),
    ("tool", {"at": 10.7, "turn": 2, "name": "book", "seconds": 0.3, "status": "failed"}
     | {"arguments": {"name": "Ann"}, "result": "full"}),
    ("caller", {"at": 8.5, "turn": 2, "until": 10.0, "text": "I want a table for two."}),
    ("timing", {"at": 11.05, "turn": 2, **TIMES}),
    ("agent", {"at": 11.0, "turn": 2, "until": 12.5, "text": "At which time?", "cut_off": True}),
    ("failover", {"at": 13, "stage": "llm", "provider": "openai", "to": "anthropic"}
     | {"error": "timeout", "reason": "no answer of api.example.com"}),
    ("caller", {"at": 14.0, "turn": 3, "until": 15.0, "text": "At eight."}),
    ("timing", {"at": 16.0, "turn": 3, **{name: at + 5 for name, at in TIMES.items()}}),
    ("usage", {"stage": "llm", "provider": "openai", "tokens_in": 100, "tokens_out": 7}),
    ("usage", {"stage": "llm", "provider": "anthropic", "tokens_in": 50, "tokens_out": 5}),
    ("ended", {"at": 20.5, "reason": "the caller hung up", "hung_up_by": "caller"}),
)  # fmt: skip


def traced(*, words: bool = False, lines: Any = LINES) -> list[ReadableSpan]:
    """Return the spans of a call, in the order in which they were made."""
    memory = InMemorySpanExporter()
    models = {("llm", "openai"): "gpt-5", ("llm", "anthropic"): "sonnet"}
    exported = TraceExport(TracingSettings(words=words), models, memory)
    for kind, fields in lines:
        exported.traces.line("20260921T141320.000-5b0c81d2", kind, fields)
    exported.close()
    return list(memory.get_finished_spans())


def named(spans: list[ReadableSpan], name: str) -> ReadableSpan:
    (found,) = (one for one in spans if one.name == name)
    return found


def seconds(span: ReadableSpan) -> tuple[float, float]:
    """Return when a span began and ended, on the call's clock."""
    assert span.start_time is not None
    assert span.end_time is not None
    return round(span.start_time / 1e9 - STARTED, 2), round(span.end_time / 1e9 - STARTED, 2)


def test_a_call_is_a_tree_of_spans() -> None:
    """Call, turns, stages and tools, each with the times of the record and below what it is of."""
    spans = traced()
    call = named(spans, "invoke_agent sales")
    turns = [one for one in spans if one.name == "turn"]
    assert seconds(call) == (0.0, 20.5)
    assert [seconds(one) for one in turns] == [(0.1, 1.5), (8.5, 12.5), (14.0, 16.0)]
    assert call.context is not None
    assert f"{call.context.trace_id:032x}" == TRACE
    assert f"{call.context.span_id:016x}" == root_of(TRACE)
    assert call.parent is None
    for turn in turns:
        assert turn.parent is not None
        assert turn.parent.span_id == call.context.span_id
    of_second = turns[1].context
    assert of_second is not None
    below = {one.name: seconds(one) for one in spans if one.parent and
             one.parent.span_id == of_second.span_id}  # fmt: skip
    assert below == {
        "speech_to_text deepgram": (10.0, 10.25),
        "chat gpt-5": (10.25, 10.75),
        "text_to_speech piper": (10.75, 10.95),
        "execute_tool book": (10.4, 10.7),
    }
    assert {one.context.trace_id for one in spans if one.context} == {int(TRACE, 16)}


def test_attributes_are_of_the_conventions() -> None:
    """Names of OpenTelemetry's where it has them; the provider is the one that was asked."""
    spans = traced()
    about = dict(named(spans, "invoke_agent sales").attributes or {})
    assert about["gen_ai.operation.name"] == "invoke_agent"
    assert about["gen_ai.agent.name"] == "sales"
    assert about["gen_ai.conversation.id"] == "20260921T141320.000-5b0c81d2"
    assert about["gen_ai.usage.input_tokens"] == 150
    assert about["gen_ai.usage.output_tokens"] == 12
    assert about["voice_agent.call.outcome"] == "caller hung up"
    first = dict(named(spans, "chat gpt-5").attributes or {})
    assert first == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
    }
    later = dict(named(spans, "chat sonnet").attributes or {})
    assert later["gen_ai.provider.name"] == "anthropic"
    tool = named(spans, "execute_tool book")
    assert dict(tool.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "book",
        "error.type": "failed",
    }
    turn = dict(next(one for one in spans if one.name == "turn").attributes or {})
    assert turn == {
        "voice_agent.turn": 1,
        "voice_agent.said": "greeting",
        "voice_agent.cut_off": False,
    }
    events = named(spans, "invoke_agent sales").events
    assert [one.name for one in events] == ["held", "resumed", "failover"]
    assert dict(events[2].attributes or {})["error"] == "timeout"


def test_no_word_is_in_them() -> None:
    """Of the caller, the agent or a tool, no number, and no reason in words."""
    told = "".join(one.to_json() for one in traced())
    for word in (*WORDS, "api.example.com"):
        assert word not in told


def test_words_are_in_them_if_that_is_wanted() -> None:
    """As the conventions have messages; what was redacted before is not here, either."""
    spans = traced(words=True)
    chat = dict(named(spans, "chat gpt-5").attributes or {})
    assert json.loads(str(chat["gen_ai.input.messages"])) == [
        {"role": "user", "parts": [{"type": "text", "content": "I want a table for two."}]}
    ]
    (said,) = json.loads(str(chat["gen_ai.output.messages"]))
    assert said["role"] == "assistant"
    assert said["parts"][0]["content"] == "At which time?"
    tool = dict(named(spans, "execute_tool book").attributes or {})
    assert tool["gen_ai.tool.call.arguments"] == '{"name": "Ann"}'
    assert "12025550123" not in "".join(one.to_json() for one in spans)


def test_lines_that_say_nothing_are_passed_over() -> None:
    """A call without an id or a beginning, lines of another's, odd values: nothing is raised."""
    for wrong in ({"trace": "x"}, {"trace": 7}, {"started": "yesterday"}, {"lineup": 3}):
        lines = [
            ("call", CALL | wrong),
            ("timing", {"turn": "x"}),
            ("agent", {"turn": 1, "at": "x"}),
        ]
        spans = traced(lines=[*lines, ("failover", {"to": ["x"]}), ("ended", {"at": None})])
        assert len(spans) in (0, 2)
    assert traced(lines=LINES[1:]) == []


def test_a_call_that_was_a_bug_is_an_error() -> None:
    """So that a tracer lists it among them."""
    ended = ("ended", {"at": 3.0, "reason": "failed", "hung_up_by": "service"})
    (call,) = traced(lines=[LINES[0], ended])
    assert call.status.status_code.name == "ERROR"


class Down(SpanExporter):
    """Whoever takes traces is not there; then it hangs."""

    def __init__(self) -> None:
        self.asked = 0
        self.hangs = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked += 1
        if self.hangs.is_set():
            time.sleep(20)
        return SpanExportResult.FAILURE


def test_whoever_is_down_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And holds up neither a line, nor the end of the process."""
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setattr(export, "CLOSED_WITHIN", 0.2)
    down = Down()
    with capture_logs() as logs:
        exported = TraceExport(TracingSettings(), {}, down)
        deadline = time.monotonic() + 20
        while down.asked < 3:
            assert time.monotonic() < deadline
            for kind, fields in LINES:
                exported.traces.line("r", kind, fields)
            time.sleep(0.02)
        down.hangs.set()
        for kind, fields in [*LINES] * 100:
            exported.traces.line("r", kind, fields)
        began = time.monotonic()
        exported.close()
        assert time.monotonic() - began < 10
    assert [one["event"] for one in logs] == [
        "traces are not taken: they are lost until they are again"
    ]


class Elsewhere(BaseHTTPRequestHandler):
    """Sends whoever brings traces to another address, at length."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        with suppress(ConnectionError):  # it does not want to hear all of it
            for _ in range(50):
                self.wfile.write(bytes(1_000_000))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_whoever_sends_traces_elsewhere_does_not_take_them() -> None:
    """They go to whom the settings name, and nobody else; that they are lost is told."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server, capture_logs() as logs:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        exported = TraceExport(TracingSettings(endpoint=endpoint), {})
        for kind, fields in LINES:
            exported.traces.line("r", kind, fields)
        exported.close()
        server.shutdown()
        serving.join()
    assert [one["event"] for one in logs] == [
        "traces are not taken: they are lost until they are again"
    ]


@pytest.mark.parametrize(
    ("settings", "variables", "on"),
    [
        ({}, {}, False),
        ({"endpoint": "http://localhost:4318"}, {}, True),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, True),
        ({}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}, True),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"endpoint": "http://localhost:4318"}, {"OTEL_SDK_DISABLED": "true"}, False),
        ({"words": True}, {}, False),
    ],
)
def test_it_is_off_unless_somebody_is_named(
    settings: dict[str, Any], variables: dict[str, str], on: bool
) -> None:
    """By the setting, or by OpenTelemetry's own variables."""
    assert TracingSettings(**settings).is_on(variables) is on


def test_without_the_extra_the_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, which names the setting and what to install; nothing is missing otherwise."""
    monkeypatch.setattr(check, "NEEDED", ("opentelemetry.nowhere.at_all",))
    (found,) = check.missing(TracingSettings(endpoint="http://localhost:4318"))
    assert found.place == "tracing.endpoint"
    assert "sinch-voice-agent[traces]" in found.message
    assert not list(check.missing(TracingSettings()))


def test_an_address_without_a_path_has_the_usual_one() -> None:
    """One with a path is taken as it is."""
    for given, asked in (
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318?a=b", "http://localhost:4318/v1/traces?a=b"),
        ("https://host/otlp/v1/traces", "https://host/otlp/v1/traces"),
    ):
        assert export._address(TracingSettings(endpoint=given)) == asked


def test_ids_are_as_the_standard_has_them() -> None:
    """32 digits, none like another."""
    made = {new_trace() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 32 and int(one, 16) for one in made)


TONE = Audio((b"\x00\x20" * 20 + b"\x00\xe0" * 20) * 120, 8000)


class Collector:
    """Takes traces over HTTP, as a collector does."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    async def take(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        for resource in told.resource_spans:
            self.about = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.spans += [one for scope in resource.scope_spans for one in scope.spans]
        return web.Response()


def test_a_real_call_reaches_a_collector(tmp_path: Path) -> None:
    """Its record and its log say which trace it is; what waits leaves when the service stops."""
    collector = Collector()

    async def main() -> tuple[str, str]:
        app = web.Application()
        app.router.add_post("/v1/traces", collector.take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        with capture_logs() as logs:
            answers = voice(["Good day."], ["Good bye."])
            tracing = {"endpoint": address}
            async with running(tmp_path, answers, alone=False, tracing=tracing) as served:
                plan = Plan(turns=[Turn(audio=TONE, label="a tone")], rate=8000)
                await place_call(served.url, plan, lambda _at, _line: None, "c1")
                await until(lambda: not served.registry.in_progress)
                trace = str(served.lines()[0]["trace"])
        await runner.cleanup()
        return trace, str(logs)

    trace, _ = asyncio.run(main())
    names = sorted(one.name for one in collector.spans)
    greeting = ["turn", "text_to_speech 1"]
    answer = ["turn", "speech_to_text 1", "chat 1", "text_to_speech 1"]
    assert names == sorted(["invoke_agent reception", *greeting, *answer])
    assert {one.trace_id.hex() for one in collector.spans} == {trace}
    assert collector.about["service.name"] == "voice-agent"
    told = str(collector.spans)
    assert "Good day" not in told
    assert "Good bye" not in told


def test_by_default_nothing_is_made(tmp_path: Path) -> None:
    """No id, no exporter: the settings as they come name nobody."""
    assert not Settings().tracing.is_on({})
    assert Settings().tracing.words is False
