"""Several workers at one port, under a supervisor, with calls in progress."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from agent.simulator.call_in_progress import CallInProgress, command_of
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import ServiceFullError, connect_message, place_call
from tests.agent.loopback import until
from tests.agent.process.serving import ServiceProcess, environment, prepare, serving
from tests.agent.sinch.stories import TOKEN

LONG = 90.0
"""Seconds for what takes a moment, on a machine that is busy."""

DRAINING = "draining; once more to stop at once"

PATIENT = Plan(patience=600, max_seconds=600, linger=600)


async def health(service: ServiceProcess) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{service.base}/health") as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def workers(
    service: ServiceProcess, as_wanted: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """Return what the service says of its workers, once that is as wanted."""
    async with asyncio.timeout(LONG):
        while True:
            try:
                found: list[dict[str, Any]] = (await health(service))["workers"]
            except aiohttp.ClientConnectionError:  # the worker that was asked has died
                found = []
            if found and as_wanted(found):
                return found
            await asyncio.sleep(0.1)


async def insisting(service: ServiceProcess, plan: Plan, name: str) -> CallInProgress:
    """Place a call; a machine that others keep busy is asked again."""
    while True:
        try:
            return await place_call(service.url, plan, lambda *_: None, name)
        except ServiceFullError:
            await asyncio.sleep(0.5)


@asynccontextmanager
async def calls(
    service: ServiceProcess, number: int, plan: Plan = PATIENT
) -> AsyncIterator[list[asyncio.Task[CallInProgress]]]:
    """Have calls in progress that have begun all at once."""
    before = len(service.lines("call"))
    placed = [
        asyncio.create_task(insisting(service, plan, f"c{before + n}")) for n in range(number)
    ]
    try:
        async with asyncio.timeout(LONG):
            while (await health(service))["calls"] < number:
                assert [call.result().failure() for call in placed if call.done()] == []
                await asyncio.sleep(0.1)
        yield placed
    finally:
        for call in placed:
            call.cancel()
        await asyncio.wait(placed)


async def at_both(
    service: ServiceProcess, placed: list[asyncio.Task[CallInProgress]]
) -> list[dict[str, Any]]:
    """Return what is said of two workers once each has calls, of those that have been placed.

    Whoever has least takes a call, unless a busy machine does not let it in time: then more come.
    """
    while True:
        found = await workers(
            service, lambda w: len(w) == 2 and sum(one["calls"] for one in w) == len(placed)
        )
        if all(one["calls"] for one in found):
            return found
        placed.append(asyncio.create_task(insisting(service, PATIENT, f"c{len(placed)}")))


def gone(pid: int) -> bool:
    """Return whether a process has ended, or waits to be buried."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


FULL = ("as many calls as the machine carries",)


def pids(found: list[dict[str, Any]]) -> set[int]:
    return {one["pid"] for one in found}


async def short_call(service: ServiceProcess, name: str) -> str:
    """Have a call that the caller ends after a moment; return what was wrong, or why it is refused.

    A machine that has too much to do is asked again.
    """
    async with asyncio.timeout(LONG):
        while True:
            before = len(refusals(service))
            try:
                plan = Plan(patience=0.1)
                return (await place_call(service.url, plan, lambda *_: None, name)).failure()
            except ServiceFullError:
                # A thread of the worker's writes the log.
                await until(partial(refused_since, service, before), LONG)
                reason = refusals(service)[-1]
                if reason not in FULL and "overload" not in reason:
                    return reason
                await asyncio.sleep(0.5)


def refusals(service: ServiceProcess) -> list[str]:
    lines = [line for line in service.errors.read_text().splitlines() if line.startswith("{")]
    return [one["reason"] for one in map(json.loads, lines) if one["event"] == "call refused"]


def refused_since(service: ServiceProcess, before: int) -> bool:
    return len(refusals(service)) > before


async def hang_up(service: ServiceProcess, name: str) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    url = f"{service.base}/calls/{name}/hangup"
    async with aiohttp.ClientSession() as http, http.post(url, headers=headers) as answer:
        assert answer.ok


def test_one_dies_and_the_calls_of_the_other_go_on(tmp_path: Path) -> None:
    """Killed with calls, it is replaced; nobody is refused meanwhile, and its records are closed.

    A call is hung up by whichever worker is asked. SIGTERM ends all, a second at once.
    """

    async def main() -> None:
        given = {"SERVER__WORKERS": "2", "OPERATOR__TOKEN": TOKEN}
        async with (
            serving(tmp_path, given) as service,
            calls(service, 6) as placed,
        ):
            victim, other = await at_both(service, placed)
            assert victim["state"] == other["state"] == "taking calls"
            os.kill(victim["pid"], signal.SIGKILL)
            assert [await short_call(service, f"late{n}") for n in range(3)] == ["", "", ""]
            await until(lambda: sum(one.done() for one in placed) == victim["calls"], LONG)
            found = await workers(service, lambda w: len(w) == 2)
            assert other in found
            assert victim["pid"] not in pids(found)
            interrupted = ["interrupted"] * victim["calls"]
            await until(
                lambda: reasons(service) == [*interrupted, *["the caller hung up"] * 3], LONG
            )
            assert {line["worker"] for line in service.logged("starting")} == {0, 1}
            # By the new worker, since it has no calls: the one that has least is asked.
            left = next(call for call in range(len(placed)) if not placed[call].done())
            await hang_up(service, f"c{left}")
            await until(placed[left].done, LONG)
            service.kill(signal.SIGTERM)
            await until(lambda: len(service.logged(DRAINING)) == 2, LONG)
            assert await short_call(service, "too late") == "draining"
            service.kill(signal.SIGTERM)
            assert await service.ended() == 0
            assert all(map(gone, pids(found)))
            assert reasons(service).count("the service stops") == other["calls"] - 1

    asyncio.run(main())


