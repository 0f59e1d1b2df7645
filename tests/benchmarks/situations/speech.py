"""Recorded speech with its words in time, and what is made of it: pauses, other voices, levels."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.audio import SPEECH_RATE, Audio, at_rate
from tests import recordings
from tests.benchmarks.halves import is_for_choosing
from tests.benchmarks.word_errors import by_phone

RATE = 8000
"""Hertz of a telephone line."""

Samples = npt.NDArray[np.float64]
Half = Literal["choose", "report", "all"]

SCENARIOS = (
    Path(recordings.__file__).parents[2] / "agent" / "simulator" / "scenarios" / "recordings"
)

SHORT = {
    "mm-hm": "Mm-hm.",
    "uh-huh": "Uh-huh.",
    "okay": "Okay.",
    "okay-yeah": "Okay, yeah.",
    "yeah": "Yeah.",
    "yes": "Yes.",
    "right": "Right.",
    "sure": "Sure.",
    "i-see": "I see.",
    "no": "No.",
}
"""What is said in the recordings of the scenarios that are nowhere else."""

LANGUAGES = {
    "en": "en_US_f_Allison",
    "es": "es_MX_f_Allison",
    "fr": "fr_CA_f_June",
    "it": "it_IT_m_Carlo",
}
"""The folder of each language in Debian's ``asterisk-core-sounds-*-wav``."""

SOUND = re.compile(r"tone|tono|toni|beep|ahooga|[\[(<]", re.IGNORECASE)
"""Texts of sounds that are no speech, or of remarks on it."""

SNAP = 7
"""Frames within which a word is taken to end where it is quietest."""

FRAME = 80
"""Samples of the frames in which voice is looked for: 10 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word, and between when it is said."""

    text: str
    began: float
    ended: float
    """Seconds from the beginning of the speech."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Something said: samples at :data:`RATE`, and its words."""

    name: str
    """Of the recording; what is made of it has more after a ``+``."""

    samples: Samples = field(repr=False, compare=False)
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / RATE

    @property
    def text(self) -> str:
        """All of its words."""
        return " ".join(word.text for word in self.words)

    def until(self, seconds: float) -> str:
        """Return the words that are over by then."""
        return " ".join(word.text for word in self.words if word.ended <= seconds + 0.02)

    def louder(self, decibels: float) -> Speech:
        """Return it so much louder."""
        return replace(self, samples=self.samples * 10 ** (decibels / 20))

    def part(self, start: float, end: float) -> Speech:
        """Return what is said from ``start`` to ``end``."""
        words = [
            Word(text=word.text, began=word.began - start, ended=min(word.ended, end) - start)
            for word in self.words
            if start <= (word.began + word.ended) / 2 < end
        ]
        cut = self.samples[round(start * RATE) : round(end * RATE)]
        return Speech(name=self.name, samples=cut, words=tuple(words))


def half_of(name: str) -> Half:
    """Return the half of the speech that a recording is in, by its name without extension."""
    return "choose" if is_for_choosing(name) else "report"


def in_half(name: str, half: Half) -> bool:
    """Return whether a recording is in ``half``."""
    return half in ("all", half_of(name))


