"""The database fails in the middle of what follows a callback, or a request: nobody is left alone.

At each of its operations in turn, for half a second, for five, and for good.
"""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from agent.call import orders
from agent.call.orders import CallerMoved, CallerNotMoved, Order, ReturnToCaller, TransferCaller
from agent.sinch.api.svaml import Svaml
from agent.sinch.callbacks import Callback, IncomingCall, LegAnswered, LegEnded, Version
from agent.sinch.contracts import Dial, Party
from agent.sinch.legs.leg_kinds import After, BridgedCall, TakeOver
from agent.sinch.legs.leg_tables import CallStatus
from agent.sinch.refusals import CallControlError
from agent.sinch.tokens import Claims
from agent.store.engine import T, Work
from agent.store.errors import StoreError
from tests.agent.sinch import test_second_transfers as second
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell
from tests.databases import InlineDatabase

CLAIMS = Claims(call="phone", agent="reception", rate=8000, expires=0)
OPERATIONS = range(9)
"""Of the database that precede the outage: as many as a callback takes."""

both = pytest.mark.parametrize("version", ["v1", "v2"])
for_long = pytest.mark.parametrize("seconds", [5.0, math.inf])


def goes_away(s: Story, after: int, seconds: float) -> None:
    """Have the database fail after so many operations, for so long from the first that fails."""
    database = s.store.database
    assert isinstance(database, InlineDatabase)
    run, left = database._run, after
    until: float | None = None

    def counted(work: Work[T]) -> T:
        nonlocal left, until
        now = asyncio.get_running_loop().time()
        left -= 1
        if left < 0:
            until = now + seconds if until is None else until
            if now < until:
                raise StoreError("away")
        return run(work)

    database._run = counted  # type: ignore[method-assign]


def comes_back(s: Story) -> None:
    assert isinstance(s.store.database, InlineDatabase)
    del s.store.database._run  # the class has it


async def call_back(s: Story, callback: Callback) -> Svaml:
    """Tell of something as the platform does; whoever is hung up by the answer has hung up."""
    try:
        told = await s.call_control.answer(callback)
    except StoreError:
        s.call_control.answer_late(callback)
        told = s.call_control.sorry(callback)
    if isinstance(callback, LegAnswered) and "hangup" in str(told):
        await call_back(s, LegEnded(leg=callback.leg, result="ANSWERED", reason="HANGUP"))
    return told


async def ringing(s: Story, after: After | None) -> str:
    """Have somebody rung for a caller whose agent is here: an operator, or cold."""
    await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
    await s.stream_comes()
    s.calls.in_progress["phone"] = "reception"
    if after is not None:
        asked = TransferCaller(to=MANAGER, announcement="One moment.")
        await s.call_control.request_transfer("phone", asked, TakeOver(to=MANAGER, after=after))
    await s.call_control.transfer(CLAIMS, MANAGER)
    s.calls.ordered.clear()
    return await s.transfer_name("phone")


async def call(s: Story) -> BridgedCall:
    known = await s.directory.call("phone")
    assert known is not None
    return known


async def told(s: Story) -> list[Order]:
    """Return what the agent was told: at once, and in turn."""
    left = await s.store.orders.take(["phone"])
    return [*s.calls.ordered, *(orders.decode(value) for _, value in left)]


def let_go(s: Story, answer: Svaml) -> bool:
    """Return whether the caller's phone was hung up, by an answer or a request."""
    asked = {about for what in ("hang_up", "clear") for _, about in s.platform.of(what)}
    return bool(asked & {"phone", "c-phone"}) or "caller" in str(answer)


