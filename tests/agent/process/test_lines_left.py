"""Lines that the agent has left, and what becomes of them when nobody is there to be told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.settings.database import DatabaseUrl
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from tests.agent.loopback import until
from tests.agent.process.serving import ServiceProcess
from tests.agent.process.sinch import LONG, Account, account, quietly
from tests.agent.process.test_deaths import in_conversation
from tests.agent.sinch.stories import MANAGER, free_port
from tests.patience import PATIENCE

PHONES = {MANAGER: Phone(plan=LONG)}


async def passed_on(us: Account, service: ServiceProcess, how: str) -> tuple[PhoneLeg, PhoneLeg]:
    """Return a caller and the manager who talks with them, whether the agent has left or stays."""
    caller = await in_conversation(us, service)
    body = {"phone": MANAGER} if how == "take-over" else {"to": MANAGER}
    status, answer = await us.operate(service, "POST", f"/calls/{caller.call_id}/{how}", body)
    assert status == 202, answer
    done = ["started", "done"]
    await until(lambda: [x["status"] for x in service.lines("transfer")] == done, PATIENCE)
    manager = next(leg for leg in us.sinch.legs if leg.number == MANAGER)
    await until(lambda: manager.room == caller.room, PATIENCE)
    (stream,) = [leg for leg in us.sinch.legs if leg.is_stream]
    if how == "transfer":
        await until(stream.over.is_set, PATIENCE)
    await quietly(1.0)  # so that it was told
    return caller, manager


@pytest.mark.parametrize(
    ("how", "leaves"),
    [("transfer", "the manager"), ("transfer", "the caller"), ("take-over", "the manager")],
)
def test_an_end_that_nobody_was_told_of(
    tmp_path: Path, database_url: DatabaseUrl, how: str, leaves: str
) -> None:
    """No process runs as one of two hangs up: the next that starts lets the other go."""

    async def main() -> None:
        async with account(tmp_path, "v1", database_url, PHONES) as us:
            first = await us.start()
            caller, manager = await passed_on(us, first, how)
            first.kill()
            await first.ended()
            who, other = (manager, caller) if leaves == "the manager" else (caller, manager)
            await us.sinch.hang_up(who)
            assert us.sinch.callbacks[-1] == ("dice", 0)
            service = await us.start()
            assert not other.over.is_set()
            await until(other.over.is_set, PATIENCE)
            await until(lambda: service.lines("platform"), PATIENCE)
            assert not service.logged("background work failed: this is a bug")

    asyncio.run(main())


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_those_who_talk_are_let_talk(tmp_path: Path, end: str) -> None:
    """Their process dies, or stops: nobody hangs up; another does once one has left."""

    async def main() -> None:
        async with account(tmp_path, "v1", phones=PHONES) as us:
            first = await us.start()
            caller, manager = await passed_on(us, first, "transfer")
            other = await us.start(free_port())
            (first.kill if end == "kill" else first.process.terminate)()
            await first.ended()
            await until(lambda: other.logged("processes died"), PATIENCE)
            asked = ("GET", f"/calling/v1/conferences/id/{caller.room}")
            await until(lambda: asked in us.sinch.requests, PATIENCE)
            await quietly(5.0)
            assert not caller.over.is_set()
            assert not manager.over.is_set()
            await us.sinch.hang_up(manager)  # no process is where callbacks go
            assert us.sinch.callbacks[-1] == ("dice", 0)
            await until(caller.over.is_set, PATIENCE)

    asyncio.run(main())
