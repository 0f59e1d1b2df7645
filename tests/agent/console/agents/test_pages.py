"""Pages of agents: who may do what, and what nobody can do by them."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.console.agents.speech import A_MINUTE
from agent.console.sign_in.guard import Guard
from agent.console.visitor import Role, Visitor
from agent.personas.loader import MAX_BYTES, version_of
from agent.server.load.overload import Reading
from tests.agent.loopback import Running, running, until

pytestmark = pytest.mark.usefixtures("nothing_left")

TEXT = "---\ngreeting: Hello, who is this?\n---\nBe brief.\n"
NEW = TEXT.replace("who is this", "what is new")


@dataclass
class Console:
    """The pages, as one visitor has them."""

    http: aiohttp.ClientSession
    base: str
    server: Running
    prompts: Path

    async def see(self, path: str, status: int = 200) -> str:
        async with self.http.get(f"{self.base}/console/agents{path}") as answer:
            assert answer.status == status
            return await answer.text()

    async def own(self) -> dict[str, str]:
        """Return what a page of ours sends along."""
        found = re.search(r'name="csrf" content="([^"]+)"', await self.see(""))
        assert found is not None
        return {"origin": self.base, "x-csrf-token": found[1]}

    async def ask(self, path: str, status: int = 200, **body: Any) -> Any:
        url = f"{self.base}/console/agents/{path}"
        data = io.BytesIO(json.dumps(body).encode())
        async with self.http.post(url, data=data, headers=await self.own()) as answer:
            found = await answer.json()
            assert answer.status == status, found
            return found


@asynccontextmanager
async def console(folder: Path, **sections: Any) -> AsyncIterator[Console]:
    (folder / "prompts").mkdir()
    (folder / "prompts" / "reception.md").write_text(TEXT)
    jar = aiohttp.CookieJar(unsafe=True)  # the host is an address
    async with running(folder, **sections) as server, aiohttp.ClientSession(cookie_jar=jar) as http:
        base = server.url.removesuffix("/stream").replace("ws:", "http:")
        yield Console(http, base, server, folder / "prompts")


def visited_by(monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    """Have everybody who comes be of a role."""

    async def visitor(_guard: Guard, _request: object, *, active: bool) -> Visitor:
        return Visitor(name="ann", role=role, csrf="of a page")

    monkeypatch.setattr(Guard, "_visitor", visitor)


def story(told: Callable[[], Any]) -> None:
    asyncio.run(told())


def test_what_is_saved_answers_and_is_remembered(tmp_path: Path) -> None:
    """With who saved it; what is changed on the disk is found, too."""

    async def main() -> None:
        async with console(tmp_path) as pages:
            assert "who is this" in await pages.see("/reception")
            before = version_of(TEXT)
            told = await pages.ask("reception/save", text=NEW, version=before)
            assert told == {
                "outcome": "saved",
                "version": version_of(NEW),
                "mistakes": [],
                "kept": True,
            }
            assert (pages.prompts / "reception.md").read_text() == NEW
            history = await pages.see("/reception/history")
            assert "saved by this machine" in history
            assert "<mark>what</mark>" in history
            # The first was found on the disk at the start, in time or with the next look.
            (pages.prompts / "reception.md").write_text(TEXT + "By hand.\n")
            deadline = time.monotonic() + 30
            while "found on the disk" not in await pages.see("/reception/history"):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.2)
            found = await pages.see(f"/reception?version={version_of(NEW)}")
            assert "Load it into the editor" in found
            restored = await pages.see(f"/reception?restore={version_of(NEW)}")
            assert "what is new" in restored
            assert "is not kept" in await pages.see("/reception?version=000000000000")

    story(main)


def test_mistakes_and_changes_of_others_are_decided_by_people(tmp_path: Path) -> None:
    """Nothing is saved before they have; then the last good version answers."""

    async def main() -> None:
        wrong = TEXT.replace("greeting", "greting")
        async with console(tmp_path) as pages:
            path = pages.prompts / "reception.md"
            told = await pages.ask("reception/save", text=wrong, version=version_of(TEXT))
            assert (told["outcome"], told["answering"]) == ("mistakes", True)
            assert told["mistakes"][0]["line"] == 2
            assert path.read_text() == TEXT
            path.write_text(NEW)
            told = await pages.ask("reception/save", text=TEXT, version=version_of(TEXT))
            assert (told["outcome"], told["version"]) == ("changed", version_of(NEW))
            assert [line["kind"] for line in told["lines"] if line["kind"] != "same"] == [
                "removed",
                "added",
            ]
            told = await pages.ask(
                "reception/save", text=wrong, version=version_of(NEW), anyway=True
            )
            assert told["outcome"] == "saved"
            assert path.read_text() == wrong
            page = await pages.see("/reception")
            assert "the version before answers calls" in page
            assert "last edit has a mistake" in await pages.see("")
            assert "line 2" in await pages.see("?check=all")

    story(main)


def test_roles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who look change nothing, hear nothing, and have no draft of theirs filled in."""

    async def main() -> None:
        async with console(tmp_path) as pages:
            visited_by(monkeypatch, Role.LOOK)
            assert "readonly" in await pages.see("/reception")
            await pages.ask("reception/save", 403, text=NEW, version=version_of(TEXT))
            await pages.ask("reception/speak", 403, text="Hello.")
            mine = TEXT.replace("Be brief", "{{ 6 * 7 }}")
            assert (await pages.ask("reception/check", text=mine))["prompt"] == "Be brief."
            await pages.see("/other?like=reception", 404)
            assert "New agent" not in await pages.see("?new=other")
            visited_by(monkeypatch, Role.OPERATE)
            await pages.ask("reception/save", 403, text=NEW, version=version_of(TEXT))
            visited_by(monkeypatch, Role.EDIT)
            assert (await pages.ask("reception/check", text=mine))["prompt"] == "42."

    story(main)


