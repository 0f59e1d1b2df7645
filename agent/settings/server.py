"""The server: where it listens, how many calls it takes, its operator, its log."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from agent.sinch_limits import DEFAULT_RATE, RATES
from pipelines.settings import Section


def _line_rate(rate: int) -> int:
    if rate not in RATES:
        raise ValueError(f"one of {', '.join(map(str, RATES))}")
    return rate


MOST_WORKERS = 64
"""A quarter of the places that there are: as many may drain, for each of three new settings."""


def _workers(given: object) -> object:
    number = int(given) if isinstance(given, str) and given.isdecimal() else given
    if number == "auto" or (type(number) is int and 1 <= number <= MOST_WORKERS):
        return number
    raise ValueError(f"auto, or a whole number from 1 to {MOST_WORKERS}")


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise ValueError("an address, or a network such as 10.0.0.0/8") from None


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
    workers: Annotated[int | Literal["auto"], BeforeValidator(_workers)] = Field(
        1,
        description="Processes that answer calls at the one port. `auto`: one for each core, as "
        "far as there is half a gigabyte of memory for each. Under a number above 1, and under "
        "`auto`, one that dies is replaced, and SIGHUP takes new settings without an end to calls.",
    )
    max_calls: int | None = Field(
        None,
        ge=1,
        description="Calls at once, of all workers together; the next is declined before it is "
        "connected. Unset: 10 for each core where a model on this machine hears or speaks, else "
        "as many as files and memory allow. Fewer are taken while the machine is measured to be "
        "full.",
    )
    event_loop: Literal["uvloop", "asyncio"] | None = Field(
        None,
        description="What carries all calls of a process: uvloop, which is written in C and takes "
        "less CPU, or Python's own asyncio. Unset: uvloop where it runs, which is not on Windows.",
    )
    max_waiting: int = Field(
        64,
        ge=2,
        description="Sockets without a token in their address that may wait to say "
        "`connect`, half of them of one address; when another comes, the one goes that has waited "
        "longest. Calls with a token need none of these places.",
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        ("127.0.0.0/8", "::1/128"),
        description="Addresses or networks of proxies whose `X-Forwarded-For` is believed; who is "
        "behind any other counts as one address. Unset: those of this machine.",
    )
    idle_timeout: float = Field(
        75.0,
        ge=5,
        le=3600,
        description="Seconds until an HTTP connection closes on which nothing "
        "is asked; longer than your proxy keeps its own.",
    )
    connect_timeout: float = Field(
        10.0, gt=0, le=60, description="Seconds from the socket to `connect`; Sinch's sample: 10."
    )
    drain: float = Field(
        30.0, ge=0, description="Seconds that calls may go on after SIGTERM; new ones are declined."
    )
    held_limit: float = Field(
        20.0,
        ge=0,
        le=3600,
        description="Seconds that the event loop may be held, all calls in silence, until the "
        "process ends itself, to be started again; 0: never.",
    )


class OperatorSettings(Section):
    """The operator's REST interface: dial, hang up, transfer."""

    token: SecretStr | None = Field(
        None, min_length=16, description="Bearer token of its requests. Unset: there is none."
    )
    requests_a_minute: int = Field(
        60,
        ge=1,
        description="Requests that are taken to dial and transfer, and as many to look; more get "
        "429 and `Retry-After`.",
    )
    hang_ups_a_minute: int = Field(
        600, ge=1, description="Requests to hang up that are taken, whatever else was asked."
    )


class LogSettings(Section):
    """What is logged, to stderr. Never what was said, nor a key."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged."
    )
    format: Literal["auto", "text", "json"] = Field(
        "auto", description="`auto`: text on a terminal, JSON lines elsewhere."
    )
