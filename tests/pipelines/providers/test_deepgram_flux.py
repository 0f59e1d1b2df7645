"""What is particular to Deepgram Flux."""

from __future__ import annotations

import json

from pipelines.providers.deepgram_flux import Transcriber
from pipelines.providers.streaming_stt.protocol import (
    FinalTranscript,
    InterimTranscript,
    TurnBegan,
    TurnMayBeOver,
    TurnOver,
    TurnResumed,
)
from tests.contract.wires.deepgram_flux import CASE

from .hearing import KEY, events, fails, not_understood, one_utterance, params, protocol, refuses


def turn(event: str, text: str) -> str:
    return json.dumps({"type": "TurnInfo", "event": event, "turn_index": 0, "transcript": text})


def test_an_utterance_is_audio_then_silence_then_close() -> None:
    """In the messages and with the query that Deepgram documents; turns are detected."""
    heard, connection, keys = one_utterance(CASE, {"keyterms": ["Sinch"]})
    assert heard == "Do you have a table for two?"
    assert keys == [KEY]
    assert dict(connection.query) == {
        "model": "flux-general-en",
        "encoding": "linear16",
        "sample_rate": "16000",
        "eot_threshold": "0.7",
        "eager_eot_threshold": "0.5",
        "eot_timeout_ms": "3000",
        "keyterm": "Sinch",
    }
    assert [m for m in connection.messages if isinstance(m, str)] == ['{"type": "CloseStream"}']
    assert connection.pcm.endswith(bytes(3200))
    assert Transcriber(Transcriber.Options()).open_session().detects_turns


def test_languages_and_thresholds_can_be_chosen() -> None:
    """The eager end of a turn can be left out, and is never surer than the end."""
    query = params(
        Transcriber,
        model="flux-general-multi",
        languages=("de", "en"),
        maybe_over_from=None,
        turn_over_after=1.5,
    )
    assert [value for name, value in query if name == "language_hint"] == ["de", "en"]
    assert "eager_eot_threshold" not in dict(query)
    assert dict(query)["eot_timeout_ms"] == "1500"
    refuses(Transcriber, turn_over_from=0.6, maybe_over_from=0.65)


def test_a_turn_from_beginning_to_end() -> None:
    """Transcripts are of the whole turn so far."""
    told = events(
        protocol(Transcriber),
        turn("Update", ""),
        turn("StartOfTurn", "Do"),
        turn("Update", "Do you"),
        turn("EagerEndOfTurn", "Do you?"),
        turn("TurnResumed", "Do you"),
        turn("EagerEndOfTurn", "Do you have one?"),
        turn("EndOfTurn", "Do you have one?"),
    )
    assert told == [
        InterimTranscript(""),
        TurnBegan(),
        InterimTranscript("Do"),
        InterimTranscript("Do you"),
        InterimTranscript("Do you?"),
        TurnMayBeOver(),
        InterimTranscript("Do you"),
        TurnResumed(),
        InterimTranscript("Do you have one?"),
        TurnMayBeOver(),
        FinalTranscript("Do you have one?"),
        TurnOver(),
    ]


def test_other_messages() -> None:
    """Errors are ours without their words, what is new is passed over, the rest is an error."""
    on = protocol(Transcriber)
    assert not any(on.keep_alive())
    assert on.finalize() == ()
    assert events(on, '{"type": "Connected"}', turn("Yawned", "")) == []
    for kind in ("Error", "FatalError"):
        fails(on, json.dumps({"type": kind, "code": "X", "description": "secret"}))
    not_understood(on, ["", "{", '{"type": "TurnInfo", "transcript": 5}'])
