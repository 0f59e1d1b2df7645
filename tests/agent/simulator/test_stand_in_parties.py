"""Several phones and a stream on one line of the stand-in, both versions: who hears whom, and when.

Each says a level of its own, so that what is heard tells who was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.simulator.party.party_phones import PhoneScript
from agent.simulator.party_stand_in import PartyAtStandIn
from agent.simulator.plan import Plan, Turn
from agent.simulator.scenarios.party_calls import PartyScenario, voiced
from agent.simulator.sinch.phone_network import Phone
from agent.sinch.api.svaml import Svaml
from tests.agent.loopback import until
from tests.agent.simulator.platform import (
    ANN,
    BOB,
    CARL,
    CLI,
    ScriptedService,
    person,
    serving,
    tone,
)

pytestmark = pytest.mark.usefixtures("nothing_left")


def v1_answer(asked: dict[str, Any]) -> object:
    """Let whoever answers into the conference."""
    return {"action": {"name": "continue"}} if asked["event"] == "ace" else {}


def tell(
    story: Callable[[ScriptedService], Awaitable[None]],
    phones: Mapping[str, Phone],
    answer: Callable[[dict[str, Any]], object] = v1_answer,
    **more: Any,
) -> None:
    async def main() -> None:
        async with serving(phones, answer, **more) as service:
            await story(service)

    asyncio.run(main())


def events(service: ScriptedService) -> list[tuple[str, str]]:
    """Return what was told of which leg, by its name."""
    return [(asked["event"], asked.get("custom", "")) for asked in service.asked]


def test_all_hear_each_other_in_a_conference(tmp_path: Path) -> None:
    """Two phones and the agent, by three callouts; what each heard is saved on demand."""

    async def story(s: ScriptedService) -> None:
        s.says = tone(8000).pcm
        await s.bring_stream()
        await s.call_out(ANN)
        await s.call_out(BOB)
        await until(lambda: s.heard_by(ANN) and 2000 in s.heard_by(ANN))
        await until(lambda: len(s.heard) > 16000)
        assert s.heard_by(ANN) <= {2000, 8000, 10000}
        assert s.heard_by(BOB) <= {1000, 8000, 9000}
        person = s.leg(ANN).person
        assert person is not None
        person.recording.save(tmp_path / "ann.wav")
        assert (tmp_path / "ann.wav").stat().st_size > 16000

    tell(story, {ANN: person("Ann", 1000, 0.3), BOB: person("Bob", 2000, 0.4)})


def test_the_stream_stays_when_a_phone_leaves_and_phones_when_the_stream_dies() -> None:
    """Nobody is hung up by the platform for another's leaving: that is for whoever built it."""

    async def story(s: ScriptedService) -> None:
        await s.bring_stream()
        await s.call_out(ANN)
        await s.call_out(BOB)
        await until(lambda: ("dice", ANN) in events(s))
        await until(lambda: s.socket)
        assert not s.leg("").over.is_set()
        assert s.socket is not None
        await s.socket.close()
        await until(s.leg("").over.is_set)
        await until(lambda: [leg.number for leg in s.sinch.in_room("c")] == [BOB])
        status, _ = await s.ask("DELETE", "/calling/v1/conferences/id/c")
        assert status == 204
        await until(s.leg(BOB).over.is_set)
        assert (await s.ask("DELETE", "/calling/v1/conferences/id/c"))[0] == 404

    phones = {ANN: person("Ann", 1000, leaves=True), BOB: person("Bob", 2000)}
    tell(story, phones)


