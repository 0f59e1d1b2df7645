"""Pages of calls in progress, as they are first painted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from agent.console.live.pages import LivePages
from agent.console.rendering import Rendering
from agent.console.visitor import Role, Visitor
from agent.server.operator.call_actions import CallActions
from tests.agent.loopback import command, dialled, running

pytestmark = pytest.mark.usefixtures("nothing_left")

CONNECT = {"command": "connect", "callId": "a/<b>?", "codec": "PCM", "sampleRate": 8000}


def test_a_call_is_listed_before_any_script_has_run(tmp_path: Path) -> None:
    """With a link to its page, whatever its name; without calls there is a command to place one."""

    async def main() -> None:
        async with running(tmp_path) as server, aiohttp.ClientSession() as http:
            base = server.url.removesuffix("/stream").replace("ws:", "http:")

            async def text(path: str) -> str:
                async with http.get(base + path) as answer:
                    assert answer.status == 200
                    return await answer.text()

            empty = await text("/console")
            assert f"voice-agent call {server.url} " in empty
            assert 'id="some" hidden' in empty
            async with dialled(server.url) as socket:
                await socket.send_json(CONNECT)
                assert await command(socket) == "answer"
                listed = await text("/console")
                assert 'href="/console/live/a%2F%3Cb%3E%3F"' in listed
                assert 'id="none" hidden' in listed
                shown = await text("/console/live/a%2F%3Cb%3E%3F")
                assert '<h1 id="title">reception</h1>' in shown
                assert "<b>" not in shown

    asyncio.run(main())


@pytest.mark.parametrize("role", Role)
def test_only_what_a_role_may_do_is_on_the_page(role: Role) -> None:
    """Whoever looks sees no control; whoever listens can listen; operators can act."""

    class NoCalls(CallActions):
        def __init__(self) -> None: ...

        async def in_progress(self) -> list[dict[str, object]]:
            return []

    rendering = Rendering()
    rendering.load()
    pages = LivePages(rendering, NoCalls(), "/stream")
    (show,) = [one.handler for one in pages.routes() if one.path == "/console/live/{name}"]
    request = make_mocked_request("GET", "/console/live/c1", match_info={"name": "c1"})
    answer = asyncio.run(_answered(show(request, Visitor(name="ann", role=role))))
    assert answer.text is not None
    assert ('id="listening"' in answer.text) == (role >= Role.LISTEN)
    for control in ("hang-up", "transfer", "take-over", "give-back", "whisper"):
        assert (f'id="{control}"' in answer.text) == (role >= Role.OPERATE), control


async def _answered(answer: object) -> web.Response:
    given = await answer  # type: ignore[misc]
    assert isinstance(given, web.Response)
    return given
