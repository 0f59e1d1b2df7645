"""The server: where it listens, how many calls it takes, its operator, its log."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from agent.sinch_limits import DEFAULT_RATE, RATES
from pipelines.settings import Section


def _line_rate(rate: int) -> int:
    if rate not in RATES:
        raise ValueError(f"one of {', '.join(map(str, RATES))}")
    return rate


class ServerSettings(Section):
    """The websocket server."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 is every one.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    path: str = Field("/stream", pattern=r"^/[\w/-]*$", description="Path of the stream endpoint.")
    token: SecretStr | None = Field(
        None,
        min_length=16,
        description="What a call that you route yourself must bring, as `?token=` of the endpoint "
        "or as call header `token`.",
    )
    open_to_loopback: bool | None = Field(
        None,
        description="For development: whether a call from this very machine, and through no proxy, "
        "is served without a token. Unset: yes, until there is a token or `sinch.public_url`.",
    )
    rate: Annotated[int, AfterValidator(_line_rate)] = Field(
        DEFAULT_RATE,
        description="Hertz, when neither `connect` nor the endpoint's `?rate=` says; "
        "8000 is what a phone carries.",
    )
    max_calls: int = Field(
        50, ge=1, description="Calls at once; the next is told `busy`. Measure yours."
    )
    connect_timeout: float = Field(
        10.0, gt=0, le=60, description="Seconds from the socket to `connect`; Sinch's sample: 10."
    )
    drain: float = Field(
        30.0,
        ge=0,
        description="Seconds that calls may go on after SIGTERM; then agents say goodbye.",
    )


class OperatorSettings(Section):
    """The operator's REST interface: dial, hang up, transfer."""

    token: SecretStr | None = Field(
        None, min_length=16, description="Bearer token of its requests. Unset: there is none."
    )
    requests_a_minute: int = Field(
        60, ge=1, description="Requests that are taken; more get 429 and `Retry-After`."
    )


class LogSettings(Section):
    """What is logged, to stderr. Never what was said, nor a key."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged."
    )
    format: Literal["auto", "text", "json"] = Field(
        "auto", description="`auto`: text on a terminal, JSON lines elsewhere."
    )
