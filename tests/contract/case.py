"""What a provider adapter brings to the contract kit: itself, and a server that speaks its wire.

To put an adapter of your own through the kit, write a :class:`Wire` that speaks its provider's
format on loopback, make a :class:`Case` of both, and call :func:`tests.contract.kit.contract` in a
test module. See ``README.md`` beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from aiohttp import web

from pipelines.conversation import Tokens, ToolCall
from pipelines.providers.contracts import Stage

Fault = Literal[
    "none", "error", "unauthorized", "rate_limit", "garbage", "empty", "silent", "early"
]
"""What the server does; faults of the transport (slow, dropped, half-open, cut) are the kit's.

- ``none``: it works.
- ``error``: where the first result would be, an error in the provider's own format; its text quotes
  ``Plan.secrets``.
- ``unauthorized``, ``rate_limit``: HTTP 401 and 429, with a body that quotes ``Plan.secrets``.
- ``garbage``: where the first result would be, something that is not the provider's format.
- ``empty``: it works, and there is nothing: no words heard, no reply, no audio.
- ``silent``: it takes everything and never answers.
- ``early``: it ends, in a way that the format allows, after the first of several results and
  without the last: the connection is closed properly, but the result is not whole.
"""


@dataclass(kw_only=True)
class Plan:
    """What the server is to do. May be changed between two requests."""

    fault: Fault = "none"

    text: str = "Do you have a table for two?"
    """What a speech-to-text hears, whatever is said; what a language model replies."""

    seconds: float = 1.0
    """Audio that a text-to-speech makes of any text: a tone, in at least five pieces."""

    calls: tuple[ToolCall, ...] = ()
    """Tools that a language model asks for, in one message, after ``text`` (which may be empty
    then); their ``id`` is the server's own. Arguments in at least two pieces, where the format has
    pieces; the pieces of different calls mixed, where it allows that."""

    tokens: Tokens = field(default_factory=lambda: Tokens(input=21, output=7, cached=5))
    """What a language model says that its reply has cost."""

    secrets: tuple[str, ...] = ()
    """Quoted in errors, as real servers quote keys, prompts and words."""


class Wire(Protocol):
    """A server that speaks one provider's real wire format, for one test."""

    plan: Plan

    served: int
    """Requests, or on a websocket utterances or sentences, that it began to answer; a silent server
    counts those that it would have answered. It reads ``plan`` then."""

    cancelled: int
    """Of them, those whose client went away, or said that it wants no more, before the end."""

    keys: list[str]
    """The key of each connection or request, as it came: what the adapter was given."""

    def application(self) -> web.Application:
        """Return the server; the kit runs it on loopback."""
        ...


@dataclass(frozen=True, kw_only=True)
class Case:
    """An adapter and its server."""

    name: str
    """As in the table of providers."""

    stage: Stage
    provider: type[Any]

    options: Callable[[str], Mapping[str, Any]]
    """Options of the adapter, given the server's address (``http://127.0.0.1:PORT``) and no key."""

    wire: Callable[[Plan], Wire]

    variable: str | None
    """Environment variable of the key; None if there is none."""

    needs: frozenset[str] = frozenset()
    """Fields of what the server sends that the adapter cannot do without: those with the words or
    the audio, and those that alone tell whose they are, or that they are all. Without any other
    it still gives what the server gave."""

    skips: Mapping[str, str] = field(default_factory=dict)
    """Checks of the kit that do not apply, each with its reason."""
