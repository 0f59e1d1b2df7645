"""Traces leave: in batches, from a thread of their own, whatever becomes of who takes them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from agent.server.tracing.call_traces import CallTraces, GivenIds, new_trace
from agent.settings.tracing import TracingSettings
from agent.version import VERSION

log = structlog.get_logger()

CLOSED_WITHIN = 3.0
"""Seconds for what waits to leave when the process ends: those who stop it wait for 20."""

ANSWER_READ = 65_536
"""Bytes of an answer that are read: it says nothing that we need, and may have no end."""

USUAL_PATH = "/v1/traces"
"""Of OTLP over HTTP, where an address has none."""


class TraceExport:
    """Sends traces to whoever the settings name. Close it in the end.

    What waits is in memory, 2,048 spans at the most (``OTEL_BSP_MAX_QUEUE_SIZE``): the oldest are
    dropped, while nobody takes them. Nothing of it is waited for.

    Args:
        settings: Of traces; they are on.
        models: The model of a stage's provider, by both.
        exporter: Sends spans; OTLP over HTTP if None.
    """

    def __init__(
        self,
        settings: TracingSettings,
        models: Mapping[tuple[str, str], str],
        exporter: SpanExporter | None = None,
    ) -> None:
        # What the library logs of each attempt, we say once: see _ToldOnce.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        ids = GivenIds()
        self._provider = TracerProvider(
            resource=_resource(), id_generator=ids, shutdown_on_exit=False
        )
        sends = exporter or OTLPSpanExporter(endpoint=_address(settings), session=_session())
        self._provider.add_span_processor(BatchSpanProcessor(_ToldOnce(sends)))
        tracer = self._provider.get_tracer("voice-agent", VERSION)
        self.traces = CallTraces(tracer, ids, models, words=settings.words)
        """To be told of the lines of records."""

        self.new_trace = new_trace
        """Returns the id that the trace of a call will have."""

    def close(self) -> None:
        """Send what waits, within :data:`CLOSED_WITHIN`. Waits for it: not for the event loop."""
        # The library gives itself 30 seconds: its thread dies with the process.
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(CLOSED_WITHIN)


class _ToldOnce(SpanExporter):
    """An exporter, of whose failure the log is told once, until it works again."""

    def __init__(self, sends: SpanExporter) -> None:
        self._sends = sends
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans. Runs in the thread of the batches."""
        result = self._sends.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failing:
            log.warning("traces are not taken: they are lost until they are again")
        elif self._failing and not failed:
            log.info("traces are taken again")
        self._failing = failed
        return result

    def shutdown(self) -> None:
        """End it."""
        self._sends.shutdown()


def _address(settings: TracingSettings) -> str | None:
    """Return where traces go; None for what the environment says."""
    if (endpoint := settings.endpoint) is None:
        return None
    parts = urlsplit(endpoint)
    return endpoint if parts.path.rstrip("/") else parts._replace(path=USUAL_PATH).geturl()


def _session() -> requests.Session:
    """Return what sends: it takes a redirect for what it is, nobody who takes traces."""
    session = requests.Session()
    session.stream = True
    session.hooks["response"] = [_look]
    return session


def _look(response: requests.Response, *_: object, **__: object) -> None:
    """Look at an answer, and let go of it. The library calls every status below 400 a success."""
    with response:
        response.raw.read(ANSWER_READ)
    if response.is_redirect:
        raise requests.TooManyRedirects("traces are sent to whom the settings name alone")


def _resource() -> Resource:
    """Return what all spans say of this process; the environment may name the service."""
    by_attribute = "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = by_attribute or os.environ.get("OTEL_SERVICE_NAME")
    name = {} if named else {"service.name": "voice-agent"}
    return Resource.create({**name, "service.version": VERSION, "process.pid": os.getpid()})
