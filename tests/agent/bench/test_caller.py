"""One caller, frame by frame: what is measured is what a hand counts."""

from __future__ import annotations

import numpy as np
import pytest

from agent.bench.caller import ANSWERED_WITHIN, LoadCaller, first_sound
from agent.bench.speech import RATE, SAID, SAID_OVER, silent_frame, spoken
from agent.simulator.scenarios.sounds import RECORDINGS
from agent.simulator.speech import recorded_turn
from pipelines.audio import frame_bytes
from pipelines.listening.detectors import DetectorSettings, detectors
from pipelines.listening.echo import EchoGuard
from pipelines.listening.listener import Listener
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import SpeechEnded

FRAME = 0.020
LOUD = np.full(160, 5000, "<i2").tobytes()
"""20 ms that sound."""


class Played:
    """A call in which time is the number of frames."""

    def __init__(self, seed: int = 1) -> None:
        self.caller = LoadCaller(seed, 0.0)
        self.at = 0.0
        self.ended = 0.0
        """When the last frame left that sounds."""

        self.began = 0.0
        self.silence = silent_frame()
        self._loud = {
            frame
            for name in {*SAID, *SAID_OVER}
            for frame in spoken(name).frames[spoken(name).onset : spoken(name).last + 1]
        }

    def tick(self) -> bytes:
        frame = self.caller.frame(self.at)
        if frame in self._loud:
            self.began = self.began or self.at
            self.ended = self.at
        self.at = round(self.at + FRAME, 6)
        return frame

    def until_spoken(self) -> None:
        """Go on until the caller has begun, and is done."""
        self.began = 0.0
        while not self.caller.speaks:
            self.tick()
        while self.caller.speaks:
            self.tick()


def greeted(seed: int) -> Played:
    """Return a call whose agent has said something for a second."""
    call = Played(seed)
    call.caller.audio(0.0, LOUD * 50)
    return call


def seed_of(*, interrupts: bool) -> int:
    """Return a seed whose first turn is an interruption, or is none."""
    for seed in range(20):
        call = greeted(seed)
        for _ in range(40):
            call.tick()
        call.caller.audio(call.at, LOUD * 500)
        for _ in range(200):
            call.tick()
            if call.caller.speaks:
                break
        if call.caller.speaks == interrupts:
            return seed
    raise AssertionError


def test_a_response_is_counted_from_the_last_sound_to_the_first_one_heard() -> None:
    """It comes 0.7 s after the last frame that sounds, 60 ms of silence in it; a frame is start."""
    call = greeted(seed_of(interrupts=False))
    call.until_spoken()
    call.caller.audio(call.ended + 0.7, bytes(6 * 160) + LOUD * 10)
    (response,) = call.caller.result().responses
    assert response == pytest.approx(0.7 + 0.06 + 0.02)


def test_silence_is_no_answer() -> None:
    """What does not sound is waited through."""
    call = greeted(seed_of(interrupts=False))
    call.until_spoken()
    call.caller.audio(call.ended + 0.5, bytes(320))
    assert call.caller.result().responses == []
    assert first_sound(bytes(320)) is None


def test_a_stop_is_counted_from_the_onset_of_an_interruption() -> None:
    """Its first frame that sounds had begun 20 ms before it left; ``clear`` came 0.1 s later."""
    call = greeted(seed_of(interrupts=True))
    call.caller.audio(0.5, LOUD * 500)
    while not call.began:
        call.tick()
    call.caller.cleared(call.began + 0.1)
    (stop,) = call.caller.result().stops
    assert stop == pytest.approx(0.12)
    assert call.caller.result().unstopped == 0


def test_an_agent_that_talks_on_was_not_stopped() -> None:
    """It had ten seconds more to say, and no ``clear`` came; nor is what it says an answer."""
    call = greeted(seed_of(interrupts=True))
    call.caller.audio(0.5, LOUD * 500)
    call.until_spoken()
    call.caller.audio(call.at, LOUD)
    found = call.caller.result()
    assert (found.unstopped, found.stops, found.responses) == (1, [], [])


def test_who_is_not_answered_says_something_else() -> None:
    """After their patience is over, and it is counted."""
    call = greeted(seed_of(interrupts=False))
    call.until_spoken()
    for _ in range(int(ANSWERED_WITHIN / FRAME) + 2):
        call.tick()
    assert call.caller.result().unanswered == 1
    call.until_spoken()


def test_an_agent_that_speaks_into_what_is_said_cuts_in() -> None:
    """It is no answer, and it is no hole."""
    call = greeted(seed_of(interrupts=False))
    while not call.began:
        call.tick()
    call.caller.audio(call.at, LOUD)
    found = call.caller.result()
    assert (found.cut_ins, found.responses, found.gaps) == (1, [], [])


def test_a_caller_is_the_same_at_every_run_and_unlike_the_others() -> None:
    """Seeds make them, so that two runs can be compared."""
    first, again, other = (greeted(seed) for seed in (3, 3, 4))
    sent = [[call.tick() for _ in range(1500)] for call in (first, again, other)]
    assert sent[0] == sent[1] != sent[2]


def test_measuring_begins_anew() -> None:
    """What came before is not in it; the call goes on."""
    call = greeted(seed_of(interrupts=False))
    call.until_spoken()
    call.caller.audio(call.ended + 0.7, LOUD)
    call.caller.begin_measuring()
    found = call.caller.result()
    assert (found.responses, found.gaps, found.frames) == ([], [], 0)


@pytest.mark.parametrize("name", SAID)
def test_speech_ends_where_a_listener_hears_its_end(name: str) -> None:
    """Within a frame: no soft end of a recording counts as the server's overhead."""
    said = spoken(name)
    heard = Listener(RATE, detectors(DetectorSettings())(), GateSettings(), EchoGuard(RATE))
    pcm = recorded_turn(RECORDINGS / f"{name}.wav", RATE).audio.pcm
    size = frame_bytes(RATE)
    line = bytes(50 * size) + pcm[: len(said.frames) * size] + bytes(60 * size)
    (ended,) = (
        at // size
        for at in range(0, len(line) // size * size, size)
        for event in heard.feed(line[at : at + size])
        if isinstance(event, SpeechEnded)
    )
    silence = round(GateSettings().end_after / FRAME)
    assert 0 <= ended - silence - (50 + said.last) + 1 <= 2
