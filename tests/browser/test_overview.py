"""The overview and the list of calls in a real browser, over some hundred made-up calls."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.engine import SqlDatabase
from tests.agent.records.made_calls import OTHER, made_call, many, turn
from tests.browser.conftest import (
    DESKTOP,
    LOOKS,
    MUTE,
    Looking,
    Served,
    assert_accessible,
    serving,
    shot,
)
from tests.databases import FILE

CALLS = 300

INK = """selector => {
  const canvas = document.querySelector(selector);
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let inked = 0;
  for (let at = 3; at < data.length; at += 4) inked += data[at] > 0;
  return inked;
}"""
"""Returns how many points of a canvas are drawn."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that has had some calls: they were put into its database, beside it."""
    with serving(tmp_path_factory.mktemp("service"), **MUTE) as one:
        with ThreadPoolExecutor(1) as other:  # in this thread runs Playwright's loop
            other.submit(lambda: asyncio.run(fill(one.folder))).result()
        yield one


async def fill(folder: Path) -> None:
    """Add calls of two weeks, one of them with markup, one in progress."""
    database = SqlDatabase(DatabaseUrl(f"sqlite:///{folder}/{FILE}"), within=30.0)
    stored, now = StoredRecords(database, NoSeal()), time.time()
    lines = [line for one in many(CALLS, now, 14) for line in one]
    words = ("Do you have <img src=x onerror=alert(1)> zanzibar tea?", "We have zanzibar tea.")
    lines += made_call("tea", now - 300, turn(1, 7.25, 0.5, words), caller=OTHER)
    lines += made_call("live", now - 30, ended=None)
    await stored.add(lines)
    await database.aclose()


def test_figures_are_drawn_and_told(served: Served, looking: Looking) -> None:
    """Charts have ink, tables say the same; a bar leads to its calls, by pointer and by keys."""
    page = looking(DESKTOP, timezone_id="Asia/Tokyo").page()
    page.goto(served.base + "/console/overview?time=30")
    page.wait_for_url("**zone=Asia%2FTokyo**")  # sent by the browser
    assert "Days by the clock of Asia/Tokyo" in page.inner_text("main")
    page.wait_for_selector("[data-chart=cost] canvas")
    for name in ("calls", "answers", "silence", "lengths", "cost"):
        assert page.evaluate(INK, f"[data-chart={name}] .uplot canvas") > 200, name
    told = page.locator("#table-calls tfoot td").first.text_content()
    assert told == page.locator(".cards .figure").first.inner_text() == str(CALLS + 2)
    rows = page.locator("#table-calls tbody tr td:nth-child(2)").all_text_contents()
    assert sum(map(int, rows)) == CALLS + 2
    chart = page.get_by_role("group", name="Calls a day")
    chart.focus()
    page.keyboard.press("ArrowLeft")
    before = page.locator("#table-calls tbody tr").last
    title = before.locator("th").inner_text() or before.locator("th").text_content()
    readout = page.locator("[data-chart=calls] .readout")
    page.wait_for_function("text => text.length > 0", arg=readout.inner_text())
    assert title is not None
    assert readout.inner_text().startswith(title)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/calls?since=**")
    assert page.locator("#calls tbody").count() > 0
    page.go_back()
    box = page.locator("[data-chart=calls] .u-over").bounding_box()
    assert box is not None  # the column of 3 days ago, at its foot: those whose caller hung up
    page.mouse.click(box["x"] + box["width"] * (1 - 3.5 / 30), box["y"] + box["height"] - 3)
    page.wait_for_url("**outcome=caller*hung*up")
    ended = page.locator("#calls td[data-title=Outcome]").all_inner_texts()
    assert ended
    assert set(ended) == {"caller hung up"}


def test_words_lead_to_their_moment(served: Served, looking: Looking) -> None:
    """What is found is marked, as text; filters are a form; an export holds what is filtered."""
    looked = looking(DESKTOP, accept_downloads=True)
    page = looked.page()
    page.goto(served.base + "/console/calls")
    live = page.locator("#calls a.badge", has_text="in progress")
    assert re.fullmatch(r"/console/live/\S+", live.get_attribute("href") or "")
    page.fill("#q", "zanzibar")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=zanzibar**")
    assert page.locator("mark").all_inner_texts() == ["zanzibar"]
    assert "<img src=x onerror=alert(1)>" in page.inner_text(".found")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()] == ["id", "tea"]
    page.locator(".found a").click()
    page.wait_for_url("**/console/calls/tea#t=5.75")
    page.goto(served.base + "/console/calls")
    page.get_by_text("Filters", exact=True).click()
    page.fill("#since", "sometime")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**since=sometime**")
    assert "a date such as" in page.inner_text("#wrong-since")
    (told,) = looked.wrong  # Chromium tells of the status, which is no mistake of the page
    assert "400" in told
    looked.wrong.clear()
    page.fill("#since", "2h")
    page.fill("#number", "+1 (202) 555-0147")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**number=**")
    assert page.locator("#calls tbody").count() == 1


def test_it_fits_and_is_accessible(served: Served, looking: Looking) -> None:
    """On a desk and on a telephone, light and dark."""
    for size, scheme in LOOKS:
        page = looking(size, color_scheme=scheme).page()
        for name, address in (
            ("overview", "/console/overview?zone=UTC"),
            ("calls", "/console/calls?q=terrace&limit=8&outcome=stopped"),
        ):
            page.goto(served.base + address)
            if name == "overview":
                page.wait_for_selector("[data-chart=cost] canvas")
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, (name, size)
            assert_accessible(page)
            shot(page, f"{name}-{size[0]}-{scheme}")
