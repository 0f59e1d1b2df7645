"""Each streaming speech-to-text hears a recording, at the pace it was spoken, and its going on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from pipelines.audio import SPEECH_RATE, Audio, at_rate, frame_bytes
from pipelines.providers import (
    assemblyai_stt,
    cartesia_stt,
    cartesia_turns,
    deepgram_flux,
    deepgram_stt,
    elevenlabs_stt,
    openai_realtime,
)
from tests import recordings

pytestmark = pytest.mark.live

PROVIDERS = [
    ("deepgram", "DEEPGRAM_API_KEY", deepgram_stt.Transcriber, {}),
    ("deepgram-flux", "DEEPGRAM_API_KEY", deepgram_flux.Transcriber, {}),
    ("assemblyai", "ASSEMBLYAI_API_KEY", assemblyai_stt.Transcriber, {}),
    ("assemblyai-turns", "ASSEMBLYAI_API_KEY", assemblyai_stt.Transcriber, {"detect_turns": True}),
    ("elevenlabs", "ELEVENLABS_API_KEY", elevenlabs_stt.Transcriber, {}),
    ("cartesia", "CARTESIA_API_KEY", cartesia_stt.Transcriber, {}),
    ("cartesia-turns", "CARTESIA_API_KEY", cartesia_turns.Transcriber, {}),
    ("openai-realtime", "OPENAI_API_KEY", openai_realtime.Transcriber, {}),
]

KEYS = {variable: os.environ.get(variable) for _, variable, _, _ in PROVIDERS}
"""Read here, since no test sees the environment."""


@pytest.mark.parametrize(
    ("variable", "kind", "options"),
    [pytest.param(*rest, id=name) for name, *rest in PROVIDERS],
)
def test_a_recording_is_heard(variable: str, kind: Any, options: dict[str, Any]) -> None:
    """Up to a pause, then the whole; and silence has no words."""
    if not KEYS[variable]:
        pytest.skip(f"needs {variable}")

    async def main() -> None:
        provider = kind(kind.Options(api_key=KEYS[variable], **options))
        await provider.start()
        open_session = provider.open_session()
        try:
            first, second = pieces("hello"), pieces("saturday")
            heard = await open_session.transcribe(spoken(first))
            assert shared(heard, "hello") > 0.5, heard
            heard = await open_session.transcribe(spoken([*first, *second], known=len(first)))
            assert shared(heard, "hello") > 0.5, heard
            assert shared(heard, "saturday") > 0.5, heard
            if open_session.detects_turns:
                assert await open_session.turn_over()
            silence = [Audio(bytes(frame_bytes(SPEECH_RATE)), SPEECH_RATE) for _ in range(50)]
            assert await open_session.transcribe(spoken(silence)) == ""
        finally:
            await open_session.aclose()
            await provider.aclose()

    asyncio.run(main())


def pieces(name: str) -> list[Audio]:
    """Return a recording in frames of 20 ms."""
    pcm = at_rate([recordings.load(name)], SPEECH_RATE).pcm
    size = frame_bytes(SPEECH_RATE)
    return [Audio(pcm[at : at + size], SPEECH_RATE) for at in range(0, len(pcm), size)]


async def spoken(audio: Sequence[Audio], known: int = 0) -> AsyncIterator[Audio]:
    """Yield some audio at its own pace, after what was said before."""
    for number, piece in enumerate(audio):
        if number >= known:
            await asyncio.sleep(piece.seconds)
        yield piece


def shared(heard: str, name: str) -> float:
    """Return how much of what is said in a recording was heard, as a share of its words."""
    said = _words(recordings.TRANSCRIPTS[name])
    return len(said & _words(heard)) / len(said)


def _words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() else " " for c in text.lower()).split())
