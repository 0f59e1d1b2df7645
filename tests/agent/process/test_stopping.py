"""The end of the service by signals, with calls in progress."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from agent.server.connections import ANSWERED_WITHIN
from agent.server.start import AT_ONCE
from agent.server.stopping import GONE_WITHIN
from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import place_call
from tests.agent.loopback import until
from tests.agent.process.serving import ServiceProcess, serving
from tests.agent.process.sinch import LONG, account

BLOCKING = """
import time
from pipelines.providers import scripted

class LanguageModel(scripted.LanguageModel):
    pass

class Transcriber(scripted.Transcriber):
    async def start(self):
        {start}

class Synthesizer(scripted.Synthesizer):
    async def speak(self, text, rate=8000):
        {speak}
        yield
"""


@asynccontextmanager
async def calling(
    service: ServiceProcess, plan: Plan = LONG, call_id: str = "c1"
) -> AsyncIterator[asyncio.Task[CallInProgress]]:
    """Have a call in progress, past its greeting."""
    before = len(service.lines("agent"))
    call = asyncio.create_task(place_call(service.url, plan, lambda *_: None, call_id))
    try:
        await until(lambda: len(service.lines("agent")) > before)
        yield call
    finally:
        call.cancel()
        await asyncio.wait([call])


async def draining(service: ServiceProcess) -> None:
    await until(lambda: service.logged("draining; once more to stop at once"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_calls_in_progress_finish(number: int, tmp_path: Path) -> None:
    """The caller hangs up in their own time; the process ends then, and not before."""

    async def main() -> None:
        async with serving(tmp_path) as service, calling(service, Plan(patience=2.0)) as call:
            service.kill(number)
            await draining(service)
            assert (await call).failure() == ""
            assert await service.ended() == 0
            assert service.lines("ended")[0]["reason"] == "the caller hung up"

    asyncio.run(main())


def test_a_goodbye_is_heard_at_the_end_of_the_drain(tmp_path: Path) -> None:
    """In the words of the agent's file; then we hang up, and the process ends."""

    async def main() -> None:
        async with serving(tmp_path, {"SERVER__DRAIN": "0.5"}) as service, calling(service) as call:
            service.kill(signal.SIGTERM)
            report = (await call).report
            assert report.ended_by == "agent"
            assert await service.ended() == 0
            assert [line["text"] for line in service.lines("agent")][-1] == "Bye now."

    asyncio.run(main())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGHUP, signal.SIGTERM),
    ],
)
def test_a_second_signal_ends_at_once(first: int, second: int, tmp_path: Path) -> None:
    """With calls in progress, whose records are closed."""

    async def main() -> None:
        async with (
            serving(tmp_path, {"SERVER__DRAIN": "600"}) as service,
            calling(service, call_id="c1"),
            calling(service, call_id="c2"),
        ):
            service.kill(first)
            await draining(service)
            service.kill(second)
            # The alarm would end it by a signal: it ends by itself, and sooner.
            assert await service.ended() == 0
            reasons = [line["reason"] for line in service.lines("ended")]
            assert reasons == ["the service stops"] * 2

    asyncio.run(main())


def test_a_second_signal_ends_a_process_whose_loop_is_held(tmp_path: Path) -> None:
    """A provider that never gives the loop back does not keep it."""
    held = tmp_path / "held"
    speak = f"open({str(held)!r}, 'w').close(); time.sleep(10**6)"
    (tmp_path / "blocking.py").write_text(BLOCKING.format(start="pass", speak=speak))

    async def main() -> None:
        given = {"TTS__PROVIDER": "blocking:Synthesizer"}
        async with serving(tmp_path, given, folder_on_path=True) as service:
            await until(held.exists)  # as soon as its greeting is prepared
            service.kill(signal.SIGTERM)
            await asyncio.sleep(0.3)  # two at once are one
            service.kill(signal.SIGINT)
            assert await service.ended() == -signal.SIGALRM

    asyncio.run(main())


def test_a_start_is_ended_by_the_first_signal(tmp_path: Path) -> None:
    """Models that load for long are not waited for."""
    (tmp_path / "blocking.py").write_text(
        BLOCKING.format(
            start="import asyncio, sys; print('loading', file=sys.stderr, flush=True); "
            "await asyncio.sleep(3600)",
            speak="pass",
        )
    )

    async def main() -> None:
        given = {"STT__PROVIDER": "blocking:Transcriber"}
        async with serving(tmp_path, given, folder_on_path=True, announced=False) as service:
            await until(lambda: "loading" in service.errors.read_text())
            service.kill(signal.SIGTERM)
            assert await service.ended() == 0

    asyncio.run(main())


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_no_new_call_is_taken_at_the_callback(version: str, tmp_path: Path) -> None:
    """Who calls now hears that it cannot be; who was announced before is still answered."""

    async def main() -> None:
        async with account(tmp_path, version, SERVER__DRAIN="600") as us:  # type: ignore[arg-type]
            service = await us.start()
            leg = await us.call_in()
            await until(lambda: service.lines("agent"))
            service.kill(signal.SIGTERM)
            await draining(service)
            late = await us.call_in()
            await until(late.over.is_set)
            assert len([line for line in service.lines("call") if "agent" in line]) == 1
            async with aiohttp.ClientSession() as http, http.get(f"{service.base}/health") as found:
                assert found.status == 503
            assert not leg.over.is_set()
            await us.sinch.hang_up(leg)
            assert await service.ended() == 0

    asyncio.run(main())


def test_a_call_that_was_announced_before_still_comes(tmp_path: Path) -> None:
    """Though no other is left: the platform was told so, and a caller waits."""

    async def main() -> None:
        async with account(tmp_path, "v2") as us:
            us.sinch._network._connects_after = 1.5
            service = await us.start()
            leg = await us.call_in()
            service.kill(signal.SIGTERM)
            await draining(service)
            await until(lambda: service.lines("agent"))
            await us.sinch.hang_up(leg)
            assert await service.ended() == 0
            assert service.lines("ended")[0]["reason"] == "the caller hung up"

    asyncio.run(main())


def test_the_alarm_leaves_time_for_records() -> None:
    """What a process does when it ends at once has its second."""
    assert AT_ONCE + ANSWERED_WITHIN < GONE_WITHIN
