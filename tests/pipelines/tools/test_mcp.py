"""MCP servers: real ones of both eras, as processes and on loopback, and what they do wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web

pytest.importorskip("mcp", reason="an extra")


from pipelines.clock import now
from pipelines.conversation import ToolCall
from pipelines.tools.mcp import McpServer
from pipelines.tools.mcp_transport import Command, Remote
from pipelines.tools.tool import CallInfo, Tool, ToolError
from pipelines.tools.toolbox import Toolbox
from tests import virtual_time
from tests.patience import PATIENCE

HERE = Path(__file__).parent
NEW = (str(HERE / "mcp_server.py"),)
OLD = str(HERE / "mcp_old_server.py")
ABOUT = CallInfo(call_id="call-1", tool_call="1")

pytestmark = pytest.mark.usefixtures("nothing_left")


def old(behaviour: str, *more: str) -> Command:
    return Command(command=sys.executable, args=(OLD, behaviour, *more))


@asynccontextmanager
async def session(
    where: Remote | Command, *, within: float = 10.0, **given: Any
) -> AsyncIterator[McpServer]:
    before = waiting_threads()
    server = McpServer("t", where, **given)
    await server.start(within)
    try:
        yield server
    finally:
        await server.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        if isinstance(where, Command):
            # A process that has ended is waited for in a thread, which tells the loop of it.
            await until(lambda: not waiting_threads() - before)
            await asyncio.sleep(0)


def waiting_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("waitpid-")}


def named(server: McpServer) -> dict[str, Tool]:
    return {tool.spec.name: tool for tool in server.tools()}


async def ask(server: McpServer, name: str, within: float = 5.0, **arguments: Any) -> str:
    """Call a tool as a toolbox does, with a deadline; whether or not it is listed just now."""
    async with asyncio.timeout(within):
        return await named(server)[name].run(arguments, ABOUT)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_real_server_as_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools come with their schemas, results and failures reach the model, the end is clean."""
    monkeypatch.setenv("NOT_FOR_CHILDREN", "hunter2")
    note = tmp_path / "note"
    command = Command(command=sys.executable, args=NEW, env={"WHO": "us"})

    async def main() -> None:
        async with session(command, list_every=0.1) as server:
            tools = named(server)
            assert tools["t_add"].spec.description == "Add two numbers."
            assert tools["t_add"].spec.parameters["required"] == ["a", "b"]
            assert await ask(server, "t_add", a=1, b=2) == "3"
            pid, who = (await ask(server, "t_who_am_i")).split(" ", 1)
            assert who.strip() == "us"
            assert await ask(server, "t_many_things") == "one\n[image]\ntwo"
            with pytest.raises(ToolError, match="no table is free"):
                await ask(server, "t_fails")
            with pytest.raises(ToolError):
                await ask(server, "t_add", a="one")
            assert await ask(server, "t_noisy", word="hush") == "printed"
            with pytest.raises(TimeoutError):
                await ask(server, "t_slow", within=0.2, note=str(note))
            await until(note.exists)  # the server was told that nobody waits
            await ask(server, "t_learns", tool="spanish")
            await until(lambda: "t_spanish" in named(server))
            assert await ask(server, "t_spanish") == "learnt"
        assert not alive(int(pid))

    asyncio.run(main())


def test_a_real_server_over_http() -> None:
    """With the headers of the settings; a restart of the server is not noticed."""
    port = free_port()

    async def served() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *NEW, "http", str(port), stderr=-3, stdout=-3
        )
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return process
                await asyncio.sleep(0.05)

    async def main() -> None:
        process = await served()
        where = Remote(
            url=f"http://127.0.0.1:{port}/mcp", headers={"Authorization": "Bearer hunter2"}
        )
        assert "hunter2" not in repr(where)
        async with session(where) as server:
            assert await ask(server, "t_add", a=1, b=2) == "3"
            assert await ask(server, "t_header") == "Bearer hunter2"
            process.kill()
            await process.wait()
            with pytest.raises(ToolError, match="lost"):
                await ask(server, "t_add", a=1, b=2)
            began = time.monotonic()
            with pytest.raises(ToolError, match="nothing was done") as caught:
                await ask(server, "t_add", a=1, b=2)
            assert caught.value.undone
            assert time.monotonic() - began < 1
            process = await served()
            assert await ask(server, "t_add", a=1, b=2) == "3"
        process.kill()
        await process.wait()

    asyncio.run(main())


