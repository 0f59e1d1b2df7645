"""Whole warm transfers through the stand-in of Sinch, both versions; every body is checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.simulator.plan import Plan
from agent.simulator.sinch.menus import LISTENS
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.sinch.callbacks import Version
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import MANAGER, Story, speech, tell

pytestmark = pytest.mark.usefixtures("nothing_left")
both = pytest.mark.parametrize("version", ["v1", "v2"])

AGENT = f"""---
greeting: Hello.
transfer_failed: It failed, {{{{ why }}}}.
returned: I am back.
transfers:
  - name: manager
    to: "{MANAGER}"
    warm: true
    briefing: Somebody needs help. {{{{ summary }}}}
    consent: Press 1 to take the call.
    introduction: Here you are.
    then: THEN
---
Be brief.
"""
BUSY, RINGS = "+15550000012", "+15550000013"
HEARD = "Somebody needs help. Press 1 to take the call."


GOODBYE = "Goodbye, and thank you very much for having called us today."


def told_warm(
    folder: Path,
    version: Version,
    story: Any,
    phones: Mapping[str, Phone],
    then: str = "leave",
    answer: str = "You are welcome.",
) -> None:
    (folder / "prompts").mkdir()
    (folder / "prompts" / "reception.md").write_text(AGENT.replace("THEN", then))
    replies = ["I will ask. [transfer manager]", answer]
    providers = voice(["The manager please.", "Thank you."], replies)
    conference = {"conference": version == "v1"}
    tell(folder, version, story, providers=providers, phones=phones, sinch=conference)


async def asked(s: Story) -> tuple[PhoneLeg, PhoneLeg]:
    """Have somebody call and ask for the manager; return both legs, as soon as there are two."""
    leg = await s.call_in(Plan(turns=[speech()], patience=0.3, linger=60))
    await until(lambda: any(one.number == MANAGER for one in s.sinch.legs))
    return leg, next(one for one in s.sinch.legs if one.number == MANAGER)


def statuses(s: Story) -> list[str]:
    return [line["status"] for line in s.lines("transfer")]


@pytest.mark.parametrize(
    ("version", "answers"),
    [
        ("v1", ("hello?", "yes please")),
        ("v1", ("7", "1")),
        ("v2", ("", "1")),
        ("v2", ("7", "1")),
    ],
)
def test_whoever_takes_it_is_brought_in(
    tmp_path: Path, version: Version, answers: tuple[str, ...]
) -> None:
    """By key, if need be the second one, in version 1 by word, too: told alone, then introduced."""

    async def story(s: Story) -> None:
        leg, manager = await asked(s)
        await until(lambda: statuses(s) == ["started", "briefed", "accepted", "done"])
        assert manager.said == [HEARD] * len(answers)
        assert manager.room == leg.room
        assert [line["text"] for line in s.lines("agent")][1:] == ["I will ask.", "Here you are."]
        if version == "v1":
            await until(lambda: [x for x in s.sinch.legs if x.is_stream and x.over.is_set()])
        assert not leg.over.is_set()
        assert not manager.over.is_set()
        await s.sinch.hang_up(manager)
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    told_warm(tmp_path, version, story, {MANAGER: Phone(at_menus=answers)})


WHYS = {
    "+15550000011": (Phone(at_menus=("2",)), "declined"),
    "+15550000012": (Phone(answers="busy"), "busy"),
    "+15550000013": (Phone(answers="no"), "no answer"),
    "+15550000014": (Phone(), "no answer"),  # picks up, and says nothing
    "+15550000015": (Phone(who="machine"), "machine"),
    "+15550000016": (Phone(who="machine", beeps=False), "machine"),
}


@both
def test_an_operator_has_somebody_asked_who_does_not_take_it(
    tmp_path: Path, version: Version
) -> None:
    """The caller hears why, each time; who hangs up themselves takes the question along."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(patience=60))
        await until(lambda: s.lines("agent"))
        path = f"/calls/{leg.call_id}/transfer"
        status, answer = await s.operate("POST", path, {"to": MANAGER, "briefing": "A guest."})
        assert (status, "only with warm" in answer["detail"]) == (400, True)
        warm = {"warm": True, "briefing": "A [guest]; really.", "announcement": "Wait."}
        heard: list[str] = []
        for number, (_, why) in WHYS.items():
            status, _ = await s.operate("POST", path, {"to": number, **warm})
            assert status == 202
            heard += ["Wait.", f"It failed, {why}."]
            await until(lambda: len(s.lines("agent")) > len(heard))  # noqa: B023 - asked at once
            assert [line["text"] for line in s.lines("agent")] == ["Hello.", *heard]
            assert s.lines("transfer")[-1]["why"] == why
            somebody = next(one for one in s.sinch.legs if one.number == number)
            await until(somebody.over.is_set)
            assert somebody.room != leg.room
            assert set(somebody.said) <= {"A guest really. Press 1 to take the call."}
        await s.operate("POST", path, {"to": MANAGER, **warm})
        await until(lambda: statuses(s)[-1] == "briefed")
        await s.sinch.hang_up(leg)
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    phones = {number: phone for number, (phone, _) in WHYS.items()}
    told_warm(tmp_path, version, story, phones | {MANAGER: Phone(at_menus=(LISTENS,))})


