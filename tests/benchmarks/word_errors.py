"""Word errors of local speech-to-text on recorded speech, as a telephone line carries it.

Run ``python -m tests.benchmarks.word_errors``: the recordings of this repository. With ``--sounds
DIR``, a folder in which Debian's ``asterisk-core-sounds-en-wav`` and ``asterisk-core-sounds-en``
were unpacked (``dpkg-deb -x``): 150 prompts of 4 words and more, 1 to 12 s, drawn with seed 7.

The speech goes through G.711 mu-law at 8 kHz and the line's resampler to 16 kHz, and has 0.3 s of
silence before it and 0.4 s after it, which is about what the voice gate hands over.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import random
import re
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.audio import SPEECH_RATE, Audio, Resampler
from pipelines.providers import moonshine
from tests.recordings import TRANSCRIPTS, load, read

DRAWN = 150
SEED = 7

JARGON = re.compile(
    r"asterisk|digium|dahdi|iax|sip|pbx|comedian|waldo|prepend|\.\.\.|[<\[(]", re.IGNORECASE
)
"""Brands, jargon, fragments and sounds: no caller says these, and their spelling is arbitrary."""

# fmt: off
UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
# fmt: on
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

SPELLINGS = {
    "*": " star ",
    "#": " pound ",
    "unmute": "un mute",
    "umute": "un mute",  # misspelt in the transcripts, as is the next
    "represenatives": "representatives",
    "filename": "file name",
    "keypad": "key pad",
    "rerecord": "re record",
    "voicemail": "voice mail",
    "touchtone": "touch tone",
}
"""Two ways of writing the same sound count as one."""


def words(text: str) -> list[str]:
    """Return the words of ``text`` as they sound.

    Lower case, no punctuation, apostrophes dropped ("I'm" is "im"), hyphens open, integers up to
    99 in words, longer ones digit by digit.
    """
    text = text.lower().replace("'", "").replace("’", "")
    for written, spoken in SPELLINGS.items():
        text = text.replace(written, spoken)
    text = re.sub(r"\d+", lambda number: f" {_spoken(number.group())} ", text)
    return re.findall(r"[a-z]+", text)


def _spoken(digits: str) -> str:
    """Return a number as it is read out."""
    if len(digits) > 2:
        return " ".join(UNITS[int(digit)] for digit in digits)
    tens, unit = divmod(int(digits), 10)
    if tens < 2:
        return UNITS[int(digits)]
    return TENS[tens - 2] + (f" {UNITS[unit]}" if unit else "")


def errors(said: list[str], heard: list[str]) -> int:
    """Return how many words must be put in, left out or changed: the Levenshtein distance."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            changed = diagonal + (word != other)
            diagonal, row[j] = row[j], min(changed, row[j] + 1, row[j - 1] + 1)
    return row[-1]


def mulaw_round_trip(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return what is left of ``samples`` after G.711 mu-law: 8 bits, about 14 bits of range."""
    magnitude = np.minimum(np.abs(samples.astype(np.int32)), 32_635) + 132
    # A float's exponent, less 1: how many bits are above the bias, 0 to 7 after 7 are taken off.
    exponent = np.frexp(magnitude)[1] - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    decoded = (((mantissa << 3) + 132) << exponent) - 132
    signed: npt.NDArray[np.int16] = np.where(samples < 0, -decoded, decoded).astype(np.int16)
    return signed


def by_phone(audio: Audio, lead: float = 0.3, tail: float = 0.4) -> Audio:
    """Return 8 kHz ``audio`` as a call brings it to speech-to-text, at SPEECH_RATE.

    Args:
        audio: Speech at 8 kHz.
        lead: Seconds of silence before it.
        tail: Seconds of silence after it.
    """
    samples = np.frombuffer(audio.pcm, "<i2")
    quiet = [bytes(2 * int(seconds * audio.rate)) for seconds in (lead, tail)]
    pcm = quiet[0] + mulaw_round_trip(samples).tobytes() + quiet[1]
    resampler = Resampler(audio.rate, SPEECH_RATE)
    return Audio(resampler.feed(pcm) + resampler.flush(), SPEECH_RATE)


async def spoken(audio: Audio) -> AsyncIterator[Audio]:
    """Yield ``audio`` at once, as speech-to-text takes it."""
    yield audio


def prompts(folder: Path) -> Iterator[tuple[str, Audio]]:
    """Yield the prompts of an unpacked Asterisk sound package that :data:`DRAWN` says to draw."""
    table = next(folder.rglob("core-sounds-en.txt.gz"))
    sounds = next(folder.rglob("en_US_f_Allison"))
    eligible: list[tuple[str, Audio]] = []
    for line in gzip.decompress(table.read_bytes()).decode().splitlines():
        name, colon, text = line.partition(":")
        path = sounds / f"{name}.wav"
        if not colon or JARGON.search(text) or len(words(text)) < 4 or not path.exists():
            continue
        audio = read(path)
        if 1 <= audio.seconds <= 12:
            eligible.append((text.strip(), audio))
    yield from random.Random(SEED).sample(eligible, min(DRAWN, len(eligible)))


async def measure(
    transcriber: moonshine.Transcriber, speech: list[tuple[str, Audio]], *, show: bool
) -> Mapping[str, float]:
    """Transcribe each utterance, one after the other, and return the figures by name."""
    wrong = total = exact = 0
    times = []
    for text, audio in speech:
        line = by_phone(audio)
        begun = time.perf_counter()
        heard = await transcriber.transcribe(spoken(line))
        times.append(time.perf_counter() - begun)
        missed = errors(words(text), words(heard))
        wrong, total, exact = wrong + missed, total + len(words(text)), exact + (not missed)
        if show and missed:
            print(f"  {text!r} -> {heard!r}")
    cuts = statistics.quantiles(times, n=20)
    return {
        "files": len(speech),
        "seconds of speech": sum(audio.seconds for _, audio in speech),
        "words": total,
        "word error rate %": 100 * wrong / total,
        "exact matches": exact,
        "p50 ms": 1000 * statistics.median(times),
        "p95 ms": 1000 * cuts[-1],
    }


async def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sounds", type=Path, help="unpacked Asterisk sound packages")
    parser.add_argument("--model", choices=("tiny", "base"), default="tiny")
    parser.add_argument("--show", action="store_true", help="print what was heard wrong")
    given = parser.parse_args()
    speech = (
        list(prompts(given.sounds))
        if given.sounds
        else [(text, load(name)) for name, text in TRANSCRIPTS.items()]
    )
    transcriber = moonshine.Transcriber(moonshine.Transcriber.Options(model=given.model))
    await transcriber.start()
    try:
        figures = await measure(transcriber, speech, show=given.show)
    finally:
        await transcriber.aclose()
    for name, value in figures.items():
        print(f"{name:>20} {value:8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
