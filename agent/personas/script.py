"""What a call brings to an agent file, and what it gets: the script of that call."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agent.call_headers import CallHeaders
from agent.personas.consents import ScriptConsent
from agent.personas.dates import SpokenDates
from agent.personas.declared_tools import DeclaredTools
from agent.personas.disclosures import Disclosure
from agent.personas.party import PartyScript, names_to_tell
from agent.phone_numbers import country_of
from agent.time_zones import of_country, zone
from agent.warm_transfers import SUMMARY, NotReached, WarmTransfer
from pipelines.conversation import Brief
from pipelines.text.cldr import listed
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


DATES = "-dates"
"""The variable of those filters that say dates; no template can name it so."""


class _Headers:
    """Call headers for a template: one that did not come with the call is ``""``.

    Few methods: ``headers.name`` is a header unless there is a method of that name.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = CallHeaders(
            (value_line(name), stranger_line(text)) for name, text in headers.items()
        )

    def __getitem__(self, name: object) -> str:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return str(name) in self._headers

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __str__(self) -> str:
        return str(dict(self._headers))

    def get(self, name: object, otherwise: str = "") -> str:
        return self._headers.get(str(name)) or otherwise

    def items(self) -> ItemsView[str, str]:
        return self._headers.items()


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a call brings to its templates. Texts are data there, whatever stands in them."""

    now: datetime
    """The moment that all of it is about, by the clock of agents that name no time zone."""

    caller: str = ""
    """Who calls: a number, or ``""`` if withheld."""

    called: str = ""
    """The number that was called."""

    call_id: str = ""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Call headers; names as they were sent, found in any case."""

    outgoing: bool = False
    """Whether we dialled."""

    given: Mapping[str, str] = field(default_factory=dict)
    """Values for the file's own variables, from whoever dialled."""

    present: Mapping[str, str] = field(default_factory=dict)
    """Who is on a line of several: titles, perhaps ``""``, by the names of their legs."""

    expected: Mapping[str, str] = field(default_factory=dict)
    """Who is being called: the same."""

    lists_phone: bool = False
    """Whether these hold the phone that the call goes by, too; otherwise it is there besides."""

    @property
    def party(self) -> PartyScript:
        """Who is on the line, for an agent whose file says nothing of lines of several."""
        return PartyScript(
            present=self.present, expected=self.expected, lists_phone=self.lists_phone
        )

    def by_the_clock_of(self, time_zone: str) -> Details:
        """Return the same call by the clock of that time zone; ``""`` is the clock it has."""
        return replace(self, now=self.now.astimezone(zone(time_zone))) if time_zone else self

    def variables(self, language: str = "en") -> dict[str, object]:
        """Return the Jinja variables of this call: single lines of at most MAX_VALUE characters.

        What strangers wrote is without markup (:func:`stranger_line`).

        Args:
            language: A BCP 47 tag, in which dates are said.
        """
        dates = SpokenDates(language=language, now=self.now)
        caller_zone = self._caller_zone()
        there = self.now.astimezone(zone(caller_zone)) if caller_zone else ""
        return {
            "caller": stranger_line(self.caller),
            "called": stranger_line(self.called),
            "call_id": stranger_line(self.call_id),
            "now": self.now,
            "date": dates.date(self.now),
            "time": dates.time(self.now),
            "weekday": dates.weekday(self.now),
            "month": dates.date(self.now, "MMMM"),
            "year": self.now.year,
            "tomorrow": dates.date(self.now, days=1),
            "time_zone": getattr(self.now.tzinfo, "key", ""),
            "caller_time": f"{there:%H:%M}" if there else "",
            "caller_time_zone": caller_zone,
            "headers": _Headers(self.headers),
            "outgoing": self.outgoing,
            "parties": listed(titles(self.present), language),
            "expected": listed(titles(self.expected), language),
            "who": "",
            DATES: dates,
        }

    @property
    def country(self) -> str:
        """Two letters of the country of whoever talks to us, by their number.

        If that is withheld, the one of our number; ``""`` if neither tells.
        """
        theirs, ours = (self.caller, self.called)[:: -1 if self.outgoing else 1]
        return country_of(theirs) or country_of(ours)

    def _caller_zone(self) -> str:
        """Return the time zone of whoever talks to us, by their number; ``""`` if it is not known.

        It is where their number is at home.
        """
        country = country_of(self.called if self.outgoing else self.caller)
        return of_country(country, self.now) if country else ""


def titles(people: Mapping[str, str]) -> list[str]:
    """Return what they are called, as it may stand in a prompt, those without a title left out."""
    return [title for title in map(stranger_line, people.values()) if title]


SAMPLE = Details(now=datetime(2026, 1, 5, 9, 30))  # noqa: DTZ001 - wall time, of no one place
"""A call of which nothing but the time is known."""

KNOWN = replace(
    SAMPLE,
    caller="+12025550123",
    called="+12025550100",
    call_id="0a1b2c3d-sample",
    headers={"name": "Ann", "X-Name": "Ann"},
    present={"ann": "Ann"},
    expected={"bob": "Bob", "carl": "Carl"},
)
"""A call of which much is known."""

CALL_VARIABLES = frozenset(
    {"caller", "called", "call_id", "headers", "outgoing", "caller_time", "caller_time_zone"}
    | {"parties", "expected", "who"}
    | {"now", "date", "time", "weekday", "month", "year", "tomorrow", "time_zone"}
)
"""The names that every call fills in."""


