"""Names of a call: who is told them on the wire, and how many."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from pipelines.providers import cartesia_stt, deepgram_stt, moonshine, openai_transcribe
from pipelines.providers.contracts import NameTranscriber
from pipelines.providers.streaming_stt.terms import TermLimits, with_names
from tests.contract.bench import Spoken, speech, until
from tests.contract.case import Case
from tests.contract.hearing import Connection
from tests.contract.wires import (
    assemblyai_stt,
    deepgram_flux,
    elevenlabs_stt,
    openai_realtime,
)
from tests.contract.wires import (
    cartesia_stt as cartesia_wire,
)
from tests.contract.wires import (
    deepgram_stt as deepgram_wire,
)

from .hearing import one_utterance, serving

NAMES = ("Clara", "Ben", "sinch", "Linden Street Kitchen", "x" * 60)
CONFIGURED = {"keyterms": ["Sinch"]}


def of_query(name: str) -> Callable[[Connection], list[str]]:
    return lambda connection: [value for key, value in connection.query if key == name]


def of_prompt(connection: Connection) -> list[str]:
    terms: list[str] = json.loads(dict(connection.query)["keyterms_prompt"])
    return terms


def of_session(connection: Connection) -> list[str]:
    opening = json.loads(connection.messages[0])
    terms: list[str] = opening["session"]["audio"]["input"]["transcription"]["keywords"]
    return terms


@pytest.mark.parametrize(
    ("case", "options", "terms", "told"),
    [
        (deepgram_wire.CASE, CONFIGURED, of_query("keyterm"), ["Sinch", *NAMES[:2], NAMES[3]]),
        (deepgram_flux.CASE, CONFIGURED, of_query("keyterm"), ["Sinch", *NAMES[:2], NAMES[3]]),
        (assemblyai_stt.CASES[0], CONFIGURED, of_prompt, ["Sinch", *NAMES[:2], NAMES[3]]),
        (elevenlabs_stt.CASE, CONFIGURED, of_query("keyterms"), ["Sinch", *NAMES[:2]]),
        (openai_realtime.CASE, {}, of_session, [*NAMES[:4]]),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else "",
)
def test_names_are_told_beside_what_is_configured(
    case: Case,
    options: dict[str, Any],
    terms: Callable[[Connection], list[str]],
    told: list[str],
) -> None:
    """Each once, in whatever case it is configured, and none that the provider does not take."""
    heard, connection, _ = one_utterance(case, options, NAMES)
    assert heard == "Do you have a table for two?"
    assert terms(connection) == told


@pytest.mark.parametrize(
    ("case", "options"),
    [
        (cartesia_wire.CASE, {}),
        (deepgram_wire.CASE, {"model": "nova-2-phonecall"}),
        (openai_realtime.CASE, {"model": "gpt-4o-transcribe"}),
    ],
)
def test_who_takes_none_is_told_none(case: Case, options: dict[str, Any]) -> None:
    """It hears as ever; a server may refuse what it does not know."""
    heard, connection, _ = one_utterance(case, options, NAMES)
    assert heard == "Do you have a table for two?"
    assert "Clara" not in repr((connection.query, connection.messages))


def test_whoever_asks_finds_out_beforehand() -> None:
    """The local recognizer can be told names; what takes whole files over HTTP cannot."""
    assert isinstance(moonshine.Transcriber(moonshine.Transcriber.Options()), NameTranscriber)
    whole = openai_transcribe.Transcriber(openai_transcribe.Transcriber.Options())
    assert not isinstance(whole, NameTranscriber)
    cartesia = cartesia_stt.Transcriber(cartesia_stt.Transcriber.Options())
    assert isinstance(cartesia, NameTranscriber)  # the engine can; nothing of it is sent there


def test_a_connection_that_waited_without_names_is_not_used_for_them() -> None:
    """It is closed, since it would wait for nobody; the next call without names has its own."""

    async def main() -> tuple[list[str], list[bool]]:
        async with serving(deepgram_wire.CASE) as (provider, wire):
            await provider.warm()
            session = provider.open_session_with(["Clara"])
            await session.transcribe(Spoken(speech()))
            await until(lambda: wire.connections[0].closed, "the one that waited to be closed")
            told = [dict(each.query).get("keyterm", "") for each in wire.connections]
            await session.aclose()
            return told, [each.closed for each in wire.connections]

    told, closed = asyncio.run(main())
    assert told == ["", "Clara"]
    assert closed[0]


def test_names_reach_no_log() -> None:
    """Not even where the provider fails."""

    async def main() -> None:
        options = {"base_url": "http://127.0.0.1:9", "api_key": "sk-very-secret"}
        provider = deepgram_stt.Transcriber(deepgram_stt.Transcriber.Options(**options))
        await provider.start()
        session = provider.open_session_with(["Clara"])
        try:
            await session.transcribe(Spoken(speech()))
        except Exception as error:  # noqa: BLE001 - whatever it is
            assert "Clara" not in repr(error)  # noqa: PT017
        else:
            pytest.fail("nobody listens there")
        await session.aclose()
        await provider.aclose()

    with structlog.testing.capture_logs() as logged:
        asyncio.run(main())
    assert "Clara" not in repr(logged)


def test_there_is_room_for_so_many() -> None:
    """What is configured stays; of names those that fit, though a longer one before did not."""
    limits = TermLimits(most=3, longest=9, in_all=12)
    assert with_names((), ("Linden", "Johannes", "Clara", "Bo"), limits) == ("Linden", "Clara")
    assert with_names(("a", "b", "c", "d"), ("Clara",), limits) == ("a", "b", "c", "d")
    assert with_names(("Clara",), ("CLARA", "", "Ben", "ben"), limits) == ("Clara", "Ben")
    many = [f"name{n}" for n in range(100)]
    assert len(with_names((), many, TermLimits(most=50, longest=20))) == 50
