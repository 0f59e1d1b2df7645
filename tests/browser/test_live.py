"""Calls in progress, as somebody sees them who looks after the service."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from agent.simulator.plan import Plan, Turn
from agent.simulator.stream_caller import place_call
from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.providers import moonshine
from tests.agent.records.test_conversation import ODD
from tests.browser.conftest import (
    LOOKS,
    Looking,
    Served,
    assert_accessible,
    serving,
    shot,
)
from tests.recordings import TRANSCRIPTS, load

MARKUP = '<img src=x onerror="window.broken = true"><b>bold</b>'
"""What somebody may say, or be called, to get into the page."""

ANSWERS = ("We are open from nine to five on weekdays.", "The kitchen closes at eight on Sunday.")
"""What the agent says, whatever it is asked: a language model that follows instructions."""

READ = """async ([module, lines]) => {
    const { Conversation } = await import(module);
    const conversation = new Conversation();
    for (const line of lines) conversation.add(line);
    conversation.over();
    return conversation.entries;
}"""

AT_THE_END = """() => {
    const list = document.getElementById("lines");
    return list.scrollTop + list.clientHeight >= list.scrollHeight - 1;
}"""


CAPTURE = """
    window.captured = [];
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (target, ...more) {
        if (target instanceof AudioDestinationNode && !(this instanceof ScriptProcessorNode)) {
            const recorder = this.context.createScriptProcessor(1024, 2, 1);
            recorder.onaudioprocess = ({ inputBuffer }) =>
                window.captured.push(inputBuffer.getChannelData(1).slice());
            connect.call(this, recorder);
            connect.call(recorder, target);
        }
        return connect.call(this, target, ...more);
    };
