"""The comparison as a person reads it: both conversations side by side, then all calls together."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from agent.replay.comparison import (
    FIGURES,
    ComparedCall,
    Difference,
    Figure,
    over_all,
    to_listen_to,
)
from agent.replay.conversation import TurnAndAnswer
from pipelines.text.words import words

NARROWEST = 24
"""Cells of a column: narrower ones are not read."""

BETWEEN = " | "


def cells(text: str) -> int:
    """Return how wide ``text`` is on a terminal."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def wrapped(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, without what a terminal would obey."""
    lines, line = [], ""
    for word in words("".join(c if c.isprintable() else " " for c in text)):
        while cells(line + word.rstrip()) > width:
            if line.strip():
                lines.append(line.rstrip())
                line = ""
                continue
            cut = width if cells(word) == len(word) else width // 2
            lines.append(word[:cut])
            word = word[cut:]  # noqa: PLW2901 - what is left of it
        line += word
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def conversation(call: ComparedCall, width: int) -> str:
    """Return a call, then on the left, now on the right.

    Args:
        call: Which.
        width: Cells of the terminal.
    """
    column = max(NARROWEST, (width - len(BETWEEN)) // 2)
    lines = [f"{call.name}  {call.started}  {call.agent}".rstrip()]
    lines += [_row("then", "now", column), "-" * column + "-+-" + "-" * column]
    for then, now in zip_longest(call.turns_then, call.turns_now):
        both = zip_longest(_column(then, column), _column(now, column), fillvalue="")
        lines += [_row(left, right, column) for left, right in both]
    lines += [f"  {line}" for line in _summary(call)]
    return "\n".join(lines) + "\n"


def _row(left: str, right: str, column: int) -> str:
    return f"{left}{' ' * max(0, column - cells(left))}{BETWEEN}{right}".rstrip()


def _column(turn: TurnAndAnswer | None, width: int) -> Iterator[str]:
    if turn is None:
        return
    told = turn.answer is None
    for one in turn.lines:
        if one.who == "agent" and not told:
            yield from _told(turn, width)
            told = True
        head = f"{one.at:6.1f} {one.who:7s}"
        for n, line in enumerate(wrapped(one.text, max(8, width - len(head) - 1))):
            yield f"{head if not n else ' ' * len(head)} {line}"
    if not told:
        yield from _told(turn, width)


def _told(turn: TurnAndAnswer, width: int) -> Iterator[str]:
    """Say how the caller was answered."""
    answer = turn.answer
    if answer is None:
        return
    if answer.cut_ins:
        yield _set_in("(it cut in)", width)
    if answer.response is not None:
        yield _set_in(f"(after {answer.response:.2f} s)", width)
    elif answer.missed:
        yield _set_in(f"(no answer in {answer.silence:.1f} s)", width)


def _set_in(text: str, width: int) -> str:
    return " " * max(0, min(15, width - len(text))) + text


def _summary(call: ComparedCall) -> Iterator[str]:
    for figure in FIGURES:
        then, now = call.then.get(figure.name), call.now.get(figure.name)
        if now is None or (not then and not now):
            continue
        before = "unknown" if then is None else _value(figure, then)
        yield f"{figure.label:28s} {before} -> {_value(figure, now)}"
    if call.words_changed:
        yield f"{'words heard otherwise':28s} {call.words_changed} of {call.words}"
    if call.ended_now and call.ended_now != call.ended_then:
        yield f"{'ended':28s} {call.ended_then or 'unknown'} -> {call.ended_now}"
    for note in call.notes:
        yield f"note: {note}"
    if call.stood_in:
        yield f"note: {call.stood_in} requests to tools had no recorded result"


def _value(figure: Figure, value: float) -> str:
    if figure.name == "cost":
        return f"{value:.4f}"
    return f"{value:.2f} s" if figure.unit else f"{value:g}"


def over_all_calls(calls: Sequence[ComparedCall]) -> str:
    """Return what differs over all calls, and which to listen to."""
    lines = [f"all calls ({len(calls)}), now less then, with 95 % intervals:"]
    lines += [_difference(one) for one in over_all(calls) if _happened(one.figure, calls)]
    told = [one for one in calls if one.words_changed is not None]
    changed, said = sum(one.words_changed or 0 for one in told), sum(one.words for one in told)
    if said:
        lines.append(f"  the caller's words: {changed} of {said} heard otherwise")
    worst = to_listen_to(calls)
    lines += ["", "to listen to, the worst first:"] if worst else ["", "no call got worse"]
    for one in worst:
        lines.append(f"  {one.name}: {'; '.join(reason.text for reason in one.reasons)}")
        lines += [f"    then: {one.hear_then}", f"    now:  {one.hear_now}"]
    return "\n".join(lines)


def _happened(figure: Figure, calls: Sequence[ComparedCall]) -> bool:
    """Return whether there is anything to tell of a figure: not that nothing was and nothing is."""
    return any(one.then.get(figure.name) or one.now.get(figure.name) for one in calls)


def _difference(one: Difference) -> str:
    figure = one.figure
    counts: Mapping[str, int] = (
        {"better": one.fewer, "worse": one.more, "same": one.same}
        if figure.judged
        else {"less": one.fewer, "more": one.more, "same": one.same}
    )
    counted = ", ".join(f"{count} {what}" for what, count in counts.items())
    if one.value is None or one.interval is None:
        found = f"too few calls for a number (n={one.n}, {one.needed} are needed)"
        return f"  {figure.label:28s} {found}; {counted}"
    what = "median" if figure.kind == "time" else "mean"
    unit = f" {figure.unit}" if figure.unit else ""
    digits = 4 if figure.name == "cost" else 2
    low, high = (f"{end:+.{digits}f}" for end in one.interval)
    return (
        f"  {figure.label:28s} {what} {one.value:+.{digits}f}{unit} ({low} to {high}, n={one.n}): "
        f"{one.verdict}; {counted}"
    )
