"""Whole calls of ours to somebody who wants no more of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from agent.cli import main
from agent.simulator.plan import Plan, Turn
from agent.simulator.sinch.phone_network import Phone
from agent.simulator.speech import pressed_turn
from pipelines.providers.lookup.model import LanguageModel
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import CALLER, TOKEN, Story, speech, tell
from tests.agent.sinch.stories import MANAGER as BEN

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_whoever_says_so_is_not_called_again(tmp_path: Path) -> None:
    """The agent says that it is a machine, keeps what they want, and is refused the next time."""

    async def story(s: Story) -> None:
        (tmp_path / "prompts" / "reminder.md").write_text(
            "---\ngreeting: Your table is booked.\ndisclosure: I am a machine.\n---\nRemind."
        )
        body = {"to": CALLER, "agent": "reminder"}
        status, _ = await s.operate("POST", "/calls", body)
        assert status == 201
        await until(lambda: s.lines("ended"))
        assert [line["text"] for line in s.lines("disclosed")] == ["I am a machine."]
        assert s.lines("call")[0]["discloses"]
        assert [(line["by"], "known" in line) for line in s.lines("opt_out")] == [("model", False)]
        _, listed = await s.operate("GET", "/opt-outs")
        (one,) = listed["opt_outs"]
        assert (one["number"], one["how"], one["agent"]) == (CALLER, "model", "reminder")
        status, refused = await s.operate("POST", "/calls", body)
        assert status == 422
        assert "wants no more calls" in refused["detail"]
        await until(lambda: all(leg.over.is_set() for leg in s.sinch.legs))

    heard = voice(["Never call me again."], ["[no_more_calls]", "As you wish, goodbye."])
    phone = Phone(plan=Plan(turns=[speech()], patience=0.5))
    tell(tmp_path, "v1", story, providers=heard, phones={CALLER: phone})


def test_a_caller_is_offered_no_such_tool(tmp_path: Path) -> None:
    """They called us: what a model asks for then is no tool of this call."""

    async def story(s: Story) -> None:
        leg = await s.call_in(Plan(turns=[speech()], patience=0.5))
        await until(leg.over.is_set)
        await until(lambda: s.lines("ended"))
        assert s.lines("opt_out") == []
        assert (await s.operate("GET", "/opt-outs"))[1] == {"opt_outs": []}

    heard = voice(["Never call me again."], ["[no_more_calls]", "As you wish, goodbye."])
    tell(tmp_path, "v1", story, providers=heard)


OTHER_SPELLINGS: list[dict[str, Any]] = [
    {"to": CALLER},
    {"to": "+1 (555) 000-0001"},
    {"to": f"sip:{CALLER}@example.com"},
    {"to": [{"to": CALLER, "title": "Ann"}, {"to": "+15550000009", "title": "Bob"}]},
]


async def is_refused(s: Story, folder: Path, agent: str) -> None:
    """However their number is written, over REST and by the command line; nothing rings."""
    rang = len(s.sinch.legs)
    for spelling in OTHER_SPELLINGS:
        status, refused = await s.operate("POST", "/calls", {**spelling, "agent": agent})
        assert (status, "wants no more calls" in refused["detail"]) == (422, True), spelling
    config = folder / "dial.toml"
    config.write_text(f'[operator]\ntoken = "{TOKEN}"\n')
    given = ["--config", str(config), "--server", s.base, "--agent", agent]
    assert await asyncio.to_thread(main, ["dial", CALLER, *given]) != 0
    assert len(s.sinch.legs) == rang


@pytest.mark.parametrize(
    ("language", "said", "confirmed"),
    [
        ("en", "Please don't call me again.", "we will not call you again"),
        ("en", "Take me off your list!", "we will not call you again"),
        ("de", "Rufen Sie mich nicht mehr an.", "Wir rufen Sie nicht wieder an"),
        ("de", "Streichen Sie mich bitte von Ihrer Liste.", "Wir rufen Sie nicht wieder an"),
    ],
)
def test_phrases_are_enough_where_no_model_understands(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], language: str, said: str, confirmed: str
) -> None:
    """A whole call by the lookup stage: it is kept, confirmed, and hung up; then refused."""

    async def story(s: Story) -> None:
        agent = (
            f"---\nlanguage: {language}\ngreeting: Hallo.\ngoodbye: Tschau.\napology: Oh.\n"
            "fillers: [Hm.]\nstill_there: Hallo?\ntime_up: Aus.\nunsure: [Hm.]\nreturned: Da.\n"
            "---\nRemind."
        )
        (tmp_path / "prompts" / "reminder.md").write_text(agent)
        status, _ = await s.operate("POST", "/calls", {"to": CALLER, "agent": "reminder"})
        assert status == 201
        await until(lambda: s.lines("ended"))
        assert [line["by"] for line in s.lines("opt_out")] == ["model"]
        assert confirmed in s.lines("agent")[-1]["text"]
        assert s.lines("ended")[0]["hung_up_by"] == "agent"
        await is_refused(s, tmp_path, "reminder")
        assert "wants no more calls" in "".join(capfd.readouterr())

    heard = voice([said], llm=LanguageModel(LanguageModel.Options()))
    phone = Phone(plan=Plan(turns=[speech()], patience=0.7))
    tell(tmp_path, "v1", story, providers=heard, phones={CALLER: phone})


KEY = """---
greeting: Your table is booked. Press nine if you want no more calls.
disclosure: I am a machine.
opt_out_key: "9"
---
Remind.
"""


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_key_is_enough(tmp_path: Path, version: Any) -> None:
    """It is kept, confirmed, and refused afterwards, over both versions of the API."""

    async def story(s: Story) -> None:
        (tmp_path / "prompts" / "reminder.md").write_text(KEY)
        status, _ = await s.operate("POST", "/calls", {"to": CALLER, "agent": "reminder"})
        assert status == 201
        await until(lambda: s.lines("ended"))
        assert [line["by"] for line in s.lines("opt_out")] == ["keys"]
        assert s.lines("agent")[-1]["text"] == "We will not call you again. Goodbye."
        _, listed = await s.operate("GET", "/opt-outs")
        (one,) = listed["opt_outs"]
        assert (one["number"], one["how"], one["agent"]) == (CALLER, "keys", "reminder")
        await is_refused(s, tmp_path, "reminder")

    keys = Turn(audio=pressed_turn("9", 8000).audio, label="presses 9")
    phone = Phone(plan=Plan(turns=[keys], patience=0.7))
    tell(tmp_path, version, story, providers=voice(), phones={CALLER: phone})


def test_who_says_so_instead_of_a_yes_is_not_called_again(tmp_path: Path) -> None:
    """A whole call that asks for consent: kept by words, confirmed, refused; no model was asked."""

    async def story(s: Story) -> None:
        agent = "---\ngreeting: Hello.\nconsent: May I talk to you?\n---\nRemind."
        (tmp_path / "prompts" / "reminder.md").write_text(agent)
        status, _ = await s.operate("POST", "/calls", {"to": CALLER, "agent": "reminder"})
        assert status == 201
        await until(lambda: s.lines("ended"))
        assert [line["by"] for line in s.lines("opt_out")] == ["words"]
        said = [line["text"] for line in s.lines("agent")]
        assert said == ["May I talk to you?", "We will not call you again. Goodbye."]
        (one,) = (await s.operate("GET", "/opt-outs"))[1]["opt_outs"]
        assert (one["number"], one["how"]) == (CALLER, "words")
        await is_refused(s, tmp_path, "reminder")
        record = s.lines("call")[0]["id"]
        for _ in range(100):
            erased, answer = await s.operate("DELETE", f"/calls/{record}")
            if erased != 409:  # its last lines are stored
                break
            await asyncio.sleep(0.1)
        assert erased == 200, answer
        assert (await s.operate("GET", f"/calls/{record}"))[0] == 404
        await is_refused(s, tmp_path, "reminder")

    phone = Phone(plan=Plan(turns=[speech()], patience=0.7))
    heard = voice(["Please don't call me again."])
    tell(tmp_path, "v1", story, providers=heard, phones={CALLER: phone})


SPELLINGS = {
    "+15550000007": ["+1 (555) 000-0007", "sip:+15550000007@example.com;transport=tls"],
    "sip:ann@example.com": ["SIP:Ann@Example.com", "sips:ann@example.com:5061;transport=tls?a=b"],
    "user:Ann": ["user:Ann", " user:Ann "],
}


def test_the_list_is_asked_carelessly(tmp_path: Path) -> None:
    """The same person many times at once, in all spellings; and what is nobody's number."""

    async def story(s: Story) -> None:
        for person, spellings in SPELLINGS.items():
            asked = [{"number": one} for one in [person, *spellings] * 3]
            answers = await asyncio.gather(*(s.operate("POST", "/opt-outs", x) for x in asked))
            assert {answer["number"] for _, answer in answers} == {person}
            assert sorted(status for status, _ in answers) == [200] * 8 + [201]
        listed = (await s.operate("GET", "/opt-outs"))[1]["opt_outs"]
        assert {one["number"] for one in listed} == SPELLINGS.keys()
        for nobody in ("anonymous", "", "private", "user:", "sip:@example.com", "+1", "x" * 400):
            status, _ = await s.operate("POST", "/opt-outs", {"number": nobody})
            assert status in (400, 422), nobody
        given = "sip:Ann@EXAMPLE.com;transport=tls"
        assert (await s.operate("DELETE", f"/opt-outs/{quote(given, safe='')}"))[0] == 200
        assert (await s.operate("DELETE", "/opt-outs/sip:ann@example.com"))[0] == 404

    tell(tmp_path, "v1", story)