"""
"""Keeps what the page plays on the right, where the agent is: 32-bit floats at 8 kHz."""

CAPTURED = """() => {
    const sound = new Float32Array(window.captured.flatMap((block) => [...block]));
    const bytes = Array.from(new Uint8Array(sound.buffer), (one) => String.fromCharCode(one));
    return btoa(bytes.join(""));
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service whose agent has but few answers, and a real voice and real ears."""
    model = json.dumps({"lines": ANSWERS, "delay": 0.2})
    folder = tmp_path_factory.mktemp("service")
    with serving(folder, LLM__PROVIDER="scripted", LLM__OPTIONS=model) as one:
        yield one


def pushed(page: Page, path: str, *events: tuple[str, dict[str, Any]]) -> None:
    """Have the page be told these events, and none after them."""
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    page.route(
        f"**{path}",
        lambda route: route.fulfill(
            content_type="text/event-stream", body=f"retry: 3600000\n\n{body}"
        ),
    )


def static(page: Page) -> str:
    """Return the address below which the files of the console are."""
    address = page.locator("link[rel=stylesheet]").first.get_attribute("href")
    assert address is not None
    return address.removesuffix("/style.css")


def read(page: Page, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the page makes of the lines of a record."""
    found: list[dict[str, Any]] = page.evaluate(
        READ, [f"{static(page)}/live/conversation.js", list(lines)]
    )
    return found


def call(name: str, **more: Any) -> dict[str, Any]:
    """Return a call as the list is told of it."""
    return {
        "name": name,
        "record": "",
        "agent": "reception",
        "direction": "incoming",
        "caller": "+4915112345678",
        "called": "+498912345",
        "started": time.time() - 75,
        "floor": "nobody",
        "said": None,
        "host": "node-1",
        "pid": 4242,
        **more,
    }


def test_lines_are_read_as_everywhere_else(served: Served, looking: Looking) -> None:
    """Odd records read as the one reading in Python has them."""
    page = looking().page()
    page.goto(served.base + "/console/agents")
    for name, (lines, said) in ODD.items():
        told = [{"kind": kind, "at": at, **fields} for kind, at, fields in lines]
        entries = [one for one in read(page, told) if one["type"] == "said"]
        assert [(one["who"], one["text"], one["cutOff"]) for one in entries] == said, name


def test_what_is_understood_changes_in_place(served: Served, looking: Looking) -> None:
    """What they say so far, then all of it, is one line; nothing after all is none."""
    page = looking().page()
    page.goto(served.base + "/console/agents")
    so_far = {"kind": "understood", "at": 1.0, "until": 1.5, "text": "I would", "so_far": True}
    longer = so_far | {"until": 2.5, "text": "I would like"}
    whole = {"kind": "caller", "turn": 1, "at": 1.0, "until": 3.0, "text": "I would like tea."}
    keys = set()
    for lines in ([so_far], [so_far, longer], [so_far, longer, whole]):
        (only,) = read(page, lines)
        assert only["text"] == lines[-1]["text"]
        keys.add(only["key"])
    assert len(keys) == 1
    assert read(page, [so_far, so_far | {"text": "", "until": 1.6}]) == []
    aside = {"kind": "backchannel", "at": 1.0, "until": 1.4, "text": "mm-hm"}
    (only,) = read(page, [so_far, aside])
    assert only["aside"] == "backchannel"


FOLLOWED = """async (base) => {
    const { Conversation } = await import(`${base}/live/conversation.js`);
    const { Transcript } = await import(`${base}/live/transcript.js`);
    const list = document.createElement("ol");
    list.style.height = "120px";
    list.style.overflowY = "auto";
    document.getElementById("main").append(list);
    const conversation = new Conversation();
    const transcript = new Transcript(list, conversation);
    const places = [];
    const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    for (let turn = 1; turn <= 30; turn += 1) {
        conversation.add({ kind: "caller", turn, at: turn, until: turn + 0.5, text: "Once more." });
        transcript.changed();
        await drawn();
        const end = list.scrollHeight - list.clientHeight;
        places.push(list.scrollTop >= end - 1 ? "end" : list.scrollTop);
        if (turn === 20) list.scrollTop = 10;
    }
    return places;
}"""


def test_a_reader_who_has_scrolled_up_stays_there(served: Served, looking: Looking) -> None:
    """Everybody else has the end in view."""
    page = looking().page()
    page.goto(served.base + "/console/agents")
    places = page.evaluate(FOLLOWED, static(page))
    assert places == ["end"] * 20 + [10] * 10


SPOKEN: list[dict[str, Any]] = [
    {"kind": "call", "id": "r1", "call_id": "c1", "direction": "incoming", "agent": MARKUP,
     "caller": MARKUP, "called": "+498912345", "started": "2026-01-01T10:00:00+00:00"},
    {"kind": "agent", "turn": 1, "at": 0.4, "until": 2.0, "text": "Hello, who is this?",
     "said": "greeting", "cut_off": False},
    {"kind": "caller", "turn": 2, "at": 3.0, "until": 4.0, "text": MARKUP},
    {"kind": "timing", "turn": 2, "at": 4.9, "speech_end": 4.0, "heard": 4.62},
    {"kind": "heard", "turn": 2, "at": 4.62, "until": 5.5, "text": "We are", "more": True},
    {"kind": "held", "turn": 2, "at": 5.4},
    {"kind": "resumed", "turn": 2, "at": 5.8, "after": 0.4, "by": "noise"},
    {"kind": "backchannel", "at": 5.4, "until": 5.6, "text": "mm-hm"},
    {"kind": "held", "turn": 2, "at": 6.9},
    {"kind": "barge_in", "turn": 2, "at": 7.4, "by": "words"},
    {"kind": "agent", "turn": 2, "at": 4.62, "until": 7.0, "text": "We are open from nine to",
     "cut_off": True, "unheard": "five, on weekdays.", "said": "answer"},
    {"kind": "tool", "turn": 3, "at": 8.0, "name": "opening_hours", "status": "done",
     "seconds": 0.31},
    {"kind": "failover", "stage": "tts", "at": 8.2, "provider": "one", "to": "two",
     "error": "timeout", "reason": "no audio"},
    {"kind": "whisper", "at": 8.5, "text": MARKUP, "by": "ann"},
    {"kind": "transfer", "at": 9.0, "to": "+4915100000000", "status": "started"},
    {"kind": "heard", "turn": 3, "at": 9.3, "until": 10.0, "text": "On Saturdays, too."},
    {"kind": "understood", "at": 11.0, "until": 11.8, "text": "And on", "so_far": True},
]  # fmt: skip
"""The lines of a call in which all happens that can."""


def test_a_call_is_shown_as_it_is_spoken(served: Served, looking: Looking) -> None:
    """Who said what, what was cut off, what happened between; markup stays what was said."""
    for size, scheme in LOOKS:
        page = looking(size, color_scheme=scheme).page()
        lines = [("line", line) for line in SPOKEN]
        pushed(page, "/console/live/c1/events", *lines, ("floor", {"floor": "caller", "at": 11.0}))
        page.goto(served.base + "/console/live/c1")
        rows = page.locator("#lines > li")
        expect(rows).to_have_count(12)
        expect(rows.nth(1).locator(".words")).to_have_text(MARKUP)
        expect(page.locator("#title")).to_have_text(MARKUP)
        expect(page.locator("#caller")).to_have_text(MARKUP)
        assert page.evaluate("window.broken") is None
        expect(page.locator("del")).to_have_text("five, on weekdays.")
        expect(page.locator("#lines")).to_contain_text("answered after 0.62 s")
        expect(page.locator("#last-answer")).to_have_text("0.62 s")
        kinds = page.locator("#lines > .happened").evaluate_all(
            "all => all.map(one => one.dataset.kind)"
        )
        assert kinds == ["resumed", "barge_in", "tool", "failover", "whisper", "transfer"]
        expect(page.locator("#floor")).to_have_text("Caller speaks")
        expect(page.locator("#lines > .open")).to_have_count(2)
        page.wait_for_function(AT_THE_END)
        assert_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        shot(page, f"live-call-{size[0]}-{scheme}")


def test_who_is_on_a_line_of_several_is_shown(served: Served, looking: Looking) -> None:
    """And how it stands with them, in place; of a call to one phone there is nothing of that."""
    changes: list[dict[str, Any]] = [
        {"party": "p1", "title": MARKUP, "status": "joined"},
        {"party": "p2", "title": "Ben", "status": "expected"},
        {"party": "p3", "status": "joined"},
        {"party": "p2", "status": "not reached", "why": "busy"},
        {"party": "p1", "title": MARKUP, "status": "left"},
    ]
    page = looking(LOOKS[0][0]).page()
    lines = [("line", {"kind": "party", "at": 1.0, **one}) for one in changes]
    pushed(page, "/console/live/c1/events", ("line", SPOKEN[0]), *lines)
    pushed(page, "/console/live/c2/events", *[("line", line) for line in SPOKEN])
    page.goto(served.base + "/console/live/c1")
    expect(page.locator("#people dt")).to_have_text([MARKUP, "Ben", "party 3"])
    expect(page.locator("#people dd")).to_have_text(["left", "not reached (busy)", "joined"])
    assert page.evaluate("window.broken") is None
    assert_accessible(page)
    page.goto(served.base + "/console/live/c2")
    expect(page.locator("#lines > li")).to_have_count(12)
    expect(page.locator("#parties")).to_be_hidden()


def test_who_has_answered_and_agreed_is_told_in_words(served: Served, looking: Looking) -> None:
    """And which words were none for the agent, on a line of several."""
    said = {"kind": "agent", "turn": 1, "at": 1.0, "until": 2.0, "cut_off": False}
    lines: list[dict[str, Any]] = [
        {"kind": "screened", "at": 0.5, "answerer": "human", "by": "ears", "why": "short"},
        said | {"text": "I am a machine.", "said": "disclosure"},
        said | {"at": 3.0, "until": 4.0, "text": "May I?", "said": "consent question"},
        {"kind": "consent", "at": 5.0, "status": "given", "by": "word"},
        {"kind": "caller", "turn": 2, "at": 6.0, "until": 7.0, "text": "Ben?", "to": "others"},
        {"kind": "opt_out", "at": 8.0, "by": "keys"},
    ]
    page = looking().page()
    pushed(page, "/console/live/c1/events", *[("line", line) for line in [SPOKEN[0], *lines]])
    page.goto(served.base + "/console/live/c1")
    told = page.locator("#lines .about, #lines > .happened")
    expect(told).to_have_text(
        [
            "0:00 · A person has answered",
            "0:01 · disclosure",
            "0:03 · asks for consent",
            "0:05 · Agreed to talk with the agent",
            "0:06 · to others on the line",
            "0:08 · Wants no more calls",
        ]
    )
    shot(page, "live-call-agreed")


def test_the_list_is_sorted_and_changes_in_place(served: Served, looking: Looking) -> None:
    """Rows stay where they are while calls go on; markup stays text."""
    now = time.time()
    calls = [
        call(
            "b",
            started=now - 20,
            said={"who": "agent", "text": "How can I help you today?"},
            floor="agent",
        ),
        call(
            "a",
            agent=MARKUP,
            caller=MARKUP,
            said={"who": "caller", "text": MARKUP * 5},
            floor="caller",
        ),
        call("c", started=now - 4000, agent="billing", direction="outgoing", host="node-2"),
    ]
    for size, scheme in LOOKS:
        page = looking(size, color_scheme=scheme).page()
        pushed(
            page,
            "/console/events",
            ("calls", {"calls": calls}),
            ("gone", {"name": "none"}),
            ("call", calls[0] | {"said": {"who": "caller", "text": "Is it open?"}}),
        )
        page.goto(served.base + "/console")
        rows = page.locator("#calls > li")
        expect(rows).to_have_count(3)
        expect(page.locator("#calls .whose")).to_have_text(["billing", MARKUP, "reception"])
        expect(rows.nth(2)).to_contain_text("Is it open?")
        expect(page.locator("#total")).to_have_text("3")
        assert page.evaluate("window.broken") is None
        page.get_by_label("Sort by").select_option("newest")
        expect(page.locator("#calls .whose")).to_have_text(["reception", MARKUP, "billing"])
        assert_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        shot(page, f"live-{size[0]}-{scheme}")


def placed(served: Served, name: str) -> None:
    """Have a caller ask twice, and hold the line, until the agent hangs up."""
    turns = [Turn(audio=load(one), label=TRANSCRIPTS[one]) for one in ("hello", "which-folder")]
    plan = Plan(turns=turns, linger=90, max_seconds=120, rate=turns[0].audio.rate)
    url = served.base.replace("http:", "ws:") + "/stream"
    asyncio.run(place_call(url, plan, lambda _at, _line: None, name))


def transcribed(sound: Audio) -> str:
    """Return the words of it, as the local model hears them."""

    async def speech() -> AsyncIterator[Audio]:
        yield at_rate([sound], SPEECH_RATE)

    async def main() -> str:
        transcriber = moonshine.Transcriber(moonshine.Transcriber.Options())
        await transcriber.start()
        try:
            return await transcriber.transcribe(speech())
        finally:
            await transcriber.aclose()

    return asyncio.run(main())


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(re.findall(r"\w+", text.lower()))


def test_a_call_is_seen_heard_and_ended(served: Served, looking: Looking) -> None:
    """It comes to the list; its words come to its page, and its sound; orders reach it."""
    window = looking()
    page = window.page()
    page.add_init_script(CAPTURE)
    page.goto(served.base + "/console")
    expect(page.locator("#none")).to_be_visible()
    with ThreadPoolExecutor() as pool:
        calling = pool.submit(placed, served, "call of the test")
        page.get_by_role("link", name="reception").click()
        lines = page.locator("#lines")
        page.get_by_role("button", name="Start listening").click()
        expect(lines).to_contain_text(ANSWERS[1], timeout=60_000)
        expect(lines).to_contain_text("folder")  # the caller's
        expect(lines).to_contain_text("answered after ")
        expect(page.locator("#last-answer")).to_contain_text(" s")
        expect(page.locator("#delay")).to_contain_text(re.compile(r"You hear the call about \d"))
        sound = np.frombuffer(base64.b64decode(page.evaluate(CAPTURED)), "<f4")
        page.get_by_role("button", name="Stop listening").click()
        page.get_by_label("Whisper to the agent").fill("Offer them tea.")
        page.get_by_role("button", name="Whisper").press("Enter")
        expect(lines).to_contain_text("Offer them tea.")
        expect(page.get_by_label("Whisper to the agent")).to_have_value("")
        page.get_by_role("button", name="Take over").click()
        page.get_by_label("Your number").fill("+4915112345678")
        page.get_by_role("button", name="Ring my phone").click()
        expect(page.locator("#take-over .error")).to_contain_text("Sinch is not set up")
        assert "409 (Conflict)" in window.wrong.pop()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Hang up").click()
        assert_accessible(page)
        shot(page, "live-call-hang-up")
        page.get_by_role("button", name="Hang up at once").click()
        expect(page.locator("#how-it-ended")).to_have_text("An operator hung up")
        calling.result(30)
        pcm = np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
        heard = words(pool.submit(transcribed, Audio(pcm, 8000)).result(60))
    shot(page, "live-call-over")
    expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    record = page.get_by_role("link", name="Open its record").get_attribute("href")
    assert record is not None
    assert re.fullmatch(r"/console/calls/[\w%.-]+", record)
    assert len(heard & words(ANSWERS[1])) >= 4, heard
    page.goto(served.base + "/console")
    expect(page.locator("#none")).to_be_visible()
