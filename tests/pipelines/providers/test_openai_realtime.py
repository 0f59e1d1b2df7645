"""What is particular to OpenAI's realtime transcription."""

from __future__ import annotations

import json

from pipelines.providers.openai_realtime import Transcriber
from pipelines.providers.streaming_stt.protocol import (
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TranscriptionEvent,
)
from tests.contract.bench import speech
from tests.contract.wires.openai_realtime import CASE

from .hearing import KEY, events, fails, not_understood, one_utterance, protocol

HEARD = "conversation.item.input_audio_transcription"


def committed(item: str) -> str:
    return json.dumps({"type": "input_audio_buffer.committed", "item_id": item})


def delta(item: str, text: str) -> str:
    return json.dumps({"type": f"{HEARD}.delta", "item_id": item, "delta": text})


def completed(item: str, text: str) -> str:
    return json.dumps({"type": f"{HEARD}.completed", "item_id": item, "transcript": text})


def error(code: str | None) -> str:
    return json.dumps({"type": "error", "error": {"code": code, "message": "secret"}})


def answer(text: str) -> list[TranscriptionEvent]:
    return [FinalTranscript(text), Finalized()]


def test_an_utterance_is_appended_then_committed() -> None:
    """In the messages and with the query that OpenAI documents; at 24 kHz."""
    heard, connection, keys = one_utterance(CASE)
    assert heard == "Do you have a table for two?"
    assert keys == [KEY]
    assert connection.query == [("intent", "transcription")]
    opening, *chunks, commit = [json.loads(each) for each in connection.messages]
    assert opening == {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": {"model": "gpt-live-transcribe", "language": "en"},
                    "turn_detection": None,
                }
            },
        },
    }
    assert {chunk["type"] for chunk in chunks} == {"input_audio_buffer.append"}
    assert commit == {"type": "input_audio_buffer.commit"}
    seconds = sum(piece.seconds for piece in speech())
    assert abs(len(connection.pcm) / 48_000 - seconds) < 0.001


def test_the_language_can_be_left_to_the_model() -> None:
    """Then none is named."""
    (opening,) = protocol(Transcriber, language=None, model="gpt-4o-transcribe").opening()
    heard = json.loads(opening)["session"]["audio"]["input"]
    assert heard["transcription"] == {"model": "gpt-4o-transcribe"}


def test_pieces_of_an_item_are_put_together() -> None:
    """Whether they come before it is committed, or after; what is completed is final."""
    on = protocol(Transcriber)
    told = events(on, delta("a", "Do "), committed("a"), delta("a", "you"), completed("a", "Do?"))
    assert told == [
        InterimTranscript("Do "),
        InterimTranscript("Do "),
        InterimTranscript("Do you"),
        *answer("Do?"),
    ]


def test_items_keep_the_order_that_they_were_committed_in() -> None:
    """Though they may be completed in another, and told of in pieces at the same time."""
    on = protocol(Transcriber)
    assert events(on, committed("a"), committed("b"), delta("b", "tw")) == []
    assert events(on, completed("b", "Two.")) == []
    assert events(on, completed("a", "One.")) == [*answer("One."), *answer("Two.")]


def test_what_comes_after_an_item_is_completed_is_nothing() -> None:
    """It would stand in the way of the next."""
    on = protocol(Transcriber)
    events(on, committed("a"), completed("a", "One."))
    assert events(on, delta("a", "more"), completed("a", "One.")) == []
    assert events(on, committed("b"), completed("b", "Two.")) == answer("Two.")


def test_a_commit_of_too_little_is_answered() -> None:
    """By an error, in its turn."""
    on = protocol(Transcriber)
    empty = error("input_audio_buffer_commit_empty")
    assert events(on, committed("a"), empty) == []
    assert events(on, completed("a", "One.")) == [*answer("One."), *answer("")]
    assert events(on, empty) == answer("")


def test_errors() -> None:
    """They are ours without their words, and final if to ask again cannot help."""
    on = protocol(Transcriber)
    assert not fails(on, error("insufficient_quota")).retryable
    assert fails(on, error("server_error")).retryable
    assert fails(on, error(None)).retryable
    fails(
        on, json.dumps({"type": f"{HEARD}.failed", "item_id": "a", "error": {"message": "secret"}})
    )
    assert events(on, '{"type": "session.updated"}', '{"type": "rate_limits.updated"}') == []
    not_understood(on, ["", "{", '{"type": 7, "transcript": 5}'])