def test_a_participant_is_listed_muted_put_on_hold_and_kicked() -> None:
    """One at a time; the others go on."""

    async def story(s: ScriptedService) -> None:
        ann, bob, _ = [await s.call_out(number) for number in (ANN, BOB, CARL)]
        await until(lambda: all(s.leg(number).person for number in (ANN, BOB, CARL)))
        at = "/calling/v1/conferences/id/c"
        assert (await s.ask("PATCH", f"{at}/{ann}", {"command": "mute"}))[0] == 204
        assert (await s.ask("PATCH", f"{at}/{bob}", {"command": "onhold"}))[0] == 204
        _, found = await s.ask("GET", at)
        assert [(one["cli"], one["muted"], one["onhold"]) for one in found["participants"]] == [
            (ANN, True, False),
            (BOB, False, True),
            (CARL, False, False),
        ]
        await until(lambda: {"Ann", "Bob", "Carl"} <= s.sinch.turns.keys())
        await until(lambda: all(turn.over for turn in s.sinch.turns.values()))
        assert (s.heard_by(ANN), s.heard_by(BOB), s.heard_by(CARL)) == ({4000}, set(), set())
        assert (await s.ask("DELETE", f"{at}/{bob}"))[0] == 204
        await until(s.leg(BOB).over.is_set)
        await until(lambda: [leg.number for leg in s.sinch.in_room("c")] == [ANN, CARL])
        assert (await s.ask("DELETE", f"{at}/{bob}"))[0] == 404
        assert (await s.ask("GET", "/calling/v1/conferences/id/d"))[0] == 404

    phones = {ANN: person("Ann", 1000, 0.7), BOB: person("Bob", 2000, 0.7)}
    tell(story, phones | {CARL: person("Carl", 4000, 0.7)})


def test_what_is_said_on_the_way_in_is_said_to_them_alone() -> None:
    """A greeting, and what is said in answer to ACE, before they are in; also by hand."""
    asked_for: Svaml = {
        "instructions": [{"name": "say", "text": "This call is recorded."}],
        "action": {"name": "continue"},
    }

    async def story(s: ScriptedService) -> None:
        await s.call_out(ANN, greeting="You join a call.")
        await until(lambda: s.leg(ANN).person)
        assert s.leg(ANN).said == ["You join a call.", "This call is recorded."]

    tell(story, {ANN: person("Ann", 1000)}, lambda a: asked_for if a["event"] == "ace" else {})


def test_an_in_app_user_is_not_asked_about() -> None:
    """They join without ACE, as the documents say; DiCE comes, unless it was not asked for."""

    async def story(s: ScriptedService) -> None:
        await s.call_out("ann")
        await until(lambda: s.leg("ann").person)
        await s.call_out(BOB, enableAce=False, enableDice=False)
        await until(lambda: s.leg(BOB).person)
        for number in ("ann", BOB):
            await s.sinch.hang_up(s.leg(number))  # which returns once it was told
        assert events(s) == [("dice", "ann")]

    tell(story, {"ann": person("Ann", 1000), BOB: person("Bob", 2000)})


def test_whoever_does_not_answer_in_time_is_told_of() -> None:
    """Nobody there, busy, and one who would have answered after the time to ring."""

    async def story(s: ScriptedService) -> None:
        await s.call_out(ANN)
        await s.call_out(BOB)
        ice = {"action": {"name": "connectPstn", "number": CARL, "cli": CLI, "dialTimeout": 1}}
        assert await custom(s, ice) == 200
        await until(lambda: len(s.asked) == 3)
        found = {asked["custom"]: (asked["result"], asked["reason"]) for asked in s.asked}
        assert found == {
            ANN: ("NOANSWER", "TIMEOUT"),
            BOB: ("BUSY", "BUSY"),
            "custom": ("NOANSWER", "TIMEOUT"),
        }

    phones = {
        ANN: Phone(answers="no", after=0.1),
        BOB: Phone(answers="busy", after=0.1),
        CARL: Phone(after=60.0),
    }
    tell(story, phones)


async def custom(s: ScriptedService, ice: Svaml, **more: Svaml) -> int:
    """Start a customCallout; return the status."""
    callout = {"ice": json.dumps(ice), "custom": "custom"}
    callout |= {name: json.dumps(svaml) for name, svaml in more.items()}
    body = {"method": "customCallout", "customCallout": callout}
    return (await s.ask("POST", "/calling/v1/callouts", body))[0]


