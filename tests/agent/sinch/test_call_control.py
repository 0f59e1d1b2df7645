"""What becomes of calls when the platform, the network or people do not do their part."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.call.orders import Order
from agent.personas.routing import Routing
from agent.settings.sinch import SinchSettings
from agent.sinch import svaml
from agent.sinch.call_control import (
    BEEP_WITHIN,
    LOOK_EVERY,
    RECORD_WITHIN,
    STREAM_WITHIN,
    CallControl,
    CallControlError,
    ExpectedCall,
    StreamTarget,
)
from agent.sinch.callbacks import (
    Answered,
    Answerer,
    CallbackError,
    Ended,
    Incoming,
    Leg,
    Version,
    parse,
)
from agent.sinch.rest import SinchError
from agent.sinch.svaml import Stream, Svaml
from agent.sinch.tokens import Claims, Tokens
from agent.sinch.versions import Dial, Machine
from agent.store.folder import FolderStore
from tests.agent.sinch import schemas
from tests.virtual_time import run

TO, MANAGER = "+15550000001", "+15550000002"


class Platform:
    """Does what it is asked, notes it with its time, and fails when told to."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.asked: list[tuple[float, str, str]] = []
        self.fails: set[str] = set()

    def _note(self, what: str, about: str) -> None:
        self.asked.append((round(asyncio.get_running_loop().time(), 1), what, about))
        if what in self.fails:
            raise SinchError("Sinch refused: no (HTTP 400)", 400)

    def of(self, what: str) -> list[tuple[float, str]]:
        return [(at, about) for at, name, about in self.asked if name == what]

    def can_move(self, call: Mapping[str, Any]) -> bool:
        return bool(self.version == "v2" or call["conference"])

    def conference(self, name: str) -> str:
        return f"c-{name}" if self.version == "v1" else ""

    async def place(self, name: str, dial: Dial, _caller_id: str) -> dict[str, str]:
        self._note("place", dial.to)
        return {"call_id": f"phone of {name}"}

    async def bring_stream(self, _name: str, _stream: Stream, conference: str) -> None:
        self._note("bring_stream", conference)

    async def tell(self, call_id: str, _commands: Svaml) -> None:
        self._note("tell", call_id)

    async def transfer(
        self, _call: Mapping[str, Any], name: str, to: str, _caller_id: str, _ring: int
    ) -> dict[str, str]:
        self._note("transfer", to)
        return {"call_id": f"phone of {name}"}

    async def hang_up(self, _name: str, leg: Mapping[str, Any]) -> None:
        self._note("hang_up", str(leg.get("call_id")))

    async def clear(self, conference: str) -> None:
        self._note("clear", conference)


class Board:
    """A process without calls."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []
        self.in_progress: dict[str, str] = {}

    def expect(self, expected: ExpectedCall) -> None:
        assert expected.agent == "reception"

    def deliver(self, _call_id: str, _order: Order) -> bool:
        return False

    def platform_line(self, call_id: str, fields: Mapping[str, Any]) -> None:
        self.told.append({"call_id": call_id, **fields})


class Story:
    """An exchange, and what is around it."""

    def __init__(self, folder: Path, version: Version, *, conference: bool) -> None:
        self.store = FolderStore(folder)
        self.tokens = Tokens(b"k" * 32, self.store)
        self.platform, self.board, self.version = Platform(version), Board(), version
        self.call_control = CallControl(
            settings=SinchSettings(
                public_url="https://agent.example.com",
                caller_id="+12025550100",
                conference=conference,
                refusal="No.",
                sorry="Sorry.",
            ),
            stream=StreamTarget(url="wss://agent.example.com/stream", rate=8000, max_seconds=3600),
            routing=Routing(folder=folder, usual="reception"),
            tokens=self.tokens,
            store=self.store,
            actions=self.platform,
            board=self.board,
        )

    def leg(self, name: str = "", call_id: str = "phone") -> Leg:
        return Leg(version=self.version, call_id=call_id, name=name)

    def answered(self, name: str, by: Answerer = "") -> Svaml:
        return self.call_control.answer(Answered(leg=self.leg(name), by=by))

    def ended(self, name: str = "", call_id: str = "phone", result: str = "ANSWERED") -> Svaml:
        leg = self.leg(name, call_id)
        return self.call_control.answer(Ended(leg=leg, result=result, reason="CALLERHANGUP"))

    def transfer_name(self, of: str) -> str:
        return str((self.store.noted(f"call {of}") or {})["transfer"])


def tell(
    folder: Path,
    version: Version,
    story: Callable[[Story], Awaitable[None]],
    *,
    conference: bool = False,
) -> None:
    async def main() -> None:
        started = Story(folder, version, conference=conference)
        await story(started)
        await started.call_control.aclose()

    run(main())


def test_a_stream_that_does_not_come_hangs_the_phone_up(tmp_path: Path) -> None:
    """Nobody waits in an empty conference for longer than that."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        await asyncio.sleep(STREAM_WITHIN + 1)
        assert s.platform.of("hang_up") == [(STREAM_WITHIN, "phone")]

    tell(tmp_path, "v1", story, conference=True)


