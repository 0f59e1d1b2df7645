"""How long after its onset a voice is known to be speech, and what else is taken for one.

Run ``python -m tests.benchmarks.onsets``: the recordings of this repository. With ``--sounds DIR``,
a folder in which Debian's ``asterisk-core-sounds-{en,es,fr,it}-wav`` and ``pocketsphinx-testdata``
were unpacked (``dpkg-deb -x``): the prompts of 1 to 12 s whose half (``--half``, by the first byte
of the SHA-256 of the name) is ``choose``, to fit constants on, or ``report``, to report.

Each begins after 1 s of line noise at -62 dBFS, at any phase of the packets, and goes through
G.711 mu-law. The onset is the first of its 20 ms over :data:`agent.simulator.stretches.SOUND` (in
LibriVox that is the room, some 0.25 s before the reader); it is known when the packet has come with
which speech starts, and a ``clear`` leaves. "Waiting" is what it takes if a frame has to wait for
the packet after it, because the resampler holds 1.75 ms back.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt

from agent.simulator.scenarios.sounds import SoundName, sound
from agent.simulator.stretches import sounding
from pipelines.audio import Audio, at_rate, frame_bytes
from pipelines.listening.detectors import DetectorSettings, NewDetector, VoiceDetector, detectors
from pipelines.listening.echo import EchoGuard
from pipelines.listening.listener import Listener
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import SpeechStarted
from tests.benchmarks.word_errors import mulaw_round_trip
from tests.recordings import TRANSCRIPTS, load, read

RATE = 8000
LANGUAGES = ("en_US_f_Allison", "es_MX_f_Allison", "fr_CA_f_June", "it_IT_m_Carlo")
EACH = 60
"""Prompts of a language: every so manieth of its half."""

LEVELS = (0.01, 0.03, 0.1, 0.3)
SEEDS = 10

Samples = npt.NDArray[np.int16]


def half(path: Path) -> str:
    """Return which half a recording belongs to."""
    return "report" if hashlib.sha256(path.stem.encode()).digest()[0] % 2 else "choose"


def prompts(folder: Path, wanted: str) -> Iterator[tuple[str, Audio]]:
    """Yield the language, and the prompt at 8 kHz."""
    places = {one: folder / "usr/share/asterisk/sounds" / one for one in LANGUAGES}
    places["LibriVox"] = folder / "usr/share/pocketsphinx/test/data/librivox"
    for language, place in places.items():
        every = [path for path in sorted(place.glob("*.wav")) if half(path) == wanted]
        spoken = [one for one in map(read, every) if 1 <= one.seconds <= 12]
        for one in spoken[:: max(1, len(spoken) // EACH)]:
            yield language, at_rate([one], RATE)


class Resampled:
    """A detector that is given frames at 16 kHz, all of them."""

    def __init__(self, detector: VoiceDetector) -> None:
        self._detector = detector

    def voiced(self, frame: bytes) -> bool:
        """See :meth:`VoiceDetector.voiced`."""
        return self._detector.voiced(frame)


def known_after(new: NewDetector, speech: Samples, seed: int, *, resampled: bool) -> float | None:
    """Return the seconds from the onset to the packet that tells; None if none does."""
    random = np.random.default_rng(seed)
    loud = np.flatnonzero(sounding(speech.tobytes(), RATE))
    if not len(loud):
        return None
    lead = RATE + int(random.integers(0, RATE // 50))
    onset = (lead + loud[0] * (RATE // 50)) / RATE
    line = np.concatenate([np.zeros(lead), speech[: 3 * RATE], np.zeros(RATE // 4)])
    return next(
        (at - onset for at in starts(new, line, random, resampled=resampled) if at > onset), None
    )


def starts(
    new: NewDetector, line: npt.NDArray[np.float64], random: np.random.Generator, *, resampled: bool
) -> Iterator[float]:
    """Yield the seconds at which a packet has come whole with which speech starts."""
    noisy = np.clip(np.rint(line + random.normal(0, 26, len(line))), -32768, 32767).astype("<i2")
    pcm, size = mulaw_round_trip(noisy).tobytes(), frame_bytes(RATE)
    detector = Resampled(new()) if resampled else new()
    listener = Listener(RATE, detector, GateSettings(), EchoGuard(RATE))
    for number in range(len(pcm) // size):
        for event in listener.feed(pcm[number * size : (number + 1) * size]):
            if isinstance(event, SpeechStarted):
                yield (number + 1) / 50


def row(name: str, found: Sequence[float | None], other: Sequence[float | None]) -> str:
    """Return a line of the table."""
    known = [one for one in found if one is not None]
    before = [one for one in other if one is not None]
    p50, p95 = np.percentile(known, [50, 95]) * 1000
    old50, old95 = np.percentile(before, [50, 95]) * 1000
    missed = len(found) - len(known)
    return f"{name:18}{len(known):5}{missed:8}{p50:8.0f}{p95:6.0f}{old50:10.0f}{old95:6.0f}"


def false_starts(new: NewDetector, name: SoundName, *, resampled: bool) -> int:
    """Return in how many of :data:`LEVELS` times :data:`SEEDS` a sound starts speech."""
    count = 0
    for level in LEVELS:
        pcm = np.frombuffer(sound(name, level, RATE).pcm, "<i2").astype(np.float64)
        for seed in range(SEEDS):
            random = np.random.default_rng(seed)
            lead = RATE + int(random.integers(0, RATE // 50))
            line = np.concatenate([np.zeros(lead), pcm, np.zeros(RATE // 2)])
            count += any(True for _ in starts(new, line, random, resampled=resampled))
    return count


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=Path, help="where Debian's packages were unpacked")
    parser.add_argument("--half", default="report", choices=["choose", "report"])
    options = parser.parse_args()
    new = detectors(DetectorSettings())
    if options.sounds is None:
        spoken = [("recordings", at_rate([load(name)], RATE)) for name in sorted(TRANSCRIPTS)]
    else:
        spoken = list(prompts(options.sounds, options.half))
    print(f"{'onset to known, ms':18}{'n':>5}{'missed':>8}{'p50':>8}{'p95':>6}{'16 kHz':>10}")
    found: dict[str, tuple[list[float | None], list[float | None]]] = {}
    for number, (language, audio) in enumerate(spoken):
        speech = np.frombuffer(audio.pcm, "<i2")
        for into, resampled in zip(
            found.setdefault(language, ([], [])), (False, True), strict=True
        ):
            into.append(known_after(new, speech, number, resampled=resampled))
    for language, both in found.items():
        print(row(language, *both))
    print(row("all", *([x for both in found.values() for x in both[i]] for i in (0, 1))))
    print(f"\nstarts of speech by other sounds, of {len(LEVELS) * SEEDS} each")
    for name in get_args(SoundName):
        found_of = [false_starts(new, name, resampled=resampled) for resampled in (False, True)]
        print(f"{name:18}{found_of[0]:5}{found_of[1]:8} at 16 kHz")


if __name__ == "__main__":
    main()
