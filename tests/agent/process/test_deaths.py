"""Processes that are killed in the middle of calls, and what the next one, or another, does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.settings.database import DatabaseUrl
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.sinch.callbacks import Version
from tests.agent.loopback import until
from tests.agent.process.serving import ServiceProcess, serving
from tests.agent.process.sinch import LONG, Account, account
from tests.agent.process.test_stopping import calling
from tests.agent.sinch.stories import CALLER, free_port
from tests.patience import PATIENCE


async def in_conversation(us: Account, service: ServiceProcess) -> PhoneLeg:
    """Return a caller who was greeted and stays on the line, in a process that others know of."""
    leg = await us.call_in()
    await until(lambda: service.lines("agent"))
    await asyncio.sleep(0.5)
    return leg


async def seen_to(us: Account, service: ServiceProcess, leg: PhoneLeg) -> None:
    """The phone is hung up, and the record closed."""
    await until(leg.over.is_set)
    await until(lambda: service.lines("ended"))
    if us.version == "v1":  # in version 2 the platform hangs up by itself, and tells nobody
        await until(lambda: service.lines("platform"))
    (ended,) = service.lines("ended")
    assert ended["reason"] == "interrupted"
    async with asyncio.timeout(PATIENCE):
        hang_up = ("POST", f"/calls/{leg.call_id}/hangup")
        while (await us.operate(service, *hang_up))[0] != 409:  # noqa: ASYNC110 - another process
            await asyncio.sleep(2.0)  # it takes sixty requests a minute
    assert not service.logged("background work failed: this is a bug")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_next_start_sees_to_what_was_left(
    tmp_path: Path, version: Version, database_url: DatabaseUrl
) -> None:
    """Killed with a caller on the line: at once after the start, nobody hangs on any more."""

    async def main() -> None:
        async with account(tmp_path, version, database_url) as us:
            first = await us.start()
            leg = await in_conversation(us, first)
            first.kill()
            await first.ended()
            service = await us.start()
            await seen_to(us, service, leg)

    asyncio.run(main())


def test_another_process_sees_to_what_was_left(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """The one that lives does it, and its own call goes on; orders to the dead are refused."""

    async def main() -> None:
        async with account(tmp_path, "v1", database_url) as us:
            first = await us.start()
            other = await us.start(free_port())
            leg = await in_conversation(us, first)
            us.callbacks_to(other)
            first.kill()
            status, answer = await us.operate(
                other, "POST", f"/calls/{leg.call_id}/transfer", {"to": "+15550000002"}
            )
            assert status in (404, 409, 410, 202), answer  # it may not be known yet
            await seen_to(us, other, leg)
            status, _ = await us.operate(
                other, "POST", f"/calls/{leg.call_id}/transfer", {"to": "+15550000002"}
            )
            assert status == 404
            assert other.process.returncode is None

    asyncio.run(main())


def test_a_phone_that_still_rings_is_answered_by_the_next(tmp_path: Path) -> None:
    """Its callbacks come to whichever process is there; nobody hangs it up."""

    async def main() -> None:
        phones = {CALLER: Phone(plan=LONG, after=4.0)}
        async with account(tmp_path, "v1", phones=phones) as us:
            first = await us.start()
            other = await us.start(free_port())
            status, call = await us.operate(first, "POST", "/calls", {"to": CALLER})
            assert status == 201
            us.callbacks_to(other)
            first.kill()
            # It rings while the other finds out; the stream, too, is taken wherever it is told.
            await until(lambda: us.sinch.callbacks)
            status, call = await us.operate(other, "GET", f"/calls/{call['id']}")
            assert call["status"] == "connected"

    asyncio.run(main())


RINGS = Phone(plan=LONG, after=300.0)
ANN, BEN = "+15550000011", "+15550000012"


async def nobody_rings(
    us: Account, service: ServiceProcess, call: str, ring_seconds: float
) -> None:
    """Return when all were hung up, who have rung as long as they may, and that is on record."""
    legs = [leg for leg in us.sinch.legs if leg.number in (ANN, BEN)]
    assert len(legs) == 2
    assert not any(leg.over.is_set() for leg in legs)
    began = asyncio.get_running_loop().time()
    await until(lambda: all(leg.over.is_set() for leg in legs))
    assert asyncio.get_running_loop().time() - began > ring_seconds / 2, "hung up too early"
    await until(lambda: service.lines("platform"))
    assert service.lines("platform")[0]["reason"] == "nobody was reached"
    _, known = await us.operate(service, "GET", f"/calls/{call}")
    assert {one["why"] for one in known["parties"]} == {"no answer"}
    assert not service.logged("background work failed: this is a bug")


@pytest.mark.parametrize("survivor", ["another", "the next"])
def test_phones_ring_no_longer_than_they_may_though_their_process_was_killed(
    tmp_path: Path, database_url: DatabaseUrl, survivor: str
) -> None:
    """In version 1 they ring until somebody hangs up: whichever process lives, or starts next."""

    async def main() -> None:
        phones = {ANN: RINGS, BEN: RINGS}
        async with account(tmp_path, "v1", database_url, phones) as us:
            first = await us.start()
            other = await us.start(free_port()) if survivor == "another" else None
            several = [{"to": to, "ring_seconds": 12} for to in (ANN, BEN)]
            status, call = await us.operate(first, "POST", "/calls", {"to": several})
            assert status == 201, call
            await asyncio.sleep(1.0)  # so that it was told
            first.kill()
            await first.ended()
            service = other or await us.start()
            us.callbacks_to(service)
            await nobody_rings(us, service, call["id"], 12 if other else 0)

    asyncio.run(main())


def test_phones_ring_no_longer_than_they_may_though_their_process_has_stopped(
    tmp_path: Path,
) -> None:
    """In order, while they ring: it has left them to the one that goes on."""

    async def main() -> None:
        async with account(tmp_path, "v1", phones={ANN: RINGS, BEN: RINGS}) as us:
            first = await us.start()
            other = await us.start(free_port())
            several = [{"to": to, "ring_seconds": 20} for to in (ANN, BEN)]
            status, call = await us.operate(first, "POST", "/calls", {"to": several})
            assert status == 201, call
            await asyncio.sleep(1.0)
            us.callbacks_to(other)
            first.process.terminate()
            await first.ended()
            await nobody_rings(us, other, call["id"], 0)

    asyncio.run(main())


def test_records_are_closed_without_an_account(tmp_path: Path) -> None:
    """Calls that are routed by hand leave a record, too, and nothing else."""

    async def main() -> None:
        async with serving(tmp_path) as first, calling(first):
            first.kill()
            await first.ended()
        async with serving(tmp_path) as service:
            await until(lambda: service.lines("ended"))
            assert service.lines("ended")[0]["reason"] == "interrupted"

    asyncio.run(main())
