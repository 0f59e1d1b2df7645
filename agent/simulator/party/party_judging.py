"""What is right and wrong of an agent on a line of several: who was answered, and who was not.

No clock, no socket, no sound: who said what and when, what the agent was to do about it, and when
it was heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.simulator.intervals import of_share, percentile
from agent.simulator.party.conference import LineTurn
from agent.simulator.party.party_phones import Expected

EARLY = 0.1
"""Seconds before the last sound of a turn in which speech is no cut-in: an answer on its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTurn:
    """One turn on the line, and what the agent did about it."""

    key: str
    who: str
    label: str
    expected: Expected
    response: float | None
    """From its last sound to the agent's first; None if it was not answered. Below 0, but for the
    last tenth of a second, the agent cut in."""

    @property
    def cut_in(self) -> bool:
        """Whether the agent began to speak while it was being said."""
        return self.response is not None and self.response < -EARLY

    @property
    def right(self) -> bool:
        """Whether the agent answered if it was to, and was silent if not; a cut-in is wrong."""
        if self.expected == "silence":
            return self.response is None
        return self.response is not None and not self.cut_in


def judged(
    expected: Mapping[str, tuple[Expected, str]],
    turns: Mapping[str, LineTurn],
    agent_spoke: Sequence[tuple[float, float]],
) -> list[JudgedTurn]:
    """Return what came of the turns that are judged, in the order in which they were said.

    What the agent says belongs to the last turn that had begun by then, whoever said it: what comes
    late, over somebody else, cuts in on them. What it was saying already when a turn began, over
    which somebody spoke, is no answer to it.

    Args:
        expected: By key, of the turns that are judged, and what to call them.
        turns: All that was said, by key. One that was not is left out.
        agent_spoke: From when to when the agent sounded.
    """
    said = [(key, turn) for key, turn in turns.items() if turn.ended > turn.began]
    said.sort(key=lambda one: one[1].began)
    ends = [*(turn.began for _, turn in said[1:]), float("inf")]
    found: list[JudgedTurn] = []
    for (key, turn), until in zip(said, ends, strict=True):
        if key not in expected:
            continue
        first = next((at for at, _ in agent_spoke if turn.began <= at < until), None)
        wanted, label = expected[key]
        found.append(
            JudgedTurn(
                key=key,
                who=turn.who,
                label=label,
                expected=wanted,
                response=None if first is None else first - turn.ended,
            )
        )
    return found


def as_text(turns: Sequence[JudgedTurn]) -> str:
    """Return what came of some turns, of one call or of several, in lines for people.

    Shares have Wilson's interval at 95 %; times are medians, and the ninth of ten.
    """
    lines = [_line(turn) for turn in turns if not turn.right]
    for wanted, words in (("answer", "answered when addressed"), ("silence", "silent otherwise")):
        lines.append(_share(words, [one.right for one in turns if one.expected == wanted]))
    lines.append(_share("right in all", [one.right for one in turns]))
    lines.append(_share("cut in", [one.cut_in for one in turns]))
    times = [one.response for one in turns if one.expected == "answer" and one.right]
    found = [one for one in times if one is not None]
    if found:
        median, most = percentile(found, 50), percentile(found, 90)
        lines.append(f"response: median {median:.2f} s, p90 {most:.2f} s, n = {len(found)}")
    return "\n".join(lines)


def _line(turn: JudgedTurn) -> str:
    did = "no answer" if turn.response is None else f"answered at {turn.response:+.2f} s"
    return f"wrong: {turn.who}: {turn.label!r}: {turn.expected} expected, {did}"


def _share(words: str, held: Sequence[bool]) -> str:
    if (interval := of_share(sum(held), len(held))) is None:
        return f"{words}: not tried"
    low, high = (100 * end for end in interval)
    return f"{words}: {sum(held)} of {len(held)} ({low:.0f} to {high:.0f} %)"