@both
@pytest.mark.parametrize("seconds", [0.5, 5.0, math.inf])
@pytest.mark.parametrize("after", ["return", "end"])
@pytest.mark.parametrize("operations", OPERATIONS)
def test_an_operator_hangs_up(
    tmp_path: Path, version: Version, after: After, seconds: float, operations: int
) -> None:
    """The agent comes back, or the caller is let go: by what is remembered, or once it can be."""

    async def story(s: Story) -> None:
        name = await ringing(s, after)
        await s.answered(name)
        s.calls.ordered.clear()
        goes_away(s, operations, seconds)
        ended = LegEnded(leg=s.leg(name, "operator"), result="ANSWERED", reason="CALLEEHANGUP")
        answer = await call_back(s, ended)
        await asyncio.sleep(60)
        comes_back(s)
        if after == "return":
            assert ReturnToCaller(by="service") in await told(s)
            assert not let_go(s, answer)
        else:
            assert let_go(s, answer)
        await asyncio.sleep(60)  # it is well again
        over = CallStatus.WITH_AGENT if after == "return" else CallStatus.OVER
        assert (await call(s)).status is over

    tell(tmp_path, version, story, conference=True)


@both
@for_long
@pytest.mark.parametrize("operations", OPERATIONS)
def test_nobody_answers(tmp_path: Path, version: Version, seconds: float, operations: int) -> None:
    """The agent is told, and can pass the caller on again."""

    async def story(s: Story) -> None:
        name = await ringing(s, None)
        goes_away(s, operations, seconds)
        await call_back(s, LegEnded(leg=s.leg(name, "desk"), result="BUSY", reason="BUSY"))
        await asyncio.sleep(60)
        comes_back(s)
        assert CallerNotMoved(why="busy", leg=name) in await told(s)
        await asyncio.sleep(60)
        known = await call(s)
        assert (known.status, known.transfer) == (CallStatus.WITH_AGENT, "")

    tell(tmp_path, version, story, conference=True)


@both
@for_long
@pytest.mark.parametrize("after", ["return", None])
@pytest.mark.parametrize("operations", OPERATIONS)
def test_somebody_answers(
    tmp_path: Path, version: Version, after: After | None, seconds: float, operations: int
) -> None:
    """They are with the caller and the agent is told once; or they are not, and it goes on."""

    async def story(s: Story) -> None:
        name = await ringing(s, after)
        goes_away(s, operations, seconds)
        answer = await call_back(s, LegAnswered(leg=s.leg(name, "operator")))
        await asyncio.sleep(60)
        comes_back(s)
        await asyncio.sleep(60)
        known, heard = await call(s), await told(s)
        moved = CallerMoved(
            stay=after == "return" or version == "v2", returns=after == "return", leg=name
        )
        if "hangup" in str(answer):
            assert moved not in heard
            assert heard != []
            assert known.status is CallStatus.WITH_AGENT
        else:
            assert heard.count(moved) == 1
            assert known.status is CallStatus.MOVED

    tell(tmp_path, version, story, conference=True)


@both
@pytest.mark.parametrize("operations", range(5, 9))
def test_who_has_answered_hangs_up_in_the_same_outage(
    tmp_path: Path, version: Version, operations: int
) -> None:
    """What is done again about their answer, behind that, takes nobody from the caller."""

    async def story(s: Story) -> None:
        name = await ringing(s, "return")
        goes_away(s, operations, 10.0)
        await call_back(s, LegAnswered(leg=s.leg(name, "operator")))
        ended = LegEnded(leg=s.leg(name, "operator"), result="ANSWERED", reason="CALLEEHANGUP")
        await call_back(s, ended)
        await asyncio.sleep(60)
        comes_back(s)
        heard = await told(s)
        assert [type(one) for one in heard].count(CallerMoved) == 1
        assert isinstance(heard[-1], ReturnToCaller)
        assert (await call(s)).status is CallStatus.WITH_AGENT

    tell(tmp_path, version, story, conference=True)


@both
@for_long
@pytest.mark.parametrize("operations", OPERATIONS)
def test_the_caller_hangs_up(
    tmp_path: Path, version: Version, seconds: float, operations: int
) -> None:
    """Whoever they talked to is not left alone, once the database is there."""

    async def story(s: Story) -> None:
        name = await ringing(s, None)
        await s.answered(name, call_id="desk")
        goes_away(s, operations, seconds)
        answer = await call_back(s, LegEnded(leg=s.leg(), result="ANSWERED", reason="HANGUP"))
        await asyncio.sleep(60)
        comes_back(s)
        await asyncio.sleep(60)
        assert (await call(s)).status is CallStatus.OVER
        asked = s.platform.of("clear") if version == "v1" else s.platform.of("hang_up")
        assert asked or name in str(answer)

    tell(tmp_path, version, story, conference=True)


