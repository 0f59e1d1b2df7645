"""Whether what makes traces is installed, where they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from agent.server.checks.finding import Finding
from agent.settings.tracing import ENDPOINTS, TracingSettings

NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def missing(settings: TracingSettings) -> Iterator[Finding]:
    """Look for what is missing: without it the service does not start."""
    if settings.is_on() and not all(map(_is_there, NEEDED)):
        place = "tracing.endpoint" if settings.endpoint is not None else ENDPOINTS[1]
        why = 'traces need OpenTelemetry: pip install "sinch-voice-agent[traces]"'
        yield Finding(place=place, message=why)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is what it is in
        return False
