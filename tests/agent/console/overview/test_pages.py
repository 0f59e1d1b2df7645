"""The overview and the list of calls over HTTP: filters, mistakes, masks, notes, exports."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent.console.calls.export import CallExport
from agent.console.calls.list_pages import CallListPages
from agent.console.overview.pages import OverviewPages
from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.records.access_log import AccessLog
from agent.records.call_records import CallRecords
from agent.records.seals import NoSeal
from agent.records.search.marked_words import marked_words
from agent.records.search.search_words import question
from agent.records.statistics.call_statistics import CallStatistics
from agent.records.stored_records import StoredRecords
from agent.server.operator.call_answers import CallAnswers
from agent.server.operator.errors import answered
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.records.made_calls import CALLER, OTHER, made_call, turn, usage
from tests.databases import FILE

pytestmark = pytest.mark.usefixtures("nothing_left")

MARKUP = "<script>alert(1)</script>"

DISCLOSED = ("disclosed", 0.5, {"turn": 1, "text": "I am a machine.", "until": 1.5})


class Pages:
    """The pages as one visitor sees them."""

    def __init__(self, http: TestClient[web.Request, web.Application], access: AccessLog) -> None:
        self._http = http
        self.access = access

    async def read(self, path: str, status: int = 200) -> str:
        """Return a page."""
        async with self._http.get(path) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text


@asynccontextmanager
async def pages(folder: Path, role: Role = Role.EDIT) -> AsyncIterator[Pages]:
    """Serve three calls to somebody of that role."""
    visitor, rendering, seal = Visitor(name="ann", role=role), Rendering(), NoSeal()
    rendering.load()
    async with opened(DatabaseUrl(f"sqlite:///{folder}/{FILE}")) as store:
        now = time.time()
        words = (f"Any {MARKUP} zanzibar?", "None.")
        lines = made_call(
            "a", now - 60, [*turn(1, 7.25, 0.5, words), *usage("llm", "x", 0.5), DISCLOSED]
        )
        lines += made_call("b", now - 7200, caller=OTHER, agent=MARKUP, hung_up_by="agent")
        lines += made_call("c", now - 30, ended=None)
        await StoredRecords(store.database, seal).add(lines)
        access = AccessLog(store.database, "console")
        answers = CallAnswers(CallRecords(store.database, seal), "", access)
        statistics = CallStatistics(store.database, seal)
        export = CallExport(store.database, seal, access)
        app = web.Application()
        for part in (
            OverviewPages(rendering, statistics, "UTC", ""),
            CallListPages(rendering, answers, statistics, export, "UTC"),
        ):
            for route in part.routes():

                async def handle(
                    request: web.Request, route: PageRoute = route
                ) -> web.StreamResponse:
                    return await answered(lambda asked: route.handler(asked, visitor), request)

                app.router.add_get(route.path, handle)
        async with TestClient(TestServer(app)) as http:
            yield Pages(http, access)


def listed(page: str) -> list[str]:
    """Return the ids of the calls on a page."""
    return re.findall(r'<a href="/console/calls/(\w+)"><time', page)


def test_the_list_is_filtered_and_searched(tmp_path: Path) -> None:
    """By what is in the address; found words are marked, markup is text, a cursor goes on."""

    async def main() -> None:
        async with pages(tmp_path) as shown:
            page = await shown.read("/console/calls")
            assert listed(page) == ["c", "a", "b"]
            assert MARKUP not in page
            followed = r'<a class="badge agent" href="/console/live/[^/"]+">.*in progress'
            assert re.search(followed, page)
            page = await shown.read("/console/calls?q=zanzibar")
            assert listed(page) == ["a"]
            assert "<mark>zanzibar</mark>" in page
            assert "Any &lt;script&gt;" in page
            assert '"/console/calls/a#t=5.75"' in page
            for query, found in {
                "outcome=agent+hung+up": ["b"],
                "disclosed=yes": ["a"],
                "disclosed=no": ["b"],
                "number=%2B1+202+555+0147": ["b"],
                "called=%2B12025550100&direction=incoming": ["c", "a", "b"],
                "agent=reception&since=1h&zone=Europe/Berlin": ["c", "a"],
                "agent=&q=&outcome=": ["c", "a", "b"],
            }.items():
                assert listed(await shown.read(f"/console/calls?{query}")) == found, query
            page = await shown.read("/console/calls?limit=2")
            (following,) = re.findall(r'rel="next" href="([^"]+)"', page)
            assert listed(await shown.read(following.replace("&amp;", "&"))) == ["b"]

    asyncio.run(main())


def test_mistakes_stand_beside_their_field(tmp_path: Path) -> None:
    """In words; nothing is counted or listed."""

    async def main() -> None:
        async with pages(tmp_path) as shown:
            for address, field in (
                ("calls?since=sometime", "since"),
                ("calls?outcome=gone", "outcome"),
                ("calls?q=%21", "q"),
                ("calls?limit=many", "limit"),
                ("overview?time=ever", "time"),
                ("overview?from=soon", "from"),
                ("overview?from=2026-11-26&to=2026-11-25", "to"),
                ("overview?from=2024-11-26&to=2026-11-25", "from"),
                ("overview?zone=Mars/Olympus", "zone"),
                ("overview?direction=up", "direction"),
            ):
                page = await shown.read(f"/console/{address}", 400)
                assert re.search(rf'id="wrong-{field}">[^<]+', page), address
                assert not listed(page)
                assert 'class="figure"' not in page

    asyncio.run(main())


def test_numbers_are_hidden_from_those_who_look(tmp_path: Path) -> None:
    """They see the last two digits, and cannot ask by a number; that they looked is noted."""

    async def main() -> None:
        async with pages(tmp_path, Role.LOOK) as shown:
            page = await shown.read("/console/calls")
            assert listed(page) == ["c", "a", "b"]
            assert "···23" in page
            assert CALLER not in page
            assert "/console/calls.csv" not in page
            asked = f"=%2B{OTHER[1:]}"
            for query in ("number", "caller", "called"):
                page = await shown.read(f"/console/calls?{query}{asked}", 400)
                assert "takes the role" in page
                assert not listed(page)
            page = await shown.read(f"/console/overview?number{asked}", 400)
            assert "takes the role" in page
            assert [(one.who, one.what) for one in await shown.access.of("a")] == [("ann", "list")]

    asyncio.run(main())


def test_exports_hold_what_is_filtered(tmp_path: Path) -> None:
    """All pages of it, each call noted before it is handed out, to those who may listen."""

    async def main() -> None:
        async with pages(tmp_path, Role.LISTEN) as shown:
            text = await shown.read("/console/calls.csv?agent=reception&limit=1")
            rows = list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))
            assert [(row["id"], row["caller"]) for row in rows] == [("c", CALLER), ("a", CALLER)]
            lines = (await shown.read("/console/calls.jsonl?q=zanzibar")).splitlines()
            assert [json.loads(line)["id"] for line in lines] == ["a"]
            told = (await shown.read("/console/calls.jsonl?disclosed=no")).splitlines()
            assert [json.loads(line)["id"] for line in told] == ["b"]
            assert (await shown.read("/console/calls.csv?agent=none")).count("\n") == 1
            assert "there is no word" in await shown.read("/console/calls.jsonl?q=%21", 400)
            assert [one.what for one in await shown.access.of("a")] == ["export", "export"]
            assert [one.what for one in await shown.access.of("b")] == ["export"]

    asyncio.run(main())
    answers = CallAnswers(None, "")
    routes = CallListPages(Rendering(), answers, None, None, "UTC").routes()
    assert {one.path: one.role for one in routes} == {
        "/console/calls": Role.LOOK,
        "/console/calls.csv": Role.LISTEN,
        "/console/calls.jsonl": Role.LISTEN,
    }


def test_the_overview_tells_its_figures(tmp_path: Path) -> None:
    """Cards and the data of charts say the same; few values are said to be few."""

    async def main() -> None:
        async with pages(tmp_path) as shown:
            page = await shown.read("/console/overview?zone=Europe/Berlin&time=30")
            data = json.loads(re.findall(r'id="figures">(.*?)</script>', page, re.DOTALL)[0])
            counts = {one["name"]: sum(one["counts"]) for one in data["outcomes"]}
            assert counts == {"caller hung up": 1, "agent hung up": 1, "in progress": 1}
            assert '<p class="figure">0.50 s</p>' in page
            assert "n = 1 answers" in page
            assert ">few<" in page
            assert '<p class="figure">0.5000 EUR</p>' in page
            assert MARKUP not in page
            page = await shown.read(f"/console/overview?number=%2B{OTHER[1:]}&time=30")
            assert "number=%2B1202" in page
            page = await shown.read("/console/overview?from=2020-01-01&to=2020-01-02")
            assert "No calls in this time" in page

    asyncio.run(main())


def test_words_are_marked_in_whatever_form() -> None:
    """By their stems, beginnings, in scripts without spaces; a long line is cut around them."""
    for text, language, words, marked in (
        ("We opened it.", "en", "opening", ["opened"]),
        ("Die Bücher, bitte.", "de", "buch", ["Bücher"]),
        ("Zanzibar tea", "en", "zanz* tea", ["Zanzibar", "tea"]),
        ("予約したいです", "ja", "予約", ["予約"]),
        ("nothing of it", "en", "zebra", []),
    ):
        pieces = marked_words(text, language, question(words, [language]))
        assert [piece for piece, found in pieces if found] == marked
        assert "".join(piece for piece, _ in pieces) == text
    long = f"{'a ' * 500}zebra{' b' * 500}"
    pieces = marked_words(long, "en", question("zebra", ["en"]))
    assert [piece for piece, found in pieces if found] == ["zebra"]
    assert sum(len(piece) for piece, _ in pieces) < 700