@both
def test_an_operator_passes_on_a_caller_who_is_helped(tmp_path: Path, version: Version) -> None:
    """Nobody is hung up for it; and a caller who goes meanwhile leaves nobody, and no open end."""

    async def story(s: Story) -> None:
        leg, manager = await asked(s)
        await until(lambda: statuses(s)[-1:] == ["done"])
        path = f"/calls/{leg.call_id}/transfer"
        status, _ = await s.operate("POST", path, {"to": BUSY, "announcement": "Wait."})
        assert status == 202
        await until(lambda: statuses(s)[-1:] == ["failed"])
        body = {"to": RINGS, "announcement": "Wait.", "warm": True, "briefing": "A guest."}
        assert (await s.operate("POST", path, body))[0] == 202
        await until(lambda: any(one.number == RINGS for one in s.sinch.legs))
        status, answer = await s.operate("POST", path, {"to": BUSY, "announcement": "Wait."})
        assert (status, "already" in answer["detail"]) == (409, True)
        assert not manager.over.is_set()
        await s.sinch.hang_up(leg)
        await until(lambda: all(one.over.is_set() for one in s.sinch.legs))
        await until(lambda: s.lines("ended"))
        assert statuses(s)[4:] == ["started", "failed", "started", "cut off"]
        assert [line["to"] for line in s.lines("transfer")][-1] == RINGS

    phones = {
        MANAGER: Phone(at_menus=("1",)),
        BUSY: Phone(answers="busy"),
        RINGS: Phone(answers="no", after=30.0),
    }
    told_warm(tmp_path, version, story, phones, "help")


@pytest.mark.parametrize(("version", "then"), [("v1", "silent"), ("v2", "help")])
def test_the_agent_comes_back_when_they_have_left(
    tmp_path: Path, version: Version, then: str
) -> None:
    """The caller is still there, and so is the agent."""

    async def story(s: Story) -> None:
        leg, manager = await asked(s)
        await until(lambda: statuses(s)[-1:] == ["done"])
        await s.sinch.hang_up(manager)
        await until(lambda: statuses(s)[-1:] == ["returned"])
        await until(lambda: s.lines("agent")[-1]["text"] == "I am back.")
        assert not leg.over.is_set()
        await s.sinch.hang_up(leg)
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    told_warm(tmp_path, version, story, {MANAGER: Phone(at_menus=("1",))}, then)


async def ending(s: Story) -> tuple[PhoneLeg, PhoneLeg]:
    """Have a caller end the call while the manager is being asked; return both legs."""
    plan = Plan(turns=[speech(), speech()], patience=0.3, linger=60)
    leg = await s.call_in(plan)
    await until(lambda: statuses(s)[-1:] == ["briefed"])
    return leg, next(one for one in s.sinch.legs if one.number == MANAGER)


