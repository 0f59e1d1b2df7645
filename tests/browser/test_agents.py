"""Agents in a real browser: edited, heard, and answering the next call with the new words."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import wave
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Dialog, Page, Route, expect

from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.providers import find
from tests.browser.conftest import (
    HANGS_AFTER,
    PHONE,
    RIGHT_TO_LEFT,
    Looking,
    Served,
    assert_accessible,
    shot,
)

COMMAND = [sys.executable, "-m", "agent.cli"]

GREETING = "Good evening, the lighthouse museum is speaking."


def said_in(wav: bytes) -> str:
    """Return the words of a WAV file, as the local speech-to-text hears them."""

    async def once(audio: Audio) -> AsyncGenerator[Audio, None]:
        yield audio

    async def main() -> str:
        kind = find("stt", "moonshine")
        transcriber = kind(kind.Options())
        await transcriber.start()
        try:
            with wave.open(io.BytesIO(wav)) as file:
                assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
                audio = Audio(file.readframes(file.getnframes()), file.getframerate())
            heard: str = await transcriber.transcribe(once(at_rate([audio], SPEECH_RATE)))
            return heard.lower()
        finally:
            await transcriber.aclose()

    with ThreadPoolExecutor(1) as threads:  # the browser's loop runs in this one
        return threads.submit(lambda: asyncio.run(main())).result()


def call(served: Served, agent: str) -> str:
    """Call an agent; return what it says first."""
    url = served.base.replace("http", "ws") + "/stream"
    done = subprocess.run(
        [*COMMAND, "call", url, "--json", "--transcribe", "--headers", f"agent={agent}"],
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    return str(json.loads(done.stdout)["agent_said"][0]).lower()


def no_wider_than_the_window(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, page.url


def spoken(page: Page) -> bytes:
    """Press "hear" beside the greeting; return the WAV file that the page plays."""
    found: list[bytes] = []

    def pass_on(route: Route) -> None:
        answer = route.fetch()
        found.append(answer.body())
        route.fulfill(response=answer)

    page.route("**/speak", pass_on)
    button = page.get_by_role("button", name="Hear: greeting")
    with page.expect_response("**/speak"):
        button.click()
    expect(button).not_to_have_attribute("aria-busy", "true")
    return found[0]


def stands_beside_its_line(page: Page, line: int) -> None:
    """See to it that the mistake is shown where it is, and lines stand beside their numbers."""
    text = page.get_by_role("textbox", name="What it is told")
    expect(page.get_by_role("button", name=f"Line {line}: greeting: unknown")).to_be_visible()
    expect(page.locator("#mirror .bad")).to_have_count(1)
    assert page.locator("#mirror > div").nth(line - 1).get_attribute("class") == "bad"
    top = "one => one.getBoundingClientRect().top"
    assert text.evaluate("one => one.scrollTop") == 0, "lines stand beside their numbers"
    assert abs(text.evaluate(top) - page.locator("#mirror").evaluate(top)) < 1
    page.get_by_role("button", name=f"Line {line}: greeting: unknown").click()
    page.get_by_role("heading", name="What it is told").click()
    expect(page.locator("#mirror .bad")).to_be_in_viewport()
    shot(page, "agent-mistake-desk")
    assert_accessible(page)


def test_a_new_greeting_is_heard_and_answers_the_next_call(
    served: Served, looking: Looking
) -> None:
    """A mistake stands beside its line while it is there; the history has both versions."""
    page = looking().page()
    page.goto(served.base + "/console/agents/reception")
    text = page.get_by_role("textbox", name="What it is told")
    expect(page.get_by_text("No mistake in it")).to_be_visible()
    expect(page.locator("#prompt")).to_contain_text("telephone assistant of Linden Street Kitchen")
    shot(page, "agent-desk")
    assert_accessible(page)
    before = text.input_value()
    start, end = before.index("greeting: >-"), before.index("goodbye:")
    text.fill(f"{before[:start]}greeting: Hello {{{{ caler }}}}\n\n{before[end:]}")
    stands_beside_its_line(page, before[:start].count("\n") + 1)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_contain_text("the version before answers calls")
    page.get_by_role("button", name="Go on writing").click()
    text.fill(f"{before[:start]}greeting: {GREETING}\n\n{before[end:]}")
    expect(page.locator("#says")).to_contain_text(GREETING)
    heard = said_in(spoken(page))
    assert "lighthouse" in heard
    assert "museum" in heard
    expect(page.get_by_text("not saved")).to_be_visible()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved: the next call has it.")).to_be_visible()
    expect(page.get_by_text("not saved")).to_be_hidden()
    assert "lighthouse" in call(served, "reception")
    page.get_by_role("link", name="History").click()
    expect(page.locator("tr.added")).to_have_count(1)
    expect(page.locator("tr.added")).to_contain_text(GREETING)
    expect(page.get_by_role("navigation", name="Versions").get_by_role("link")).to_have_count(2)
    assert_accessible(page)
    shot(page, "agent-history-desk")
    page.get_by_role("navigation", name="Versions").get_by_role("link").nth(1).click()
    page.get_by_role("link", name="Load it into the editor").click()
    assert page.get_by_role("textbox", name="What it is told").input_value() == before
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("not saved")).to_be_hidden()
    expect(page).to_have_url(served.base + "/console/agents/reception")
    assert (served.folder / "prompts" / "reception.md").read_text() == before


def test_nobodys_change_is_lost_and_markup_is_text(served: Served, looking: Looking) -> None:
    """Of two who edit, the later sees what differs; text from right to left stays whole."""
    page = looking().page()
    page.goto(served.base + "/console/agents/museum")
    text = page.get_by_role("textbox", name="What it is told")
    expect(page.locator("#prompt")).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("#says")).to_contain_text("<b>מי</b>")
    path = served.folder / "prompts" / "museum.md"
    path.write_text(RIGHT_TO_LEFT + "Theirs.\n")
    text.fill(RIGHT_TO_LEFT + "Mine.\n")
    page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("tr.removed")).to_have_text("5−Theirs.")
    expect(dialog.locator("tr.added")).to_have_text("5+Mine.")
    assert_accessible(page)
    shot(page, "agent-conflict-desk")
    page.get_by_role("button", name="Save mine over theirs").click()
    expect(page.get_by_text("Saved: the next call has it.")).to_be_visible()
    assert path.read_text() == RIGHT_TO_LEFT + "Mine.\n"
    # Tab indents; after Escape it leaves.
    text.press("Control+Home")
    text.press("Tab")
    expect(text).to_have_value("  " + RIGHT_TO_LEFT + "Mine.\n")
    text.press("Escape")
    text.press("Tab")
    expect(text).not_to_be_focused()
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="History of museum")).to_be_visible()
    assert asked == ["beforeunload"]


def test_a_new_agent_is_written_on_a_telephone_in_the_dark(
    served: Served, looking: Looking
) -> None:
    """The list tells what is wrong; nothing is wider than the window."""
    page = looking(PHONE, color_scheme="dark").page()
    page.goto(served.base + "/console/agents")
    expect(page.get_by_text("has a mistake", exact=True)).to_be_visible()
    no_wider_than_the_window(page)
    assert_accessible(page)
    shot(page, "agents-telephone-dark")
    page.get_by_role("button", name="Check all").click()
    expect(page.get_by_text("did you mean greeting?").first).to_be_visible()
    page.get_by_label("Name", exact=True).fill("night-desk")
    page.get_by_label("Begin with").select_option("reception")
    page.get_by_role("button", name="Write it").click()
    expect(page.get_by_text("No mistake in it")).to_be_visible()
    no_wider_than_the_window(page)
    assert_accessible(page)
    shot(page, "agent-telephone-dark")
    assert not (served.folder / "prompts" / "night-desk.md").exists()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Call it")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("navigation", name="Versions").get_by_role("link")).to_have_count(1)
    no_wider_than_the_window(page)
    assert_accessible(page)
    shot(page, "agent-history-telephone-dark")
    desk = looking().page()
    desk.goto(served.base + "/console/agents?check=all")
    assert_accessible(desk)
    shot(desk, "agents-desk")
