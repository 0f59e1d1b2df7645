"""Whatever the platform calls back, in any order, is answered by its documents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sinch.callbacks import (
    CallbackError,
    IncomingCall,
    Version,
    parse,
)
from agent.sinch.contracts import Dial
from agent.sinch.legs.leg_kinds import Machine, StreamLeg, TransferLeg
from agent.sinch.refusals import CallControlError
from agent.sinch.tokens import Claims
from tests.agent.sinch import schemas
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell

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
            told = await s.call_control.answer(callback)
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
        names[machine] = (await s.call_control.dial(dial)).name
    await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
    claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
    with suppress(CallControlError):
        await s.call_control.transfer(claims, MANAGER)
        names["transfer"] = await s.transfer_name("phone")
    await s.directory.add_leg(StreamLeg(name="s1", of="phone"))
    await s.directory.add_leg(TransferLeg(name="t1", of="broken"))
    await s.store.legs.put("broken", {"kind": "dial", "to": 7})
    await s.store.calls.put("broken", {"call_id": ["phone"]})
    return names | {"stream": "s1", "astray": "t1", "broken": "broken"}


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
