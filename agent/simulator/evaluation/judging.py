"""What is counted as what, in a call that was placed to try an agent out.

No clock, no socket, no sound: when somebody was heard, frame by frame, and when ``clear`` came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.simulator.scenarios.entries import Kind
from agent.simulator.stretches import BREATH, Frames
from pipelines.audio import FRAME_SECONDS

EARLY = 0.3
"""Seconds by which speech may be noticed before it is louder than line noise."""

LATE = 1.5
"""Seconds after the caller's sound within which a ``clear`` still is because of it."""

RESUMED_WITHIN = 3.0
"""Seconds of silence after which going on is a new reply."""

PROMPT = 0.4
"""Seconds of silence within which a false stop should be mended (the project's own bar)."""

LOST_AFTER = 5.0
"""Seconds after an answer: who has not reacted by then has not heard it. Agents ask whether the
caller is still there after eight seconds and more."""

SAME_OPENING = 0.15
"""Seconds by which an opening may be longer or shorter than before, for answers to be placed."""

HOLE = 1.0
"""Seconds of quiet that are no breath between two sentences: what follows may be another reply."""

WHOLE = 0.85
"""Share of a reply's length from which it is taken for whole, if its words are other ones."""

SAID: tuple[Kind, ...] = ("turn", "pause", "hesitation", "goes-on")
DICTATED: tuple[Kind, ...] = ("digits", "spelling")
TURNS: tuple[Kind, ...] = (*SAID, *DICTATED)
"""Kinds in which the caller says something while the agent is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was tried. Times in seconds; None where it does not apply."""

    name: str
    kind: Kind
    repeat: int = 0
    pause: float | None = None
    offset: float | None = None
    below: float | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAsHeard:
    """What was heard in a call. Frames of 20 ms, from the answer on."""

    caller: Frames
    """When the caller was sounding; of several turns, in the last one."""

    agent: Frames
    """When the caller heard the agent."""

    clears: Sequence[float] = ()
    """When ``clear`` came, in seconds."""

    again: Frames | None = None
    """When the agent said what it had said in its opening; None for never."""

    opening: float | None = None
    """Seconds that its opening took in a call before, if there was one."""

    whole: bool | None = None
    """Whether all was heard of what a call before, without this interruption, had at this place;
    None if that cannot be told by the sound."""

    length: float | None = None
    """Seconds of what was heard of it, against those in the call before: 1 is as long."""

    hung_up: bool = False
    """Whether the agent ended the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a situation. Seconds; None where it does not apply or did not happen."""

    tried: Tried
    failed: str = ""
    """Why it says nothing: the call was refused, or the agent was not speaking when it should."""

    response: float | None = None
    """From the caller's last sound to the agent's first."""

    cut_in: bool = False
    """Whether the agent spoke before the caller had finished."""

    stopped: float | None = None
    """From the caller's first sound to ``clear``; of an echo, from the answer."""

    stale: float = 0.0
    """Sound of the agent's after that ``clear``, while the caller was still speaking."""

    resumed: float | None = None
    """Silence of both until the agent went on, after a false stop."""

    whole: bool | None = None
    """Whether what the agent was saying was heard to its end."""

    answered_itself: bool | None = None
    """Whether it said something new, nobody having spoken but itself."""

    @property
    def kind(self) -> Kind:
        """The kind of situation."""
        return self.tried.kind

    @property
    def verdict(self) -> str:
        """Say in a few words what happened."""
        if self.failed:
            return f"not measured: {self.failed}"
        match self.kind:
            case "answer":
                return self._answered(missed="lost")
            case "echo":
                return self._echoed()
            case "pick-up":
                return "opening said" if self.whole else "opening not said to its end"
            case kind if kind in TURNS:
                return self._answered(missed="missed")
        return self._interrupted()

    def _answered(self, missed: str) -> str:
        answered = missed if self.response is None else f"answered after {self.response:.2f} s"
        return f"cut in, then {answered}" if self.cut_in else answered

    def _echoed(self) -> str:
        stopped = "" if self.stopped is None else f"stopped itself at {self.stopped:.2f} s"
        broken = "opening not said to its end" if self.whole is False else ""
        answered = "answered itself" if self.answered_itself else ""
        return ", ".join(filter(None, (stopped, broken, answered))) or "was not disturbed"

    def _interrupted(self) -> str:
        if self.stopped is None:
            return "did not stop" if self.whole is not False else "did not stop, but broke off"
        stopped = f"stopped after {self.stopped:.2f} s"
        if self.kind == "barge-in":
            return stopped + (f", old audio for {self.stale:.2f} s" if self.stale else "")
        if self.whole is False:
            return f"{stopped}, did not finish its reply"
        if self.resumed is None:
            return f"{stopped}, did not go on"
        return f"{stopped}, went on after {self.resumed:.2f} s of silence"


def judge(tried: Tried, heard: CallAsHeard) -> Outcome:
    """Say what happened in a call."""
    outcome = Outcome(tried=tried)
    if tried.kind == "echo":
        return _with_echo(outcome, heard)
    said = np.flatnonzero(heard.caller)
    if not len(said):
        why = "the agent hung up before" if heard.hung_up else "the caller never got to speak"
        return replace(outcome, failed=why)
    spoke = _Spoke(first=int(said[0]), last=int(said[-1]) + 1)
    if heard.hung_up and spoke.last >= len(heard.agent):
        return replace(outcome, failed="the agent hung up while the caller spoke")
    if tried.kind in TURNS:
        return _with_turn(outcome, heard, spoke)
    if tried.kind == "pick-up":
        return replace(outcome, whole=_is_whole(heard))
    judged = _with_answer if tried.kind == "answer" else _with_interruption
    return judged(outcome, heard, spoke)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoke:
    """When the caller did: frames, the last one excluded."""

    first: int
    last: int

    @property
    def began(self) -> float:
        return self.first * FRAME_SECONDS

    @property
    def ended(self) -> float:
        return self.last * FRAME_SECONDS