def reasons(service: ServiceProcess) -> list[str]:
    return sorted(line["reason"] for line in service.lines("ended"))


def test_new_settings_are_taken_without_an_end_to_calls(tmp_path: Path) -> None:
    """At SIGHUP; nobody is refused meanwhile, and who is on the line ends in their own time.

    A mistake in them is told, whether the settings have it or a worker finds it, and changes
    nothing. At last the supervisor is killed.
    """
    file = tmp_path / "voice-agent.toml"
    file.write_text("[server]\nworkers = 2\ndrain = 0\n")

    async def main() -> None:
        async with (
            serving(tmp_path) as service,
            calls(service, 4) as placed,
            aiohttp.ClientSession() as http,
        ):
            old = await workers(service, lambda w: len(w) == 2)
            for number, mistake in enumerate(MISTAKES):
                file.write_text(mistake)
                service.kill(signal.SIGHUP)
                await told_of_mistakes(service, number + 1)
            assert pids(await workers(service, lambda w: len(w) == 2)) == pids(old)
            file.write_text("[server]\nworkers = 1\ndrain = 600\n")
            waiting = await http.ws_connect(service.url)  # of a call that has not said so yet
            service.kill(signal.SIGHUP)
            number = 0
            while len(await leaving(service)) < 2:
                number += 1
                assert await short_call(service, f"meanwhile{number}") == ""
            await waiting.send_str(connect_message(PATIENT, "waited"))
            assert command_of(await waiting.receive_str(timeout=LONG)) == "answer"
            await waiting.close()
            assert await short_call(service, "afterwards") == ""
            assert not any(call.done() for call in placed)
            (new,) = [one for one in await workers(service, bool) if one["state"] != "draining"]
            assert new["pid"] not in pids(old)
            for call in placed[1:]:
                call.cancel()
            await workers(service, lambda w: len(w) == 2)
            assert not placed[0].done()
            placed[0].cancel()
            assert pids(await workers(service, lambda w: len(w) == 1)) == {new["pid"]}
            await workers_do_not_outlive(service)

    asyncio.run(main())


async def workers_do_not_outlive(service: ServiceProcess) -> None:
    """Their supervisor: killed, it leaves them; they give up the port, and end with their calls."""
    async with calls(service, 2) as placed:
        left = await workers(service, lambda w: len(w) == 1)
        service.kill(signal.SIGKILL)
        await until(lambda: not listened_on(service), LONG)
        assert not any(call.done() for call in placed)
        for call in placed:
            call.cancel()
        await until(lambda: all(map(gone, pids(left))), LONG)
    assert set(reasons(service)) == {"the caller hung up"}


MISTAKES = ("[server]\nworkers = 0\n", 'agent = "nobody"\n[server]\nworkers = 2\n')


async def told_of_mistakes(service: ServiceProcess, number: int) -> None:
    """Return once the log has so many lines that the old workers go on."""
    # A worker says what is wrong in plain words, as a service of one process does.
    text = service.errors.read_text
    await until(lambda: text().count("the old workers go on") == number, LONG)


async def leaving(service: ServiceProcess) -> list[dict[str, Any]]:
    return [one for one in await workers(service, bool) if one["state"] == "draining"]


def listened_on(service: ServiceProcess) -> bool:
    """Return whether anybody listens on the port of a service."""
    port = int(service.base.rpartition(":")[2])
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


FAILING = """
import os, pathlib
from pipelines.providers import scripted

class Transcriber(scripted.Transcriber):
    async def start(self):
        if pathlib.Path("broken").exists():
            os._exit(3)
"""


def test_workers_that_end_again_and_again_are_started_ever_later(tmp_path: Path) -> None:
    """The log says so; once they can start, they do."""
    (tmp_path / "failing.py").write_text(FAILING)

    async def main() -> None:
        given = {"SERVER__WORKERS": "2", "STT__PROVIDER": "failing:Transcriber"}
        async with serving(tmp_path, given, folder_on_path=True) as service:
            found = await workers(service, lambda w: len(w) == 2)
            (tmp_path / "broken").touch()
            for one in found:
                os.kill(one["pid"], signal.SIGKILL)
            waits = "workers end: the next has to wait"
            await until(lambda: len(service.logged(waits)) >= 2, LONG)
            said = service.logged(waits)
            assert [one["seconds"] for one in said[:2]] == [1.0, 2.0]
            assert said[1]["serving"] == 0
            (tmp_path / "broken").unlink()
            assert await short_call(service, "at last") == ""

    asyncio.run(main())


def test_a_mistake_at_the_start_is_told_once(tmp_path: Path) -> None:
    """By the first worker, as by a service of one process; the status says so."""
    prepare(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-m", "agent.cli", "serve", "--workers", "2"],
        cwd=tmp_path,
        env=environment({"AGENT": "nobody"}),
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("nobody") == 1, ended.stderr
    assert not ended.stdout
