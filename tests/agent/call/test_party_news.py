"""Announcements on a line of several that people talk over: said once more, or not."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest

from agent.call.call import Call
from agent.call.orders import PartyJoined, PartyLeft
from agent.call.party_line import LULL, PartyLine
from agent.call.party_news import STALE, NewsText
from agent.call.reply import Announcement
from agent.personas.party import PartyScript
from tests.agent.call.parts import reply_of
from tests.agent.call.test_party_line import PARTY, Model, line_of, party
from tests.agent.conversation import Talk

WHO = "Doctor Carl Lindner"
"""Takes 0.9 seconds; a word more is 0.3."""

TOLD = f"{WHO} has joined."
TALK = "+" * 13
"""For so long that it is meant, and that it stops the agent."""


def joined(audio: str, *, left_at: float = 0.0, model: Model | None = None) -> Talk:
    """A call on whose line somebody comes after 4 seconds, and on which that is heard."""

    def made(call: Call) -> None:
        loop, order = asyncio.get_running_loop(), PartyJoined(party="p2", title=WHO)
        loop.call_later(4.0, call.history.obey, order)
        if left_at:
            left = PartyLeft(party="p2", title=WHO, why="left")
            loop.call_later(left_at, call.history.obey, left)

    return party(["Ann, I think so."] * 9, audio=audio, made=made, llm=model)


def heard(done: Talk) -> list[str]:
    """What was heard of each announcement, in full or in part."""
    return [line["text"] for line in done.notes.of("agent") if line["said"] == "announcement"]


@cache
def announced_at() -> float:
    """When it begins, if nobody speaks."""
    done = joined("." * 100)
    assert heard(done) == [TOLD]
    at: float = done.notes.of("agent")[-1]["at"]
    return at


def over(after: float, talk: str = TALK) -> str:
    """A line on which nobody speaks until so many seconds after it has begun."""
    return "." * round(10 * (announced_at() + after)) + talk


def test_an_announcement_that_is_talked_over_is_said_again() -> None:
    """At the next lull; once it is heard, there is nothing more to say."""
    done = joined(over(0.1) + "." * 120)
    assert heard(done)[1:] == [TOLD]
    assert WHO not in heard(done)[0]
    first, again = [line for line in done.notes.of("agent") if line["said"] == "announcement"]
    assert first["cut_off"]
    assert again["at"] >= announced_at() + 0.1 + len(TALK) / 10 + LULL
    assert [line["to"] for line in done.notes.of("caller")] == ["others"]


def test_it_is_said_twice_at_the_most() -> None:
    """Those who talk over it twice do not want to know."""
    once = joined(over(0.1) + "." * 120)
    again = [line["at"] for line in once.notes.of("agent")][-1]
    between = round(10 * (again + 0.1)) - len(over(0.1))
    done = joined(over(0.1) + "." * between + TALK + "." * 120)
    assert len(heard(done)) == 2
    assert TOLD not in heard(done)


def test_who_has_come_is_not_said_again_once_the_name_was_heard() -> None:
    """The rest of the sentence is guessed."""
    done = joined(over(1.1) + "." * 120)
    assert len(heard(done)) == 1
    assert heard(done)[0].startswith(WHO)
    assert heard(done)[0] != TOLD


def test_it_is_not_said_again_once_it_is_old() -> None:
    """Everybody knows by then: people have talked on for long."""
    done = joined(over(0.1) + ("." * 9 + TALK) * 10 + "." * 120)
    assert len(over(0.1) + ("." * 9 + TALK) * 10) / 10 > 4.0 + STALE
    assert len(heard(done)) == 1


def test_nobody_is_announced_who_has_gone_before_anybody_knew() -> None:
    """Neither that they have come nor that they have left."""
    done = joined(over(0.1) + "." * 120, left_at=announced_at() + 0.5)
    assert len(heard(done)) == 1


def test_an_answer_that_is_talked_over_is_not_said_again() -> None:
    """Only what a line announces is."""
    line = news_of(PARTY)
    first = line.next_announcement()
    line.agent_said(reply_of(announcement=Announcement(text=first.text)), "", 2.0)
    line.agent_said(reply_of(), "", 2.0)
    assert not line.is_due(LULL, 2.0)
    line.agent_said(reply_of(announcement=first), "", 2.0)
    assert line.is_due(LULL, 2.0)


def test_what_comes_in_between_is_said_after_it() -> None:
    """In order; and of whom one waits is news no more once somebody has come."""
    line = news_of(PARTY)
    first = line.next_announcement()
    line.joined(PartyJoined(party="p3", title="Dora"), 2.0)
    line.agent_said(reply_of(announcement=first), "Doctor", 2.0)
    assert [line.next_announcement().text for _ in range(2)] == [TOLD, "Dora has joined."]
    line, _ = line_of(expected={"p1": "Ann", "p2": "Bob"})
    assert line.is_due(LULL, 0.0)
    waiting = line.next_announcement()
    line.joined(PartyJoined(party="p1", title="Ann"), 1.0)
    line.agent_said(reply_of(announcement=waiting), "We are", 1.0)
    assert line.next_announcement().text == "Ann has joined."
    assert not line.is_due(LULL, 1.0)


def news_of(script: PartyScript) -> PartyLine:
    line, _ = line_of(present=script.present, lists_phone=True)
    line.joined(PartyJoined(party="p2", title=WHO), 1.0)
    assert line.is_due(LULL, 1.0)
    return line


@pytest.mark.parametrize(
    ("text", "names", "heard", "told"),
    [
        ("Ann has joined.", ["Ann"], "Ann", True),
        ("Ann has joined.", ["Ann"], "", False),
        ("Now Ms. Ann Doe is here.", ["Ms. Ann Doe"], "Now Ms. Ann", False),
        ("We wait for Ann and Bob.", ["Ann", "Bob"], "We wait for Ann", False),
        ("We wait for Ann and Bob.", ["Ann", "Bob"], "We wait for Ann and Bob.", True),
        ("Somebody has joined.", [], "Somebody has", False),
        ("Somebody has joined.", [], "Somebody has joined.", True),
        ("There is one more.", ["Ann"], "There is", False),
        ("There is  one more.", ["Ann"], "There is one more.", True),
    ],
)
def test_it_is_known_of_whom_it_is_once_the_name_was_heard(
    text: str, names: list[str], heard: str, *, told: bool
) -> None:
    """All names of several; where no name is said, all of it."""
    assert NewsText(text, names).was_told(heard) is told
