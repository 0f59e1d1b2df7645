"""What is looked at beside the calls, and what is said of it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from agent.server import health
from agent.server.health import FolderWatch, Found, look_at_folder, look_within
from tests.agent.loopback import Running, running


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """A disk that does not answer until the test is over."""
    answers = threading.Event()
    yield answers
    answers.set()


def test_a_folder_that_can_be_used_is_left_as_it_was(tmp_path: Path) -> None:
    """One that is not there yet is made when it is needed, and not before."""
    assert look_at_folder(tmp_path, "written").error == ""
    assert look_at_folder(tmp_path / "a" / "b", "written").error == ""
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "reception.md").write_text("Be brief.")
    assert look_at_folder(tmp_path, "read") == Found()


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    """No folder, a file in its place, a file system that takes nothing."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "x", Path("/proc/self")):
        assert look_at_folder(folder, "written").error
    for folder in (tmp_path / "none", tmp_path / "file"):
        assert look_at_folder(folder, "read").error


@pytest.mark.parametrize(
    ("free", "total", "files", "warned"),
    [
        (100e9, 1e12, 10**6, False),
        (2e9, 1e12, 10**6, False),  # a fiftieth, and plenty
        (0.9e9, 1e12, 10**6, True),
        (90e6, 1e9, 10**6, False),  # a small one, of which a tenth is free
        (40e6, 1e9, 10**6, True),
        (100e9, 1e12, 10, True),
    ],
)
def test_a_disk_that_is_nearly_full_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, free: float, total: float, files: int, *, warned: bool
) -> None:
    """In bytes or in files; calls are still taken."""
    disk = SimpleNamespace(
        f_frsize=1, f_bavail=int(free), f_blocks=int(total), f_files=10**7, f_favail=files
    )
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    assert bool(health._room(Path())) is warned


def test_a_disk_that_does_not_answer_is_found_so(
    monkeypatch: pytest.MonkeyPatch, hanging: threading.Event
) -> None:
    """Nobody waits for it, neither those who ask nor the loop; and it is asked once."""
    asked: list[int] = []

    def look() -> Found:
        asked.append(1)
        hanging.wait(60)
        return Found()

    monkeypatch.setattr(health, "ANSWERED_WITHIN", 0.05)
    monkeypatch.setattr(health, "LOOK_EVERY", 0.01)
    watch = FolderWatch("transcripts", look)
    watch.start()
    soon = time.monotonic() + 60
    while not watch.found.error and time.monotonic() < soon:
        time.sleep(0.001)
    assert look_within("transcripts", look, 0.01).error
    watch.close()
    assert len(asked) == 2
    hanging.set()
    assert watch.wait(30).error == ""
    assert watch.found == Found()


async def ask(server: Running, path: str) -> tuple[int, dict[str, Any]]:
    base = server.url.replace("ws:", "http:").removesuffix("/stream")
    async with aiohttp.ClientSession() as http, http.get(base + path) as answer:
        return answer.status, await answer.json()


def test_live_and_ready_are_two_things(tmp_path: Path) -> None:
    """Whoever is full or drains lives, and is sent no call."""

    async def main() -> None:
        async with running(tmp_path, server={"max_calls": 1}) as server:
            assert (await ask(server, "/ready")) == (200, {"ready": True, "reasons": {}})
            assert (await ask(server, "/health"))[1]["status"] == "ok"
            server.registry._calls["c1"] = SimpleNamespace(agent="a", since=0.0)  # type: ignore[assignment]
            status, found = await ask(server, "/ready")
            assert (status, list(found["reasons"])) == (503, ["full"])
            assert (await ask(server, "/health"))[0] == 200
            server.registry._calls.clear()
            server.registry.draining = True
            status, found = await ask(server, "/ready")
            assert (status, list(found["reasons"])) == (503, ["draining"])
            assert (await ask(server, "/health"))[0] == 503
            assert await ask(server, "/live") == (200, {"status": "ok"})

    asyncio.run(main())


def test_a_folder_that_cannot_be_written_is_no_health(tmp_path: Path) -> None:
    """Though calls go on without their records: somebody has to know."""
    (tmp_path / "file").touch()

    async def main() -> None:
        async with running(tmp_path, transcripts=tmp_path / "file" / "x") as server:
            until_then = asyncio.get_running_loop().time() + 30
            while (found := await ask(server, "/health"))[0] == 200:
                assert asyncio.get_running_loop().time() < until_then
                await asyncio.sleep(0.05)
            assert found[1]["status"] == "failing"
            assert list(found[1]["failures"]) == ["transcripts"]
            assert (await ask(server, "/ready"))[0] == 503
            assert (await ask(server, "/live"))[0] == 200

    asyncio.run(main())


@pytest.mark.parametrize("known", [True, False])
def test_agents_that_are_known_take_calls_without_their_folder(*, known: bool) -> None:
    """A folder that is gone, or a file that cannot be read, is told; it turns no call away."""
    watch = FolderWatch("prompts", lambda: Found(error="gone"))
    watch.close()
    watch.start()
    assert watch.wait(30).error == "gone"
    room = SimpleNamespace(room=SimpleNamespace(most=1))
    fakes: dict[str, Any] = {
        "registry": SimpleNamespace(
            draining=False,
            in_progress={},
            capacity=room,
            room_left=lambda: 1,
            no_room=lambda **_: "",
        ),
        "agents": SimpleNamespace(names=["reception"] if known else [], health={"lost": "gone"}),
        "providers": SimpleNamespace(down=[], candidates=[]),
    }
    found = health.Health(folders=[watch], database=str, **fakes)
    assert found.report()["failures"] == {"prompts": "gone"}
    assert found.report()["status"] == "failing"
    assert found.not_ready() == ({} if known else {"prompts": "gone"})


def test_what_is_no_agent_file_is_no_matter(tmp_path: Path) -> None:
    """An editor's lock is a link to nowhere; a folder, and a name that nobody can ask for."""
    (tmp_path / ".#bakery.md").symlink_to("ann@host.1:1")
    (tmp_path / "oven.md").symlink_to("nowhere")
    (tmp_path / "old.md").mkdir()
    assert look_at_folder(tmp_path, "read") == Found()


def test_nothing_waits_for_a_disk_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging: threading.Event
) -> None:
    """The service answers meanwhile, says so, and ends."""
    monkeypatch.setattr(health, "ANSWERED_WITHIN", 0.1)
    statvfs = os.statvfs

    def hang(folder: Path) -> object:
        hanging.wait(60)
        return statvfs(folder)

    monkeypatch.setattr(os, "statvfs", hang)

    async def main() -> None:
        async with running(tmp_path) as server:
            loop = asyncio.get_running_loop()
            until_then = loop.time() + 30
            while (found := await ask(server, "/health"))[0] == 200:
                assert loop.time() < until_then
                await asyncio.sleep(0.02)
            assert "does not answer" in found[1]["failures"]["transcripts"]

    asyncio.run(main())
