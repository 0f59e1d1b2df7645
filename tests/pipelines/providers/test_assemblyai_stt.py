"""What is particular to AssemblyAI."""

from __future__ import annotations

import json

from pipelines.providers.assemblyai_stt import Transcriber
from pipelines.providers.streaming_stt.protocol import (
    ConnectionEnded,
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TurnBegan,
    TurnOver,
)
from tests.contract.wires.assemblyai_stt import CASES

from .hearing import KEY, events, fails, not_understood, one_utterance, params, protocol

FORCE, TERMINATE = '{"type": "ForceEndpoint"}', '{"type": "Terminate"}'


def turn(text: str, *, over: bool = False, formatted: bool = False) -> str:
    return json.dumps(
        {
            "type": "Turn",
            "turn_order": 0,
            "transcript": text,
            "end_of_turn": over,
            "turn_is_formatted": formatted,
        }
    )


def test_an_utterance_is_audio_then_force_then_terminate() -> None:
    """In the messages and with the query that AssemblyAI documents."""
    heard, connection, keys = one_utterance(CASES[0], {"keyterms": ["Sinch", "Malmö"]})
    assert heard == "Do you have a table for two?"
    assert keys == [KEY]
    assert dict(connection.query) == {
        "speech_model": "universal-3-5-pro",
        "sample_rate": "16000",
        "encoding": "pcm_s16le",
        "language_codes": '["en"]',
        "keyterms_prompt": '["Sinch", "Malm\\u00f6"]',
        "min_turn_silence": "3000",
        "max_turn_silence": "3000",
    }
    assert [m for m in connection.messages if isinstance(m, str)] == [FORCE, TERMINATE]


def test_older_models_are_asked_to_format() -> None:
    """They take no language; formatting is what the newer ones do always."""
    query = dict(params(Transcriber, model="universal-streaming-english"))
    assert query["format_turns"] == "true"
    assert "language_codes" not in query


def test_turns_can_be_left_to_them() -> None:
    """Then nothing is forced, and silence ends a turn as they have it."""
    heard, connection, _ = one_utterance(CASES[2])
    assert heard == "Do you have a table for two?"
    assert not {"min_turn_silence", "max_turn_silence"} & set(dict(connection.query))
    assert [m for m in connection.messages if isinstance(m, str)] == [TERMINATE]


def test_the_end_of_a_turn_answers_a_force() -> None:
    """One that nobody forced ends nothing, but its text is final."""
    on = protocol(Transcriber)
    told = events(on, turn("do you"), turn("Do you?", over=True, formatted=True))
    assert told == [InterimTranscript("do you"), FinalTranscript("Do you?")]
    on.finalize()
    told = events(on, turn("Hello.", over=True, formatted=True))
    assert told == [FinalTranscript("Hello."), Finalized()]


def test_a_turn_that_ends_twice_ends_once() -> None:
    """With formatting, the first end is without punctuation."""
    on = protocol(Transcriber, model="universal-streaming-multilingual")
    on.finalize()
    assert events(on, turn("hello", over=True)) == [InterimTranscript("hello")]
    told = events(on, turn("Hello.", over=True, formatted=True))
    assert told == [FinalTranscript("Hello."), Finalized()]


def test_turns_that_they_detect() -> None:
    """Speech begins a turn, and its end is one."""
    on = protocol(Transcriber, detect_turns=True)
    told = events(on, '{"type": "SpeechStarted", "timestamp": 9}', turn("Hello.", over=True))
    assert told == [TurnBegan(), FinalTranscript("Hello."), TurnOver()]


def test_short_pieces_are_filled_up() -> None:
    """To 50 ms, which is the least that they take."""
    on = protocol(Transcriber)
    assert on.audio(b"\1\1") == b"\1\1" + bytes(1598)
    assert on.audio(bytes(2560)) == bytes(2560)


def test_other_messages() -> None:
    """Errors are ours without their words, what is new is passed over, the rest is an error."""
    on = protocol(Transcriber)
    assert events(on, '{"type": "Begin", "id": "x"}', '{"type": "SpeakerRevision"}') == []
    assert events(on, '{"type": "Termination"}') == [ConnectionEnded()]
    fails(on, '{"type": "Error", "error_code": 3006, "error": "secret"}')
    fails(on, '{"error": "secret"}')
    not_understood(on, ["", "{", '{"type": "Turn", "transcript": 5}', b"\0"])