def test_who_has_opted_out_is_not_added_to_a_line(tmp_path: Path) -> None:
    """By an operator, nor by the model, which is told so; nobody rings."""

    async def story(s: Story) -> None:
        for number in (BEN, f"sip:{BEN}@example.com"):
            assert (await s.operate("POST", "/opt-outs", {"number": number}))[0] in (200, 201)
        leg = await s.call_in(Plan(turns=[speech()], patience=0.7, linger=60))
        await until(lambda: s.lines("tool"))
        (tool,) = s.lines("tool")
        assert (tool["name"], tool["status"]) == ("add_party", "failed")
        assert "wants no more calls" in tool["result"]
        assert "voice-agent" not in tool["result"]
        (call,) = (await s.operate("GET", "/calls"))[1]["calls"]
        for to in (BEN, f"sip:{BEN}@example.com", "+1 (555) 000-0002"):
            status, answer = await s.operate("POST", f"/calls/{call['id']}/parties", {"to": to})
            assert (status, "wants no more calls" in answer["detail"]) == (422, True)
        assert [one.number for one in s.sinch.legs if one.number == BEN] == []
        await s.sinch.hang_up(leg)

    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "reception.md").write_text(
        f"---\ngreeting: Hello.\nparties:\n  - {{name: ben, to: '{BEN}', title: Ben}}\n---\nHelp."
    )
    heard = voice(["Ben please."], ["Sure. [add_party who=ben]", "He cannot be called."])
    tell(tmp_path, "v1", story, providers=heard, sinch={"conference": True})
