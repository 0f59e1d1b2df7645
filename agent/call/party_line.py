"""A line of several: who is on it, what of it is said to the agent, and what it has to say of them.

Told who joins and leaves, what was said and when; asked before a reply is made and while nobody
speaks. With one phone on the line, or before the second has joined, it changes nothing: all is said
to the agent then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf

import structlog

from agent.call.orders import PartyExpected, PartyJoined, PartyLeft
from agent.call.party_news import News, NewsText, PartyNews
from agent.call.reply import Announcement, Reply
from agent.personas.errors import PersonaError
from agent.personas.party import PartyText, names_to_tell
from agent.personas.script import Script, titles
from pipelines.conversation import Brief
from pipelines.text.cldr import listed
from pipelines.tools.call_control import STAY_SILENT_SPEC
from pipelines.turn_taking.addressed import addressed
from pipelines.turn_taking.floor import Addressee, Floor, Verdict, WaitsFor

log = structlog.get_logger()

LULL = 1.0
"""Seconds of quiet until the agent says who has come or gone: people who talk to each other leave
less between them, so it breaks into nothing."""

ANNOUNCED: Mapping[str, frozenset[PartyText]] = {
    "all": frozenset({"waiting", "joined", "left", "absent"}),
    "joined": frozenset({"waiting", "joined"}),
    "none": frozenset(),
}
"""What is said, by what the agent file has for ``announces``."""


class LineNames:
    """The names that whoever transcribes a line is told.

    Args:
        script: Of the agent, with the names that are known when the call begins.

    Attributes:
        known: All of them, those that are needed most first.
        on_change: Called with all of them when one is added; None until somebody wants to know.
    """

    def __init__(self, script: Script) -> None:
        self._called = script.party.called
        self.known = script.names_on_line
        self.on_change: Callable[[Sequence[str]], None] | None = None

    def add(self, title: str) -> None:
        """Add what somebody is called, before the others: they will be spoken to first.

        Nothing changes if it is known; some providers are told by a fresh connection.
        """
        names = names_to_tell(self._called, titles({"": title}), self.known)
        if set(names) == set(self.known):
            return
        self.known = names
        if self.on_change is not None:
            self.on_change(names)


class PartyLine:
    """Who is on the line of one call, and to whom they talk.

    Args:
        script: What the agent does on such a line, and who is there at its beginning.
        note: Puts a line on record.
        judges: Whether the language model can tell whether something is said to the agent.
        now: When the call was answered, by the clock of all times here.
    """

    def __init__(
        self, script: Script, note: Callable[..., None], *, judges: bool = True, now: float = 0.0
    ) -> None:
        self._script, party = script, script.party
        self._note = note
        self._judges = judges
        self._present = dict(party.present)
        self._expected = dict(party.expected)
        self._gone: set[str] = set()
        self._missed: dict[str, str] = {}  # titles of those not reached, who may come after all
        self._alone = party.lists_phone  # no phone is there but those that are listed
        self._news = PartyNews(ANNOUNCED[party.announces], self._text)
        self._floor = Floor(called=party.called, answers=party.answers)
        self._said_at = self._turn_at = self._several_until = -inf
        self.passed_on_at = inf
        """When somebody came whom the caller is being left to: what is said since is to them."""

        self.names = LineNames(script)
        """What may be said on it, of those who join or are expected, too."""

        for status, people in (("joined", self._present), ("expected", self._expected)):
            for leg, title in people.items():
                self._tell_record(leg, title, status)
        if titles(self._expected):
            self._news.add(News("waiting", "", "", now))

    @property
    def is_of_several(self) -> bool:
        """Whether two or more are there beside the agent."""
        return len(self._present) > self._alone

    @property
    def waits_to_be_spoken_to(self) -> bool:
        """Whether the agent is silent until somebody speaks to it: then silence ends no call."""
        return self.is_of_several and self._script.party.answers != "always"

    # Who is there

    def joined(self, order: PartyJoined, now: float, *, told: bool = False) -> None:
        """Note who is on the line now. A second time, or after they have left, nothing happens.

        Args:
            order: Who.
            now: The time.
            told: Whether it is said otherwise that they are, so that it is not announced.
        """
        if order.party in self._present or order.party in self._gone:
            return
        missed = self._missed.pop(order.party, "")  # the platform told us otherwise before
        expected = self._expected.pop(order.party, missed)
        title = order.title or expected
        self._present[order.party] = title
        self.names.add(title)
        self._tell_record(order.party, title, "joined")
        if not told:
            self._news.add(News("joined", order.party, title, now))

    def expects(self, order: PartyExpected) -> None:
        """Note who is being dialled; whoever is known already is let be. Nothing is said of it."""
        known = (self._present, self._expected, self._gone, self._missed)
        if not any(order.party in people for people in known):
            self._expected[order.party] = order.title
            self.names.add(order.title)
            self._tell_record(order.party, order.title, "expected")

    def left(self, order: PartyLeft, now: float, *, told: bool = False) -> None:
        """Note who is on the line no more, or will not come. A second time, nothing happens.

        Somebody of whom nothing is known was the first phone, if they were on the line at all.

        Args:
            order: Who.
            now: The time.
            told: Whether it is said otherwise, so that it is not announced.
        """
        if order.party in self._gone or order.party in self._missed:
            return
        came = order.why in ("left", "dropped")
        was_there = order.party in self._present
        title = order.title or {**self._expected, **self._present}.get(order.party, "")
        expected = self._expected.pop(order.party, None) is not None
        if self.is_of_several:
            self._several_until = now
        self._present.pop(order.party, None)
        if came and not was_there and not expected:
            self._alone = True
        if came:
            self._gone.add(order.party)
            self._tell_record(order.party, title, order.why)
        else:
            self._missed[order.party] = title
            self._tell_record(order.party, title, "not reached", order.why)
        absent = expected or not came  # nobody has left who never was there
        if not told and (self.is_of_several or absent):
            self._news.add(News("absent" if absent else "left", order.party, title, now))

    def _tell_record(self, party: str, title: str, status: str, why: str = "") -> None:
        known = {"title": title, "status": status, "why": why}
        self._note("party", party=party, **{k: v for k, v in known.items() if v})

    def is_due(self, quiet: float, now: float) -> bool:
        """Return whether there is something to say of them, now that nobody has spoken for long.

        Args:
            quiet: Seconds since somebody had the floor.
            now: The time.
        """
        is_there = self._news.is_there(now)
        return is_there and quiet >= (LULL if self.is_of_several else 0.0)

    def next_announcement(self) -> Announcement:
        """Take what is to be said; there is something when :meth:`is_due` said so."""
        return self._news.next_announcement()

    def _text(self, news: News) -> NewsText:
        who, expected = titles({"": news.who}), titles(self._expected)
        values = {
            "who": " ".join(who),
            "parties": listed(titles(self._present), self._script.brief.language),
            "expected": listed(expected, self._script.brief.language),
        }
        names = expected if news.what == "waiting" else who
        try:
            return NewsText(self._script.party.says(news.what, values), names)
        except PersonaError as error:
            log.warning("what a party line announces cannot be said", reason=str(error))
            return NewsText("", names)

    # To whom they talk

    def turn(self, reply: Reply) -> TurnOnLine:
        """Return what is asked before ``reply`` is made; it is told to whom it would answer."""
        reply.guarded = self.is_of_several
        return TurnOnLine(self, reply)

    def waits_for(self, reply: Reply) -> WaitsFor:
        """Return what the turn that a reply answers is waited with for, by the words so far."""
        if reply.verdict is None:
            self.judge(reply, reply.said)
        return "" if reply.verdict is None else reply.verdict.waits_for

    def judge(self, reply: Reply, text: str) -> bool:
        """Return whether what a reply answers may be said to the agent; the reply is told, too."""
        if reply.utterance is None or reply.utterance.text:
            reply.guarded = False  # keys are pressed for nobody else
            return True
        began = reply.utterance.began
        # A goodbye to the others is heard when whoever said it has left.
        several = self.is_of_several or began >= self.passed_on_at
        if not several and began > self._several_until:
            reply.guarded = False
            return True
        if began >= self.passed_on_at:
            reply.guarded, reply.verdict = True, Verdict(to=Addressee.OTHERS, by="mode")
            return False
        floor = replace(
            self._floor,
            others=titles({**self._present, **self._expected}),
            since_said=max(0.0, began - self._said_at),
            since_turn=max(0.0, began - self._turn_at),
        )
        verdict = addressed(text, self._script.brief.language, floor)
        reply.verdict = verdict = verdict if self._judges else verdict.likelier
        is_for_us = verdict.may_be_to_others or verdict.to is Addressee.AGENT
        reply.guarded = verdict.may_be_to_others or not is_for_us
        return is_for_us

    def turn_ended(self, reply: Reply, now: float) -> None:
        """Note to whom a turn was, now that nothing of it changes any more."""
        asks = reply.verdict is not None and reply.verdict.asks
        self._turn_at = now
        self._floor = self._floor.after_turn(to_others=reply.is_to_others, asks=asks)

    def agent_said(self, reply: Reply, heard: str, now: float) -> None:
        """Note what was heard of a reply that is over: what is said next may answer it."""
        self._news.was_said(reply.announcement, heard)
        if heard:
            self._said_at, self._floor = now, self._floor.after_agent(heard)

    def brief(self, brief: Brief, verdict: Verdict | None) -> Brief:
        """Return a brief with who is on the line; unchanged while that is one phone alone."""
        if not (self._present or self._expected):
            return brief
        first = [] if self._alone else ["whoever was there first"]
        lines = [_listed("On the line beside you", [*first, *titles(self._present)])]
        if self._expected:
            lines.append(_listed("Expected, and not there yet", titles(self._expected)))
        if self._script.party.called:
            lines.append(f"They call you: {', '.join(self._script.party.called)}.")
        judges = self.is_of_several and self._judges
        unclear = judges and verdict is not None and verdict.may_be_to_others
        return replace(
            brief,
            party=tuple(lines),
            may_stay_silent=unclear,
            tools=(*brief.tools, STAY_SILENT_SPEC) if judges else brief.tools,
        )


def _listed(what: str, people: Sequence[str]) -> str:
    return f"{what}: {', '.join(people) or 'somebody whose name is not known'}."


class TurnOnLine:
    """What is asked of a line of several before one reply.

    Args:
        line: It.
        reply: Which.
    """

    def __init__(self, line: PartyLine, reply: Reply) -> None:
        self._line = line
        self._reply = reply

    def is_for_us(self, text: str) -> bool:
        """Return whether what was said may be said to the agent, and wants a reply."""
        return self._line.judge(self._reply, text)

    def brief(self, brief: Brief) -> Brief:
        """Return what the language model is told, with who is on the line."""
        return self._line.brief(brief, self._reply.verdict)
