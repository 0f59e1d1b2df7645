"""The caller's end of a call in virtual time: speaks by what it hears, and notes all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.simulator.call_in_progress import command_of
from agent.simulator.playout_buffer import PlayoutBuffer
from agent.simulator.stretches import sounds
from pipelines.audio import FRAME_SECONDS
from tests.benchmarks.situations.doubles import SpokenSentence, SpokenSentences
from tests.benchmarks.situations.speech import RATE, Samples, Speech, Word
from tests.benchmarks.word_errors import mulaw_round_trip

FRAME = round(RATE * FRAME_SECONDS)

LINE_NOISE = 8.0
"""RMS of the line without any sound: -72 dBFS."""

MULAW = mulaw_round_trip(np.arange(-32768, 32768).astype(np.int16)).astype("<i2")
"""What G.711 leaves of each sample, from -32768 on."""

ROUND_TRIP = 0.25
"""Seconds after which an echo of ours comes back."""


@dataclass(slots=True)
class Sounding:
    """A stretch of one sentence of the agent's, as the caller hears it."""

    sentence: SpokenSentence
    began: float
    """When its first frame was heard, by the call."""

    start: float
    """Seconds into the sentence at which it was heard first."""

    reached: float = 0.0
    """Seconds into the sentence up to where it was heard."""

    @property
    def whole(self) -> bool:
        """Whether the caller has heard its end."""
        return self.reached >= self.sentence.audible - 0.03


@dataclass(slots=True, kw_only=True)
class Said:
    """Something that the caller said, and when."""

    speech: Speech
    began: float
    ended: float


When = Callable[["CallerEnd"], bool]
"""Whether to speak now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the caller says next, and when."""

    speech: Speech
    when: When


