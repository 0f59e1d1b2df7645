r"""Is it somebody who has answered, or a machine, and when has it beeped? As a call finds it out.

Run ``python -m tests.benchmarks.machines --sounds DIR``, with a folder in which Debian's
``asterisk-core-sounds-{en,es,fr,it}-wav`` were unpacked (``dpkg-deb -x``; CC-BY-SA 3.0, the voices
of Allison Smith, June Wallack and Carlo Flamini, with ``asterisk-core-sounds-en`` for the words of
the English ones)::

    apt-get download asterisk-core-sounds-{en,es,fr,it}-wav asterisk-core-sounds-en
    for package in *.deb; do dpkg-deb -x $package sounds; done
    python -m tests.benchmarks.machines --sounds sounds

*Machines* are greetings as Asterisk's voicemail puts them together of its prompts ("the person at
extension … is unavailable; please leave your message after the tone"), and its whole sentences of
3 s and more. *Humans* are prompts of 0.4 to 1.6 s that are said once, as "hello?" and names are.
Before each is 0.3 to 1 s of the line, after it silence; machines beep after 0.2 to 1.5 s, at a
pitch, level and length by chance. All goes over the lines of the simulator (noise, G.711, loss)
to the voice detector of a call. ``--half choose`` is what the constants were chosen on, ``report``
(the usual) the other half of the names. Words are those of the prompts, known 0.4 s after a pause;
without ``--words``, timing decides alone, as where speech-to-text is slower than that.
"""

from __future__ import annotations

import argparse
import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agent.simulator.intervals import of_share
from agent.simulator.line import QUALITIES, Kind, TelephoneLine
from pipelines.audio import at_rate, frame_bytes
from pipelines.listening import speech_events as speech
from pipelines.listening.beep import Beep, BeepDetector
from pipelines.listening.caller_frames import LineFrames
from pipelines.listening.detectors import DetectorSettings, NewDetector, detectors
from pipelines.listening.echo import EchoGuard
from pipelines.listening.listener import Listener
from pipelines.listening.settings import GateSettings
from pipelines.turn_taking.answerer import AnswererVerdict, HeardSoFar, verdict
from tests.benchmarks.halves import is_for_choosing
from tests.recordings import read

RATE = 8000
LANGUAGES = {"en_US_f_Allison": "en", "es_MX_f_Allison": "es"}
LANGUAGES |= {"fr_CA_f_June": "fr", "it_IT_m_Carlo": "it"}
LINES: tuple[Kind, ...] = ("landline", "mobile", "bad")
TONES = ("beep", "confbridge-join", "confbridge-leave", "descending-2tone", "ascending-2tone")
"""Prompts that are no speech, as are those whose name has a tone in it."""

EACH = 10
"""Humans, and whole sentences of machines, of a language: every so manieth of its half."""

TAIL = 3.0
"""Seconds of silence at the end."""

WHO = ("human", "voicemail", "machine")
"""A person, a greeting of a voicemail, any sentence of a machine."""

KNOWN_AFTER = 0.4
"""Seconds from a pause to the words before it."""

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """Somebody who answers."""

    language: str
    who: str
    sound: Samples
    """Of -1 to 1."""

    text: str = ""
    """Its words, if they are known."""


def is_tone(path: Path) -> bool:
    """Return whether a prompt is, or ends with, a tone."""
    return path.stem in TONES or path.stem.startswith(("beep", "vm-intro", "at-tone"))


def samples(path: Path) -> Samples:
    """Return a prompt at 8 kHz, without the silence at its ends."""
    sound = np.frombuffer(at_rate([read(path)], RATE).pcm, "<i2") / 32768
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound


def words(folder: Path) -> Mapping[str, str]:
    """Return what is said in the English prompts, by name."""
    path = folder / "usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"
    if not path.exists():
        return {}
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as lines:
        return dict(line.rstrip().split(":", 1) for line in lines if ":" in line)


