"""What is counted and timed over many outcomes: the rows of every table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.simulator.evaluation.judging import DICTATED, PROMPT, SAID, TURNS, Outcome
from agent.simulator.scenarios.entries import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Something that happened in a call or did not. Less of it is better."""

    name: str
    label: str
    kinds: Sequence[Kind]
    happened: Callable[[Outcome], bool | None]
    """None of a call that it cannot be asked of."""

    def of(self, outcome: Outcome) -> bool | None:
        """Return whether it happened; None if that is not known."""
        if outcome.failed or outcome.kind not in self.kinds:
            return None
        return self.happened(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """Something that took so long. Less of it is better."""

    name: str
    label: str
    kinds: Sequence[Kind]
    seconds: Callable[[Outcome], float | None]

    def of(self, outcome: Outcome) -> float | None:
        """Return the seconds; None if there are none."""
        if outcome.failed or outcome.kind not in self.kinds:
            return None
        return self.seconds(outcome)


def _answered(outcome: Outcome) -> float | None:
    """Return the response time; an answer after a cut-in does not count as a fast one."""
    return None if outcome.cut_in else outcome.response


def _not_resumed(outcome: Outcome) -> bool:
    return outcome.stopped is not None and outcome.resumed is None


def _not_promptly(outcome: Outcome) -> bool:
    if outcome.stopped is None:
        return False
    return outcome.resumed is None or outcome.resumed > PROMPT


def _cut_in(name: str, label: str, kind: Kind) -> Count:
    return Count(name=name, label=label, kinds=(kind,), happened=lambda o: o.cut_in)


def _false_stops(what: str, kind: Kind) -> tuple[Count | Time, ...]:
    return (
        Count(
            name=f"{what}_stopped",
            label=f"{what}: stopped the agent",
            kinds=(kind,),
            happened=lambda o: o.stopped is not None,
        ),
        Count(
            name=f"{what}_for_good",
            label="  and it did not go on",
            kinds=(kind,),
            happened=_not_resumed,
        ),
        Count(
            name=f"{what}_long",
            label=f"  or not within {PROMPT:g} s",
            kinds=(kind,),
            happened=_not_promptly,
        ),
        Time(
            name=f"{what}_silence",
            label="  silence until it went on",
            kinds=(kind,),
            seconds=lambda o: o.resumed,
        ),
    )


ROWS: tuple[Count | Time, ...] = (
    Time(name="response", label="response time", kinds=SAID, seconds=_answered),
    Time(
        name="response_dictated",
        label="  after digits and letters",
        kinds=DICTATED,
        seconds=_answered,
    ),
    Count(
        name="missed_turns",
        label="missed turns",
        kinds=TURNS,
        happened=lambda o: o.response is None,
    ),
    _cut_in("cut_ins_whole", "cut into whole utterances", "turn"),
    _cut_in("cut_ins_pauses", "cut into pauses", "pause"),
    _cut_in("cut_ins_hesitations", "cut into hesitations", "hesitation"),
    _cut_in("cut_ins_going_on", "cut into answers that go on", "goes-on"),
    _cut_in("cut_ins_digits", "cut into digits", "digits"),
    _cut_in("cut_ins_spelling", "cut into spelled names", "spelling"),
    Count(
        name="answers_lost",
        label="answers to the opening lost",
        kinds=("answer",),
        happened=lambda o: o.response is None,
    ),
    Time(
        name="answers_response",
        label="  response time",
        kinds=("answer",),
        seconds=_answered,
    ),
    Time(
        name="barge_in_stop",
        label="barge-in: onset to clear",
        kinds=("barge-in",),
        seconds=lambda o: o.stopped,
    ),
    Count(
        name="barge_in_not_stopped",
        label="barge-in: did not stop",
        kinds=("barge-in",),
        happened=lambda o: o.stopped is None,
    ),
    Count(
        name="old_audio",
        label="barge-in: old audio after clear",
        kinds=("barge-in",),
        happened=lambda o: o.stale > 0,
    ),
    *_false_stops("backchannels", "backchannel"),
    *_false_stops("noises", "noise"),
    Count(
        name="background_lost",
        label="background talker: reply lost",
        kinds=("background",),
        happened=lambda o: o.whole is False,
    ),
    Count(
        name="background_stopped",
        label="  stopped the agent for a while",
        kinds=("background",),
        happened=lambda o: o.stopped is not None and o.whole is not False,
    ),
    Time(
        name="background_silence",
        label="  silence until it went on",
        kinds=("background",),
        seconds=lambda o: None if o.whole is False else o.resumed,
    ),
    Count(
        name="echo_stopped",
        label="echo: it stopped itself",
        kinds=("echo",),
        happened=lambda o: o.stopped is not None or o.whole is False,
    ),
    Count(
        name="echo_answered",
        label="echo: it answered itself",
        kinds=("echo",),
        happened=lambda o: o.answered_itself,
    ),
    Count(
        name="pick_up_lost",
        label='"Hello?" first: opening lost',
        kinds=("pick-up",),
        happened=lambda o: o.whole is False,
    ),
)
"""In the order of the table."""

BY_PAUSE: tuple[Kind, ...] = ("pause", "hesitation", "goes-on", *DICTATED)
"""Kinds whose pauses are told apart."""
