"""How long a silence our evidence asks for: after whole utterances, and inside of them.

Run ``python -m tests.benchmarks.endpoints``: the recordings of this repository. With ``--sounds
DIR``, as in :mod:`tests.benchmarks.word_errors`: all prompts that are one sentence of 3 words and
more. Half of them, by a hash of their names, are for choosing weights and limits by
(``--half choose``), the others for reporting.

Each prompt is heard as a phone line carries it, up to a silence: the one after its end, and those
that we put at its quiet points (the quietest 30 ms of each third). The real turn model is asked
twice, as in a call; the real speech-to-text says what was said. Printed is what the silence is by
all evidence, and what it would be without some of it.

A whole utterance should ask for little silence, a pause for more than it lasts. Prompts of several
sentences are left out, since a pause between two sentences is an end.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.listening.settings import GateSettings
from pipelines.providers import moonshine
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, Evidence, silence_needed
from pipelines.turn_taking.smart_turn import SmartTurn
from pipelines.turn_taking.text_completeness import text_completeness
from tests.benchmarks.halves import is_for_choosing
from tests.benchmarks.word_errors import JARGON, by_phone, spoken, words
from tests.recordings import TRANSCRIPTS, load, read

PAUSES = (0.4, 0.8, 1.2, 1.6)
"""Seconds."""

ASKED_AT = (GateSettings().pause_after, 0.2)
"""Seconds of silence at which the turn model is asked, as :mod:`agent.call.evidence` does."""

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


def up_to(pcm: bytes, seconds: float, silence: float) -> bytes:
    """Return the speech up to there, and the silence after which we ask."""
    return pcm[: 2 * int(seconds * SPEECH_RATE)] + bytes(2 * int(silence * SPEECH_RATE))


def end(pcm: bytes) -> float:
    """Return where the speech ends, in seconds."""
    samples = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32))
    return float(np.flatnonzero(samples > samples.max() / 50)[-1]) / SPEECH_RATE


def speech(folder: Path | None) -> Iterator[tuple[str, Audio]]:
    """Yield names and audio: one sentence each."""
    if folder is None:
        yield from ((name, load(name)) for name, text in TRANSCRIPTS.items() if _is_one(text))
        return
    table = next(folder.rglob("core-sounds-en.txt.gz"))
    sounds = next(folder.rglob("en_US_f_Allison"))
    for line in gzip.decompress(table.read_bytes()).decode().splitlines():
        name, colon, text = line.partition(":")
        path = sounds / f"{name}.wav"
        if not colon or JARGON.search(text) or len(words(text)) < 3 or not path.exists():
            continue
        audio = read(path)
        if _is_one(text.strip()) and 0.7 <= audio.seconds <= 12:
            yield name, audio


def _is_one(text: str) -> bool:
    return not any(mark in text[:-1] for mark in ".?!")


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence, and what is known of it."""

    whole: bool
    evidence: Evidence


async def pauses(
    name: str, audio: Audio, model: SmartTurn, transcriber: moonshine.Transcriber
) -> list[Pause]:
    """Return the silence after a prompt, and those inside of it."""
    pcm = by_phone(audio, tail=0).pcm
    found: list[Pause] = []
    for at in (end(pcm), *quiet_points(pcm)):
        first, *_ = heard = [up_to(pcm, at, silence) for silence in ASKED_AT]
        said = await transcriber.transcribe(spoken(Audio(first, SPEECH_RATE)))
        evidence = Evidence(
            said=said,
            heard=[await model.complete(one) for one in heard],
            complete=text_completeness(said, "en") if said else None,
        )
        found.append(Pause(not found, evidence))
    return found


RULES: dict[str, Callable[[Evidence], Evidence]] = {
    "the model, asked once": lambda one: replace(one, said="", complete=None, heard=one.heard[:1]),
    "the model, asked twice": lambda one: replace(one, said="", complete=None),
    "and words": lambda one: replace(one, complete=None),
    "and the text: all evidence": lambda one: one,
}
"""What of the evidence is weighed."""


async def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sounds", type=Path, help="unpacked Asterisk sound packages")
    parser.add_argument("--half", choices=("choose", "report", "all"), default="all")
    parser.add_argument("--show", action="store_true", help="print each decision")
    given = parser.parse_args()
    transcriber, model = moonshine.Transcriber(moonshine.Transcriber.Options()), SmartTurn()
    await transcriber.start()
    await model.start()
    found: list[Pause] = []
    try:
        for name, audio in speech(given.sounds):
            if given.half == "all" or (given.half == "choose") == is_for_choosing(name):
                found += await pauses(name, audio, model, transcriber)
    finally:
        await model.aclose()
        await transcriber.aclose()
    for label, only in RULES.items():
        print(f"{label}:")
        report(found, only, show=given.show and label == list(RULES)[-1])


def report(found: Sequence[Pause], only: Callable[[Evidence], Evidence], *, show: bool) -> None:
    """Print what silence is asked for, by a part of the evidence."""
    asked: dict[bool, list[float]] = {True: [], False: []}
    for pause in found:
        weighed = silence_needed(EndOfTurnSettings(), only(pause.evidence), "en")
        seconds = FIXED if weighed is None else weighed.seconds
        asked[pause.whole].append(seconds)
        if show:
            label = "whole" if pause.whole else "inside"
            heard = " ".join(f"{one:.2f}" for one in pause.evidence.heard)
            print(f"{label:6s} {heard} {seconds:4.2f} s  {pause.evidence.said}")
    whole, inside = np.array(asked[True]), np.array(asked[False])
    print(
        f"  after {len(whole)} whole utterances: mean {whole.mean():.2f} s, "
        f"p50 {np.quantile(whole, 0.5):.2f}, p95 {np.quantile(whole, 0.95):.2f}"
    )
    cuts = ", ".join(f"of {pause:.1f} s {np.sum(inside <= pause)}" for pause in PAUSES)
    print(f"  pauses inside of them cut into, of {len(inside)}: {cuts}")


if __name__ == "__main__":
    asyncio.run(main())
