"""What is particular to Cartesia, without and with its turns."""

from __future__ import annotations

import json

import pytest

from pipelines.providers import cartesia_stt, cartesia_turns
from pipelines.providers.streaming_stt.protocol import (
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TurnBegan,
    TurnMayBeOver,
    TurnOver,
    TurnResumed,
)
from tests.contract.wires import cartesia_stt as wire
from tests.contract.wires import cartesia_turns as turns_wire

from .hearing import KEY, events, fails, not_understood, one_utterance, params, protocol


def message(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, "request_id": "x", **fields})


def transcript(text: str, *, final: bool) -> str:
    return message("transcript", text=text, is_final=final)


def test_an_utterance_is_audio_then_finalize_then_close() -> None:
    """In the words and with the query that Cartesia documents."""
    heard, connection, keys = one_utterance(wire.CASE)
    assert heard == "Do you have a table for two?"
    assert keys == [KEY]
    assert dict(connection.query) == {
        "model": "ink-2",
        "language": "en",
        "encoding": "pcm_s16le",
        "sample_rate": "16000",
    }
    assert [m for m in connection.messages if isinstance(m, str)] == ["finalize", "close"]


def test_requests_name_the_version() -> None:
    """Of the interface, as both need it."""
    for case in (wire.CASE, turns_wire.CASE):
        _, connection, _ = one_utterance(case)
        assert connection.headers["Cartesia-Version"] == "2026-03-01"


def test_other_languages_have_another_model() -> None:
    """Both go into the query as they are."""
    query = dict(params(cartesia_stt.Transcriber, model="ink-whisper", language="de"))
    assert (query["model"], query["language"]) == ("ink-whisper", "de")


def test_texts_follow_each_other_without_anything_between() -> None:
    """Up to flush_done, which answers finalize."""
    told = events(
        protocol(cartesia_stt.Transcriber),
        transcript("Do yo", final=False),
        transcript("Do you", final=True),
        transcript("r", final=False),
        transcript("r dogs", final=True),
        message("flush_done"),
        transcript("bite?", final=True),
    )
    assert told == [
        InterimTranscript("Do yo"),
        InterimTranscript("Do you"),
        InterimTranscript("Do your"),
        InterimTranscript("Do your dogs"),
        FinalTranscript("Do your dogs"),
        Finalized(),
        InterimTranscript("bite?"),
    ]


def test_a_turn_from_beginning_to_end() -> None:
    """Transcripts are of the whole turn so far."""
    told = events(
        protocol(cartesia_turns.Transcriber),
        message("connected"),
        message("turn.start"),
        message("turn.update", transcript="Do"),
        message("turn.eager_end", transcript="Do you"),
        message("turn.resume"),
        message("turn.end", transcript="Do you?"),
    )
    assert told == [
        TurnBegan(),
        InterimTranscript("Do"),
        InterimTranscript("Do you"),
        TurnMayBeOver(),
        TurnResumed(),
        FinalTranscript("Do you?"),
        TurnOver(),
    ]


def test_turns_are_theirs() -> None:
    """Nothing is finalized; silence follows until the turn is over."""
    heard, connection, keys = one_utterance(turns_wire.CASE)
    assert heard == "Do you have a table for two?"
    assert keys == [KEY]
    assert dict(connection.query) == {
        "model": "ink-2",
        "encoding": "pcm_s16le",
        "sample_rate": "16000",
    }
    assert [m for m in connection.messages if isinstance(m, str)] == ['{"type": "close"}']


@pytest.mark.parametrize("kind", [cartesia_stt.Transcriber, cartesia_turns.Transcriber])
def test_errors_and_other_messages(kind: type) -> None:
    """Errors are ours without their words, final by their status; silence keeps it alive."""
    on = protocol(kind)
    assert not any(on.keep_alive())
    assert events(on, message("done"), message("something.new")) == []
    assert not fails(on, message("error", status_code=401, message="secret")).retryable
    assert not fails(on, message("error", code=400, title="secret")).retryable
    assert fails(on, message("error", status_code=503)).retryable
    not_understood(on, ["", "{", message("transcript", text=5, transcript=5)])
