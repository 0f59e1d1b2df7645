"""What a call brings to an agent file, and what it gets: the script of that call."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent.personas.declared_tools import DeclaredTools
from pipelines.conversation import Brief
from pipelines.text.sentences import cut
from pipelines.text.speakable import speakable

MAX_VALUE = 200
"""Characters kept of a value that comes with a call; a number in full is 16 (E.164)."""

MOST_MARKS = 3
"""Combining marks on one letter; Hebrew and Vietnamese have up to three."""

_MARKUP = re.compile(r"[<>{}\[\]|`~^\\]+|^(?:[#>*-]+\s+)+|(?<=[#*_=-]{2})[#*_=-]+")
"""Tags, templates, tables, code, the separators that chat templates are made of; then headings,
lists and quotes; then lines across."""


def value_line(text: str) -> str:
    """Return a value that comes with a call as a single line of at most MAX_VALUE characters."""
    line = " ".join(text[: 4 * MAX_VALUE].split())
    return "".join(char for char in line if char.isprintable())[:MAX_VALUE]


def stranger_line(text: str) -> str:
    """Return what a stranger wrote, a display name or a header, as it may stand in a prompt.

    A line as of :func:`value_line`, without what a template, a model or a voice could take for more
    than words. What the words say is still theirs: a prompt should call them the caller's.
    """
    text = unicodedata.normalize("NFKC", text[: 4 * MAX_VALUE])  # which has a "<" for each of six
    marks = 0
    kept = []
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= MOST_MARKS:
            kept.append(char)
    return value_line(_MARKUP.sub(" ", value_line("".join(kept)))).strip()


class _Headers(dict[str, str]):
    """Call headers for a template: one that did not come with the call is ``""``."""

    def __missing__(self, key: str) -> str:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a call brings to its templates. Texts are data there, whatever stands in them."""

    now: datetime
    """Local time of the agent; gives ``date``, ``time`` and ``weekday``."""

    caller: str = ""
    """Who calls: a number, or ``""`` if withheld."""

    called: str = ""
    """The number that was called."""

    call_id: str = ""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Call headers; names as the platform gave them."""

    outgoing: bool = False
    """Whether we dialled."""

    given: Mapping[str, str] = field(default_factory=dict)
    """Values for the file's own variables, from whoever dialled."""

    def variables(self) -> dict[str, object]:
        """Return the Jinja variables of this call: single lines of at most MAX_VALUE characters.

        What strangers wrote is without markup (:func:`stranger_line`).
        """
        return {
            "caller": stranger_line(self.caller),
            "called": stranger_line(self.called),
            "call_id": stranger_line(self.call_id),
            "date": f"{self.now:%B} {self.now.day}, {self.now.year}",
            "time": f"{self.now:%H:%M}",
            "weekday": f"{self.now:%A}",
            "headers": _Headers(
                {value_line(name): stranger_line(text) for name, text in self.headers.items()}
            ),
            "outgoing": self.outgoing,
        }


SAMPLE = Details(now=datetime(2026, 1, 5, 9, 30))  # noqa: DTZ001 - wall time, of no one place
"""A call of which nothing but the time is known."""

KNOWN = replace(
    SAMPLE,
    caller="+12025550123",
    called="+12025550100",
    call_id="0a1b2c3d-sample",
    headers={"name": "Ann", "X-Name": "Ann"},
)
"""A call of which much is known."""

CALL_VARIABLES = frozenset(SAMPLE.variables())
"""The names that every call fills in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """An agent file with its variables filled in: all of it that one call needs."""

    greeting: str
    apology: str
    fillers: tuple[str, ...] = ("One moment, please.",)
    still_there: str = "Are you still there?"
    time_up: str = "I'm sorry, our time is almost up."
    transfer_failed: str = "I'm sorry, nobody is available there right now."
    greeting_interruptible: bool = True
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Whom callers can be passed on to: name and number or SIP address."""

    hang_up_after_greeting: bool = False
    """Whether the greeting is a message for an answering machine."""

    tools: DeclaredTools = field(default_factory=DeclaredTools)
    brief: Brief
    lasting: frozenset[str] = frozenset()
    """The texts above that are the same in every call: nothing of a caller is in them."""

    @property
    def own_sentences(self) -> tuple[str, ...]:
        """What the agent says of itself, as a voice reads it; first what is needed first."""
        return tuple(map(self._spoken, self._sentences()))

    @property
    def lasting_sentences(self) -> frozenset[str]:
        """Those that are the same in every call, as a voice reads them."""
        own = {sentence for text in self.lasting for sentence in cut(text)}
        own |= {tool.filler for tool in self.tools.fixed}
        return frozenset(self._spoken(one) for one in self._sentences() if one in own)

    def _sentences(self) -> list[str]:
        brief = self.brief
        texts = [self.greeting, *self.fillers, self.apology, brief.goodbye]
        if self.numbers:
            texts.append(self.transfer_failed)
        sentences = [
            sentence for text in (*texts, self.still_there, self.time_up) for sentence in cut(text)
        ]
        sentences += [tool.filler for tool in self.tools.fixed if tool.filler]
        return sentences

    def _spoken(self, sentence: str) -> str:
        return speakable(sentence, self.brief.language, self.brief.pronounce)