def test_no_code_is_run_for_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python function that the file did not name already is refused, mistakes or not."""
    monkeypatch.setenv("A_SECRET", "whsec_" + "c2VjcmV0" * 4)

    async def main() -> None:
        tool = "tools: [{python: 'os:getcwd'}]\n---\nBe brief"
        strange = TEXT.replace("---\nBe brief", tool)
        signed = TEXT.replace(
            "---\nBe brief",
            "tools: [{url: 'https://a.example/', name: book, description: It books.,"
            " secret_variable: A_SECRET}]\n---\nBe brief",
        )
        async with console(tmp_path) as pages:
            told = await pages.ask("reception/check", text=strange)
            assert told["untrusted"]
            assert told["mistakes"][0]["line"] == 3
            told = await pages.ask(
                "reception/save", text=strange, version=version_of(TEXT), anyway=True
            )
            assert told["outcome"] == "refused"
            assert (pages.prompts / "reception.md").read_text() == TEXT
            told = await pages.ask("reception/check", text=signed)
            assert (told["mistakes"], told["tools"]) == ([], ["book"])
            assert "c2VjcmV0" not in str(told)
            assert "a.example" not in str(told)

    story(main)


def test_no_draft_holds_anything(tmp_path: Path) -> None:
    """One that fills the memory, or takes for ever, is not saved either; the next is looked at."""

    async def main() -> None:
        async with console(tmp_path) as pages:
            large = TEXT.replace("Be brief", "{{ 'x'|center(10**10) }}")
            assert (await pages.ask("reception/check", text=large))["mistakes"]
            slow = TEXT.replace("Be brief", "{{ 'x '|center(9 * 10**7)|wordcount }}")
            told = await pages.ask(
                "reception/save", text=slow, version=version_of(TEXT), anyway=True
            )
            assert told["outcome"] == "refused"
            assert (await pages.ask("reception/check", text=TEXT))["mistakes"] == []

    story(main)


NO_NAMES = ["..%2Fsecret", "a%2Fb", "a%00", "a.md", "%C3%A4", "a b", "x" * 65]


def test_no_path_leads_elsewhere(tmp_path: Path) -> None:
    """Nothing is shown, saved or spoken of a name that is none."""

    async def main() -> None:
        (tmp_path / "secret.md").write_text("a secret")
        async with console(tmp_path) as pages:
            for name in NO_NAMES:
                assert "a secret" not in await pages.see(f"/{name}", 404)
                assert "a secret" not in await pages.see(f"/{name}/history", 404)
                assert "a secret" not in await pages.see(f"/{name}?like=reception", 404)
                await pages.ask(f"{name}/save", 409, text=TEXT, version="")
            assert sorted(one.name for one in pages.prompts.iterdir()) == ["reception.md"]

    story(main)


def test_markup_is_text(tmp_path: Path) -> None:
    """In the list, the editor, the history, and what is wrong."""

    async def main() -> None:
        bad = "</textarea><script>alert(1)</script>"
        async with console(tmp_path) as pages:
            text = f"---\ngreeting: Hi.\n'{bad}': 1\n---\n{bad}\n"
            (pages.prompts / "reception.md").write_text(text)
            await pages.ask("reception/save", text=TEXT + bad, version=version_of(text))
            found = [
                await pages.see(path)
                for path in ("", "/reception", "/reception/history", "?check=all", f"?new={bad}")
            ]
            assert not any(bad in page for page in found)
            assert "&lt;/textarea&gt;" in found[1]

    story(main)


def test_requests_that_are_none_are_refused(tmp_path: Path) -> None:
    """And a text that is too long, whole."""

    async def main() -> None:
        async with console(tmp_path) as pages:
            await pages.ask("reception/check", 400)
            await pages.ask("reception/check", 400, text=TEXT, more=1)
            await pages.ask("reception/check", 400, text="x" * (MAX_BYTES + 1))
            await pages.ask("reception/speak", 400, text="x" * 501)
            url = f"{pages.base}/console/agents/reception/check"
            async with pages.http.post(
                url, data=io.BytesIO(b"x" * (8 * MAX_BYTES)), headers=await pages.own()
            ) as answer:
                assert answer.status == 413
            told = await pages.ask("reception/check", text=TEXT, call={"at": "never"})
            assert "time of the sample call" in told["mistakes"][0]["text"]
            told = await pages.ask(
                "reception/save", 409, text=TEXT + "é" * (MAX_BYTES - 100), version=version_of(TEXT)
            )
            assert "bytes" in told["detail"]

    story(main)


def test_a_sentence_is_heard_when_calls_leave_room(tmp_path: Path) -> None:
    """As a WAV file of the line's rate; so many a minute."""

    async def main() -> None:
        async with console(tmp_path) as pages:
            url = f"{pages.base}/console/agents/reception/speak"
            body = {"text": "Hello there. It is 10:30."}
            async with pages.http.post(url, json=body, headers=await pages.own()) as answer:
                assert answer.content_type == "audio/wav"
                with wave.open(io.BytesIO(await answer.read())) as file:
                    assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
                    assert file.getnframes() > 0
            busy = Reading(what="the processor", value=2.0, limit=1.0)
            overload = pages.server.registry.capacity.overload
            overload._read = lambda: [busy]
            await until(lambda: overload.reason, within=60)
            await pages.ask("reception/speak", 503, **body)
            for _ in range(A_MINUTE - 2):
                await pages.ask("reception/speak", 503, **body)
            await pages.ask("reception/speak", 429, **body)

    story(main)


