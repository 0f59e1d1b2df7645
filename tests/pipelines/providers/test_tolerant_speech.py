"""What was heard, and what is spoken, is not lost for a field that nobody needs."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from pipelines.providers import (
    assemblyai_stt,
    cartesia_stt,
    cartesia_tts,
    cartesia_turns,
    deepgram_flux,
    deepgram_stt,
    elevenlabs_stt,
    elevenlabs_tts,
    google_tts,
    openai_realtime,
    openai_transcribe,
)
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.protocol import (
    Finalized,
    FinalTranscript,
    TranscriptionProtocol,
)
from pipelines.providers.streaming_tts.protocol import AudioChunk, SynthesisEnded, WordsTimed

from .hearing import events, protocol

PCM = bytes(range(8))
SECOND = bytes(32_000)


def heard(on: TranscriptionProtocol, *messages: Any) -> tuple[str, int]:
    """Return what is final of messages, and how many requests to finalize were answered."""
    found = [
        each
        for message in messages
        for each in on.read(message if isinstance(message, str) else json.dumps(message))
    ]
    final = [each.text for each in found if isinstance(each, FinalTranscript) and each.text]
    return " ".join(final), sum(isinstance(each, Finalized) for each in found)


def results(text: Any = "Hi.", **more: Any) -> dict[str, Any]:
    return {
        "type": "Results",
        "start": 0.0,
        "duration": 1.0,
        "is_final": True,
        "from_finalize": True,
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": []}]},
        **more,
    }


@pytest.mark.parametrize(
    "messages",
    [
        [results()],
        [results(type=None)],
        [results(start=None)],
        [results(start="0.0", duration="1.0", is_final="true")],
        [results(duration="long")],
        [results(is_final=None)],
        [results(from_finalize=None)],
        [results(metadata=None, channel_index=None, speech_final="maybe")],
        [results(None, from_finalize=False, duration=0.5), results()],
        [results(channel={"alternatives": []}, from_finalize=False, duration=0.1), results()],
        [results(channel={}, from_finalize=False, duration=0.1), results()],
        [results(channel=None, from_finalize=False, duration=0.1), results()],
        [results(channel={"alternatives": [{"transcript": "Hi.", "confidence": None}]})],
        [{"type": "SpeechStarted", "timestamp": None}, {"type": "News"}, {"x": 1}, [], results()],
    ],
)
def test_deepgram(messages: Sequence[Any]) -> None:
    """The words, and that they are all."""
    on = protocol(deepgram_stt.Transcriber)
    on.audio(SECOND)
    on.finalize()
    assert heard(on, *messages) == ("Hi.", 1)


def test_deepgram_is_asked_again_after_times_that_cannot_be() -> None:
    """A time beyond all that was sent answers nothing that is sent later."""
    on = protocol(deepgram_stt.Transcriber)
    on.audio(SECOND)
    heard(on, results(duration=1e9))
    on.audio(SECOND)
    assert on.finalize()


FLUX = {"type": "TurnInfo", "event": "EndOfTurn", "transcript": "Hi."}
TURN = {"type": "Turn", "transcript": "Hi.", "end_of_turn": True, "turn_is_formatted": True}
SCRIBE = {"message_type": "committed_transcript", "text": "Hi."}
INK = {"type": "transcript", "text": "Hi.", "is_final": True}
FLUSHED = {"type": "flush_done"}
HEARD = "conversation.item.input_audio_transcription"
DELTA = {"type": f"{HEARD}.delta", "item_id": "a", "delta": "Hi."}
COMPLETED = {"type": f"{HEARD}.completed", "item_id": "a", "transcript": "Hi."}
COMMITTED = {"type": "input_audio_buffer.committed", "item_id": "a", "previous_item_id": None}


@pytest.mark.parametrize(
    ("adapter", "messages"),
    [
        (deepgram_flux, [{**FLUX, "words": None, "end_of_turn_confidence": "high"}]),
        (deepgram_flux, [{**FLUX, "type": None}]),
        (deepgram_flux, [{**FLUX, "event": "Update", "transcript": None}, {"type": "New"}, FLUX]),
        (deepgram_flux, [{"type": "TurnInfo"}, {"event": 7}, [], FLUX]),
        (assemblyai_stt, [{**TURN, "words": 7, "end_of_turn_confidence": None}]),
        (assemblyai_stt, [{**TURN, "type": None, "error": None}]),
        (assemblyai_stt, [{**TURN, "turn_is_formatted": None, "error": ""}]),
        (assemblyai_stt, [{**TURN, "transcript": None, "end_of_turn": None}, {"x": 1}, TURN]),
        (assemblyai_stt, [{**TURN, "end_of_turn": "true", "turn_order": "0"}]),
        (elevenlabs_stt, [{**SCRIBE, "error": None, "words": None}]),
        (elevenlabs_stt, [{**SCRIBE, "error": "", "language_code": 7}]),
        (elevenlabs_stt, [{"message_type": "news"}, {}, {**SCRIBE, "text": None}, SCRIBE]),
        (cartesia_stt, [{**INK, "duration": None, "words": 7}, FLUSHED]),
        (cartesia_stt, [{**INK, "is_final": None}, FLUSHED]),
        (cartesia_stt, [{**INK, "type": None}, FLUSHED]),
        (cartesia_stt, [{"type": "transcript"}, {"type": 5}, INK, FLUSHED]),
        (cartesia_turns, [{"type": "turn.update"}, {"type": "turn.end", "transcript": "Hi."}]),
        (openai_realtime, [COMMITTED, DELTA, {**COMPLETED, "usage": None, "logprobs": 7}]),
        (openai_realtime, [{**COMMITTED, "item_id": None}, DELTA, COMPLETED]),
        (openai_realtime, [COMMITTED, {**DELTA, "item_id": None}, COMPLETED]),
        (openai_realtime, [{**DELTA, "item_id": None}, COMMITTED, COMPLETED]),
        (openai_realtime, [COMMITTED, DELTA, {**COMPLETED, "item_id": None}]),
        (openai_realtime, [COMMITTED, DELTA, {**COMPLETED, "transcript": None}]),
        (openai_realtime, [COMMITTED, {**DELTA, "delta": None}, {"type": "new"}, COMPLETED]),
    ],
)
def test_other_streams(adapter: Any, messages: Sequence[Any]) -> None:
    """The words; what else is there, or is not, does not matter."""
    assert heard(protocol(adapter.Transcriber), *messages)[0] == "Hi."


def test_errors_are_told_whatever_is_in_them() -> None:
    """Their codes may be text, or missing."""
    for adapter, message in (
        (cartesia_stt, {"type": "error", "status_code": "429"}),
        (cartesia_stt, {"type": "error", "status_code": None, "code": 429}),
        (cartesia_turns, {"type": "error", "code": {}}),
        (openai_realtime, {"type": "error", "error": "broken"}),
        (elevenlabs_stt, {"message_type": "error", "error": {"message": "x"}}),
        (assemblyai_stt, {"error": {"message": "x"}}),
    ):
        with pytest.raises(ProviderError):
            events(protocol(adapter.Transcriber), json.dumps(message))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"text": "Hi.", "usage": None, "language": 7}, "Hi."),
        ({"text": " Hi. ", "segments": None, "words": [7]}, "Hi."),
        ({"text": None}, ""),
        ({"text": "", "error": None}, ""),
        (
            {"text": None, "segments": [{"text": " Hello"}, {"text": None}, 7, {"text": "you."}]},
            "Hello you.",
        ),
        ({"segments": [{"text": "Hi.", "avg_logprob": "x"}]}, "Hi."),
        ("Hi.", "Hi."),
        ({"text": "Hi.", "error": {"message": None, "code": 0}}, "Hi."),
        ({"segments": []}, ""),
        ([{"text": "Hello"}, {"text": " you."}], "Hello you."),
        ({"transcript": "Hi."}, "Hi."),
        ({"result": {"transcription": "Hi.", "language": "en"}}, "Hi."),
        ({"results": [{"transcript": "Hello"}, {"text": "you."}]}, "Hello you."),
        (
            {"results": [{"alternatives": [{"transcript": "Hi."}, {"transcript": "High."}]}]},
            "Hi.",
        ),
        ({"results": []}, ""),
    ],
)
def test_a_file(answer: Any, said: str) -> None:
    """The words of an answer to an upload."""
    assert openai_transcribe._text(answer) == said


@pytest.mark.parametrize(
    "answer", [{}, [], 7, None, {"text": 7}, {"detail": "no"}, {"error": "no"}]
)
def test_a_file_without_words_is_an_error(answer: Any) -> None:
    """Nobody knows what was said then."""
    with pytest.raises((ValueError, ProviderError)):
        openai_transcribe._text(answer)


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("text/plain", b"Hi there.\n", "Hi there."),
        ("text/plain", b"7", "7"),
        ("text/plain", b"[Music]", "[Music]"),
        ("text/plain", b'{"text": "Hi."}', "Hi."),
        ("text/plain", b"", ""),
        ("text/html", b'\xef\xbb\xbf"Hi."', "Hi."),
    ],
)
def test_a_file_in_plain_words(kind: str, body: bytes, said: str) -> None:
    """Some servers do not know what JSON is, or what to call it."""
    assert openai_transcribe._heard(kind, body) == said


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b'{"text": "Hi'),
        ("text/plain", b"<html>"),
        ("text/html", b"Not found"),
        ("application/json", b"Hi."),
        ("application/json", b""),
    ],
)
def test_other_words_are_not_taken_for_the_callers(kind: str, body: bytes) -> None:
    """A proxy's page, or half of an answer."""
    with pytest.raises(ValueError, match=r"."):
        openai_transcribe._heard(kind, body)