def test_a_callout_says_itself_what_to_do_once_answered() -> None:
    """With an ACE of its own nobody is asked; SIP addresses and In-App users ring, too."""

    async def story(s: ScriptedService) -> None:
        sip = {"name": "connectSip", "destination": {"type": "sip", "endpoint": "sip:ann@a.com"}}
        conference = {"action": {"name": "connectConf", "conferenceId": "c"}}
        assert await custom(s, {"action": sip}, ace=conference) == 200
        await until(lambda: s.leg("sip:ann@a.com").person)
        assert s.leg("sip:ann@a.com").room == "c"
        assert s.asked == []

    tell(story, {"sip:ann@a.com": person("Ann", 1000)})


def test_what_is_pressed_in_a_menu_comes_as_pie() -> None:
    """And its answer is followed."""
    options = [{"dtmf": "1", "action": "return(yes)"}]
    main = {"id": "main", "mainPrompt": "#tts[Press 1.]", "maxDigits": 1, "options": options}
    menu = {"name": "runMenu", "mainMenu": "main", "menus": [main]}

    def answer(asked: dict[str, Any]) -> object:
        if asked["event"] == "ace":
            return {"action": menu}
        taken = asked.get("menuResult", {}).get("value") == "yes"
        return {"action": {"name": "connectConf", "conferenceId": "c"}} if taken else {}

    async def story(s: ScriptedService) -> None:
        assert await custom(s, {"action": {"name": "connectPstn", "number": ANN}}) == 200
        await until(lambda: s.leg(ANN).person)
        assert [asked["event"] for asked in s.asked] == ["ace", "pie"]
        assert s.leg(ANN).room == "c"
        assert s.leg(ANN).said == ["Press 1."]

    tell(story, {ANN: replace(person("Ann", 1000), at_menus=("1",))}, answer)


def dial(name: str, to: str, **more: Any) -> Svaml:
    return {
        "command": "dial",
        "callName": name,
        "from": {"type": "PHONE", "phone": {"number": CLI}},
        "to": {"type": "PHONE", "phone": {"number": to}},
        "dialTimeoutDurationSeconds": 1,
    } | more


JOIN: list[Svaml] = [{"command": "bridgeCall", "bridgeName": "conversation"}]


def test_several_are_dialled_in_a_session_and_bridged() -> None:
    """Three and the agent hear each other; one is hung up by name; one rings for too long."""

    async def story(s: ScriptedService) -> None:
        s.says = tone(8000).pcm
        stream = {"endpoint": s.stream_url, "streamOptions": {"sampleRate": 8000}}
        agent = {
            "command": "dial",
            "callName": "stream",
            "to": {"type": "STREAM", "stream": stream},
            "events": {"onAnswer": JOIN},
        }
        commands = [
            dial("ann", ANN),
            dial("bob", BOB, events={"onAnswer": JOIN}),
            dial("carl", CARL),
            agent,
        ]
        status, made = await s.ask("POST", "/v2/projects/p/calls", {"commands": commands})
        assert status == 201
        await until(lambda: {2000, 8000} <= s.heard_by(ANN))
        await until(lambda: {1000, 8000} <= s.heard_by(BOB))
        assert s.heard_by(ANN) <= {2000, 8000, 10000}
        session = f"/v2/projects/p/sessions/{made['sessionId']}/calls"
        again = {"commands": [dial("bob", CARL)]}
        assert (await s.ask("PATCH", f"{session}/ann", {"commands": [{"command": "hangup"}]}))[
            0
        ] == 202
        await until(s.leg(ANN).over.is_set)
        assert (await s.ask("POST", "/v2/projects/p/calls", again))[0] == 201
        await until(lambda: "call.timeout" in [asked["event"] for asked in s.asked])
        told = [(asked["event"], asked["call"]["callName"]) for asked in s.asked]
        assert told[0] == ("call.answered", "ann")
        assert ("call.timeout", "carl") in told
        assert not [event for event, name in told if name == "bob" and event == "call.answered"]
        assert not s.leg(BOB).over.is_set()

    def answer(asked: dict[str, Any]) -> object:
        return {"commands": JOIN if asked["event"] == "call.answered" else []}

    phones = {ANN: person("Ann", 1000, 0.3), BOB: person("Bob", 2000, 0.6)}
    tell(story, phones | {CARL: Phone(after=60.0)}, answer)