@dataclass(slots=True, kw_only=True)
class CallerEnd:
    """A line on which the caller speaks as planned; it is what the call is given for a socket."""

    sentences: SpokenSentences
    turns: Sequence[Turn] = ()
    background: Callable[[CallerEnd], Speech | None] = lambda _line: None
    """Speech of somebody else that begins now, if any does."""

    echo: float | None = None
    """Decibels by which our own voice is lower when it comes back; None for no echo."""

    lasts: float = 8.0
    """Seconds after the last turn until the caller hangs up."""

    longest: float = 60.0
    seed: int = 0
    done: Callable[[CallerEnd], bool] = lambda _line: False
    """Whether all is known, so that the caller may hang up."""

    now: float = 0.0
    """Seconds of the call."""

    said: list[Said] = field(default_factory=list)
    heard: list[Sounding] = field(default_factory=list)
    loud: list[bool] = field(default_factory=list)
    """Whether the agent is audible in each frame of 20 ms."""

    clears: list[float] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    """All words on the line, whoever says them, in seconds of the call."""

    marks: dict[str, float] = field(default_factory=dict)
    """For situations to remember moments by."""

    buffer: PlayoutBuffer = field(default_factory=PlayoutBuffer)
    closed: bool = False

    _zero: float | None = field(init=False, default=None)
    _sound: Samples = field(init=False)
    _noise: np.random.Generator = field(init=False)
    _next: int = field(init=False, default=0)
    _last_end: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._sound = np.zeros(round(self.longest + 10) * RATE)
        self._noise = np.random.default_rng(self.seed)

    # The line, as the call sees it.

    async def receive(self) -> bytes | None:
        """Return the caller's next 20 ms, when they are over; None once they have hung up."""
        clock = asyncio.get_running_loop().time
        if self._zero is None:
            self._zero = clock()
        self._hear()
        self._speak()
        frame = self._frame()
        self.now = (len(self.loud)) * FRAME_SECONDS
        await asyncio.sleep(max(0.0, self._zero + self.now - clock()))
        over = self._next >= len(self.turns) and self.now >= self._last_end + self.lasts
        if self.closed or over or self.now >= self.longest or self.done(self):
            return None
        return frame

    async def send(self, message: str | bytes) -> None:
        """Take what the agent's side sends."""
        if isinstance(message, bytes):
            self.buffer.add(message)
        elif command_of(message) == "clear":
            self.buffer.clear()
            self.clears.append(self.time())

    async def close(self, code: int, reason: str = "") -> None:
        """Note that the agent has hung up."""
        self.closed = True

    def time(self) -> float:
        """Return the seconds of the call, by the loop's clock."""
        return asyncio.get_running_loop().time() - (self._zero or 0.0)

    # What the caller knows.

    @property
    def quiet(self) -> float:
        """Seconds since the agent was last heard; since the beginning if it was not."""
        frames = 0
        for one in reversed(self.loud):
            if one:
                break
            frames += 1
        return frames * FRAME_SECONDS

    def heard_whole(self, text: str) -> bool:
        """Return whether the caller has heard the end of a sentence with ``text`` in it."""
        return any(text in one.sentence.text and one.whole for one in self.heard)

    def sound_between(self, start: float, end: float) -> float | None:
        """Return when the agent was first audible in between; None if it was not."""
        first = max(0, round(start / FRAME_SECONDS))
        for place in range(first, min(len(self.loud), round(end / FRAME_SECONDS))):
            if self.loud[place]:
                return place * FRAME_SECONDS
        return None

    def put(self, speech: Speech) -> Said:
        """Have it sound on the line from now."""
        start = round(self.now * RATE)
        end = start + len(speech.samples)
        if end > len(self._sound):
            self._sound = np.concatenate([self._sound, np.zeros(end - len(self._sound) + RATE)])
        self._sound[start:end] += speech.samples
        self._put_words(speech.words, self.now)
        return Said(speech=speech, began=self.now, ended=self.now + speech.seconds)

    def _put_words(self, words: Sequence[Word], at: float) -> None:
        self.words += [
            Word(text=one.text, began=at + one.began, ended=at + one.ended) for one in words
        ]
        self.words.sort(key=lambda one: one.ended)

    def _hear(self) -> None:
        if not self.buffer.size:
            self.loud.append(False)
            return
        played = self.buffer.take(2 * FRAME).ljust(2 * FRAME, b"\0")
        loud = sounds(played)
        self.loud.append(loud)
        place = self.sentences.place(played)
        if place is not None:
            sentence, at = place
            last = self.heard[-1] if self.heard else None
            new = last is None or last.sentence is not sentence or at < last.reached - 0.05
            if new or last is None:
                last = Sounding(sentence, self.now, at)
                self.heard.append(last)
            words = [one for one in sentence.words if last.reached <= one.ended < at + 0.02]
            last.reached = at + FRAME_SECONDS
            if self.echo is not None:
                back = self.now + ROUND_TRIP - at
                self._put_words(words, back)
        if self.echo is not None and loud:
            start = round((self.now + ROUND_TRIP) * RATE)
            samples = np.frombuffer(played, "<i2").astype(np.float64)
            if start + FRAME <= len(self._sound):
                self._sound[start : start + FRAME] += samples * 10 ** (-self.echo / 20)

    def _speak(self) -> None:
        if (other := self.background(self)) is not None:
            self.put(other)
        if self._next < len(self.turns) and self.now >= self._last_end:
            turn = self.turns[self._next]
            if turn.when(self):
                self._next += 1
                said = self.put(turn.speech)
                self.said.append(said)
                self._last_end = said.ended

    def _frame(self) -> bytes:
        start = round(self.now * RATE)
        samples = self._sound[start : start + FRAME] + self._noise.normal(0, LINE_NOISE, FRAME)
        places = np.clip(np.rint(samples), -32768, 32767).astype(np.int32) + 32768
        return MULAW[places].tobytes()


# When a caller speaks.


def at(seconds: float) -> When:
    """So long after the answer."""
    return lambda line: line.now >= seconds


def after_quiet(seconds: float, *, sentences: int = 1) -> When:
    """Once the agent has said so many sentences, and nothing for so long."""
    return lambda line: sum(one.whole for one in line.heard) >= sentences and line.quiet >= seconds


def into(text: str, seconds: float) -> When:
    """So many seconds into a sentence of the agent's with ``text`` in it."""

    def now(line: CallerEnd) -> bool:
        last = line.heard[-1] if line.heard else None
        return last is not None and text in last.sentence.text and last.reached >= seconds - 0.005

    return now


def about_the_end(text: str, seconds: float) -> When:
    """So long after the last audible sound of a sentence with ``text``; before it if negative."""

    def now(line: CallerEnd) -> bool:
        for one in line.heard:
            if text in one.sentence.text:
                end = one.began - one.start + one.sentence.audible
                return line.now >= end + seconds - 0.005 and (seconds < 0 or one.whole)
        return False

    return now