@both
@for_long
def test_a_helper_hangs_up_beside_somebody_who_talks_with_the_caller(
    tmp_path: Path, version: Version, seconds: float
) -> None:
    """The agent that is silent for them stays silent: it is told who has left, and no more."""

    async def story(s: Story) -> None:
        helper = await second.helped(s)
        s.calls.in_progress["phone"] = "reception"
        name = await second.dial(s, "silent", helpers=(helper,))
        await second.takes(s, name, "silent")
        s.calls.ordered.clear()
        goes_away(s, 0, seconds)
        leg = s.leg(helper, f"phone of {helper}")
        await call_back(s, LegEnded(leg=leg, result="ANSWERED", reason="HANGUP"))
        await asyncio.sleep(60)
        comes_back(s)
        backs = [one for one in await told(s) if isinstance(one, ReturnToCaller)]
        assert backs != []
        assert {one.leg for one in backs} == {helper}

    tell(tmp_path, version, story, conference=True)


@both
def test_a_helper_whom_sinch_did_not_dial_holds_up_nobody(tmp_path: Path, version: Version) -> None:
    """Who had the caller alone hangs up: the caller is let go, though another was to help."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        s.platform.fails.add("dial_alone")
        with pytest.raises(CallControlError):
            await second.dial(s, "help")
        name = await second.dial(s, "cold")
        await second.takes(s, name, "cold")
        goes_away(s, 0, math.inf)
        leg = s.leg(name, f"phone of {name}")
        await call_back(s, LegEnded(leg=leg, result="ANSWERED", reason="HANGUP"))
        await asyncio.sleep(60)
        assert let_go(s, {})
        comes_back(s)

    tell(tmp_path, version, story, conference=True)


@both
@pytest.mark.parametrize("seconds", [5.0])
@pytest.mark.parametrize("operations", OPERATIONS)
@pytest.mark.parametrize("rings", [False, True])
def test_an_operator_gives_the_caller_back(
    tmp_path: Path, version: Version, seconds: float, operations: int, *, rings: bool
) -> None:
    """Who is told that it failed may ask again; else it is done."""

    async def story(s: Story) -> None:
        name = await ringing(s, "return")
        if not rings:
            await s.answered(name)
        s.calls.ordered.clear()
        goes_away(s, operations, seconds)
        for _ in range(2):
            try:
                await s.call_control.give_back("phone")
                break
            except (StoreError, CallControlError):
                await asyncio.sleep(60)
        await asyncio.sleep(60)
        comes_back(s)
        back = CallerNotMoved(by="operator", leg=name) if rings else ReturnToCaller(by="operator")
        assert back in await told(s)
        assert (await call(s)).status is CallStatus.WITH_AGENT
        assert s.platform.of("hang_up") != []

    tell(tmp_path, version, story, conference=True)


@both
@for_long
@pytest.mark.parametrize("operations", OPERATIONS)
def test_the_last_of_a_line_hangs_up(
    tmp_path: Path, version: Version, seconds: float, operations: int
) -> None:
    """The call is over once that can be noted; nobody of it hangs on."""

    async def story(s: Story) -> None:
        two = (Party(to=TO, title="Ann"), Party(to=MANAGER, title="Ben"))
        placed = await s.call_control.dial(
            Dial(to="", agent="reception", parties=two, ends_with="last")
        )
        for name in placed.parties:
            await s.answered(name, call_id=f"phone of {name}")
        goes_away(s, operations, seconds)
        for name in placed.parties:
            leg = s.leg(name, f"phone of {name}")
            await call_back(s, LegEnded(leg=leg, result="ANSWERED", reason="HANGUP"))
        await asyncio.sleep(60)
        comes_back(s)
        await asyncio.sleep(60)
        known = await s.directory.call(placed.name)
        assert known is not None
        assert known.status is CallStatus.OVER

    tell(tmp_path, version, story)