# Spoken.


def spoken(adapter: Any, *messages: dict[str, Any]) -> tuple[bytes, tuple[float, ...], bool]:
    """Return the audio of one sentence, the ends of its words, and whether it has ended."""
    on = adapter._Dialect(adapter.Synthesizer.Options()).protocol()
    on.speak("c", "Hello there.", 8_000)
    found = [each for message in messages for each in on.read(json.dumps(message))]
    pcm = b"".join(each.pcm for each in found if isinstance(each, AudioChunk))
    ends = tuple(end for each in found if isinstance(each, WordsTimed) for end in each.ends)
    return pcm, ends, any(isinstance(each, SynthesisEnded) for each in found)


AUDIO = base64.b64encode(PCM).decode()
CHUNK = {"type": "chunk", "context_id": "c", "data": AUDIO, "done": False, "status_code": 206}
DONE = {"type": "done", "context_id": "c", "done": True, "status_code": 206}


def timestamps(**times: Any) -> dict[str, Any]:
    return {"type": "timestamps", "context_id": "c", "word_timestamps": times or None}


GOOD = {"words": ["Hello", "there"], "end": [0.2, 0.4]}


@pytest.mark.parametrize(
    ("messages", "ends"),
    [
        ([timestamps(**GOOD), CHUNK, DONE], (0.2, 0.4)),
        (
            [{**timestamps(**GOOD), "type": None}, {**CHUNK, "type": None}, {**DONE, "type": 7}],
            (0.2, 0.4),
        ),
        ([timestamps(words=["Hello", "there"], end=["0.2", 0.4]), CHUNK, DONE], (0.2, 0.4)),
        ([timestamps(words=["Hello", "there"], end=[None, 0.4]), CHUNK, DONE], ()),
        ([timestamps(words=["Hello", "there"], end=[{}, 0.4]), CHUNK, DONE], ()),
        ([timestamps(words=["Hello", "there"]), CHUNK, DONE], ()),
        ([timestamps(words=None, end=[0.4]), timestamps(), CHUNK, DONE], ()),
        ([{**CHUNK, "data": None}, CHUNK, {"type": "news", "context_id": "c"}, DONE], ()),
        ([{**CHUNK, "data": f"{AUDIO[:4]}\n{AUDIO[4:]}".rstrip("=")}, {**DONE, "done": None}], ()),
        ([{**CHUNK, "context_id": None, "status_code": "?"}, {**DONE, "context_id": 7}], ()),
    ],
)
def test_cartesia_speaks(messages: Sequence[dict[str, Any]], ends: Sequence[float]) -> None:
    """All of the audio, its end, and of times those that are sure."""
    assert spoken(cartesia_tts, *messages) == (PCM, ends, True)