class OldHttp:
    """A server of the older era by HTTP, whose sessions can be forgotten."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.calls: list[str] = []
        self.ended: list[str] = []

    async def _post(self, request: web.Request) -> web.Response:
        message = await request.json()
        if message["method"] == "server/discover":
            return web.Response(status=400)
        given = request.headers.get("mcp-session-id", "")
        headers = {}
        if message["method"] == "initialize":
            given = uuid.uuid4().hex
            self.sessions.add(given)
            headers["mcp-session-id"] = given
        if given not in self.sessions:
            return web.Response(status=404)
        if "id" not in message:
            return web.Response(status=202)
        result: dict[str, Any]
        match message["method"]:
            case "initialize":
                result = {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "old", "version": "1"},
                }
            case "tools/list":
                result = {"tools": [{"name": "book", "inputSchema": {"type": "object"}}]}
            case _:
                self.calls.append(given)
                result = {"content": [{"type": "text", "text": f"booking {len(self.calls)}"}]}
        body = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        return web.json_response(body, headers=headers)

    async def _get(self, request: web.Request) -> web.Response:
        return web.Response(status=405)

    async def _delete(self, request: web.Request) -> web.Response:
        self.ended.append(request.headers["mcp-session-id"])
        return web.Response(status=204)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[Remote]:
        application = web.Application()
        application.router.add_post("/mcp", self._post)
        application.router.add_get("/mcp", self._get)
        application.router.add_delete("/mcp", self._delete)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Remote(url=f"http://127.0.0.1:{runner.addresses[0][1]}/mcp")
        finally:
            await runner.cleanup()


def test_a_session_that_the_server_has_forgotten_is_opened_again() -> None:
    """The call that met it is made in the new one, and so made once."""

    async def main() -> None:
        remote = OldHttp()
        async with remote.served() as where, session(where) as server:
            assert await ask(server, "t_book") == "booking 1"
            remote.sessions.clear()
            assert await ask(server, "t_book") == "booking 2"
            assert len(remote.calls) == len(set(remote.calls)) == 2
        assert remote.calls[1] in remote.ended

    asyncio.run(main())


def test_a_process_that_died_is_started_again_before_it_is_needed(tmp_path: Path) -> None:
    """The next caller does not wait for it."""
    starts = tmp_path / "starts"

    async def main() -> None:
        async with session(old("well", str(starts))) as server:
            first = int(await ask(server, "t_pid"))
            os.kill(first, 9)
            await until(lambda: len(starts.read_text().split()) == 2)
            assert int(await ask(server, "t_pid")) != first

    asyncio.run(main())


def test_a_call_that_meets_the_end_of_its_server_is_not_made_again(tmp_path: Path) -> None:
    """What was asked for may have been done; the model is told so."""
    starts = tmp_path / "starts"

    async def main() -> None:
        async with session(old("vanishes", str(starts))) as server:
            with pytest.raises(ToolError, match="lost; whether it was done is not known") as caught:
                await ask(server, "t_pid")
            assert not caught.value.undone
            await until(lambda: len(starts.read_text().split()) == 2)

    asyncio.run(main())


@pytest.mark.parametrize("behaviour", ["silent", "gone", "garbage"])
def test_a_server_that_does_not_work_holds_nobody_up(behaviour: str) -> None:
    """The service starts without its tools, and ends without waiting for it."""

    async def main() -> None:
        began = time.monotonic()
        async with session(old(behaviour), within=0.3) as server:
            assert time.monotonic() - began < 2
            assert server.tools() == ()
        assert time.monotonic() - began < 4

    asyncio.run(main())


def test_a_command_that_does_not_exist_holds_nobody_up() -> None:
    """It is said in one line."""

    async def main() -> None:
        with structlog.testing.capture_logs() as lines:
            async with session(Command(command="/no/such/program")) as server:
                assert server.tools() == ()
        assert "FileNotFoundError" in str(lines)

    asyncio.run(main())


class Buggy(McpServer):
    """Ours, with a bug that shows once. There is no server."""

    broken = True

    async def _serve(self) -> None:
        await asyncio.sleep(1.0)

    def _end_attempt(self) -> None:
        if self.broken:
            self.broken = False
            raise KeyError
        super()._end_attempt()


def test_a_bug_is_loud_and_does_not_end_the_session_for_good() -> None:
    """Calls are refused until it is begun again, and wait for the next attempt after that."""

    async def main() -> None:
        server = Buggy("t", Command(command="none"))
        with structlog.testing.capture_logs() as lines:
            await server.start()
            await asyncio.sleep(0)
            assert "background work failed: this is a bug" in [line["event"] for line in lines]
            lines.clear()
            with pytest.raises(ToolError, match="nothing was done"):
                await server._call("add", {}, ABOUT)
            assert now() == 1.0
            await asyncio.sleep(1.5)
            with pytest.raises(ToolError, match="nothing was done"):
                await server._call("add", {}, ABOUT)
            assert now() == 3.0
            assert [line["event"] for line in lines] == ["mcp server not reached"]
        await server.aclose()

    virtual_time.run(main())


def test_a_process_that_will_not_leave_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is left behind."""
    # The SDK's own patience, four seconds of it.
    monkeypatch.setattr("mcp.client.stdio.PROCESS_TERMINATION_TIMEOUT", 0.1)
    monkeypatch.setattr("mcp.client.stdio.FORCE_KILL_TIMEOUT", 0.1)
    starts = tmp_path / "starts"

    async def main() -> None:
        async with session(old("stays", str(starts))) as server:
            await ask(server, "t_pid")
        assert not alive(int(starts.read_text()))

    asyncio.run(main())