def test_a_stream_that_came_lets_the_phone_be(tmp_path: Path) -> None:
    """Nor is a phone hung up that has gone."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        s.store.claim("stream phone")
        s.call_control.answer(Incoming(leg=s.leg(call_id="gone"), caller=TO, called=MANAGER))
        s.ended(call_id="gone")
        await asyncio.sleep(STREAM_WITHIN + 1)
        assert s.platform.of("hang_up") == []

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_machine_that_does_not_beep_gets_the_message(tmp_path: Path, version: Version) -> None:
    """After a while; a beep that comes still later is too late to start it again."""

    async def story(s: Story) -> None:
        dial = Dial(to=TO, agent="reception", machine="message", message="Call us.")
        name = (await s.call_control.dial(dial))["id"]
        s.answered(name, "machine")
        await asyncio.sleep(BEEP_WITHIN + 1)
        assert s.call_control.placed(name)["leave_message"]
        brought = s.platform.of("bring_stream" if version == "v1" else "tell")
        assert [at for at, _ in brought] == [BEEP_WITHIN]
        late = s.answered(name, "beep")
        assert "connectStream" not in str(late)
        assert "STREAM" not in str(late)

    tell(tmp_path, version, story)


def test_a_transfer_that_rings_out_is_hung_up(tmp_path: Path) -> None:
    """A conferenceCallout would ring without end; one that was answered is let be."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        s.store.claim("stream phone")
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.transfer(claims, MANAGER)
        name = s.transfer_name("phone")
        await asyncio.sleep(32)
        assert s.platform.of("hang_up") == [(31.0, f"phone of {name}")]
        s.ended(name, "other", "NOANSWER")
        await s.call_control.transfer(claims, MANAGER)
        s.answered(s.transfer_name("phone"))
        await asyncio.sleep(32)
        assert len(s.platform.of("hang_up")) == 1

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_caller_who_has_gone_is_connected_with_nobody(tmp_path: Path, version: Version) -> None:
    """The phone that still rings is hung up, and so is one that is answered too late."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.transfer(claims, MANAGER)
        name = s.transfer_name("phone")
        told = s.ended()
        await asyncio.sleep(0.1)
        if version == "v1":
            assert s.platform.of("hang_up")[0][1] == f"phone of {name}"
        else:
            assert told == svaml.v2_hang_up("stream", name)
        assert "hangup" in str(s.answered(name))

    tell(tmp_path, version, story, conference=True)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_call_that_was_refused_and_comes_about_is_hung_up(
    tmp_path: Path, version: Version
) -> None:
    """The platform dialled though we were told otherwise: who answers hears nothing of us."""

    async def story(s: Story) -> None:
        s.platform.fails.add("place")
        with pytest.raises(CallControlError, match="Sinch refused"):
            await s.call_control.dial(Dial(to=TO, agent="reception"), "the-very-same-key")
        (name,) = [
            str(note["id"])
            for note in [s.store.noted("dial key the-very-same-key")]
            if note is not None
        ]
        assert s.call_control.dialled(name) == {
            "id": name,
            "to": TO,
            "agent": "reception",
            "status": "failed",
            "reason": "Sinch refused: no (HTTP 400)",
        }
        assert "hangup" in str(s.answered(name))

    tell(tmp_path, version, story)


def test_the_same_key_at_the_same_time_is_one_call(tmp_path: Path) -> None:
    """Over two processes, before either has an answer."""

    async def story(s: Story) -> None:
        other, dial = Story(tmp_path, "v1", conference=False), Dial(to=TO, agent="reception")
        exchanges = [s.call_control, other.call_control] * 3
        calls = await asyncio.gather(*(x.dial(dial, "the-very-same-key") for x in exchanges))
        assert len({call["id"] for call in calls}) == 1
        assert len(s.platform.of("place") + other.platform.of("place")) == 1
        await other.call_control.aclose()

    tell(tmp_path, "v1", story)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_caller_who_was_passed_on_can_be_hung_up(tmp_path: Path, version: Version) -> None:
    """By Sinch, since no agent talks to them any more; they cannot be passed on once more."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        s.store.claim("stream phone")
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.transfer(claims, MANAGER)
        s.answered(s.transfer_name("phone"))
        with pytest.raises(CallControlError, match="no agent now"):
            s.call_control.request_transfer("phone", MANAGER, "One moment.")
        await s.call_control.hang_up("phone", goodbye=True)
        assert [about for _, about in s.platform.of("hang_up")] == ["phone"]

    tell(tmp_path, version, story, conference=True)


