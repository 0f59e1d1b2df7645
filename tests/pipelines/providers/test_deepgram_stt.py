"""What is particular to Deepgram Nova."""

from __future__ import annotations

import json

from pipelines.providers.deepgram_stt import Transcriber
from pipelines.providers.streaming_stt.protocol import (
    ConnectionEnded,
    Finalized,
    FinalTranscript,
    InterimTranscript,
)
from tests.contract.wires.deepgram_stt import CASE

from .hearing import KEY, events, fails, not_understood, one_utterance, params, protocol

SECOND = bytes(32_000)


def results(
    text: str, start: float, end: float, *, final: bool = True, finalized: bool = False
) -> str:
    return json.dumps(
        {
            "type": "Results",
            "start": start,
            "duration": end - start,
            "is_final": final,
            "from_finalize": finalized,
            "channel": {"alternatives": [{"transcript": text}]},
        }
    )


def test_an_utterance_is_audio_then_finalize_then_close() -> None:
    """In the messages and with the query that Deepgram documents."""
    heard, connection, keys = one_utterance(CASE, {"keyterms": ["Sinch", "Malmö"]})
    assert heard == "Do you have a table for two?"
    assert keys == [KEY]
    assert connection.query == [
        ("model", "nova-3"),
        ("language", "en"),
        ("encoding", "linear16"),
        ("sample_rate", "16000"),
        ("channels", "1"),
        ("interim_results", "true"),
        ("punctuate", "true"),
        ("endpointing", "false"),
        ("keyterm", "Sinch"),
        ("keyterm", "Malmö"),
    ]
    texts = [json.loads(m) for m in connection.messages if isinstance(m, str)]
    assert texts == [{"type": "Finalize"}, {"type": "CloseStream"}]


def test_model_and_language_can_be_chosen() -> None:
    """They go into the query as they are."""
    query = dict(params(Transcriber, model="nova-2-phonecall", language="multi"))
    assert (query["model"], query["language"]) == ("nova-2-phonecall", "multi")


def test_results_are_interim_until_they_are_final() -> None:
    """Final ones that come while the caller speaks answer nothing."""
    on = protocol(Transcriber)
    on.audio(SECOND)
    told = events(on, results("do you", 0, 1, final=False), results("Do you", 0, 1))
    assert told == [InterimTranscript("do you"), FinalTranscript("Do you")]


def test_a_finalize_is_answered_by_its_results() -> None:
    """Even if they end a little before what was sent."""
    on = protocol(Transcriber)
    on.audio(SECOND)
    assert on.finalize()
    told = events(on, results("Hello.", 0, 0.9, finalized=True))
    assert told == [FinalTranscript("Hello."), Finalized()]


def test_a_finalize_is_answered_once_all_is_final() -> None:
    """Whatever made it so; the answer that comes later then answers nothing."""
    on = protocol(Transcriber)
    on.audio(SECOND)
    assert on.finalize()
    assert events(on, results("Hello.", 0, 1.0)) == [FinalTranscript("Hello."), Finalized()]
    on.audio(SECOND)
    assert on.finalize()
    assert events(on, results("", 0.99, 1.0, finalized=True)) == [FinalTranscript("")]
    assert events(on, results("You?", 1.0, 2.0, finalized=True)) == [
        FinalTranscript("You?"),
        Finalized(),
    ]


def test_nothing_is_finalized_twice() -> None:
    """Deepgram may say nothing where there is nothing left to say."""
    on = protocol(Transcriber)
    on.audio(SECOND)
    events(on, results("Hello.", 0, 0.95))
    assert on.finalize() == ()
    on.audio(SECOND)
    assert on.finalize() != ()


def test_metadata_is_the_last_word() -> None:
    """If we asked for it; some servers send it at the beginning, too."""
    on = protocol(Transcriber)
    assert events(on, '{"type": "Metadata"}') == []
    assert on.closing() == ('{"type": "CloseStream"}',)
    assert events(on, '{"type": "Metadata"}') == [ConnectionEnded()]


def test_other_messages() -> None:
    """Errors are ours without their words, what is new is passed over, the rest is an error."""
    on = protocol(Transcriber)
    assert on.keep_alive() == '{"type": "KeepAlive"}'
    assert events(on, '{"type": "SpeechStarted"}', '{"type": "UtteranceEnd"}') == []
    assert fails(on, '{"type": "Error", "description": "secret"}').retryable
    not_understood(on, ["", "{", b"\xff", "[" * 100_000])
