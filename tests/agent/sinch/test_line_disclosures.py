"""Lines of several, of whom each hears that a machine talks: whole stories, in both versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone
from agent.sinch.callbacks import Version
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch import stories
from tests.agent.sinch.stories import Story, tell
from tests.agent.sinch.test_party_stories import (
    ANN,
    BEN,
    CLEO,
    DORA,
    STAYS,
    both,
    dialled,
    is_over,
    on_record,
    phone,
    phones,
)

pytestmark = pytest.mark.usefixtures("nothing_left")

TOLD = "You are talking to a computer."
AGENT = """---
greeting: Hello, {{ name }}.
variables: {name: friend}
disclosure:
  DE: Sie sprechen mit einem Computer, {{ name }}.
  default: You are talking to a computer.
---
Be brief.
"""
GERMAN = "+4930303986301"


def agent(folder: Path, text: str = AGENT) -> None:
    (folder / "prompts").mkdir()
    (folder / "prompts" / "reception.md").write_text(text)


def said_by_agent(s: Story) -> list[str]:
    return [line["text"] for line in s.lines("disclosed")]


def alone(s: Story, number: str) -> list[str]:
    """Return what the record says of whether somebody was told alone."""
    theirs = [line for line in s.lines("leg") if line["leg"] == phone(s, number).name]
    return [line["disclosed"] for line in theirs if "disclosed" in line]


@both
def test_who_comes_later_hears_it_alone_and_the_first_of_the_agent(
    tmp_path: Path, version: Version
) -> None:
    """Each once, in their own language, unless the request leaves it out."""

    async def story(s: Story) -> None:
        to: list[Any] = [
            {"to": ANN, "title": "Ann", "announcement": "Hi, Ann."},
            {"to": GERMAN, "title": "Ben", "announcement": "Hi, Ben."},
            {"to": CLEO, "title": "Cleo", "announcement": "Hi, Cleo.", "discloses": False},
        ]
        call = await dialled(s, {"to": to, "variables": {"name": "Kim"}})
        await until(lambda: {("Ben", "joined"), ("Cleo", "joined")} <= set(on_record(s)))
        await until(lambda: said_by_agent(s) == [TOLD])
        assert phone(s, ANN).said == ["Hi, Ann."]
        assert phone(s, GERMAN).said == ["Sie sprechen mit einem Computer, Kim. Hi, Ben."]
        assert phone(s, CLEO).said == ["Hi, Cleo."]
        asked: dict[str, Any] = {"to": DORA, "title": "Dora"}
        assert (await s.operate("POST", f"/calls/{call}/parties", asked))[0] == 201
        await until(lambda: ("Dora", "joined") in on_record(s))
        assert phone(s, DORA).said == [TOLD]
        asked = {"to": BEN, "title": "Eve", "discloses": False}
        assert (await s.operate("POST", f"/calls/{call}/parties", asked))[0] == 201
        await until(lambda: ("Eve", "joined") in on_record(s))
        assert phone(s, BEN).said == []
        await until(lambda: alone(s, DORA) == ["asked", "yes"])
        await until(lambda: alone(s, GERMAN) == ["asked", "yes"])
        for number in (ANN, GERMAN, CLEO, DORA, BEN):
            await s.sinch.hang_up(phone(s, number))
        await is_over(s)
        assert said_by_agent(s) == [TOLD]
        assert alone(s, ANN) + alone(s, CLEO) + alone(s, BEN) == []

    agent(tmp_path)
    there = phones() | {GERMAN: Phone(plan=STAYS, after=0.3)}
    there[BEN] = Phone(plan=STAYS)
    rules = {"dialling": {"numbers": ("+1555*", "+4930303986301")}}
    tell(tmp_path, version, story, providers=voice(), phones=there, sinch=rules)


@pytest.mark.parametrize(("version", "conference"), [("v1", True), ("v2", False)])
def test_who_is_added_to_a_call_that_came_in_hears_it(
    tmp_path: Path, version: Version, conference: bool
) -> None:
    """By a sentence of ours where the greeting says it, which they do not hear."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(patience=60))
        await until(lambda: s.lines("agent"))
        (call,) = (await s.operate("GET", "/calls"))[1]["calls"]
        path = f"/calls/{call['id']}/parties"
        asked = {"to": BEN, "title": "Ben", "announcement": "Hi."}
        assert (await s.operate("POST", path, asked))[0] == 201
        await until(lambda: ("Ben", "joined") in on_record(s))
        (said,) = phone(s, BEN).said
        assert said.endswith(" Hi.")
        assert "automated" in said or "AI" in said
        gone = await s.operate("POST", "/calls/nobody/parties", {"to": BEN})
        assert gone[0] == 404
        await s.sinch.hang_up(leg)
        await is_over(s)

    agent(tmp_path, "---\ngreeting: I am a computer.\ndisclosure: greeting\n---\nBe brief.\n")
    given = {"conference": conference}
    tell(tmp_path, version, story, providers=voice(), phones=phones(), sinch=given)


def test_users_of_the_app_hear_it_with_their_greeting(tmp_path: Path) -> None:
    """Of them nobody tells when they answer, nor who is the first: twice rather than never."""

    async def story(s: Story) -> None:
        ben = {"to": "user:ben", "title": "Ben", "announcement": "Welcome."}
        await dialled(s, {"to": [{"to": "user:ann", "title": "Ann"}, ben]})
        await until(lambda: {("Ann", "joined"), ("Ben", "joined")} <= set(on_record(s)))
        assert phone(s, "ann").said == [TOLD]
        assert phone(s, "ben").said == [f"{TOLD} Welcome."]
        await until(lambda: said_by_agent(s) == [TOLD])
        for who in ("ann", "ben"):
            await s.sinch.hang_up(phone(s, who))
        await is_over(s)
        # Sinch does not say whether they come to the conference before the greeting ends.
        assert (alone(s, "ann"), alone(s, "ben")) == (["asked"], ["asked"])

    agent(tmp_path)
    there = {"ann": Phone(plan=STAYS), "ben": Phone(plan=STAYS, after=0.3)}
    allowed = {"dialling": {"users": ("ann", "ben")}}
    stories.tell(tmp_path, "v1", story, providers=voice(), phones=there, sinch=allowed)


@both
def test_a_long_announcement_gives_way_to_it(tmp_path: Path, version: Version) -> None:
    """It is heard whole, and what follows as far as the platform says it."""

    async def story(s: Story) -> None:
        long = "This is a long announcement. " * 20
        ben = {"to": BEN, "title": "Ben", "announcement": long.strip()}
        await dialled(s, {"to": [{"to": ANN, "title": "Ann"}, ben]})
        await until(lambda: ("Ben", "joined") in on_record(s) or phone(s, BEN).said)
        (said,) = phone(s, BEN).said
        assert said.startswith(f"{TOLD} This is a long announcement. This")
        assert said.endswith("announcement.")
        assert len(said) <= 600
        for number in (ANN, BEN):
            await s.sinch.hang_up(phone(s, number))
        await is_over(s)

    agent(tmp_path)
    tell(tmp_path, version, story, providers=voice(), phones=phones())