def test_the_end_of_a_call_is_told_once(tmp_path: Path) -> None:
    """Signed anew, by another process, with another timestamp: one line in the record."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        for _ in range(3):
            s.ended()
        await asyncio.sleep(0)
        assert [line["call_id"] for line in s.board.told] == ["phone"]

    tell(tmp_path, "v1", story)


def test_our_end_of_a_call_is_on_record_before_the_platforms(tmp_path: Path) -> None:
    """Whichever of the two connections tells first; the callback is answered at once."""

    async def story(s: Story) -> None:
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        s.store.claim("stream phone")
        s.ended()
        await asyncio.sleep(1)
        assert s.board.told == []
        s.call_control.stream_ended(claims, moved=False)
        await asyncio.sleep(2 * LOOK_EVERY)
        assert [line["call_id"] for line in s.board.told] == ["phone"]

        s.store.claim("stream other")
        s.call_control.stream_ended(replace(claims, call="other"), moved=False)
        await asyncio.sleep(0)
        s.ended(call_id="other")
        await asyncio.sleep(0)
        assert [line["call_id"] for line in s.board.told] == ["phone", "other"]

        s.board.in_progress["by hand"] = "reception"
        s.ended(call_id="by hand")
        await asyncio.sleep(1)
        assert len(s.board.told) == 2
        del s.board.in_progress["by hand"]
        await asyncio.sleep(2 * LOOK_EVERY)
        assert len(s.board.told) == 3

    tell(tmp_path, "v1", story)


@pytest.mark.parametrize("stops", [False, True])
def test_the_platforms_word_is_kept_whatever_became_of_ours(tmp_path: Path, stops: bool) -> None:
    """The process with the stream is gone, or this one stops while it waits."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        s.store.claim("stream phone")
        s.ended()
        await (s.call_control.aclose() if stops else asyncio.sleep(RECORD_WITHIN + LOOK_EVERY))
        assert [line["call_id"] for line in s.board.told] == ["phone"]

    tell(tmp_path, "v1", story)


def test_what_only_tells_is_answered_with_nothing(tmp_path: Path) -> None:
    """Version 1 does not do what the answer to `notify` says; what it means is asked for."""

    async def story(s: Story) -> None:
        name = (await s.call_control.dial(Dial(to=TO, agent="reception", machine="hangup")))["id"]
        pending = s.call_control.answer(Answered(leg=s.leg(name), by="pending"))
        assert pending["action"]["name"] == "connectConf"
        told = s.call_control.answer(Answered(leg=s.leg(name), by="machine", asks=False))
        assert told == {}
        await asyncio.sleep(0)
        assert s.platform.of("hang_up") == [(0.0, "phone")]

    tell(tmp_path, "v1", story)


def test_a_phone_that_cannot_be_hung_up_is_hung_up_later(tmp_path: Path) -> None:
    """Sinch refuses the stream, and the hang-up, too; nobody is left waiting for good."""

    async def story(s: Story) -> None:
        s.platform.fails |= {"bring_stream", "hang_up"}
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        await asyncio.sleep(1)
        s.platform.fails.clear()
        await asyncio.sleep(STREAM_WITHIN)
        assert s.platform.of("hang_up") == [(0.0, "phone"), (STREAM_WITHIN, "phone")]

    tell(tmp_path, "v1", story, conference=True)


def test_a_stream_that_was_turned_away_leaves_nobody_waiting(tmp_path: Path) -> None:
    """The token is used up, so no other will come: the conference is ended."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        s.store.claim("stream phone")
        s.call_control.stream_ended(claims, moved=False)
        await asyncio.sleep(0)
        assert s.platform.of("clear") == [(0.0, "c-phone")]

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_operator_is_not_told_that_nobody_hangs_up(tmp_path: Path, version: Version) -> None:
    """The stream has ended, the platform has not said so yet: Sinch is asked."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        s.store.claim("stream phone")
        await s.call_control.hang_up("phone", goodbye=True)
        assert s.platform.of("hang_up") == []  # the process with the stream does it
        s.call_control.stream_ended(claims, moved=True)
        await asyncio.sleep(0)
        await s.call_control.hang_up("phone", goodbye=True)
        assert s.platform.of("hang_up") == [(0.0, "phone")]

    tell(tmp_path, version, story)


_WORDS = st.text(max_size=300) | st.sampled_from([TO, "7", "2026-11-24T12:00:00Z"])


