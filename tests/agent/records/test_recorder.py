"""A recording says the same as the record, to the sample: whole calls by chance, in virtual time.

Every frame of either side says which word it is of (:mod:`tests.agent.call.schedules`), so that no
speech-to-text is needed to read it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from agent.call.clock import TICK
from agent.records.recordings.recorder import Recorder
from agent.records.recordings.recording_files import Reason, Written
from pipelines.audio import SPEECH_RATE
from pipelines.clock import now
from tests.agent.call.schedules import FRAME, SAMPLES, Schedule, World, frames_of
from tests.virtual_time import run

CALLS, BATCH = 100, 25


@dataclass
class Tape:
    """A recording in memory."""

    written: list[Written] = field(default_factory=list)
    first: int = 0
    end: int | None = None
    failed: Reason | None = None
    latest: float = 0.0

    def add(self, written: Sequence[Written]) -> None:
        self.written += written
        self.latest = now()

    def close(self, end: int) -> None:
        self.end = end

    def discard(self) -> None:
        self.written.clear()

    def side(self, name: str) -> np.ndarray:
        stretches = [one for side, one in self.written if side == name]
        track = np.zeros(max((one.end for one in stretches), default=0) + SPEECH_RATE, np.int16)
        for one in stretches:
            assert not track[one.start : one.end].any(), "two at one place"
            track[one.start : one.end] = np.frombuffer(one.pcm, "<i2")
        return track


class Recorded(World):
    """A call that is recorded, with its pauses."""

    def __init__(self, number: int, pauses: int = 0) -> None:
        super().__init__(Schedule(number))
        self.tape = Tape()
        self.recorder = Recorder(SPEECH_RATE, 0.0, self._begin)
        self.tap = self
        self.spans: list[tuple[float, float]] = []
        chance = random.Random(number)
        for _ in range(pauses):
            begin = chance.uniform(0.0, self.schedule.seconds)
            self.spans.append((begin, begin + chance.uniform(0.0, 3.0)))
        self._marks = sorted(at for span in self.spans for at in span)

    def _begin(self, first: int) -> Tape:
        self.tape.first = first
        return self.tape

    def received(self, pcm: bytes) -> None:
        self._pause()
        self.recorder.received(pcm)

    def sent(self, pcm: bytes) -> None:
        self._pause()
        self.recorder.sent(pcm)

    def cleared(self) -> None:
        self.recorder.cleared()

    def pressed(self, keys: str) -> str:
        return keys

    def _pause(self) -> None:
        paused = any(begin <= now() < end for begin, end in self.spans)
        if paused and self.recorder.state == "recording":
            self.recorder.pause()
        elif not paused and self.recorder.state == "paused":
            self.recorder.resume()

    async def main(self) -> None:
        self.recorder.begin()
        await super().main()
        self.recorder.stop(keep=True, over=True)

    def hold(self) -> None:
        run(self.main())
        assert self.call.history.record.began == 0.0, "one zero for both"


def frame_at(track: np.ndarray, at: float) -> bytes:
    first = round(at * SPEECH_RATE)
    return track[first : first + SAMPLES].tobytes()


def check_agent(world: Recorded) -> None:
    """All that was played is there, when it was played; and no more but what a clear cut.

    A clear leaves with the next message, or with the next look at the clock if the caller's line
    sends none: what is played meanwhile is not on record either.
    """
    track = world.tape.side("agent")
    clears = [at for at, one in world.far.received if isinstance(one, str) and "clear" in one]
    whole = 0
    for at, frame in world.far.heard():
        if not any(0 <= clear - at <= TICK + FRAME for clear in clears):
            assert frame_at(track, at) == frame, f"{world.schedule.number}: {at}"
        whole += int(np.count_nonzero(np.frombuffer(frame, "<i2")))
    assert np.count_nonzero(track) <= whole + (len(clears) + 1) * SAMPLES, world.schedule.number


def check_caller(world: Recorded) -> None:
    """All that came is where it was spoken: what was lost before moves nothing."""
    track = world.tape.side("caller")
    ended = (world.far.closed or (0.0, 0))[0]
    for number, frame in enumerate(world.schedule.frames):
        if frame is not None and (number + 2) * FRAME < ended:
            assert frame_at(track, number * FRAME) == frame, f"{world.schedule.number}: {number}"


def check_lines(world: Recorded) -> int:
    """The first word of each line of ours is within 100 ms of it; return how many there are."""
    track, lines, margin = world.tape.side("agent"), 0, SPEECH_RATE // 10
    for line in world.notes.of("agent"):
        word = line["text"].partition(" ")[0]  # none if nothing of it was heard
        if word not in world.vocabulary.values:
            continue  # keys, or a recording of ours: not by a voice
        first = round(line["at"] * SPEECH_RATE)
        near = track[max(0, first - margin) : first + SAMPLES + margin].tobytes()
        beginning = frames_of(world.vocabulary.value(word), 1)[0]
        assert beginning in near, f"{world.schedule.number}: {line}"
        lines += 1
    return lines


@pytest.mark.parametrize("first", range(0, CALLS, BATCH))
def test_whatever_happens_the_recording_is_what_was_heard_when_it_was(first: int) -> None:
    """Barge-in, resumption, lost audio, late stages, hang-ups at any moment: to the sample."""
    lines = 0
    for number in range(first, first + BATCH):
        world = Recorded(number)
        world.hold()
        check_agent(world)
        check_caller(world)
        lines += check_lines(world)
    assert lines > BATCH / 2


@pytest.mark.parametrize("first", range(0, 25, BATCH))
def test_what_is_paused_is_silent_on_both_sides_and_moves_nothing(first: int) -> None:
    """The rest is as it would be without."""
    for number in range(first, first + BATCH):
        whole, world = Recorded(number), Recorded(number, pauses=3)
        whole.hold()
        world.hold()
        for side in ("caller", "agent"):
            wanted, track = whole.tape.side(side).copy(), world.tape.side(side)
            for begin, end in world.spans:
                # It is noticed here with the next frame, which is not kept then.
                left, right = round(begin * SPEECH_RATE), round(end * SPEECH_RATE)
                assert not track[left + SAMPLES : right].any(), (number, side)
                left, right = max(0, left - SAMPLES), right + SAMPLES
                wanted[left:right] = track[left:right] = 0
            size = min(len(wanted), len(track))
            assert (wanted[:size] == track[:size]).all(), (number, side)


def test_what_was_heard_is_handed_over_within_a_second_or_two() -> None:
    """While it is heard, and not in the end: a process may die."""
    world = Recorded(11)
    latest: list[float] = []
    add = world.tape.add

    def noticed(written: Sequence[Written]) -> None:
        latest.append(now())
        add(written)
        late = [now() - one.start / SPEECH_RATE for _, one in written]
        assert max(late) <= 2.1

    world.tape.add = noticed  # type: ignore[method-assign]
    world.hold()
    assert len(latest) >= 5