def test_a_folder_that_is_not_ours_is_looked_at_only(tmp_path: Path) -> None:
    """The page says what to do."""

    async def main() -> None:
        packaged = tmp_path / "site-packages" / "prompts"
        packaged.mkdir(parents=True)
        (packaged / "reception.md").write_text(TEXT)
        async with console(tmp_path, prompts=packaged) as pages:
            page = await pages.see("/reception")
            assert "voice-agent init" in page
            assert "readonly" in page
            told = await pages.ask("reception/save", 409, text=NEW, version=version_of(TEXT))
            assert "voice-agent init" in told["detail"]

    story(main)


def test_a_new_agent_is_a_draft_until_it_is_saved(tmp_path: Path) -> None:
    """A copy is without the numbers, which are the other's."""

    async def main() -> None:
        async with console(tmp_path) as pages:
            (pages.prompts / "other.md").write_text(
                TEXT.replace("---\nBe", "numbers:\n  - '+12025550199'\nlanguage: en\n---\nBe")
            )
            assert "is called reception already" not in await pages.see("?new=third")
            assert "There is an agent called reception" in await pages.see("?new=reception")
            assert "A name is" in await pages.see("?new=a+b")
            page = await pages.see("/third?like=other")
            assert "+12025550199" not in page
            assert "language: en" in page
            assert not (pages.prompts / "third.md").exists()
            await pages.ask("third/save", text=TEXT, version="")
            assert "Call it" in await pages.see("/third")
            await pages.see("/fourth", 404)
            await pages.ask("README/save", 409, text=TEXT, version="")

    story(main)