def test_a_name_is_one_call_of_a_session_and_a_stream_that_is_refused_says_why() -> None:
    """A second leg of a name is refused; busy and reject are events of their own."""

    async def story(s: ScriptedService) -> None:
        twice = {"commands": [dial("ann", ANN), dial("ann", BOB)]}
        assert (await s.ask("POST", "/v2/projects/p/calls", twice))[0] == 400
        s.replies = "busy"
        stream = {"endpoint": s.stream_url, "streamOptions": {"sampleRate": 8000}}
        gone = {"command": "webhook", "webhookName": "busy", "url": "http://a/b"}
        agent = {"command": "dial", "to": {"type": "STREAM", "stream": stream}}
        agent |= {"events": {"onBusy": [gone], "onHangup": [{"command": "answer"}]}}
        await s.ask("POST", "/v2/projects/p/calls", {"commands": [agent]})
        await until(lambda: any(asked["event"] == "call.webhook.busy" for asked in s.asked))

    tell(story, {ANN: person("Ann", 1000), BOB: person("Bob", 1)}, lambda _asked: {"commands": []})


def test_a_plan_is_followed_beside_a_script() -> None:
    """Who has no script does on the line what their plan says, and all hear them."""
    plan = Plan(turns=[Turn(audio=tone(4000), label="a tone")], greeting_timeout=0.2)

    async def story(s: ScriptedService) -> None:
        await s.call_out(ANN)
        await s.call_out(CARL)
        await until(lambda: s.heard_by(ANN) == {4000})

    tell(story, {ANN: Phone(script=PhoneScript(name="Ann")), CARL: Phone(plan=plan)})


def test_a_party_call_is_held_at_a_stand_in_judged_and_saved(tmp_path: Path) -> None:
    """Whoever dials its phones: it is over when all who answer have left; one never does."""
    scenario = PartyScenario.model_validate(
        {
            "name": "short",
            "phones": {"Ann": {}, "Bob": {}, "Carl": {"answers": False}},
            "turns": [
                {"who": "Ann", "says": "one", "agent": "silence", "after": 0.1},
                {"who": "Bob", "says": "two", "agent": "answer", "after": 0.2, "leaves": True},
                {"who": "Ann", "leaves": True, "over": "agent"},
            ],
        }
    )

    async def voice(texts: list[str], _rate: int) -> list[Turn]:
        return [Turn(audio=tone(1000 * n, 0.4), label=t) for n, t in enumerate(texts, 1)]

    party = PartyAtStandIn(asyncio.run(voiced(scenario, "Clara", 8000, voice)), ANN)
    assert list(party.numbers.values()) == [ANN, BOB, CARL]

    async def story(s: ScriptedService) -> None:
        s.says = tone(8000).pcm
        await s.bring_stream()
        await until(lambda: s.socket)
        for number in (ANN, BOB, CARL):
            await s.call_out(number)
        over = asyncio.ensure_future(party.over(s.sinch))
        await until(lambda: "short/1" in s.sinch.turns and s.sinch.turns["short/1"].over)
        assert s.socket is not None
        await asyncio.sleep(0.3)
        assert not over.done()
        await s.socket.send_bytes(tone(8000).pcm)
        first, second = await over
        assert (first.right, first.response) == (True, None)
        assert second.right
        assert second.response is not None
        assert second.response > 0.25
        party.save(s.sinch, tmp_path / "heard")
        assert {path.name for path in (tmp_path / "heard").iterdir()} == {"Ann.wav", "Bob.wav"}
        s.sinch.begin_again({})
        assert s.sinch.turns == {}
        assert [leg.number for leg in s.sinch.legs if leg.number in (ANN, BOB)] == []

    tell(story, party.phones())
