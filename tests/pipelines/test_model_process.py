"""A model in a process of its own: what it answers, how it dies, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pipelines import model_process
from pipelines.model_process import ModelProcess, NotAnsweredError
from pipelines.workers import NICE
from tests.agent.loopback import until
from tests.pipelines.asked import answering

pytestmark = [
    pytest.mark.usefixtures("nothing_left"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]


PARENT = """
import asyncio
from pipelines.model_process import ModelProcess
from tests.pipelines.asked import answering

async def main():
    model = ModelProcess("test", answering)
    await model.start()
    print(round(await model.ask(b"which process?")), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@asynccontextmanager
async def started() -> AsyncIterator[ModelProcess]:
    """Start a process, end it in the end."""
    model = ModelProcess("test", answering)
    try:
        await model.start()
        yield model
    finally:
        await model.aclose()


async def process_of(model: ModelProcess) -> int:
    """Return which process answers."""
    return round(await model.ask(b"which process?"))


def runs(process: int) -> bool:
    """Return whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def environment_of(process: int) -> str:
    """Return the variables that a process was started with."""
    return Path(f"/proc/{process}/environ").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_no_key_is_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is called; what Python needs is there."""
    secret = "not-for-a-model"
    for name in ("OPENAI_API_KEY", "VOICE_AGENT_STT__OPTIONS__API_KEY", "ANYTHING"):
        monkeypatch.setenv(name, secret)

    async def main() -> None:
        async with started() as model:
            given = environment_of(await process_of(model))
            assert secret not in given
            assert f"PATH={os.environ['PATH']}\0" in given

    asyncio.run(main())


def test_it_answers_elsewhere_and_is_less_urgent_than_calls() -> None:
    """What it prints is no answer; a mistake is told; signals to the whole service pass it by."""

    async def main() -> None:
        async with started() as model:
            assert await model.ask(b"print") == 0.5
            with pytest.raises(LookupError, match="it cannot be said"):
                await model.ask(b"fail")
            process = await process_of(model)
            assert process != os.getpid()
            assert await model.ask(b"how nice?") == NICE
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(process, number)
            assert await process_of(model) == process
        assert not runs(process)
        with pytest.raises(NotAnsweredError, match="not started"):
            await model.ask(b"")

    asyncio.run(main())


def test_one_that_dies_costs_a_question_and_is_replaced() -> None:
    """Whether it dies of a question or between two; each death is logged once."""

    async def main() -> None:
        async with started() as model:
            first = await process_of(model)
            with pytest.raises(NotAnsweredError, match="has died"):
                await model.ask(b"die")
            second = await process_of(model)
            os.kill(second, signal.SIGKILL)
            with pytest.raises(NotAnsweredError, match="has died"):
                await model.ask(b"")
            third = await process_of(model)
            assert len({first, second, third}) == 3
        assert not any(map(runs, (first, second, third)))

    with capture_logs() as logs:
        asyncio.run(main())
    died = [line for line in logs if line["event"] == "the process of a model died"]
    assert [line["status"] for line in died] == [-signal.SIGKILL] * 2


def test_one_that_dies_of_its_first_question_is_not_started_again_and_again() -> None:
    """Questions are then answered at once: by nobody."""

    async def main() -> None:
        async with started() as model:
            for _ in range(3):
                with pytest.raises(NotAnsweredError, match="has died"):
                    await model.ask(b"die")

    with capture_logs() as logs:
        asyncio.run(main())
    assert len(logs) == 1


def test_one_that_is_stopped_is_killed_even_if_it_takes_no_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A question longer than a pipe holds waits for no longer than an answer does."""

    async def main() -> None:
        async with started() as model:
            first = await process_of(model)
            monkeypatch.setattr(model_process, "ANSWER_WITHIN", 0.2)
            os.kill(first, signal.SIGSTOP)
            with pytest.raises(NotAnsweredError, match="has died"):
                await model.ask(bytes(1_000_000))
            monkeypatch.undo()
            assert await process_of(model) != first

    with capture_logs() as logs:
        asyncio.run(main())
    assert [line["status"] for line in logs] == [-signal.SIGKILL]


def test_what_cannot_be_loaded_is_said_at_the_start() -> None:
    """In the words of whoever loads it; the process ends, though nobody closes it."""

    async def main() -> None:
        model = ModelProcess("test", answering, "no file here, says ")
        with pytest.raises(LookupError, match="no file here") as error:
            await model.start()
        assert not runs(int(str(error.value).split()[-1]))
        with pytest.raises(NotAnsweredError):
            await model.ask(b"")
        await model.aclose()

    asyncio.run(main())


def test_a_question_under_way_at_the_end_is_not_answered() -> None:
    """Nor is one that waits; neither is a death to be logged."""

    async def main() -> None:
        async with started() as model:
            os.kill(await process_of(model), signal.SIGSTOP)
            asked = [asyncio.ensure_future(model.ask(b"")) for _ in range(2)]
            await until(lambda: model.workers.wait > 0)
            await model.aclose()
            for end in await asyncio.gather(*asked, return_exceptions=True):
                assert isinstance(end, NotAnsweredError)

    with capture_logs() as logs:
        asyncio.run(main())
    assert logs == []


def test_it_ends_with_whoever_has_started_it() -> None:
    """Also if that was killed, and could not say so."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        assert runs(process)
    finally:
        parent.kill()
        parent.communicate()
    asyncio.run(until(lambda: not runs(process)))
