"""Names that are known later: who is told them on an open connection, and who on a fresh one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.providers import deepgram_flux, deepgram_stt
from pipelines.providers.contracts import TranscriptionSession
from tests.contract.bench import Spoken, speech, until
from tests.contract.case import Case
from tests.contract.hearing import Connection
from tests.contract.wires import (
    assemblyai_stt,
    cartesia_stt,
    elevenlabs_stt,
    openai_realtime,
)
from tests.contract.wires import deepgram_flux as flux_wire
from tests.contract.wires import deepgram_stt as nova_wire

from .hearing import serving

SAID = "Do you have a table for two?"
CONFIGURED = {"keyterms": ["Sinch"]}


async def hears(session: TranscriptionSession) -> None:
    """Have an utterance heard to its end, of pieces that are its own."""
    pieces = [type(piece)(piece.pcm, piece.rate) for piece in speech()]
    assert await session.transcribe(Spoken(pieces)) == SAID
    if session.detects_turns:
        assert await session.turn_over()


def two_utterances(
    case: Case, options: dict[str, Any], first: list[str], later: list[str]
) -> list[Connection]:
    """Return the connections of a call in which more names are known after its first utterance."""

    async def main() -> list[Connection]:
        async with serving(case, options) as (provider, wire):
            names = list(first)
            session = provider.open_session_with(names)
            await hears(session)
            names[:] = later
            await hears(session)
            await hears(session)  # of which nothing more is told
            await session.aclose()
            await until(lambda: all(each.closed for each in wire.connections), "the end")
            return wire.connections

    return asyncio.run(main())


def told(connection: Connection, kind: str) -> list[Any]:
    """Return the messages of a kind that came on a connection."""
    texts = [json.loads(one) for one in connection.messages if isinstance(one, str)]
    return [one for one in texts if one["type"] == kind]


def keywords(connection: Connection) -> list[Any]:
    """Return the keywords of each session that was asked for on a connection."""
    asked = [one["session"]["audio"]["input"] for one in told(connection, "session.update")]
    return [one["transcription"].get("keywords", []) for one in asked]


@pytest.mark.parametrize(
    ("case", "options", "found", "expected"),
    [
        (
            flux_wire.CASE,
            CONFIGURED,
            lambda one: [said["keyterms"] for said in told(one, "Configure")],
            [["Sinch", "Clara", "Ben"]],
        ),
        (
            assemblyai_stt.CASES[0],
            CONFIGURED,
            lambda one: [said["keyterms_prompt"] for said in told(one, "UpdateConfiguration")],
            [["Sinch", "Clara", "Ben"]],
        ),
        (openai_realtime.CASE, {}, keywords, [["Clara"], ["Clara", "Ben"]]),
    ],
)
def test_an_open_connection_is_told_once(
    case: Case,
    options: dict[str, Any],
    found: Callable[[Connection], list[Any]],
    expected: list[Any],
) -> None:
    """All terms, since they take the place of those before; the connection goes on."""
    connections = two_utterances(case, options, ["Clara"], ["Clara", "Ben"])
    assert len(connections) == 1
    assert found(connections[0]) == expected


@pytest.mark.parametrize(
    ("case", "name"), [(elevenlabs_stt.CASE, "keyterms"), (nova_wire.CASE, "keyterm")]
)
def test_one_that_cannot_be_told_is_replaced(case: Case, name: str) -> None:
    """By a fresh one, once; nothing of what was said is lost."""
    connections = two_utterances(case, CONFIGURED, ["Clara"], ["Clara", "Ben"])
    terms = [[value for key, value in one.query if key == name] for one in connections]
    assert terms == [["Sinch", "Clara"], ["Sinch", "Clara", "Ben"]]


@pytest.mark.parametrize(
    ("case", "options"),
    [
        (cartesia_stt.CASE, {}),
        (nova_wire.CASE, {"model": "nova-2-phonecall"}),
        (openai_realtime.CASE, {"model": "gpt-4o-transcribe"}),
    ],
)
def test_who_takes_none_is_let_be(case: Case, options: dict[str, Any]) -> None:
    """One connection, on which none is told."""
    (connection,) = two_utterances(case, options, [], ["Ben"])
    assert "Ben" not in repr((connection.query, connection.messages))


def test_a_call_that_begins_without_names_takes_the_connection_that_waits() -> None:
    """And tells it the names that come later."""

    async def main() -> tuple[int, list[Any]]:
        async with serving(flux_wire.CASE) as (provider, wire):
            await provider.warm()
            names: list[str] = []
            session = provider.open_session_with(names)
            await hears(session)
            names.append("Ben")
            await hears(session)
            await session.aclose()
            return len(wire.connections), told(wire.connections[0], "Configure")

    assert asyncio.run(main()) == (1, [{"type": "Configure", "keyterms": ["Ben"]}])


def test_names_are_told_before_what_is_said_then() -> None:
    """Also where they have come before the connection was open."""

    async def main() -> list[str | bytes]:
        async with serving(flux_wire.CASE) as (provider, wire):
            names = ["Clara"]
            session = provider.open_session_with(names)
            names.append("Ben")
            await hears(session)
            await session.aclose()
            return list(wire.connections[0].messages)

    first = asyncio.run(main())[0]
    assert isinstance(first, str)
    assert json.loads(first) == {"type": "Configure", "keyterms": ["Clara", "Ben"]}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://api.deepgram.com", True),
        ("https://api.deepgram.com/", True),
        ("https://api.eu.deepgram.com", False),
        ("http://deepgram.internal:8080", False),
    ],
)
def test_nova_is_told_where_its_endpoint_can_be(url: str, told: bool) -> None:
    """The global one alone; elsewhere the connection is replaced."""
    options = deepgram_stt.Transcriber.Options(base_url=url, keyterms=("Sinch",))
    messages = deepgram_stt.Transcriber(options).dialect.with_names(["Ben"]).retelling()  # type: ignore[attr-defined]
    wanted = [{"type": "Configure", "keyterms": ["Sinch", "Ben"]}]
    assert [json.loads(each) for each in messages] == (wanted if told else [])


@pytest.mark.parametrize("kind", [deepgram_flux.Transcriber, deepgram_stt.Transcriber])
@pytest.mark.parametrize("answer", ["ConfigureSuccess", "ConfigureFailure"])
def test_names_that_are_refused_cost_no_words(kind: Any, answer: str) -> None:
    """What is said is heard without them."""
    assert not kind(kind.Options()).dialect.protocol().read(json.dumps({"type": answer}))
