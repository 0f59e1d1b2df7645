"""The caller of a placed call: what they say, and what they make out of what they hear."""

from __future__ import annotations

import wave
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import numpy as np

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Turn
from agent.simulator.stream_caller import CallFailedError
from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.listening.dtmf import tones
from pipelines.providers import find
from pipelines.providers.contracts import ProviderError
from pipelines.text.speakable import speakable

RATES = (1_000, 400_000)
"""Hertz of a recording, the least and the most: what is beyond is a broken file."""

MARGIN = 0.2
"""Seconds taken with a stretch of speech on both sides when it is transcribed."""


async def spoken_turns(texts: list[str], rate: int) -> list[Turn]:
    """Speak ``texts`` with the local voice.

    Raises:
        CallFailedError: If the local voice is not installed.
    """
    if not texts:
        return []
    try:
        voice_class = find("tts", "piper")
        voice = voice_class(voice_class.Options())
        await voice.start()
    except (LookupError, ProviderError) as error:
        raise CallFailedError(f"--say: {error}") from None
    try:
        turns = []
        for text in texts:
            async with aclosing(voice.speak(speakable(text))) as pieces:
                audio = [piece async for piece in pieces]
            turns.append(Turn(audio=at_rate(audio, rate), label=text))
        return turns
    finally:
        await voice.aclose()


class UnusableTurnError(CallFailedError):
    """What the caller was to say or press is no such thing; the message is one clear line."""


def recorded_turn(path: Path, rate: int) -> Turn:
    """Read a 16-bit WAV of any rate; of several channels, the first is taken.

    Raises:
        UnusableTurnError: If it is no such file, or there is nothing in it.
    """
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise UnusableTurnError(f"{path}: {8 * file.getsampwidth()} bits, 16 are needed")
            if not RATES[0] <= file.getframerate() <= RATES[1]:
                raise UnusableTurnError(f"{path}: no WAV: {file.getframerate()} hertz")
            channels, found = file.getnchannels(), file.readframes(file.getnframes())
            whole = len(found) // (2 * channels) * channels  # it may be cut off anywhere
            mono = np.frombuffer(found, "<i2", whole)[::channels].tobytes()
            audio = Audio(mono, file.getframerate())
    except OSError as error:
        raise UnusableTurnError(f"{path}: {error.strerror}") from None
    except (EOFError, wave.Error) as error:
        raise UnusableTurnError(f"{path}: no WAV: {str(error) or 'it ends too soon'}") from None
    if not audio.pcm:
        raise UnusableTurnError(f"{path}: there is no sound in it")
    return Turn(audio=at_rate([audio], rate), label=path.name)


def pressed_turn(keys: str, rate: int) -> Turn:
    """Return keys that the caller presses, as tones.

    Raises:
        UnusableTurnError: If there are no such keys, or none.
    """
    try:
        return Turn(audio=Audio(tones(_some(keys), rate), rate), label=f"presses {keys}")
    except ValueError as error:
        raise UnusableTurnError(f"--press {keys!r}: {error}") from None


def _some(keys: str) -> str:
    if not keys.strip("w"):
        raise ValueError("press at least one key, such as 123#")
    return keys


async def transcribe_agent(call: CallInProgress) -> list[str]:
    """Return what the agent said, stretch by stretch, as the caller's end heard it.

    Raises:
        CallFailedError: If the local speech-to-text is not installed.
    """
    try:
        transcriber_class = find("stt", "moonshine")
        transcriber = transcriber_class(transcriber_class.Options())
        await transcriber.start()
    except (LookupError, ProviderError) as error:
        raise CallFailedError(f"--transcribe: {error}") from None
    rate = call.report.rate
    try:
        words = []
        for began, ended in call.report.agent_spoke:
            start = 2 * int(max(0.0, began - MARGIN) * rate)
            stop = 2 * int((ended + MARGIN) * rate)
            pcm = bytes(call.agent_channel[start:stop])
            words.append(
                await transcriber.transcribe(_once(at_rate([Audio(pcm, rate)], SPEECH_RATE)))
            )
        return words
    finally:
        await transcriber.aclose()


async def _once(audio: Audio) -> AsyncGenerator[Audio, None]:
    yield audio