def test_names_that_every_provider_takes() -> None:
    """Letters, digits, _ and -, 64 at most, no two alike; a broken schema is left out."""

    async def main() -> None:
        async with session(old("odd")) as server:
            specs = [tool.spec for tool in server.tools()]
            names = [spec.name for spec in specs]
            assert names[0] == "t_a_b"
            assert names[1].startswith("t_a_b_")
            assert len(set(names)) == len(names) == 3
            assert all(len(name) <= 64 for name in names)
            assert len(specs[0].description) == 1024
            assert specs[1].description == "Another"
            assert [tool.spec.name for tool in server.tools({"a.b"})] == ["t_a_b"]

    asyncio.run(main())


def test_only_what_is_allowed() -> None:
    """A tool that is allowed and missing is a line in the log."""

    async def main() -> None:
        async with session(old("well")) as server:
            with structlog.testing.capture_logs() as lines:
                (tool,) = server.tools({"pid", "nobody"}, timeout=2.0, filler="Let me see.")
            assert (tool.spec.name, tool.timeout, tool.filler) == ("t_pid", 2.0, "Let me see.")
            assert lines[0]["tools"] == ["nobody"]

    asyncio.run(main())


def test_new_tools_are_there_with_the_next_call() -> None:
    """The list is looked at again and again."""

    async def main() -> None:
        async with session(old("grows"), list_every=0.05) as server:
            assert "t_tool3" not in named(server)
            await until(lambda: "t_tool3" in named(server))

    asyncio.run(main())


def test_a_tool_that_hangs_is_let_go_at_its_deadline_and_the_others_go_on() -> None:
    """One session serves all calls of the process."""

    async def main() -> None:
        async with session(old("well")) as server:
            box = Toolbox(
                server.tools(timeout=0.2),
                CallInfo(call_id="call-1"),
                spawn=asyncio.get_running_loop().create_task,
                on_kept=lambda _: None,
                on_done=lambda _: None,
            )
            calls = [ToolCall("t_wait"), ToolCall("t_pid"), ToolCall("t_pid", {"n": 1})]
            hung, *others = await box.run_all(calls)
            assert hung.failed
            assert not any(result.failed for result in others)
            await box.aclose()

    asyncio.run(main())


def test_after_the_end_nothing_is_called() -> None:
    """A kept tool that comes late fails at once."""

    async def main() -> None:
        async with session(old("well")) as server:
            tool = named(server)["t_pid"]
        with pytest.raises(ToolError, match="nothing was done"):
            await tool.run({}, ABOUT)

    asyncio.run(main())


def test_the_sdk_logs_nothing(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what is asked, at any level, nor what a server says of it."""
    caplog.set_level("DEBUG")

    async def main() -> None:
        command = Command(command=sys.executable, args=NEW)
        async with session(command) as server:
            with pytest.raises(ToolError):
                await ask(server, "t_add", a="hunter2")
            await ask(server, "t_noisy", word="hunter2")

    asyncio.run(main())
    captured = capfd.readouterr()
    assert "hunter2" not in caplog.text + captured.out + captured.err