def _answers(version: Version) -> Mapping[str, str]:
    """Return each event, and the schema of what may be answered."""
    if version == "v1":
        return {
            "ice": "v1_ice",
            "ace": "v1_ace",
            "pie": "v1_pie",
            "dice": "v1_nothing",
            "notify": "v1_nothing",
            "future": "v1_nothing",
        }
    ends = ("hangup", "busy", "timeout", "failed", "rejected", "webhook.ended")
    answered = ("answered", "amd.human", "amd.machine", "amd.beep", "amd.unknown")
    events = ("incoming", *answered, *ends, "menu", "future")
    return {f"call.{event}": "v2_reply" for event in events}


@pytest.mark.parametrize("version", ["v1", "v2"])
@settings(max_examples=40)
@given(data=st.data())
def test_whatever_comes_is_answered_by_the_documents(
    tmp_path_factory: pytest.TempPathFactory, version: Version, data: st.DataObject
) -> None:
    """Any events of any legs in any order, with any text in any field: each answer is valid."""
    answers = _answers(version)

    async def story(s: Story) -> None:
        names = await _legs(s)
        for _ in range(data.draw(st.integers(1, 10))):
            event = data.draw(st.sampled_from(sorted(answers)))
            name = names[data.draw(st.sampled_from(sorted(names)))]
            body = _callback(version, event, name, data.draw)
            try:
                callback = parse(json.dumps(body).encode())
            except CallbackError:
                continue
            told = s.call_control.answer(callback)
            schemas.check(answers[event], told)
            schemas.check(answers[event], s.call_control.sorry(callback))
            await asyncio.sleep(0)

    folder = tmp_path_factory.mktemp("state")
    tell(folder, version, story, conference=data.draw(st.booleans()))


async def _legs(s: Story) -> Mapping[str, str]:
    """Return the names of one leg of each kind."""
    names = {"none": "", "strange": "other"}
    for machine in get_args(Machine):
        dial = Dial(to=TO, agent="reception", machine=machine, message="Call us.")
        names[machine] = (await s.call_control.dial(dial))["id"]
    s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
    claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
    with suppress(CallControlError):
        await s.call_control.transfer(claims, MANAGER)
        names["transfer"] = s.transfer_name("phone")
    s.store.note("leg s1", {"kind": "stream", "of": "phone"})
    return names | {"stream": "s1"}


def _callback(
    version: Version, event: str, name: str, draw: Callable[[st.SearchStrategy[Any]], Any]
) -> dict[str, Any]:
    call_id = draw(st.just("phone") | _WORDS)
    headers = draw(st.lists(st.fixed_dictionaries({"key": _WORDS, "value": _WORDS}), max_size=20))
    if version == "v1":
        kinds = st.sampled_from(["amd", "amd_beep", "recording_finished"])
        status = st.sampled_from(["human", "machine", "notsure", "inprogress", "hangup", "new"])
        return {
            "event": event,
            "callid": call_id,
            "custom": name,
            "timestamp": draw(_WORDS),
            "cli": draw(_WORDS),
            "to": {"type": "did", "endpoint": draw(_WORDS)},
            "callHeaders": headers,
            "type": draw(kinds),
            "amd": draw(st.none() | st.fixed_dictionaries({"status": status})),
            "result": draw(_WORDS),
        }
    call = {
        "callId": call_id,
        "callName": name,
        "sessionId": draw(_WORDS),
        "startTime": draw(_WORDS),
        "from": {"phone": {"number": draw(_WORDS)}},
        "to": {"phone": {"number": draw(_WORDS)}},
        "callHeaders": headers,
        "callResult": draw(_WORDS),
    }
    return {"event": event, "call": call}


def test_a_transfer_that_cannot_be_dialled_says_why(tmp_path: Path) -> None:
    """To the agent, which tells the caller."""

    async def story(s: Story) -> None:
        s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        s.platform.fails.add("transfer")
        with pytest.raises(CallControlError, match="Sinch refused"):
            await s.call_control.transfer(claims, MANAGER)
        other = Claims(call="unknown", agent="reception", rate=8000, expires=0)
        with pytest.raises(CallControlError, match="cannot be passed on"):
            await s.call_control.transfer(other, MANAGER)

    tell(tmp_path, "v2", story)


def test_without_an_account_nothing_is_asked(tmp_path: Path) -> None:
    """Callbacks are answered all the same."""

    async def main() -> None:
        s = Story(tmp_path, "v1", conference=True)
        s.call_control._actions = None
        told = s.call_control.answer(Incoming(leg=s.leg(), caller=TO, called=MANAGER))
        assert told["action"]["name"] == "connectStream"
        with pytest.raises(CallControlError, match="no account"):
            await s.call_control.dial(Dial(to=TO, agent="reception"))
        await s.call_control.aclose()

    run(main())