OWN_VARIABLES: Mapping[str, Mapping[str, str]] = {
    "briefing": {"summary": SUMMARY},
    "transfer_failed": {"why": "busy"},
    "transfer_failures": {"why": "busy"},
}
"""The names that only some texts have filled in, by a part of their place, each with a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Afterwards:
    """What a language model is to make of a call once it is over, as the agent file says."""

    summary: str | bool = False
    """Whether a summary is wanted, or what it should hold."""

    extract: Mapping[str, Any] | None = None
    """JSON Schema of an object, without references; None for no fields."""

    @property
    def wanted(self) -> dict[str, Any]:
        """What is wanted, as it stands in the record; nothing if nothing is."""
        wanted: dict[str, Any] = {"summary": self.summary} if self.summary else {}
        return wanted | ({} if self.extract is None else {"extract": self.extract})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptParty:
    """Somebody whom the agent may add to the line of its call, and drop again."""

    name: str
    """What a language model calls them."""

    to: str
    """A number in E.164, a SIP address, or an In-App user, such as ``user:ann``."""

    title: str
    when: str = ""
    """When to, for a language model."""

    ring_seconds: int = 30
    announcement: str = ""
    """What the platform's voice tells them alone, before they are on the line."""

    disclosure: str = ""
    """That a machine talks, which they hear before that; ``""`` for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """An agent file with its variables filled in: all of it that one call needs."""

    greeting: str
    apology: str
    fillers: tuple[str, ...] = ("One moment, please.",)
    still_there: str = "Are you still there?"
    time_up: str = "I'm sorry, our time is almost up."
    transfer_failed: str = "I'm sorry, nobody is available there right now."
    transfer_failures: Mapping[NotReached, str] = field(default_factory=dict)
    """The same by why it failed, for reasons that have words of their own."""

    returned: str = "I'm back with you. What else can I do?"
    greeting_interruptible: bool = True
    outgoing: bool = False
    """Whether we dialled."""

    numbers: Mapping[str, str] = field(default_factory=dict)
    """Whom callers can be passed on to: name and number or SIP address."""

    warm: Mapping[str, WarmTransfer] = field(default_factory=dict)
    """How those of them are asked first who are."""

    parties: tuple[ScriptParty, ...] = ()
    """Whom the agent may add to the line."""

    record: bool | None = None
    """Whether its calls are recorded; None if it does not say."""

    recording_consent: str = ""
    """What the caller is told first, if the call is recorded."""

    disclosure: str = ""
    """That a machine talks, if it says so before its greeting; heard in full before all else."""

    discloses_alone: Disclosure = ""
    """The same by the country of whoever hears it alone, by the platform's voice: see
    :func:`~agent.personas.disclosures.told_alone`."""

    greeting_discloses: bool = False
    """Whether the greeting says so, and is heard in full for it."""

    consent: ScriptConsent | None = None
    """What is asked before the agent deals with whoever is there; None for nothing."""

    opt_out_key: str = ""
    """By which whoever we have called wants no more calls; ``""`` for none."""

    opted_out: str = ""
    """What is said to whoever has pressed it."""

    hang_up_after_greeting: bool = False
    """Whether the greeting is a message for an answering machine."""

    screener: str = ""
    """What a call screener is told: who calls, and why; ``""`` if it is treated as a machine."""

    introduces: bool = False
    """Whether the greeting is that, and somebody is waited for then."""

    keys_are_secret: bool = False
    """Whether keys that the caller presses are on no record."""

    tools: DeclaredTools = field(default_factory=DeclaredTools)
    version: str = ""
    """Of the agent file that it was made of."""

    brief: Brief
    afterwards: Afterwards = field(default_factory=Afterwards)
    party: PartyScript = field(default_factory=PartyScript)
    """How it behaves on a line of several, and who is there."""

    lasting: frozenset[str] = frozenset()
    """The texts above that are the same in every call: nothing of a caller is in them."""

    @property
    def wanted(self) -> dict[str, Any]:
        """What is wanted of a language model afterwards, as it stands in the record."""
        wanted = self.afterwards.wanted
        return wanted | ({"after_consent": True} if wanted and self.consent is not None else {})

    @property
    def own_sentences(self) -> tuple[str, ...]:
        """What the agent says of itself, as a voice reads it; first what is needed first."""
        return tuple(map(self._spoken, self._sentences()))

    @property
    def names_on_line(self) -> tuple[str, ...]:
        """What people call the agent and each other; nothing on a line of one that stays so.

        The agent's names, then those of who is there, expected, or may be added to the line.
        """
        addable = {party.name: party.title for party in self.parties}
        people = [self.party.present, self.party.expected, addable]
        if not any(people):
            return ()
        return names_to_tell(self.party.called, [one for part in people for one in titles(part)])

    @property
    def lasting_sentences(self) -> frozenset[str]:
        """Those that are the same in every call, as a voice reads them."""
        own = {sentence for text in self.lasting for sentence in cut(text)}
        own |= {tool.filler for tool in self.tools.fixed}
        return frozenset(self._spoken(one) for one in self._sentences() if one in own)

    def _sentences(self) -> list[str]:
        brief = self.brief
        texts = [self.disclosure]
        if self.consent is not None:
            texts += [self.consent.ask, self.consent.refused]
        texts += [self.recording_consent, self.greeting]
        if self.outgoing and self.opt_out_key:
            texts.append(self.opted_out)
        texts += [*self.fillers, self.apology, brief.goodbye]
        if self.numbers:
            texts += [self.transfer_failed, *self.transfer_failures.values()]
        texts += [warm.introduction for warm in self.warm.values()]
        if any(warm.then != "leave" for warm in self.warm.values()):
            texts.append(self.returned)
        sentences = [
            sentence for text in (*texts, self.still_there, self.time_up) for sentence in cut(text)
        ]
        sentences += [tool.filler for tool in self.tools.fixed if tool.filler]
        return sentences

    def _spoken(self, sentence: str) -> str:
        return speakable(sentence, self.brief.language, self.brief.pronounce)
