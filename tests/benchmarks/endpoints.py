"""How long a silence our evidence asks for: after whole utterances, and inside of them.

Run ``python -m tests.benchmarks.endpoints``: the recordings of this repository. With ``--sounds
DIR``, as in :mod:`tests.benchmarks.word_errors`: 75 prompts with a known text, drawn with seed 11.

Each prompt is heard as a phone line carries it, up to ``pause_after`` into a silence: the one after
its end, and those that we put at its quiet points (the quietest 30 ms of each third).
The real turn model and the real speech-to-text say what they think of it.

A whole utterance should ask for little silence, a pause for more than it lasts. Prompts of several
sentences are left out, since a pause between two sentences is an end.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.listening.settings import GateSettings
from pipelines.providers import moonshine
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, silence_needed
from pipelines.turn_taking.smart_turn import SmartTurn
from tests.benchmarks.word_errors import by_phone, prompts, spoken
from tests.recordings import TRANSCRIPTS, load

PAUSES = (0.4, 0.8, 1.2, 1.6)
"""Seconds."""

DRAWN, SEED = 75, 11
SILENCE = GateSettings().pause_after
WINDOW = 0.03
FIXED = GateSettings().end_after


def quiet_points(pcm: bytes) -> Iterator[float]:
    """Yield where in each third of the speech its quietest 30 ms are, if they are a dip.

    In seconds; the first and the last 0.3 s do not count.
    """
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    size = int(WINDOW * SPEECH_RATE)
    power = np.square(samples[: len(samples) // size * size].reshape(-1, size)).mean(axis=1)
    loud = np.flatnonzero(power > power.max() / 1000)
    first, last = int(loud[0]), int(loud[-1])
    edges = np.linspace(first, last, 4).astype(int)
    for start, stop in pairwise(edges):
        low, high = max(int(start), first + 10), min(int(stop), last - 10)
        if high > low:
            lowest = low + int(np.argmin(power[low:high]))
            if power[lowest] < power.max() / 1000:
                yield lowest * WINDOW + WINDOW / 2


def up_to(pcm: bytes, seconds: float) -> bytes:
    """Return the speech up to there, and the silence after which we ask."""
    return pcm[: 2 * int(seconds * SPEECH_RATE)] + bytes(2 * int(SILENCE * SPEECH_RATE))


def end(pcm: bytes) -> float:
    """Return where the speech ends, in seconds."""
    samples = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32))
    return float(np.flatnonzero(samples > samples.max() / 50)[-1]) / SPEECH_RATE


def speech(folder: Path | None) -> list[tuple[str, bytes]]:
    """Return texts and audio at the speech rate: one sentence each."""
    source = list(prompts(folder)) if folder else [(t, load(n)) for n, t in TRANSCRIPTS.items()]
    whole = [(text, audio) for text, audio in source if not any(m in text[:-1] for m in ".?!")]
    random.Random(SEED).shuffle(whole)
    return [(text, by_phone(audio, tail=0).pcm) for text, audio in whole[:DRAWN]]


async def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sounds", type=Path, help="unpacked Asterisk sound packages")
    parser.add_argument("--show", action="store_true", help="print each decision")
    given = parser.parse_args()
    open_session, model = moonshine.Transcriber(moonshine.Transcriber.Options()), SmartTurn()
    await open_session.start()
    await model.start()

    async def asked(label: str, pcm: bytes) -> float:
        probability = await model.complete(pcm)
        said = await open_session.transcribe(spoken(Audio(pcm, SPEECH_RATE)))
        seconds = silence_needed(EndOfTurnSettings(), probability, said, "en") or FIXED
        if given.show:
            print(f"{label:6s} {probability:4.2f} {seconds:4.1f} s  {said}")
        return seconds

    try:
        whole, inside = [], []
        for _, pcm in speech(given.sounds):
            whole.append(await asked("whole", up_to(pcm, end(pcm))))
            inside += [await asked("inside", up_to(pcm, at)) for at in quiet_points(pcm)]
    finally:
        await model.aclose()
        await open_session.aclose()
    print(f"silence after {len(whole)} whole utterances:", histogram(whole))
    print(f"silence asked for inside of them, {len(inside)} times:", histogram(inside))
    for pause in PAUSES:
        cut = sum(seconds <= pause for seconds in inside)
        fixed = len(inside) * (pause >= FIXED)
        print(f"pauses of {pause:.1f} s cut into: {cut} of {len(inside)}; by {FIXED:g} s: {fixed}")


def histogram(seconds: list[float]) -> str:
    """Return how often each value comes."""
    return ", ".join(f"{value:g} s {seconds.count(value)}" for value in sorted(set(seconds)))


if __name__ == "__main__":
    asyncio.run(main())