def _first(frames: Frames) -> float | None:
    """Return the seconds until the first that sounds."""
    found = np.flatnonzero(frames)
    return float(found[0]) * FRAME_SECONDS if len(found) else None


def _with_turn(outcome: Outcome, heard: CallAsHeard, spoke: _Spoke) -> Outcome:
    response = _first(heard.agent[spoke.last :])
    if response is None and heard.hung_up:
        return replace(outcome, failed="the agent hung up and said nothing")
    return replace(
        outcome,
        cut_in=bool(heard.agent[spoke.first : spoke.last].any()),
        response=response,
    )


def _new(heard: CallAsHeard) -> Frames:
    """Return when the agent said something that was not its opening."""
    return heard.agent if heard.again is None else heard.agent & ~heard.again


def _with_answer(outcome: Outcome, heard: CallAsHeard, spoke: _Spoke) -> Outcome:
    """Judge an answer to the opening, which may begin a little before that has ended."""
    before = np.flatnonzero(heard.agent[: spoke.first])
    if not len(before):
        return replace(outcome, failed="the agent had said nothing")
    took = float(before[-1] + 1 - before[0]) * FRAME_SECONDS
    expected = (heard.opening or took) + min(0.0, outcome.tried.offset or 0.0)
    if abs(took - expected) > SAME_OPENING:
        why = f"its opening took {took:.2f} s by then, not {expected:.2f} s as in the call before"
        return replace(outcome, failed=why)
    new = _new(heard)
    response = _first(new[spoke.last :])
    return replace(
        outcome,
        cut_in=bool(new[spoke.first : spoke.last].any()),
        response=response if response is not None and response <= LOST_AFTER else None,
    )


def _with_echo(outcome: Outcome, heard: CallAsHeard) -> Outcome:
    """Judge a call in which nobody spoke but the agent, and its own sound came back."""
    if not heard.agent.any():
        return replace(outcome, failed="the agent said nothing")
    began = _first(heard.agent) or 0.0
    watched = round((began + (heard.opening or 0.0) + LOST_AFTER) / FRAME_SECONDS)
    until = watched * FRAME_SECONDS
    clear = next((at for at in heard.clears if at <= until), None)
    return replace(
        outcome,
        stopped=clear,
        answered_itself=bool(_new(heard)[:watched].any()),
        whole=_is_whole(heard),
    )


def _is_whole(heard: CallAsHeard) -> bool:
    """Whether all was heard, by its words, or by its length where they are other ones."""
    if heard.whole is not None:
        return heard.whole
    return heard.length is None or heard.length >= WHOLE


def _with_interruption(outcome: Outcome, heard: CallAsHeard, spoke: _Spoke) -> Outcome:
    clear = next(
        (at for at in heard.clears if spoke.began - EARLY <= at <= spoke.ended + LATE), None
    )
    at = spoke.first if clear is None else round(clear / FRAME_SECONDS)
    until = min(spoke.first, at)
    if not heard.agent[max(0, until - int(BREATH / FRAME_SECONDS)) : until].any():
        return replace(outcome, failed="the agent was not speaking any more")
    if clear is not None:
        outcome = replace(outcome, stopped=max(0.0, clear - spoke.began))
    if outcome.kind == "background":
        return _with_background(outcome, heard, at)
    if clear is None:
        return _without_clear(outcome, heard, spoke)
    if outcome.kind == "barge-in":
        stale = float(heard.agent[at : spoke.last].sum()) * FRAME_SECONDS
        return replace(outcome, stale=stale)
    silence = _first(heard.agent[max(at, spoke.last) :])
    resumed = silence is not None and silence <= RESUMED_WITHIN
    return replace(outcome, resumed=silence if resumed else None)


def _without_clear(outcome: Outcome, heard: CallAsHeard, spoke: _Spoke) -> Outcome:
    """Judge an opening that was talked over and not cleared: hanging up within it stops it, too."""
    end = len(heard.agent) * FRAME_SECONDS
    to_be_heard = (_first(heard.agent) or 0.0) + (heard.opening or 0.0)
    if not heard.hung_up or end > to_be_heard - SAME_OPENING:
        return outcome
    if outcome.kind == "barge-in":
        return replace(outcome, failed="the agent hung up")
    return replace(outcome, stopped=end - spoke.began)


def _with_background(outcome: Outcome, heard: CallAsHeard, at: int) -> Outcome:
    """Judge a reply that somebody else talked over, and that stopped ``at`` a frame if it did.

    It may go on long before they are done. Whether what follows is the rest of the reply, its
    words tell; where these are not known, the rest is not what comes after a long silence.
    """
    if outcome.stopped is None:
        # If it went on and on, its length is enough: a hiccup may make words unlike.
        holes = np.diff(np.flatnonzero(heard.agent[at:]), prepend=0) * FRAME_SECONDS
        as_long = heard.length is not None and heard.length >= WHOLE
        as_long = as_long and not bool((holes > HOLE).any())
        return replace(outcome, whole=as_long or _is_whole(heard))
    silence = _first(heard.agent[at:])
    soon = silence is not None and silence <= RESUMED_WITHIN
    whole = heard.whole if heard.whole is not None else soon and _is_whole(heard)
    return replace(outcome, whole=whole, resumed=silence)
