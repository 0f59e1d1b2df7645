"""What was unusual in a call: what to look at first, each with the moments at which it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.console.calls.story import AnswerEntry, CallStory, HappenedEntry, SaidEntry

SLOW = 1.0
"""Seconds of an answer from which on a caller notices the wait: between people it is a quarter of
that, and from a second on they take it for a trouble."""

SLOWEST = 3
"""Slow answers that are told one by one."""

MOMENTS = 8
"""Of one kind that are linked; there may be hundreds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """Something to look at."""

    text: str
    moments: Sequence[float]
    """Seconds on the call's clock, the first of them."""

    more: int = 0
    """How many moments there are besides."""

    bad: bool = False
    """Whether it is a failure."""


_KINDS: Sequence[tuple[Callable[[HappenedEntry], bool], str, bool]] = (
    (lambda one: one.kind == "failed", "reply lost|replies lost", True),
    (lambda one: one.kind == "tool" and one.bad, "tool failed|tools failed", True),
    (lambda one: one.kind == "transfer" and one.bad, "transfer failed|transfers failed", True),
    (lambda one: one.kind == "failover", "time another provider took over|times another provider "
     "took over", True),
    (lambda one: one.kind == "dropped", "gap in the record|gaps in the record", True),
    (lambda one: one.kind == "recording" and one.bad, "recording failed|recordings failed", True),
    (lambda one: one.kind == "barge_in", "time talked over|times talked over", False),
    (lambda one: one.kind == "resumed", "time stopped for nothing|times stopped for nothing",
     False),
    (lambda one: one.kind == "filler", "time something was said to bridge a wait|times something "
     "was said to bridge a wait", False),
)  # fmt: skip
"""What is told together, as one and as several, and whether it is a failure."""


def unusual(told: CallStory) -> list[Unusual]:
    """Return what was unusual in a call; nothing of one that went as it should."""
    return [
        *_failures(told, bad=True),
        *_slow(told),
        *_unanswered(told),
        *_failures(told, bad=False),
    ]


def _slow(told: CallStory) -> Iterator[Unusual]:
    slow = [one for one in told.answers if (one.waited or 0.0) >= SLOW]
    slow.sort(key=lambda one: -(one.waited or 0.0))
    for one in slow[:SLOWEST]:
        yield Unusual(text=_why(one), moments=[one.at or 0.0])
    if rest := slow[SLOWEST:]:
        text = (
            f"{len(rest)} more {'answer' if len(rest) == 1 else 'answers'} after {SLOW:g} s or more"
        )
        yield _told(text, [one.at for one in rest], bad=False)


def _why(one: AnswerEntry) -> str:
    slowest = one.picture.slowest
    seconds = slowest.ended - slowest.began
    return f"answer after {one.waited:.2f} s, mostly {slowest.label} ({seconds:.2f} s)"


def _unanswered(told: CallStory) -> Iterator[Unusual]:
    """Yield the replies of which nothing was heard."""
    found = [
        one.at
        for one in told.entries
        if isinstance(one, SaidEntry) and one.turn.who == "agent" and not one.turn.text
    ]
    if found and not told.erased:
        count = f"{len(found)} {'reply' if len(found) == 1 else 'replies'}"
        yield _told(f"{count} of which nothing was heard", found, bad=False)


def _failures(told: CallStory, *, bad: bool) -> Iterator[Unusual]:
    happened = [one for one in told.entries if isinstance(one, HappenedEntry)]
    for is_one, names, is_bad in _KINDS:
        if is_bad is not bad or not (found := [one.at for one in happened if is_one(one)]):
            continue
        name, _, names_of_several = names.partition("|")
        text = f"{len(found)} {name if len(found) == 1 else names_of_several}"
        yield _told(text, found, bad=bad)


def _told(text: str, moments: Sequence[float | None], *, bad: bool) -> Unusual:
    known = [at for at in moments if at is not None]
    return Unusual(text=text, moments=known[:MOMENTS], more=max(0, len(known) - MOMENTS), bad=bad)
