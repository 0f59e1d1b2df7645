"""The caller pauses as people do: recordings with their own silences, nothing put in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipelines.audio import Audio, at_rate
from pipelines.providers import moonshine
from tests import recordings
from tests.benchmarks.situations.answers import LONG
from tests.benchmarks.situations.caller import Turn, after_quiet, into
from tests.benchmarks.situations.held import Held, Plan
from tests.benchmarks.situations.others import cleared
from tests.benchmarks.situations.pauses import GREETING, REPLY
from tests.benchmarks.situations.situation import Bank, Figures, Judge, Situation
from tests.benchmarks.situations.speech import (
    FRAME,
    RATE,
    Samples,
    Speech,
    Word,
    aligned,
    loudness,
    spread,
    trimmed,
)
from tests.benchmarks.word_errors import by_phone, spoken

SHORTEST, LONGEST = 0.3, 1.6
"""Seconds of the silences that count."""

BELOW = 12.0
"""How much lower than speech a silence is: a reader's room is not as quiet as a studio, and breath
counts as silence."""


def natural_pauses(samples: Samples) -> list[tuple[float, float]]:
    """Return from when to when nothing is said, in the midst of a recording; in seconds."""
    rms = loudness(samples)
    quiet = np.concatenate([[False], rms < np.percentile(rms, 95) / BELOW, [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(int)))
    runs = edges.reshape(-1, 2) * FRAME / RATE
    length = len(samples) / RATE
    return [
        (float(start), float(end))
        for start, end in runs
        if SHORTEST <= end - start <= LONGEST and start > 1.0 and end < length - 0.5
    ]


@cache
def read_on(path: Path) -> Speech:
    """Return a WAV file of running speech; the words of each stretch are as Moonshine hears it."""
    audio = at_rate([recordings.read(path)], RATE)
    samples = trimmed(np.frombuffer(audio.pcm, "<i2").astype(np.float64))
    silences = [(0.0, 0.0), *natural_pauses(samples), (len(samples) / RATE, 0.0)]
    stretches = [(start, end) for (_, start), (end, _) in pairwise(silences)]
    parts = [samples[round(start * RATE) : round(end * RATE)] for start, end in stretches]
    words: list[Word] = []
    for (start, _), part, text in zip(stretches, parts, asyncio.run(_heard(parts)), strict=True):
        words += [
            Word(text=one.text, began=start + one.began, ended=start + one.ended)
            for one in (aligned(part, text) if text else ())
        ]
    return Speech(name=path.stem, samples=samples, words=tuple(words))


async def _heard(parts: list[Samples]) -> list[str]:
    transcriber = moonshine.Transcriber(moonshine.Transcriber.Options())
    await transcriber.start()
    try:
        pcm = [np.clip(part, -32768, 32767).astype("<i2").tobytes() for part in parts]
        return [
            (await transcriber.transcribe(spoken(by_phone(Audio(one, RATE))))).strip()
            for one in pcm
        ]
    finally:
        await transcriber.aclose()


def their_own_pauses(bank: Bank) -> Iterator[Situation]:
    """Yield the silences that speakers made, within single sentences and in running speech.

    In each call all is said from the beginning, through one silence, and a second of what follows.
    """
    with_pauses = [one for one in bank.sentences() if natural_pauses(one.samples)]
    yield from _paused("sentences", spread(with_pauses, bank.count(60, 200)), bank.language)
    for speech in map(read_on, bank.running):
        yield from _paused(speech.name, [speech], bank.language)
        yield from _talking_over_us(speech)


def _paused(group: str, speeches: list[Speech], language: str) -> Iterator[Situation]:
    for speech in speeches:
        for start, end in natural_pauses(speech.samples):
            turn = Turn(
                speech=speech.part(0, min(speech.seconds, end + 1.0)),
                when=after_quiet(0.6, sentences=2),
            )
            yield Situation(
                kind=f"pauses that speakers made, {group}",
                key=f"{speech.name} {start:.2f}",
                plan=Plan(
                    greeting=GREETING[language],
                    replies=REPLY[language],
                    turns=[turn],
                    lasts=0.1,
                ),
                judge=_gone_on(start, end),
            )


def _gone_on(start: float, end: float) -> Judge:
    def judge(held: Held) -> Figures:
        line = held.line
        if not line.said:
            return {"cut into": None}
        began = line.said[0].began
        sound = line.sound_between(began + start + 0.1, began + end)
        clears = [one for one in line.clears if one >= began + end]
        cut = sound is not None
        long = "of 0.6 s and more" if end - start >= 0.6 else "shorter than 0.6 s"
        return {
            "cut into": cut,
            f"cut into, {long}": cut,
            "seconds from going on to clear": clears[0] - began - end if cut and clears else None,
        }

    return judge


def _talking_over_us(speech: Speech) -> Iterator[Situation]:
    """Yield its stretches, said over us: how long until we stop."""
    begins = [0.0, *(end for _, end in natural_pauses(speech.samples))]
    for number, begin in enumerate(begins):
        over = speech.part(begin, min(speech.seconds, begin + 2.0))
        yield Situation(
            kind=f"onset of speech to clear, {speech.name}",
            key=f"{speech.name} {begin:.2f}",
            plan=Plan(
                greeting=LONG,
                turns=[Turn(speech=over, when=into("We are open from", 0.7 + number % 7 / 10))],
                lasts=0.5,
                done=lambda line: bool(line.clears),
            ),
            judge=cleared,
        )
