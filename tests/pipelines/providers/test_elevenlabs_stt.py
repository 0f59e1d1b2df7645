"""What is particular to ElevenLabs Scribe."""

from __future__ import annotations

import base64
import json

import pytest

from pipelines.providers.elevenlabs_stt import Transcriber
from pipelines.providers.streaming_stt.protocol import Finalized, FinalTranscript, InterimTranscript
from tests.contract.wires.elevenlabs_stt import CASE

from .hearing import KEY, events, fails, not_understood, one_utterance, params, protocol


def message(kind: str, **fields: str) -> str:
    return json.dumps({"message_type": kind, **fields})


def test_an_utterance_is_chunks_then_a_commit() -> None:
    """In the messages and with the query that ElevenLabs documents."""
    heard, connection, keys = one_utterance(CASE, {"keyterms": ["Sinch", "Malmö"]})
    assert heard == "Do you have a table for two?"
    assert keys == [KEY]
    assert connection.query == [
        ("model_id", "scribe_v2_realtime"),
        ("audio_format", "pcm_16000"),
        ("commit_strategy", "manual"),
        ("keyterms", "Sinch"),
        ("keyterms", "Malmö"),
        ("language_code", "en"),
    ]
    chunks = [json.loads(each) for each in connection.messages]
    assert [chunk["commit"] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1] == {
        "message_type": "input_audio_chunk",
        "audio_base_64": "",
        "commit": True,
        "sample_rate": 16000,
    }


def test_the_language_can_be_left_to_the_model() -> None:
    """Then none is named."""
    assert "language_code" not in dict(params(Transcriber, language=None))


def test_transcripts() -> None:
    """Partial ones are interim; a committed one answers a commit, if there was one."""
    on = protocol(Transcriber)
    told = events(on, message("partial_transcript", text="do"), message("session_started"))
    assert told == [InterimTranscript("do")]
    assert events(on, message("committed_transcript", text="Do.")) == [FinalTranscript("Do.")]
    on.finalize()
    told = events(on, message("committed_transcript", text="You?"))
    assert told == [FinalTranscript("You?"), Finalized()]
    assert events(on, message("committed_transcript_with_timestamps", text="You?")) == []


def test_a_commit_of_too_little_is_answered() -> None:
    """By an error that says so; what was heard of it is kept."""
    on = protocol(Transcriber)
    on.finalize()
    assert events(on, message("commit_throttled", error="secret")) == [Finalized()]


@pytest.mark.parametrize(
    ("kind", "final"),
    [
        ("auth_error", True),
        ("quota_exceeded", True),
        ("unaccepted_terms", True),
        ("rate_limited", False),
        ("session_time_limit_exceeded", False),
        ("insufficient_audio_activity", False),
        ("something_new", False),
    ],
)
def test_errors(kind: str, final: bool) -> None:
    """They are ours without their words, and final if to ask again cannot help."""
    assert fails(protocol(Transcriber), message(kind, error="secret")).retryable is not final


def test_silence_keeps_it_alive() -> None:
    """There is no other way; it is not committed."""
    chunk = json.loads(protocol(Transcriber).keep_alive())
    assert not any(base64.b64decode(chunk["audio_base_64"]))
    assert chunk["commit"] is False


def test_what_is_not_of_the_protocol() -> None:
    """Is an error."""
    not_understood(
        protocol(Transcriber), ["", "{", '{"message_type": "partial_transcript", "text": 5}', b"\0"]
    )
