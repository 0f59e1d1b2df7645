"""Who wants no more calls: known to all processes, and kept until it is taken back."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path

import pytest

from agent.cli import main
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.databases import FILE, make_older

ANN, BOB = "+12025550123", "+12025550124"


def test_all_processes_know_it_at_once(database_url: DatabaseUrl) -> None:
    """The first word counts; who takes it back is called again."""

    async def story() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            assert not await other.opt_outs.holds(ANN)
            assert await one.opt_outs.add(ANN, how="model", agent="reminder")
            assert await other.opt_outs.holds(ANN)
            assert not await other.opt_outs.holds(BOB)
            assert not await other.opt_outs.add(ANN, how="operator")
            assert await other.opt_outs.add(BOB, how="operator")
            bob, ann = await one.opt_outs.latest()
            assert (ann.number, ann.how, ann.agent) == (ANN, "model", "reminder")
            assert (bob.number, bob.how, bob.agent) == (BOB, "operator", "")
            assert [found.number for found in await one.opt_outs.latest(1, skip=1)] == [ANN]
            assert await one.opt_outs.remove(ANN)
            assert not await other.opt_outs.remove(ANN)
            assert not await other.opt_outs.holds(ANN)

    asyncio.run(story())


def _add(url: str, results: multiprocessing.Queue[int]) -> None:
    async def work() -> int:
        async with opened(DatabaseUrl(url)) as store:
            asked = [store.opt_outs.add(ANN, how="model") for _ in range(4)]
            return sum(await asyncio.gather(*asked))

    results.put(asyncio.run(work()))


def test_processes_that_add_at_the_same_moment_add_once(database_url: DatabaseUrl) -> None:
    """None of them fails."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    url = database_url.get_secret_value()
    started = [context.Process(target=_add, args=(url, results)) for _ in range(2)]
    for process in started:
        process.start()
    new = sum(results.get(timeout=60) for _ in started)
    for process in started:
        process.join()
    assert new == 1


def test_it_is_not_swept(tmp_path: Path) -> None:
    """What all else is deleted after a day or two stays here."""

    async def story() -> None:
        url = DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")
        async with opened(url) as store:
            await store.opt_outs.add(ANN, how="model")
        make_older(tmp_path, 400 * 86400)
        async with opened(url) as store:
            assert await store.opt_outs.holds(ANN)

    asyncio.run(story())


def test_the_command_line_lists_adds_and_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers are taken as people write them; the service need not run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOICE_AGENT_SINCH__COUNTRY", "US")
    assert main(["opt-outs", "list"]) == 1  # there is no database yet
    assert "db upgrade" in capsys.readouterr().err
    assert main(["db", "upgrade"]) == 0
    assert main(["opt-outs", "add", "(202) 555-0123", "sip:+12025550124@pbx.example.com"]) == 0
    assert main(["opt-outs", "add", ANN]) == 0
    told = capsys.readouterr().out
    assert f"{ANN}: is not called any more" in told
    assert f"{BOB}: is not called any more" in told
    assert f"{ANN}: was opted out already" in told
    assert main(["opt-outs", "list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.rpartition(" ")[2] for line in listed] == [BOB, ANN]
    assert main(["opt-outs", "list", "--limit", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == listed[:1]
    assert main(["opt-outs", "remove", ANN]) == 0
    assert main(["opt-outs", "remove", ANN]) == 1
    assert "has not opted out" in capsys.readouterr().out
    assert main(["opt-outs", "add", "desk"]) == 2
    assert main(["opt-outs", "list"]) == 0
    assert ANN not in capsys.readouterr().out
