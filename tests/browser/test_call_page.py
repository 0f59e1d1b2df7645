"""The page of a call in a real browser: a real voice calls, and then the call is looked at."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from agent.simulator.plan import Plan
from agent.simulator.speech import recorded_turn
from agent.simulator.stream_caller import place_call
from tests.browser.call_page import POSITION, loudness, stored, wait_until
from tests.browser.conftest import (
    PHONE,
    STARTED_WITHIN,
    Looking,
    Served,
    assert_accessible,
    shot,
)

QUESTION = Path(__file__).parents[2] / "agent/simulator/scenarios/recordings/opening-hours.wav"


@pytest.fixture(scope="module")
def record(served: Served) -> dict[str, Any]:
    """A call that is over, recorded and stored: its lines, as they are downloaded."""
    stream = served.base.replace("http:", "ws:") + "/stream"
    call = place_call(
        stream, Plan(turns=[recorded_turn(QUESTION, 8000)]), lambda _at, _line: None, "browser-test"
    )
    with ThreadPoolExecutor(1) as thread:  # this one has the browser's loop
        thread.submit(asyncio.run, call).result()
    return stored(served, "browser-test")


def test_a_call_is_seen_and_heard(served: Served, looking: Looking, record: dict[str, Any]) -> None:
    """Its sound where it was, its lines at their moments, where the time went in its numbers."""
    page = looking(permissions=["clipboard-read", "clipboard-write"]).page()
    page.goto(f"{served.base}/console/calls/{record['id']}")
    page.wait_for_selector("#wave[data-drawn]")
    caller = next(one for one in record["events"] if one["kind"] == "caller")
    wait_until(page, "document.getElementById('player-status').textContent === ''")
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    spoken = loudness(page, caller["at"] + 0.2, caller["until"] - 0.2, side=0)
    silent = loudness(page, caller["until"] + 0.6, caller["until"] + 0.9, side=0)
    assert spoken > 4 * silent
    assert loudness(page, caller["at"] + 0.5, caller["until"] - 0.2, side=1) < 3  # a line: silence

    # Where the time went.
    timing = next(
        one for one in record["events"] if one["kind"] == "timing" and "speech_end" in one
    )
    waited = timing["heard"] - timing["speech_end"]
    answered = page.locator(".answered", has_text="until it answered").first
    shown = answered.locator(".waited strong").inner_text()
    assert float(shown.removesuffix(" s")) == pytest.approx(waited, abs=0.011)
    expect(answered.locator("svg.waterfall")).to_be_visible()
    answered.locator("summary").click()
    took = timing["decided"] - timing["speech_end"]
    row = answered.locator("tr", has_text="waiting for the end of the turn")
    assert float(row.locator("td").last.inner_text()) == pytest.approx(took, abs=0.011)
    shot(page, "call-1280")
    assert_accessible(page)


def test_a_line_is_heard(served: Served, looking: Looking, record: dict[str, Any]) -> None:
    """A click plays it at its moment, words are marked as they come, a link leads there again."""
    page = looking(permissions=["clipboard-read", "clipboard-write"]).page()
    page.goto(f"{served.base}/console/calls/{record['id']}")
    caller = next(one for one in record["events"] if one["kind"] == "caller")
    line = page.locator(".said.caller .sentence").first
    line.click()
    page.wait_for_selector(".sentence .word")
    at = page.evaluate("Number(document.querySelector('.said.caller .sentence').dataset.at)")
    assert at == pytest.approx(caller["at"], abs=0.01)
    wait_until(page, f"{POSITION} > {at + 0.3}")
    assert page.evaluate(POSITION) < at + 30
    first = page.locator(".sentence.now .word").first.text_content()
    assert first
    assert first in caller["text"]
    shot(page, "call-playing-1280")
    page.locator("h1").click()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    before = page.evaluate(POSITION)
    page.keyboard.press("ArrowRight")
    wait_until(page, f"{POSITION} > {before}")

    # A link to a moment opens there.
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#notices")).to_contain_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"#t=\d+\.\d$", link)
    other = page.context.new_page()
    other.goto(link)
    wait_until(other, f"Math.abs({POSITION} - {link.rpartition('=')[2]}) < 0.06")

    # What was said can be taken along.
    with page.expect_download() as begun:
        page.get_by_role("link", name="Text").click()
    assert caller["text"] in begun.value.path().read_text()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Recording").click()
    assert begun.value.path().read_bytes()[:4] == b"fLaC"


def test_on_a_telephone_in_the_dark(
    served: Served, looking: Looking, record: dict[str, Any]
) -> None:
    """Nothing is wider than the window, and all of it can be read."""
    page = looking(PHONE, color_scheme="dark").page()
    page.goto(f"{served.base}/console/calls/{record['id']}#t=3")
    page.wait_for_selector("#wave[data-drawn]")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert_accessible(page)
    shot(page, "call-telephone-dark")


def test_a_call_is_replayed(served: Served, looking: Looking, record: dict[str, Any]) -> None:
    """By the present agent, in a process of its own; both conversations are shown."""
    page = looking().page()
    page.goto(f"{served.base}/console/calls/{record['id']}")
    page.get_by_role("button", name="Replay with the present agent").click()
    page.wait_for_url("**/replays/*")
    shot(page, "replay-going")
    expect(page.get_by_role("heading", name="Now")).to_be_visible(timeout=STARTED_WITHIN * 1000)
    expect(page.locator(".sides .said.agent").first).to_be_visible()
    expect(page.get_by_role("row", name="response time")).to_be_visible()
    assert_accessible(page)
    shot(page, "replay-1280")
