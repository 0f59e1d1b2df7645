"""A disk that fills up under the running service, and what ``voice-agent check`` finds before."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.agent.process.serving import environment, prepare, serving

UNLIMITED = resource.RLIM_INFINITY


async def ask(base: str, path: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(base + path) as answer:
        return answer.status, await answer.json()


async def becomes(base: str, status: int) -> dict[str, Any]:
    """Wait until ``/health`` has a status; return what it says."""
    async with asyncio.timeout(60):
        while True:
            found = await ask(base, "/health")
            if found[0] == status:
                return found[1]
            await asyncio.sleep(0.2)


def test_a_disk_that_takes_nothing_is_noticed_and_so_is_its_end(tmp_path: Path) -> None:
    """Of the records and of the database: today every caller hears "Sorry", and all seems well."""

    async def main() -> None:
        async with serving(tmp_path) as service:
            assert (await becomes(service.base, 200))["status"] == "ok"
            # A limit on the size of files fails as a full disk does.
            pid = service.process.pid
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, UNLIMITED))
            failures = (await becomes(service.base, 503))["failures"]
            async with asyncio.timeout(60):
                while failures.keys() != {"transcripts", "database"}:
                    failures = (await ask(service.base, "/health"))[1]["failures"]
                    await asyncio.sleep(0.2)
            assert (await ask(service.base, "/ready"))[1]["reasons"].keys() == failures.keys()
            assert (await ask(service.base, "/live"))[0] == 200
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
            assert (await becomes(service.base, 200))["failures"] == {}

    asyncio.run(main())


def check(folder: Path, **settings: str) -> tuple[int, str]:
    """Run ``voice-agent check``; return its status and what it has said on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", "check"],
        cwd=folder,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


def test_check_finds_what_cannot_be_written(tmp_path: Path) -> None:
    """Folders and database, each on a line; it leaves nothing behind."""
    prepare(tmp_path)
    assert check(tmp_path) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prompts"]
    (tmp_path / "file").touch()
    status, said = check(
        tmp_path, TRANSCRIPTS="file/x", DATABASE=f"sqlite:///{tmp_path}/file/voice-agent.db"
    )
    assert status == 1
    assert [line.split(" = ")[0] for line in said.splitlines()] == [
        "voice-agent: VOICE_AGENT_TRANSCRIPTS: transcripts",
        "voice-agent: VOICE_AGENT_DATABASE: database",
    ]


@pytest.mark.parametrize("why", ["locked", "no database"])
def test_check_finds_a_database_that_cannot_be_written(tmp_path: Path, why: str) -> None:
    """One that another holds, or that is none."""
    prepare(tmp_path)
    subprocess.run(
        [sys.executable, "-m", "agent.cli", "db", "upgrade"],
        cwd=tmp_path,
        env=environment({}),
        check=True,
        capture_output=True,
    )
    assert check(tmp_path) == (0, "")
    path = tmp_path / "voice-agent.db"
    if why == "no database":
        path.write_bytes(os.urandom(10_000))
        for other in ("-wal", "-shm"):
            Path(f"{path}{other}").unlink(missing_ok=True)
        assert check(tmp_path)[0] == 1
        return
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    status, said = check(tmp_path)
    connection.close()
    assert status == 1
    assert said.startswith("voice-agent: database = ")
