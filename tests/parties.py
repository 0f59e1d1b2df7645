"""Scripted calls of several, as words: who says what to whom, written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.turn_taking.addressed import addressed
from pipelines.turn_taking.floor import Addressee, Answers, Floor, Verdict

PARTIES = Path(__file__).parent / "pipelines" / "turn_taking" / "data" / "parties"
"""Folders for choosing, for reporting, and by a writer who had seen no rule; a file a language."""

GAP, A_WORD = 1.5, 0.35
"""Seconds between two turns, and of a word."""

UNNAMED = ("question", "request", "follow-up")
"""Kinds that an agent answers which is ``asked``, and one that is ``named`` does not."""

_TURN = re.compile(r"(agent|others)/([\w ]+?|follow-up): (?:\((\d+)\) )?(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one of several says, or the agent."""

    text: str
    to: str = ""
    """``agent`` or ``others``; ``""`` if the agent says it."""

    kind: str = ""
    gap: float = GAP
    """Seconds of silence before it."""


@dataclass(slots=True, kw_only=True)
class PartyCall:
    """A call of several."""

    language: str
    called: tuple[str, ...]
    others: tuple[str, ...]
    turns: list[Turn] = field(default_factory=list)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def party_calls(which: str) -> Iterator[PartyCall]:
    """Yield the calls of a folder."""
    for path in sorted((PARTIES / which).glob("*.txt")):
        call: PartyCall | None = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("call: "):
                if call is not None:
                    yield call
                called, _, others = line.removeprefix("call: ").partition("|")
                call = PartyCall(language=path.stem, called=_names(called), others=_names(others))
            elif line.startswith("> ") and call is not None:
                call.turns.append(Turn(text=line[2:]))
            elif line and not line.startswith("#"):
                found = _TURN.fullmatch(line)
                assert found is not None, f"{path}: {line}"
                assert call is not None, f"{path}: {line}"
                to, kind, gap, text = found.groups()
                call.turns.append(Turn(text=text, to=to, kind=kind, gap=float(gap or GAP)))
        if call is not None:
            yield call


def heard_turns(which: str) -> Iterator[tuple[Turn, Floor]]:
    """Yield what a recognizer heard of turns that call somebody, and who was on the line.

    The lines of these files have the agent's name, the others', to whom it was said, and what was
    heard of a synthetic voice at 8 kHz, in three pitches.
    """
    for line in (PARTIES / "heard" / f"{which}.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            called, others, to, text = line.split(" | ")
            yield Turn(text=text, to=to), Floor(called=_names(called), others=_names(others))


def judged(call: PartyCall, answers: Answers = "asked") -> Iterator[tuple[Turn, Verdict]]:
    """Yield each turn of a call and to whom it seems to be said.

    What came before is as it was meant, whatever was made of it: the agent says what it says.
    """
    at, said_at, turn_at = 0.0, float("-inf"), float("-inf")
    floor = Floor(called=call.called, others=call.others, answers=answers)
    for turn in call.turns:
        at += turn.gap
        if not turn.to:
            floor = floor.after_agent(turn.text)
            said_at = at = at + A_WORD * len(turn.text.split())
            continue
        before = replace(floor, since_said=at - said_at, since_turn=at - turn_at)
        verdict = addressed(turn.text, call.language, before)
        yield turn, verdict
        turn_at = at = at + A_WORD * len(turn.text.split())
        floor = floor.after_turn(to_others=turn.to == "others", asks=verdict.asks)


def is_right(turn: Turn, verdict: Verdict) -> bool:
    """Return whether a turn is taken as it was meant; what is unclear is left to others."""
    return (verdict.to is Addressee.AGENT) == (turn.to == "agent")
