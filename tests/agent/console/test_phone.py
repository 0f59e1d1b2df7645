"""The page of the browser phone, as the service makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import aiohttp
import pytest

from tests.agent.loopback import running

pytestmark = pytest.mark.usefixtures("nothing_left")

Ask = Callable[[str], Coroutine[None, None, str]]


def asked(folder: Path, story: Callable[[Ask], Coroutine[None, None, None]]) -> None:
    """Have a story told with a service, and what asks it for pages."""

    async def main() -> None:
        async with running(folder) as server, aiohttp.ClientSession() as http:
            base = server.url.removesuffix("/stream").replace("ws:", "http:")

            async def ask(path: str) -> str:
                async with http.get(base + path) as answer:
                    assert answer.status == 200
                    return await answer.text()

            await story(ask)

    asyncio.run(main())


def test_the_page_names_the_agents_and_what_they_say_first(tmp_path: Path) -> None:
    """The usual one is picked, or the one in the address; markup in either is text."""
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    (prompts / "shop.md").write_text("---\ngreeting: <i>Shop</i> for {{ caller }}.\n---\nBe brief.")
    (prompts / "quiet.md").write_text('---\ngreeting: ""\n---\nBe brief.')
    (prompts / "torn.md").write_text("---\ngreeting: {{ nothing\n---\nBe brief.")

    async def story(ask: Ask) -> None:
        usual = await ask("/")
        assert '<option value="reception" selected>' in usual
        assert "Hello, who is this?" in usual
        assert '<option value="8000" selected>' in usual
        other = await ask("/?agent=shop&call")
        assert '<option value="shop" selected>' in other
        assert "&lt;i&gt;Shop&lt;/i&gt; for browser." in other
        unknown = await ask("/?agent=%3Cscript%3E")
        assert '<option value="reception" selected>' in unknown
        assert "There is no agent named &lt;script&gt;" in unknown
        assert "has a mistake" in await ask("/?agent=torn")
        assert "waits for the caller" in await ask("/?agent=quiet")

    asked(tmp_path, story)


def test_another_agent_is_introduced(tmp_path: Path) -> None:
    """One that is not there has a mistake, as one whose file has; no name leads elsewhere."""

    async def story(ask: Ask) -> None:
        said = await ask("/console/phone/agents/reception")
        assert said == '{"greeting": "Hello, who is this?", "mistake": false}'
        for name in ("nobody", "..%2Fsecret"):
            assert '"mistake": true' in await ask(f"/console/phone/agents/{name}")

    asked(tmp_path, story)