def greetings(folder: Path, *, choosing: bool) -> Iterator[Greeting]:
    """Yield who answers, of one half of the prompts."""
    said = words(folder)
    for name, language in LANGUAGES.items():
        place = folder / "usr/share/asterisk/sounds" / name
        paths = {str(one.relative_to(place).with_suffix("")): one for one in place.rglob("*.wav")}
        half = {n: p for n, p in sorted(paths.items()) if is_for_choosing(n) == choosing}
        answers: dict[str, list[Greeting]] = {"human": [], "machine": []}
        for short, path in half.items():
            sound, text = samples(path), said.get(short, "") if language == "en" else ""
            seconds = len(sound) / RATE
            who = "human" if 0.4 <= seconds <= 1.6 else "machine" if seconds >= 3 else ""
            if who and not is_tone(path):
                one = Greeting(language=language, who=who, sound=sound, text=text)
                answers[who].append(one)
        for several in answers.values():
            yield from several[:: max(1, len(several) // EACH)]
        yield from _voicemail(place, language, said, choosing=choosing)


def _voicemail(
    place: Path, language: str, said: Mapping[str, str], *, choosing: bool
) -> Iterator[Greeting]:
    """Yield the greetings that Asterisk's voicemail makes of its prompts, an extension each."""
    gap = np.zeros(round(0.15 * RATE))
    for extension in range(2, 10):
        if is_for_choosing(f"extension {extension}") != choosing:
            continue
        for why in ("vm-isunavail", "vm-isonphone"):
            names = ["vm-theperson", f"digits/{extension}", f"digits/{(extension * 3) % 10}"]
            names += [why, "vm-intro"]
            parts = [samples(place / f"{one}.wav") for one in names]
            parts[-1] = parts[-1][: -round(0.6 * RATE)]  # its tone: ours comes after it
            text = " ".join(said.get(one, "") for one in names) if language == "en" else ""
            sound = np.concatenate([one for part in parts for one in (part, gap)])
            yield Greeting(language=language, who="voicemail", sound=sound, text=text)


def beep(random: np.random.Generator) -> Samples:
    """Return a beep of a machine: one tone or two, 0.15 to 1 s, -24 to -8 dBFS."""
    seconds, level = random.uniform(0.15, 1.0), 10 ** (random.uniform(-24, -8) / 20)
    hertz = [random.uniform(650, 2450) for _ in range(1 + (random.random() < 0.2))]
    at = np.arange(round(RATE * seconds))
    wave = sum(np.sin(2 * np.pi * one * at / RATE) for one in hertz) / len(hertz) ** 0.5
    ramp = np.minimum(1.0, np.minimum(at + 1, len(at) - at) / (RATE * 0.004))
    tone: Samples = wave * ramp * 2**0.5 * level
    return tone


def carried(sound: Samples, kind: Kind) -> bytes:
    """Return what arrives of a sound over such a line."""
    pcm = np.clip(sound * 32767, -32768, 32767).astype("<i2").tobytes()
    line, size = TelephoneLine(QUALITIES[kind], RATE), frame_bytes(RATE)
    silent, whole = bytes(size), len(pcm) // size * size
    return b"".join(line.carry(pcm[n : n + size], silent) for n in range(0, whole, size))


@dataclass(slots=True)
class Found:
    """What was found out of one greeting, and when: seconds since the answer."""

    verdict: AnswererVerdict | None = None
    at: float = 0.0
    beep: Beep | None = None
    beep_at: float = 0.0


def judged(new: NewDetector, pcm: bytes, language: str, text: str, begins: float) -> Found:
    """Return what a call would find out.

    Args:
        new: Makes a voice detector.
        pcm: What it hears.
        language: Of it.
        text: Its words; known as far as was said before the latest pause.
        begins: Seconds, where they begin.
    """
    detector, found = BeepDetector(), Found()
    gate = GateSettings(pause_after=0.25, end_after=5.0)
    listener = Listener(RATE, new(), gate, EchoGuard(RATE))
    size, known, pauses = frame_bytes(RATE), "", list[tuple[float, float]]()
    every, whole = re.findall(r"\S+", text), max(0.1, len(pcm) / 2 / RATE - begins - TAIL)
    for number, frame in enumerate(LineFrames(RATE).feed(pcm), 1):
        at = number * size / 2 / RATE
        if (one := detector.feed(frame)) is not None and found.beep is None:
            found.beep, found.beep_at = one, at
        for event in listener.feed(frame.line):
            if isinstance(event, speech.SpeechPaused):
                pauses.append((at, at - listener.silent))
        for paused, until in pauses:
            if at >= paused + KNOWN_AFTER:
                known = " ".join(every[: round(len(every) * min(1, (until - begins) / whole))])
        if found.verdict is None:
            heard = HeardSoFar(
                at=at,
                spoken=listener.spoken if listener.in_speech else 0.0,
                silent=listener.silent,
                text=known,
                beeped=found.beep is not None,
                tone=detector.sounding,
            )
            found.verdict, found.at = verdict(heard, language), at
    return found


def share(right: int, of: int) -> str:
    """Return a share, with Wilson's interval of 95 %."""
    bounds = of_share(right, of)
    if bounds is None:
        return "none"
    return f"{right}/{of} = {right / of:.1%} ({bounds[0]:.1%} to {bounds[1]:.1%})"


def answered(new: NewDetector, every: Sequence[Greeting], kind: Kind, *, with_words: bool) -> None:
    """Print what is found out over one kind of line."""
    random, size = np.random.default_rng(19), frame_bytes(RATE) // 2
    right = dict.fromkeys(WHO, 0)
    called, waits, found_beeps, early, delays = dict(right), list[float](), 0, 0, list[float]()
    for one in every:
        lead = np.zeros(round(random.uniform(0.3, 1.0) * RATE))
        parts = [lead, one.sound]
        ends = beeps = sum(map(len, parts)) / RATE
        if one.who != "human":
            tone, wait = beep(random), np.zeros(round(random.uniform(0.2, 1.5) * RATE))
            parts += [wait, tone]
            beeps = ends + (len(wait) + len(tone)) / RATE
        parts.append(np.zeros(round(TAIL * RATE) + size))
        text = one.text if with_words else ""
        done = judged(
            new, carried(np.concatenate(parts), kind), one.language, text, len(lead) / RATE
        )
        called[one.who] += 1
        who = "human" if one.who == "human" else "machine"
        is_right = done.verdict is not None and done.verdict.answerer == who
        right[one.who] += is_right
        if one.who == "human" and is_right:
            waits.append(done.at - ends)
        if one.who != "human" and done.beep is not None:
            found_beeps += done.beep_at >= beeps - 0.1
            early += done.beep_at < beeps - 0.1
            delays.append(done.beep_at - beeps)
    half, late = np.percentile(waits, [50, 95]) if waits else (0.0, 0.0)
    after, after_late = np.percentile(delays, [50, 95]) if delays else (0.0, 0.0)
    print(f"{kind:9}", "humans   ", share(right["human"], called["human"]))
    print(f"{'':9}", f"         told {half:.2f} s after their last sound (p95 {late:.2f})")
    machines = called["voicemail"] + called["machine"]
    print(f"{'':9}", "voicemail", share(right["voicemail"], called["voicemail"]))
    print(f"{'':9}", "sentences", share(right["machine"], called["machine"]))
    print(f"{'':9}", "beeps    ", share(found_beeps, machines), f"; too early: {early}")
    print(f"{'':9}", f"         known {after:.2f} s after their end (p95 {after_late:.2f})")


def false_beeps(folder: Path, *, choosing: bool) -> None:
    """Print how often speech is taken for a beep."""
    seconds, found = 0.0, 0
    for name in LANGUAGES:
        place = folder / "usr/share/asterisk/sounds" / name
        for path in sorted(place.rglob("*.wav")):
            short = str(path.relative_to(place).with_suffix(""))
            if is_tone(path) or is_for_choosing(short) != choosing:
                continue
            sound = np.concatenate([samples(path), np.zeros(RATE)])
            detector = BeepDetector()
            frames = LineFrames(RATE).feed(carried(sound, "landline"))
            found += sum(detector.feed(frame) is not None for frame in frames)
            seconds += len(sound) / RATE
    print(f"speech: {found} false beeps in {seconds:.0f} s of all prompts")


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=Path, required=True, metavar="DIR")
    parser.add_argument("--half", choices=("choose", "report"), default="report")
    parser.add_argument("--words", action="store_true", help="of the English prompts")
    options = parser.parse_args()
    choosing = options.half == "choose"
    every = list(greetings(options.sounds, choosing=choosing))
    if options.words:
        every = [one for one in every if one.text]
    new = detectors(DetectorSettings())
    for kind in LINES:
        answered(new, every, kind, with_words=options.words)
    false_beeps(options.sounds, choosing=choosing)


if __name__ == "__main__":
    main()
