"""Replays from the page of a call: one process at a time, which ends with whoever began it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from agent.console.calls.replays import KEPT, MOST_WAITING, Replays, TooManyReplaysError
from agent.console.visitor import Role
from tests.agent.console.recorded import MARKUP, journal, shown_calls
from tests.agent.loopback import until

ID = "20261126T100000.000-abcdef01"
ONE = f"/console/calls/{ID}"

RESULT: dict[str, Any] = {
    "lineup": {"stt": ["moonshine"], "llm": [MARKUP]},
    "figures": [
        {"name": "response", "label": "response time", "unit": "s", "judged": True},
        {"name": "cut_ins", "label": "cut into the caller", "unit": "", "judged": True},
    ],
    "calls": [{
        "then": {"response": 1.0, "cut_ins": 0, "ended": "the caller hung up"},
        "now": {"response": 0.5, "cut_ins": 2, "ended": MARKUP},
        "differences": {"response": -0.5, "cut_ins": 2},
        "words": 9, "words_changed": 1,
        "turns": [
            {"then": {"response": 1.0, "lines": [{"at": 1.0, "who": "caller", "text": MARKUP}]},
             "now": {"response": None, "lines": [{"at": 1.0, "who": "tool", "text": MARKUP}]}},
            {"then": None, "now": {"response": 0.5, "lines": []}},
        ],
        "reasons": [{"points": 8.0, "text": "cut into the caller: 2 more"}],
        "notes": [MARKUP], "tools_stood_in": 1,
    }],
    "not_replayed": [], "took": 3.5,
}  # fmt: skip


def program(folder: Path, text: str) -> tuple[str, ...]:
    """Return a command that runs a program instead of a replay."""
    path = folder / "replay.py"
    path.write_text(text)
    return (sys.executable, str(path))


def printing(folder: Path, result: object) -> Replays:
    """Return replays with a given result."""
    return Replays(command=program(folder, f"print({json.dumps(json.dumps(result))})"))


def test_a_call_is_replayed_and_both_conversations_shown(tmp_path: Path) -> None:
    """Asked for, waited for, noted; markup in what was said is none."""

    async def main() -> None:
        async with shown_calls(tmp_path, Role.OPERATE, printing(tmp_path, RESULT)) as shown:
            await shown.stored.add(journal(ID))
            async with shown.http.post(f"{ONE}/replays") as answer:
                assert answer.status == 202
                path = (await answer.json())["path"]
            assert json.loads(await shown.text(f"{path}/state")) == {"state": "done"}
            page = await shown.text(path)
            words = " ".join(re.sub(r"<[^>]*>", " ", page).split())
            assert "response time 1.00 s 0.50 s better" in words
            assert "cut into the caller 0 2 worse" in words
            assert "cut into the caller: 2 more" in words
            assert "<script>" not in page
            assert [what for _, what in await shown.noted(ID)] == ["replay", "replay"]
            other = path.replace(ID, "20261126T100000.000-abcdef02")
            await shown.stored.add(journal("20261126T100000.000-abcdef02"))
            assert "not known here" in await shown.text(other)  # of another call, it is none

    asyncio.run(main())


def test_why_a_call_cannot_be_replayed(tmp_path: Path) -> None:
    """What the command says stands on the page; without a result, that there is none."""
    failed = {"calls": [], "not_replayed": [{"call": ID, "why": "its agent is no more"}]}

    async def page_of(replays: Replays) -> str:
        async with shown_calls(tmp_path, Role.OPERATE, replays) as shown:
            await shown.stored.add(journal(ID))
            async with shown.http.post(f"{ONE}/replays") as answer:
                path = (await answer.json())["path"]
            await shown.text(f"{path}/state")
            return await shown.text(path)

    assert "its agent is no more" in asyncio.run(page_of(printing(tmp_path, failed)))
    broken = Replays(command=program(tmp_path, "raise SystemExit(1)"))
    assert "ended without a result" in asyncio.run(page_of(broken))
    assert "ended without a result" in asyncio.run(page_of(Replays(command=("/no/such",))))


def test_one_at_a_time_and_none_outlives_the_service(tmp_path: Path) -> None:
    """The others wait, so many and no more; at the end a process goes with its children."""
    command = program(
        tmp_path,
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}} {{child.pid}} ')\n"
        "time.sleep(600)\n",
    )

    async def main() -> None:
        replays = Replays(command=command)
        first = replays.begin("call-0")
        assert replays.begin("call-0") is first
        waiting = [replays.begin(f"call-{n + 1}") for n in range(MOST_WAITING)]
        try:
            replays.begin("one too many")
        except TooManyReplaysError:
            pass
        else:
            raise AssertionError
        pids = tmp_path / "pids"
        await until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        assert os.getpriority(os.PRIO_PROCESS, int(pids.read_text().split()[0])) > 0
        assert [one.state for one in (first, *waiting)] == ["running"] + ["waiting"] * MOST_WAITING
        await replays.aclose()
        gone = [int(pid) for pid in pids.read_text().split()]
        await until(lambda: not any(is_running(pid) for pid in gone))

    asyncio.run(main())


def is_running(pid: int) -> bool:
    """Return whether there is a process, and no dead one that nobody has asked for."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_results_are_forgotten(tmp_path: Path) -> None:
    """The latest are kept."""

    async def main() -> None:
        replays = Replays(command=("/no/such",))
        ids = []
        for n in range(KEPT + 2):
            one = replays.begin(f"call-{n}")
            await one.over.wait()
            ids.append(one.id)
        known = [replays.of(id_, f"call-{n}") is not None for n, id_ in enumerate(ids)]
        assert known == [False] * 2 + [True] * KEPT
        await replays.aclose()

    asyncio.run(main())