CHARS = {
    "chars": list("Hello there."),
    "charStartTimesMs": [100 * at for at in range(12)],
    "charDurationsMs": [100] * 12,
}
PIECE = {"audio": AUDIO, "contextId": "c", "alignment": CHARS, "isFinal": None}
FINAL = {"isFinal": True, "contextId": "c"}


@pytest.mark.parametrize(
    ("messages", "timed"),
    [
        ([PIECE, FINAL], True),
        ([{**PIECE, "alignment": None}, FINAL], False),
        ([{**PIECE, "alignment": []}, FINAL], False),
        ([{**PIECE, "alignment": {**CHARS, "charDurationsMs": None}}, FINAL], False),
        ([{**PIECE, "alignment": {**CHARS, "chars": 7}}, FINAL], False),
        ([{**PIECE, "alignment": {**CHARS, "charStartTimesMs": ["x"] * 12}}, FINAL], False),
        ([{**PIECE, "normalizedAlignment": 7, "isFinal": "no"}, {**FINAL, "audio": None}], True),
        ([{"audio": None, "contextId": "c"}, {}, {"error": None, "audio": ""}, PIECE, FINAL], True),
        ([{**PIECE, "audio": AUDIO.rstrip("=") + "\n", "contextId": None}, FINAL], True),
    ],
)
def test_elevenlabs_speaks(messages: Sequence[dict[str, Any]], timed: bool) -> None:
    """All of the audio, and its end; times are of use, and no more."""
    pcm, ends, ended = spoken(elevenlabs_tts, *messages)
    assert (pcm, bool(ends), ended) == (PCM, timed, True)


def test_google_speaks() -> None:
    """With fields that are new, base64 in lines, and half a sample at the end."""
    size = len(PCM) + 1
    head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data"
    wav = base64.encodebytes(head + size.to_bytes(4, "little") + PCM + b"\7").decode()
    answer = {"audioContent": wav, "timepoints": None, "audioConfig": 7}
    assert google_tts._audio(json.dumps(answer).encode()).pcm == PCM
