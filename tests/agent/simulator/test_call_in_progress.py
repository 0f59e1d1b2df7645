"""One call from the caller's end, frame by frame."""

from __future__ import annotations

import json
import wave
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Cue, Plan, Turn
from pipelines.audio import FRAME_SECONDS, Audio
from tests.agent.conversation import LOUD, RATE

QUIET = bytes(len(LOUD))


def turn(seconds: float = 0.5, label: str = "a tone") -> Turn:
    return Turn(audio=Audio(LOUD * round(seconds / FRAME_SECONDS), RATE), label=label)


class Line:
    """A call in progress, and its timeline."""

    def __init__(self, plan: Plan) -> None:
        self.timeline: list[tuple[float, str]] = []
        self.call = CallInProgress(plan, lambda at, line: self.timeline.append((at, line)))
        self.sent: list[bytes] = []

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / FRAME_SECONDS)):
            self.sent.append(self.call.frame())

    def agent_says(self, seconds: float) -> None:
        """Send as a fast agent does: all at once."""
        for _ in range(round(seconds / FRAME_SECONDS)):
            self.call.received(LOUD)

    def clear(self) -> None:
        self.call.received('{"command": "clear"}')


def test_a_conversation_is_timed_by_what_is_heard() -> None:
    """The caller waits for the greeting to end; the response is timed from the last sound."""
    line = Line(Plan(turns=[turn()]))
    line.agent_says(2.0)
    line.run(3.5)
    assert line.sent.index(LOUD) * FRAME_SECONDS == pytest.approx(3.0, abs=0.03)
    line.run(0.8)
    line.agent_says(1.0)
    line.run(3.0)
    report = line.call.finish()
    (exchange,) = report.exchanges
    assert exchange.began == pytest.approx(3.0, abs=0.03)
    assert exchange.ended == pytest.approx(3.5, abs=0.03)
    assert exchange.response == pytest.approx(0.8, abs=0.03)
    assert [round(e - b, 2) for b, e in report.agent_spoke] == [2.0, 1.0]
    assert line.call.done
    assert line.call.failure() == ""


def test_words_that_cut_in_are_no_answer() -> None:
    """The caller finishes, and waits for what comes then."""
    line = Line(Plan(turns=[turn(2.0)]))
    line.agent_says(1.0)
    line.run(3.0)
    line.agent_says(0.2)
    line.run(3.0)
    assert line.call.report.exchanges[0].response is not None
    assert not line.call.done
    line.agent_says(0.5)
    line.run(3.0)
    assert line.call.done


def test_an_agent_that_never_stops_is_hung_up_on() -> None:
    """The call has an end in any case, and says why."""
    line = Line(Plan(turns=[turn()], max_seconds=5.0))
    for _ in range(10):
        line.agent_says(1.0)
        line.run(0.6)
    assert line.call.done
    assert line.call.failure() == "5 s were over before 'a tone'"


def test_a_clear_empties_the_buffer_at_once() -> None:
    """What was sent and not yet played is never heard, and the caller's wait is measured."""
    line = Line(Plan(turns=[turn(1.0)], interrupt_after=0.5))
    line.agent_says(5.0)
    line.run(0.7)
    line.clear()
    line.run(0.3)
    report = line.call.finish()
    ((began, ended),) = report.agent_spoke
    assert began == 0.0
    assert ended == pytest.approx(0.7, abs=0.03)
    assert report.exchanges[0].clear == pytest.approx(0.2, abs=0.03)


def test_an_agent_that_cuts_in_has_a_negative_response_time() -> None:
    """It spoke before the caller was done."""
    line = Line(Plan(turns=[turn(1.0)], greeting_timeout=0.1))
    line.run(0.6)
    line.agent_says(0.3)
    line.run(3.0)
    (exchange,) = line.call.finish().exchanges
    assert exchange.response is not None
    assert exchange.response < 0 or (0.6, "agent speaks: cuts in") in line.timeline
    assert any("cuts in" in told for _, told in line.timeline)


@pytest.mark.parametrize(
    ("story", "failure"),
    [
        ("silent", "answered, but the agent said nothing"),
        ("greets only", "nothing was answered to 'a tone'"),
    ],
)
def test_a_call_without_an_answer_has_failed(story: str, failure: str) -> None:
    """The caller does not wait for ever, and says what was missing."""
    line = Line(Plan(turns=[turn()], answer_timeout=2.0))
    if story == "greets only":
        line.agent_says(1.0)
    line.run(10.0)
    assert line.call.done
    line.call.finish()
    assert line.call.failure() == failure


def test_a_gap_within_speech_is_counted() -> None:
    """100 ms without audio between two pieces was heard as a stutter; a longer wait is a pause."""
    line = Line(Plan())
    line.agent_says(0.2)
    line.run(0.3)
    line.agent_says(0.2)
    line.run(1.5)
    line.agent_says(0.2)
    line.run(0.5)
    assert line.call.finish().gaps == 1


def test_the_recording_has_the_caller_left_and_the_agent_right(tmp_path: Path) -> None:
    """Both run from the answer, sample by sample."""
    line = Line(Plan(turns=[turn(0.1)], greeting_timeout=0.1))
    line.run(0.3)
    line.agent_says(0.1)
    line.run(0.3)
    line.call.save(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, RATE)
        pcm = file.readframes(file.getnframes())
    left = b"".join(pcm[i : i + 2] for i in range(0, len(pcm), 4))
    right = b"".join(pcm[i + 2 : i + 4] for i in range(0, len(pcm), 4))
    assert left == b"".join(line.sent)
    assert right.count(LOUD) == 5


def test_the_report_is_plain_json() -> None:
    """Scripts can read it."""
    line = Line(Plan(turns=[turn()]))
    line.agent_says(1.0)
    line.run(5.0)
    line.call.finish()
    assert json.loads(json.dumps(line.call.report.as_json()))["rate"] == RATE


def cued(event: Literal["answer", "opening", "reply"], seconds: float) -> Turn:
    return replace(turn(), cue=Cue(event=event, seconds=seconds))


@pytest.mark.parametrize(
    ("cue", "begins"),
    [
        (cued("answer", 0.2), 0.2),  # whether the agent speaks or not
        (cued("opening", 0.9), 1.4),  # while it speaks: from 0.5 to 1.5 s
        (cued("opening", 1.26), 1.76),  # a quarter of a second after its end
    ],
)
def test_a_turn_has_its_cue(cue: Turn, begins: float) -> None:
    """To the frame, whatever the agent does."""
    line = Line(Plan(turns=[cue]))
    line.run(0.5)
    line.agent_says(1.0)
    line.run(3.0)
    (exchange,) = line.call.report.exchanges
    assert exchange.began == pytest.approx(begins, abs=0.001)


def test_a_reply_is_talked_over_and_the_opening_is_not() -> None:
    """The second turn waits for the reply to the first."""
    line = Line(Plan(turns=[turn(), cued("reply", 0.6)]))
    line.agent_says(2.0)
    line.run(4.0)  # it ends at 2 s; the caller speaks from 3.0 to 3.5 s
    assert len(line.call.report.exchanges) == 1
    line.agent_says(3.0)
    line.run(2.0)
    first, second = line.call.report.exchanges
    assert first.response == pytest.approx(0.5, abs=0.03)
    assert second.began == pytest.approx(4.6, abs=0.03)
