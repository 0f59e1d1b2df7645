"""Calls that we place: machines, refusals, one call a key."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.phone_numbers import address
from agent.server.operator.requests import DialRequest
from agent.sinch.callbacks import (
    IncomingCall,
    LegAnswered,
    Version,
)
from agent.sinch.contracts import Dial
from agent.sinch.dialling.outgoing import BEEP_WITHIN
from agent.sinch.legs.leg_tables import LegStatus
from agent.sinch.refusals import DestinationRefusedError, NotSetUpError, RefusedError
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell
from tests.virtual_time import run


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_machine_that_does_not_beep_gets_the_message(tmp_path: Path, version: Version) -> None:
    """After a while; a beep that comes still later is too late to start it again."""

    async def story(s: Story) -> None:
        dial = Dial(to=TO, agent="reception", machine="message", message="Call us.")
        name = (await s.call_control.dial(dial)).name
        await s.answered(name, "machine")
        await asyncio.sleep(BEEP_WITHIN + 1)
        leg = await s.call_control.placed(name)
        assert leg is not None
        assert leg.leave_message
        brought = s.platform.of("bring_stream" if version == "v1" else "tell")
        assert [at for at, _ in brought] == [BEEP_WITHIN]
        late = await s.answered(name, "beep")
        assert "connectStream" not in str(late)
        assert "STREAM" not in str(late)

    tell(tmp_path, version, story)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_call_that_was_refused_and_comes_about_is_hung_up(
    tmp_path: Path, version: Version
) -> None:
    """The platform dialled though we were told otherwise: who answers hears nothing of us."""

    async def story(s: Story) -> None:
        s.platform.fails.add("place")
        with pytest.raises(RefusedError, match="Sinch refused"):
            await s.call_control.dial(Dial(to=TO, agent="reception"), "the-very-same-key")
        assert await s.directory.dial_keys.call_of("the-very-same-key") == ""
        (expected,) = s.calls.expected
        leg = await s.call_control.placed(expected.call)
        assert leg is not None
        assert (leg.to, leg.agent, leg.status) == (TO, "reception", LegStatus.FAILED)
        assert leg.reason == "Sinch refused: no (HTTP 400)"
        assert (leg.call_id, leg.result) == ("", "")
        assert "hangup" in str(await s.answered(leg.name))

    tell(tmp_path, version, story)


def test_the_same_key_at_the_same_time_is_one_call(tmp_path: Path) -> None:
    """Over two processes, before either has an answer."""

    async def story(s: Story) -> None:
        other, dial = Story(tmp_path, "v1", conference=False), Dial(to=TO, agent="reception")
        both = [s.call_control, other.call_control] * 3
        legs = await asyncio.gather(*(x.dial(dial, "the-very-same-key") for x in both))
        assert len({leg.name for leg in legs}) == 1
        assert len(s.platform.of("place") + other.platform.of("place")) == 1
        await other.call_control.aclose()

    tell(tmp_path, "v1", story)


def test_what_only_tells_is_answered_with_nothing(tmp_path: Path) -> None:
    """Version 1 does not do what the answer to `notify` says; what it means is asked for."""

    async def story(s: Story) -> None:
        name = (await s.call_control.dial(Dial(to=TO, agent="reception", machine="hangup"))).name
        pending = await s.call_control.answer(LegAnswered(leg=s.leg(name), by="pending"))
        assert pending["action"]["name"] == "connectConf"
        told = await s.call_control.answer(LegAnswered(leg=s.leg(name), by="machine", asks=False))
        assert told == {}
        await asyncio.sleep(0)
        assert s.platform.of("hang_up") == [(0.0, "phone")]

    tell(tmp_path, "v1", story)


def test_without_an_account_nothing_is_asked(tmp_path: Path) -> None:
    """Callbacks are answered all the same."""

    async def main() -> None:
        s = Story(tmp_path, "v1", conference=True, account=False)
        told = await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        assert told["action"]["name"] == "connectStream"
        with pytest.raises(NotSetUpError, match="no account"):
            await s.call_control.dial(Dial(to=TO, agent="reception"))
        await s.call_control.aclose()

    run(main())


def test_a_user_of_the_app_is_called_by_their_id(tmp_path: Path) -> None:
    """The agent is told the id; the platform is given it as such, and nobody else's."""

    async def story(s: Story) -> None:
        with pytest.raises(DestinationRefusedError, match=r"dialling\.users"):
            await s.call_control.dial(Dial(to="user:bob", agent="reception"))
        leg = await s.call_control.dial(Dial(to="user:ann", agent="reception"))
        assert s.platform.of("place") == [(0.0, "user:ann")]
        assert s.calls.expected[0].called == "ann"
        await s.answered(leg.name)
        call = await s.directory.call(leg.name)
        assert call is not None
        assert call.headers["called"] == "ann"

    tell(tmp_path, "v1", story, dialling={"users": ("ann",)})


@pytest.mark.parametrize(
    ("to", "dialled"),
    [
        ("+12025550123", "+12025550123"),
        ("user:ann", "user:ann"),
        ({"type": "username", "endpoint": "ann"}, "user:ann"),
        ({"type": "Username", "endpoint": "ann b"}, "user:ann b"),
        ({"type": "Number", "endpoint": "(202) 555-0123"}, "+12025550123"),
        ({"type": "sip", "endpoint": "desk@example.com"}, "sip:desk@example.com"),
        ({"type": "sip", "endpoint": "sips:desk@example.com"}, "sips:desk@example.com"),
        ({"type": "username", "endpoint": ""}, None),
        ({"type": "username", "endpoint": "\u00e9"}, None),
        ({"type": "username", "endpoint": "a" * 256}, None),
        ({"type": "number", "endpoint": "user:ann"}, None),
        ({"type": "user", "endpoint": "ann"}, None),
        ({"endpoint": "ann"}, None),
        ({"type": "username", "endpoint": "ann", "more": 1}, None),
        (7, None),
    ],
)
def test_whom_to_call_may_be_told_as_sinch_has_it(to: object, dialled: str | None) -> None:
    """Or in a text; what is neither is refused."""
    try:
        request = DialRequest.model_validate({"to": to})
        found = address(str(request.to), "US")
    except ValueError:
        found = None
    assert found == dialled