@pytest.mark.parametrize("then", ["leave", "help"])
@both
def test_whoever_says_yes_into_a_goodbye_has_the_caller(
    tmp_path: Path, version: Version, then: str
) -> None:
    """The caller has asked for them, and they have come: neither stands alone."""

    async def story(s: Story) -> None:
        leg, manager = await ending(s)
        await until(lambda: any("Goodbye" in line["text"] for line in s.lines("heard")))
        manager.presses.put_nowait("1")
        await until(lambda: statuses(s) == ["started", "briefed", "accepted", "done"])
        assert [line["text"] for line in s.lines("agent")][-2:] == [GOODBYE, "Here you are."]
        assert manager.room == leg.room
        assert not leg.over.is_set()
        assert not manager.over.is_set()
        await s.sinch.hang_up(leg)
        await until(lambda: all(one.over.is_set() for one in s.sinch.legs))

    phones = {MANAGER: Phone(at_menus=(LISTENS,))}
    told_warm(tmp_path, version, story, phones, then, f"{GOODBYE} [end]")


@both
def test_whoever_says_yes_after_a_goodbye_is_hung_up(tmp_path: Path, version: Version) -> None:
    """The caller has gone: so does everybody."""

    async def story(s: Story) -> None:
        leg, manager = await ending(s)
        await until(lambda: s.lines("ended"))
        manager.presses.put_nowait("1")
        await until(lambda: all(one.over.is_set() for one in s.sinch.legs))
        assert "done" not in statuses(s)
        assert s.lines("ended")[0]["hung_up_by"] == "agent"
        assert leg.over.is_set()

    phones = {MANAGER: Phone(at_menus=(LISTENS,))}
    told_warm(tmp_path, version, story, phones, answer=f"{GOODBYE} [end]")


DISCLOSES = AGENT.replace(
    "greeting: Hello.",
    "greeting: Hello.\ndisclosure: {default: I am a machine., DE: Ich bin eine Maschine.}",
)
IN_GERMANY = "+4930303986301"


@both
def test_whom_the_agent_helps_hears_first_that_it_is_a_machine(
    tmp_path: Path, version: Version
) -> None:
    """As an operator asks for it, too: in full, once, as of their country; and it is on record."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(patience=60))
        await until(lambda: s.lines("disclosed"))
        path = f"/calls/{leg.call_id}/transfer"
        asked: dict[str, Any] = {"to": IN_GERMANY, "warm": True, "briefing": "A guest."}
        heard: dict[tuple[str, bool], list[str]] = {}
        for then, discloses in (("help", True), ("help", False), ("leave", True)):
            given = asked | {"then": then} | ({} if discloses else {"discloses": False})
            before, known = len(s.lines("transfer")), len(s.sinch.legs)
            assert (await s.operate("POST", path, given))[0] == 202
            await until(lambda: statuses(s)[before:][-1:] == ["failed"])  # noqa: B023
            (callee,) = [one for one in s.sinch.legs[known:] if one.number == IN_GERMANY]
            heard[then, discloses] = callee.said
            told = [line for line in s.lines("leg") if line["leg"] == callee.name]
            on_record = [line["disclosed"] for line in told if "disclosed" in line]
            expected = ["asked", "yes"] if (then, discloses) == ("help", True) else []
            assert on_record == expected
        menu = "A guest. Press 1 to take the call."
        assert heard == {
            ("help", True): ["Ich bin eine Maschine.", menu, menu],
            ("help", False): [menu, menu],
            ("leave", True): [menu, menu],
        }
        status, answer = await s.operate("POST", path, {"to": MANAGER, "discloses": False})
        assert (status, "only with warm" in answer["detail"]) == (400, True)
        await s.sinch.hang_up(leg)
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "reception.md").write_text(DISCLOSES.replace("THEN", "help"))
    rules = {"conference": version == "v1", "dialling": {"numbers": ("+4930303986301",)}}
    phones = {IN_GERMANY: Phone(at_menus=("8", "2", "8", "2", "8", "2"))}
    tell(tmp_path, version, story, providers=voice(), phones=phones, sinch=rules)
