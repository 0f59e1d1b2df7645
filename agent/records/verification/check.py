"""A record against its recording: every word at its time in the agent's channel, and no other.

A recognizer mishears, so one word that differs says nothing. What does say something, and from
which measure on, was chosen on recordings that no figure is reported of
(``tests/benchmarks/verify.py``). What would differ is heard again, cut otherwise: what a recognizer
makes up changes with the cut, and what is there does not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from agent.records.recordings.stereo import StereoAudio
from agent.records.verification.activity import (
    Stretch,
    joined,
    length,
    voiced,
    within,
    without,
)
from agent.records.verification.claims import ClaimedSpeech
from agent.records.verification.wording import Compared, Word, compared, sounding
from pipelines.audio import SPEECH_RATE, Audio, at_rate

SAME = Compared()

Hear = Callable[[Audio], Awaitable[str]]
"""Returns what is said in speech at :data:`~pipelines.audio.SPEECH_RATE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """From which measure on something differs. Chosen by ``tests/benchmarks/verify.py``."""

    missing: int = 4
    """Letters, of words in a row that are claimed and not heard."""

    more: int = 6
    """Letters, of words in a row that are heard and not claimed."""

    after_cut: int = 14
    """The same of a sentence that was cut off: of the last word that sounded no more is claimed
    than is sure, and half of the next was heard."""

    alike: float = 0.6
    """Share of the letters of a sentence that have to be heard, in their order."""

    judged: int = 10
    """Letters of a sentence of which that can be told."""

    earlier: float = 0.15
    """Seconds by which a sentence may begin earlier than the record says."""

    later: float = 0.25
    """The same, later: voices, and people who record announcements, begin with a pause."""

    overlap: float = 0.1
    """Seconds by which a sentence may begin before the one before has ended."""

    unclaimed: float = 0.15
    """Seconds of a voice outside of all that is claimed, in which words are heard."""

    alone: float = 0.6
    """The same whatever is heard: a caller may interrupt before the first word is over, and none is
    claimed then."""


GROWN = 0.05
"""Seconds around what is claimed that belong to it: a frame of loudness, and rounding."""

LOOKS = ((0.1, 0.3), (0.25, 0.5), (0.0, 0.1))
"""How speech is cut: seconds more on each side, as far as nothing else is claimed there; seconds of
silence around that. The first is heard; the others if it would differ."""

LONGEST_TEXT = 40.0
"""Characters a second beyond which no text is spoken; twice as many as fast speech has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A sentence of the record, and what the recording has of it."""

    claim: ClaimedSpeech
    skipped: str = ""
    """Why it could not be checked; ``""`` if it was."""

    heard: str = ""
    """What is heard between its times."""

    silent: bool = False
    """Whether there is no voice at all."""

    words: Compared = SAME
    """How that differs from what is claimed."""

    offset: float = 0.0
    """Seconds that it begins later than the record says; negative if earlier."""

    overlap: float = 0.0
    """Seconds of it that are before the end of the sentence before, by the record."""

    findings: Sequence[str] = ()
    """What differs, in words; nothing if it agrees or could not be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed:
    """A voice where the record has none; times in seconds since the answer."""

    at: float
    until: float
    heard: str
    """What is heard of it; perhaps nothing, of a part of a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A record, checked."""

    sentences: Sequence[Checked]
    unclaimed: Sequence[Unclaimed]

    @property
    def checked(self) -> list[Checked]:
        """The sentences that could be checked."""
        return [one for one in self.sentences if not one.skipped]

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return bool(self.unclaimed) or any(one.findings for one in self.sentences)


@dataclass(slots=True, kw_only=True)
class RecordedChannel:
    """One side of a recording, on the call's clock."""

    audio: Audio
    began: float
    voice: Sequence[Stretch] = field(init=False)

    def __post_init__(self) -> None:
        self.voice = [(a + self.began, b + self.began) for a, b in voiced(self.audio)]

    @property
    def until(self) -> float:
        """When it ends."""
        return self.began + self.audio.seconds

    def cut(self, begin: float, end: float, silence: float) -> Audio:
        """Return what is heard between two times, with silence around it, to be transcribed."""
        rate = self.audio.rate
        first = max(0, round((begin - self.began) * rate))
        last = max(first, round((end - self.began) * rate))
        around = bytes(2 * round(silence * rate))
        pcm = around + self.audio.pcm[2 * first : 2 * last] + around
        return at_rate([Audio(pcm, rate)], SPEECH_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Checks what is claimed of one channel of one recording."""

    channel: RecordedChannel
    hear: Hear
    language: str
    tolerances: Tolerances

    async def checked(self, claim: ClaimedSpeech, span: Stretch, around: Stretch) -> Checked:
        """Return one sentence, checked.

        Args:
            claim: What is claimed.
            span: From when until when.
            around: When the sentence before ends, and the next begins.
        """
        begin, end = span
        voice = within(self.channel.voice, begin, end)
        if not voice:
            return Checked(claim=claim, silent=True, findings=["there is no voice"])
        timed = Checked(
            claim=claim,
            offset=_offset(span, around[0], self.channel.voice),
            overlap=max(0.0, around[0] - begin),
        )
        text = claim.text if len(claim.text) <= LONGEST_TEXT * (end - begin + 1) else ""
        claimed = sounding(text, self.language)
        best = timed
        for number, (pad, silence) in enumerate(LOOKS):
            first = max(begin - pad, min(around[0], begin))
            last = min(end + pad, max(around[1], end))
            heard = await self.hear(self.channel.cut(first, last, silence))
            looked = self._compared(timed, claimed, heard)
            best = looked if not number or self._wrong(looked) < self._wrong(best) else best
            if not self._wrong(best):
                break
        return replace(best, findings=self._findings(best))

    async def unclaimed(self, spans: Sequence[Stretch]) -> list[Unclaimed]:
        """Return where there is a voice, and nothing is claimed or unrecorded."""
        taken = joined((begin - GROWN, end + GROWN) for begin, end in spans)
        found = []
        for begin, end in without(self.channel.voice, taken):
            if end - begin < self.tolerances.unclaimed:
                continue
            heard = await self.hear(self.channel.cut(begin, end, LOOKS[0][1]))
            letters = sum(len(word.letters) for word in sounding(heard, self.language))
            if end - begin >= self.tolerances.alone or letters >= self.tolerances.more:
                found.append(Unclaimed(at=begin, until=end, heard=heard))
        return found

    def _compared(self, timed: Checked, claimed: Sequence[Word], heard: str) -> Checked:
        return replace(timed, heard=heard, words=compared(claimed, sounding(heard, self.language)))

    def _most(self, one: Checked) -> int:
        cut_off = one.claim.cut_off
        return self.tolerances.after_cut if cut_off else self.tolerances.more

    def _wrong(self, one: Checked) -> int:
        """Return by how many letters the words differ, if it is by more than is misheard."""
        limits, words = self.tolerances, one.words
        missing = words.missing.letters if words.missing.letters >= limits.missing else 0
        more = words.more.letters if words.more.letters >= self._most(one) else 0
        other = words.alike < limits.alike and words.letters >= limits.judged
        return missing + more + (round(words.letters * (1 - words.alike)) if other else 0)

    def _findings(self, one: Checked) -> list[str]:
        limits, words, found = self.tolerances, one.words, []
        if words.missing.letters >= limits.missing:
            found.append(f"not heard: {' '.join(words.missing.words)}")
        if words.more.letters >= self._most(one):
            found.append(f"heard, and not in the record: {' '.join(words.more.words)}")
        if not found and self._wrong(one):
            found.append("other words are heard")
        if one.offset > limits.later:
            found.append(f"begins {one.offset:.2f} s later")
        if -one.offset > limits.earlier:
            found.append(f"begins {-one.offset:.2f} s earlier")
        if one.overlap > limits.overlap:
            found.append(f"begins {one.overlap:.2f} s before the one before has ended")
        return found


async def check(
    claims: Sequence[ClaimedSpeech],
    recording: StereoAudio,
    hear: Hear,
    *,
    language: str = "en",
    unrecorded: Sequence[Stretch] = (),
    tolerances: Tolerances | None = None,
) -> Verification:
    """Check what the agent is said to have been heard to say.

    Args:
        claims: Sentence by sentence, in order.
        recording: Of the same call.
        hear: Transcribes.
        language: BCP 47 tag of what is said.
        unrecorded: When nothing was recorded, in seconds since the answer.
        tolerances: From when on something differs.
    """
    channel = RecordedChannel(audio=recording.agent, began=recording.began)
    checker = Checker(
        channel=channel, hear=hear, language=language, tolerances=tolerances or Tolerances()
    )
    spans = _spans(claims, channel.until)
    sentences = []
    before = channel.began
    for number, (claim, span) in enumerate(zip(claims, spans, strict=True)):
        after = spans[number + 1][0] if number + 1 < len(spans) else channel.until
        if why := _skipped(span, channel, unrecorded):
            sentences.append(Checked(claim=claim, skipped=why))
        else:
            sentences.append(await checker.checked(claim, span, (before, after)))
        before = max(before, span[1])
    unclaimed = await checker.unclaimed([*spans, *unrecorded])
    return Verification(sentences=sentences, unclaimed=unclaimed)


def _spans(claims: Sequence[ClaimedSpeech], until: float) -> list[Stretch]:
    """Return when each sentence sounds; one of which the end is not known, until the next."""
    nexts = [*(claim.at for claim in claims[1:]), until][: len(claims)]
    return [
        (claim.at, max(claim.at, after if claim.until is None else claim.until))
        for claim, after in zip(claims, nexts, strict=True)
    ]


def _skipped(span: Stretch, channel: RecordedChannel, unrecorded: Sequence[Stretch]) -> str:
    begin, end = span
    if begin < channel.began - GROWN or end > channel.until + 2 * GROWN:
        return "not in the recording"
    paused = length(within(joined(unrecorded), begin, end))
    return "the recording was paused" if paused > GROWN else ""


def _offset(span: Stretch, before: float, voice: Sequence[Stretch]) -> float:
    """Return how much later than claimed the voice begins."""
    begin, end = span
    first = within(voice, begin, end)[0][0]
    if first > begin:
        return first - begin
    onset = voice[bisect_right(voice, begin, key=lambda one: one[1])][0]
    return min(0.0, max(onset, min(before, begin)) - begin)
