"""``voice-agent operate``: what it does to the calls of a running service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone
from tests.agent.loopback import until
from tests.agent.sinch.stories import MANAGER, TOKEN, Story, tell

pytestmark = pytest.mark.usefixtures("nothing_left")

AGENT = """---
greeting: Hello.
disclosure: I am a machine.
returned: I am back.
transfer_failed: It failed.
---
Be brief.
"""
OURS, DESK, OFFICE = "+15550000042", "+15550000043", "+15550000044"


def test_a_caller_is_taken_over_given_back_passed_on_and_hung_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each by a command, which says in a line that it is being done, or why it is not."""
    config = tmp_path / "operator.toml"
    config.write_text(f'[operator]\ntoken = "{TOKEN}"\n')
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "reception.md").write_text(AGENT)

    async def story(s: Story) -> None:
        async def run(*arguments: str) -> tuple[int, str]:
            given = ["operate", *arguments, "--server", s.base, "--config", str(config)]
            status = await asyncio.to_thread(main, given)
            told = capsys.readouterr()
            return status, (told.out + told.err).strip().splitlines()[-1]

        def last(kind: str, field: str) -> Any:
            return next((line[field] for line in reversed(s.lines(kind))), None)

        assert (await run("list"))[1] == "no calls in progress"
        leg = await s.call_in(Plan(patience=60))
        await until(lambda: s.lines("agent"))
        call = leg.call_id
        assert (await run("list"))[1] == f"{call}: reception"
        status, line = await run("return", call)
        assert (status, "nobody has taken the call over" in line) == (1, True)
        assert (await run("whisper", call, "They are in a hurry."))[0] == 0
        await until(lambda: s.lines("whisper"))
        status, line = await run("take-over", call, OURS, "--announcement", "One moment.")
        assert (status, line) == (0, f"{call}: your phone is rung")
        await until(lambda: last("transfer", "status") == "done")
        assert (await run("return", call))[0] == 0
        await until(lambda: last("agent", "text") == "I am back.")
        status, line = await run("transfer", call, MANAGER, "--then", "help")
        assert (status, "only with warm" in line) == (1, True)
        warm = ("--warm", "--briefing", "A guest.", "--consent", "Press 1.", "--then", "silent")
        assert (await run("transfer", call, MANAGER, *warm))[0] == 0
        await until(lambda: s.lines("transfer")[-1].get("why") == "declined")
        asked = next(one for one in s.sinch.legs if one.number == MANAGER)
        assert asked.said == ["A guest. Press 1."]
        helped = (*warm[:-1], "help")
        for number, given in ((DESK, helped), (OFFICE, (*helped, "--no-disclosure"))):
            before = len(s.lines("transfer"))
            assert (await run("transfer", call, number, *given))[0] == 0
            await until(lambda: len(s.lines("transfer")) >= before + 4)  # noqa: B023
            assert last("transfer", "why") == "declined"
        heard = [one.said for one in s.sinch.legs if one.number in (DESK, OFFICE)]
        assert heard == [["I am a machine.", "A guest. Press 1."], ["A guest. Press 1."]]
        assert (await run("hangup", call, "--at-once"))[0] == 0
        await until(leg.over.is_set)
        assert await run("hangup", "nothing") == (1, "voice-agent: no such call")

    phones = {OURS: Phone(), MANAGER: Phone(at_menus=("2",))}
    phones |= {one: Phone(at_menus=("2",)) for one in (DESK, OFFICE)}
    tell(tmp_path, "v2", story, phones=phones)


def test_it_says_that_there_is_no_service(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line, like all commands that ask one."""
    config = tmp_path / "operator.toml"
    config.write_text(f'[operator]\ntoken = "{TOKEN}"\n')
    given = ["operate", "list", "--server", "http://127.0.0.1:9", "--config", str(config)]
    assert main(given) == 1
    assert "no answer from http://127.0.0.1:9" in capsys.readouterr().err
