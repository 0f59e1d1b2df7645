"""A caller who is passed on warm: what whoever is asked hears before, and what the agent does then.

They hear a briefing by the platform's own voice, alone, and say whether they take the call. The
agent introduces both then, and leaves, stays in silence, or stays to help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.plain_lines import plain
from agent.sinch_limits import MAX_SAY
from pipelines.text.sentences import cut

Then = Literal["leave", "silent", "help"]
"""What the agent does once both are together: it leaves them, stays without a word until whoever
was called has left, or takes part."""

NotReached = Literal["no answer", "busy", "machine", "declined", "failed"]
"""Why somebody who was dialled does not talk with us: ``declined`` by their word or a key."""

CONSENT = "To take the call, press 1. If you cannot, press 2."
INTRODUCTION = "You are connected now."

SUMMARY = "\ue000"
"""Stands in a briefing where a language model's summary goes, if there is one in time: a character
of Unicode's private use, which no file has, and no voice reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmTransfer:
    """How a caller is passed on warm."""

    briefing: str = "A caller would like to talk to you."
    """What whoever is called hears first, or behind :attr:`disclosure`."""

    disclosure: str = ""
    """That a machine talks, which they hear before all else, and cannot answer before its end;
    ``""`` for nothing."""

    with_summary: str = ""
    """The same with :data:`SUMMARY` in it; ``""`` if no summary is wanted."""

    consent: str = CONSENT
    """What they hear then: how to take the call, and how not to. 1 is yes, 2 is no."""

    introduction: str = INTRODUCTION
    """What the agent says to both; ``""`` for nothing."""

    then: Then = "leave"

    @property
    def prompt(self) -> str:
        """What is said to them before it is known what a language model makes of the call."""
        return self._prompt(self.briefing)

    def prompt_with(self, summary: str) -> str:
        """Return what is said to them with a summary of the call."""
        return self._prompt(self.with_summary.replace(SUMMARY, plain(summary)))

    def _prompt(self, briefing: str) -> str:
        return spoken_prompt(briefing, self.consent, MAX_SAY - len(plain(self.disclosure)))


def spoken_prompt(briefing: str, consent: str, most: int = MAX_SAY) -> str:
    """Return a briefing and the question after it, of ``most`` characters.

    A briefing that is too long ends with the last sentence that fits, or else with a word. The
    question stays whole, unless it alone is longer than the platform says.
    """
    question = plain(consent)[:MAX_SAY].strip()
    return f"{shortened(plain(briefing), max(0, most - len(question) - 1))} {question}".strip()


def announced(told: str, announcement: str) -> str:
    """Return what somebody hears alone before they are on a line: that a machine talks, whole.

    Args:
        told: That a machine talks; ``""`` for nothing.
        announcement: What follows, shortened as a briefing is.
    """
    first = plain(told)
    then = shortened(announcement, MAX_SAY - len(first) - 1)
    return " ".join(filter(None, (first, then)))[:MAX_SAY]


def shortened(text: str, most: int) -> str:
    """Return the sentences of a text that fit into ``most`` characters; of one too long, words."""
    if len(text) <= most:
        return text
    kept = ""
    for sentence in cut(text):
        longer = f"{kept} {sentence}".strip()
        if len(longer) > most:
            break
        kept = longer
    return kept or text[: max(0, most)].rpartition(" ")[0]
