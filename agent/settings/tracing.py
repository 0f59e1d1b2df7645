"""Traces: where they go, if anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from os import environ

from pydantic import Field

from agent.urls import Url
from pipelines.settings import Section

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables of OpenTelemetry's own that say where traces go."""


class TracingSettings(Section):
    """Traces of calls, by OpenTelemetry."""

    endpoint: Url | None = Field(
        None,
        description="Who takes traces, by OTLP over HTTP: `http://HOST:4318`; `/v1/traces` is "
        "added if there is no path. Unset: whom `OTEL_EXPORTER_OTLP_ENDPOINT` names, or nobody.",
    )
    words: bool = Field(
        default=False,
        description="Whether traces hold what was said, and what tools were given and gave back, "
        "as records hold it. Unset: times, names and numbers alone leave the house.",
    )

    def is_on(self, variables: Mapping[str, str] = environ) -> bool:
        """Whether somebody takes traces.

        Args:
            variables: Of the environment.
        """
        if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return False
        named = any(variables.get(name, "").strip() for name in ENDPOINTS)
        named = named and variables.get("OTEL_TRACES_EXPORTER", "otlp").strip() in ("", "otlp")
        return self.endpoint is not None or named