def loudness(samples: Samples) -> npt.NDArray[np.float64]:
    """Return the RMS of each 10 ms."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    rms: npt.NDArray[np.float64] = np.sqrt(np.square(frames).mean(axis=1))
    return rms


def level(samples: Samples) -> float:
    """Return the RMS of what is loud in it, 90th percentile of 10 ms: the level of the speech."""
    rms = loudness(samples)
    return float(np.percentile(rms[rms > rms.max() / 30], 90))


def trimmed(samples: Samples) -> Samples:
    """Return it from its first to its last sound, 34 dB below its loudest, 10 ms more each."""
    rms = loudness(samples)
    loud = np.flatnonzero(rms > rms.max() / 50)
    first, last = max(0, int(loud[0]) - 1), int(loud[-1]) + 2
    return samples[first * FRAME : last * FRAME]


def speech_of(name: str, text: str, audio: Audio) -> Speech:
    """Return a recording at :data:`RATE`, trimmed, with its words where they are likely said.

    A word's share of the voiced time is as its letters are, its end where it is quiet near there;
    that is right to a word or so.
    """
    assert audio.rate == RATE, name
    samples = trimmed(np.frombuffer(audio.pcm, "<i2").astype(np.float64))
    return Speech(name=name, samples=samples, words=aligned(samples, text))


def aligned(samples: Samples, text: str) -> tuple[Word, ...]:
    """Return the words of ``text`` over the voiced stretches of ``samples``."""
    said = text.split()
    rms = loudness(samples)
    voiced = np.cumsum(rms > rms.max() / 30).astype(np.float64)
    shares = np.cumsum([len(re.sub(r"\W", "", word)) + 1.0 for word in said])
    ends = np.searchsorted(voiced, shares / shares[-1] * voiced[-1] - 1e-6) + 1
    for place, end in enumerate(ends[:-1]):
        low, high = max(end - SNAP, ends[place - 1] + 2 if place else 2), min(end + SNAP, len(rms))
        if high > low:
            ends[place] = low + int(rms[low:high].argmin()) + 1
    starts = [0, *ends[:-1]]
    return tuple(
        Word(text=word, began=start * FRAME / RATE, ended=end * FRAME / RATE)
        for word, start, end in zip(said, starts, ends, strict=True)
    )


def joined(name: str, parts: Iterable[Speech | float]) -> Speech:
    """Return speech and silences, in seconds, one after the other."""
    pieces: list[Samples] = []
    words: list[Word] = []
    at = 0.0
    for part in parts:
        if isinstance(part, Speech):
            pieces.append(part.samples)
            words += [
                Word(text=one.text, began=at + one.began, ended=at + one.ended)
                for one in part.words
            ]
            at += part.seconds
        else:
            pieces.append(np.zeros(round(part * RATE)))
            at += len(pieces[-1]) / RATE
    return Speech(name=name, samples=np.concatenate(pieces), words=tuple(words))


def in_another_voice(speech: Speech, factor: float) -> Speech:
    """Return it higher and faster, by resampling: another speaker, as far as that goes."""
    count = round(len(speech.samples) / factor)
    at = np.arange(count) * factor
    samples = np.interp(at, np.arange(len(speech.samples)), speech.samples)
    words = tuple(
        Word(text=one.text, began=one.began / factor, ended=one.ended / factor)
        for one in speech.words
    )
    return Speech(name=f"{speech.name}+{factor:g}", samples=samples, words=words)


def drawn_out(speech: Speech, seconds: float) -> Speech:
    """Return it as long as that at the same pitch, by overlapping and adding similar windows."""
    window, hop, search = 240, 120, 80
    factor = len(speech.samples) / (seconds * RATE)
    source = np.concatenate([speech.samples, np.zeros(2 * window + search)])
    shape = np.hanning(window)
    out = np.zeros(round(seconds * RATE) + window)
    at = 0
    for start in range(0, round(seconds * RATE), hop):
        wanted = int(start * factor)
        if start:
            follows = source[at + hop : at + hop + window]
            places = range(max(0, wanted - search), wanted + search, 4)
            at = max(places, key=lambda one: float(source[one : one + window] @ follows))
        else:
            at = wanted
        out[start : start + window] += shape * source[at : at + window]
    stretch = 1 / factor
    words = tuple(
        Word(text=one.text, began=one.began * stretch, ended=one.ended * stretch)
        for one in speech.words
    )
    return Speech(name=speech.name, samples=out[: round(seconds * RATE)], words=words)


def quiet_points(speech: Speech) -> list[float]:
    """Return where in each third its quietest 30 ms are, if they are a dip; in seconds."""
    from tests.benchmarks.endpoints import quiet_points as found  # noqa: PLC0415 - a cycle else

    pcm = np.clip(speech.samples, -32768, 32767).astype("<i2").tobytes()
    heard = by_phone(Audio(pcm, RATE), lead=0, tail=0)
    assert heard.rate == SPEECH_RATE
    return list(found(heard.pcm))


def paused(speech: Speech, at: float, seconds: float) -> Speech:
    """Return it with a pause of so many seconds put in at ``at``."""
    return joined(speech.name, [speech.part(0, at), seconds, speech.part(at, speech.seconds)])


@cache
def own() -> dict[str, Speech]:
    """Return the recordings of this repository, in English."""
    found = {
        name: speech_of(name, text, recordings.load(name))
        for name, text in recordings.TRANSCRIPTS.items()
    }
    for name, text in SHORT.items():
        if name not in found:
            found[name] = speech_of(name, text, recordings.read(SCENARIOS / f"{name}.wav"))
    return found


@cache
def installed(folder: Path, language: str) -> dict[str, Speech]:
    """Return the prompts of an unpacked Asterisk sound package, by name, those that are speech."""
    table = next(folder.rglob(f"core-sounds-{language}.txt.gz"))
    sounds = next(folder.rglob(LANGUAGES[language]))
    found: dict[str, Speech] = {}
    for line in gzip.decompress(table.read_bytes()).decode("utf-8-sig").splitlines():
        name, colon, text = line.partition(":")
        path = sounds / f"{name}.wav"
        text = text.strip().strip('"“”').strip()
        # The first counts: that of Spanish has "diez" as digits/0 again.
        first = name not in found and path.exists()
        if colon and first and re.search(r"\w", text) and not SOUND.search(text):
            audio = recordings.read(path)
            if audio.seconds > 0.15 and any(audio.pcm):
                found[name] = speech_of(name, text, audio)
    return found


@cache
def read_aloud(folder: Path) -> dict[str, Speech]:
    """Return what Debian's ``pocketsphinx-testdata`` holds, if that is unpacked there as well.

    Sentences of a book and names of cards, by other speakers, 16 kHz.
    """
    found: dict[str, Speech] = {}
    for table in sorted(
        [*folder.rglob("librivox/transcription"), *folder.rglob("*.transcription")]
    ):
        for line in table.read_text("utf-8").splitlines():
            text, _, name = line.rpartition("(")
            path = table.parent / f"{name.rstrip(') ')}.wav"
            text = text.replace("<s>", "").replace("</s>", "").strip()
            if text and path.exists():
                audio = at_rate([recordings.read(path)], RATE)
                found[path.stem] = speech_of(path.stem, text.capitalize() + ".", audio)
    return found


JARGON = re.compile(
    r"asterisk|digium|dahdi|iax|sip\b|pbx|comedian|waldo|prepend|unistim|jingle|\bzap\b",
    re.IGNORECASE,
)
"""No caller says these."""


UNFINISHED: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        """
        a an and are as at be been but by can cannot currently exactly for from has have
        if in into is my not of on or our than that the this to were when which who will
        with your
        """.split()  # noqa: SIM905 - a list that is read and edited
    ),
    "es": frozenset(
        """
        a actualmente al con de del el en es esta hay la las los marque mi no o para por
        presione que se si sin su tiene un una y
        """.split()  # noqa: SIM905 - a list that is read and edited
    ),
    "fr": frozenset(
        """
        a à actuellement au aux avec avez ce ces d de des du en est et exactement il je
        la le les mon ne ou par pas pour présentement que qui sur un une veuillez votre
        vous
        """.split()  # noqa: SIM905 - a list that is read and edited
    ),
    "it": frozenset(
        """
        a al alla attualmente che con da del della di e è ha hai i il in la le lo ma mia
        mio non o per premere premi se si sono su sua suo tua tuo un una
        """.split()  # noqa: SIM905 - a list that is read and edited
    ),
}
"""Words that nothing ends with."""


def is_unfinished(text: str, language: str) -> bool:
    """Return whether a text plainly ends in the middle of a sentence."""
    last = text.rsplit(maxsplit=1)[-1].lower().strip(".…,;:")
    return text.endswith(("...", "…", ",", ":")) or last in UNFINISHED[language]


def sentences(bank: dict[str, Speech], half: Half, language: str) -> Iterator[Speech]:
    """Yield the prompts that are one whole sentence of 4 to 20 words, 1 to 7 s, in ``half``."""
    for name, speech in sorted(bank.items()):
        text = speech.text
        if (
            not is_unfinished(text, language)
            and (text[0].isupper() or text[0] == "¿")
            and 4 <= len(speech.words) <= 20
            and 1 <= speech.seconds <= 7
            and not any(mark in text[:-1] for mark in ".?!")
            and not JARGON.search(text)
            and in_half(name, half)
        ):
            yield speech


def spread(items: Sequence[Speech], count: int) -> list[Speech]:
    """Return ``count`` of them, spread over all; all if they are fewer."""
    if len(items) <= count:
        return list(items)
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, count)]
