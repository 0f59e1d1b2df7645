"""Calls in progress, as somebody sees them who looks after the service."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page, expect

from tests.agent.records.test_conversation import ODD
from tests.browser.conftest import DESKTOP, PHONE, Looking, Served, assert_accessible, shot

MARKUP = '<img src=x onerror="window.broken = true"><b>bold</b>'
"""What somebody may say, or be called, to get into the page."""

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
    {"kind": "transfer", "at": 9.0, "to": "+4915100000000", "status": "started"},
    {"kind": "heard", "turn": 3, "at": 9.3, "until": 10.0, "text": "On Saturdays, too."},
    {"kind": "understood", "at": 11.0, "until": 11.8, "text": "And on", "so_far": True},
]  # fmt: skip
"""The lines of a call in which all happens that can."""


def test_a_call_is_shown_as_it_is_spoken(served: Served, looking: Looking) -> None:
    """Who said what, what was cut off, what happened between; markup stays what was said."""
    for size, scheme in ((DESKTOP, "light"), (PHONE, "light"), (DESKTOP, "dark"), (PHONE, "dark")):
        page = looking(size, color_scheme=scheme).page()
        lines = [("line", line) for line in SPOKEN]
        pushed(page, "/console/live/c1/events", *lines, ("floor", {"floor": "caller", "at": 11.0}))
        page.goto(served.base + "/console/live/c1")
        rows = page.locator("#lines > li")
        expect(rows).to_have_count(11)
        expect(rows.nth(1).locator(".words")).to_have_text(MARKUP)
        expect(page.locator("#title")).to_have_text(MARKUP)
        expect(page.locator("#caller")).to_have_text(MARKUP)
        assert page.evaluate("window.broken") is None
        expect(page.locator("del")).to_have_text("five, on weekdays.")
        expect(page.locator("#lines")).to_contain_text("answered in 0.62 s")
        expect(page.locator("#last-answer")).to_have_text("0.62 s")
        kinds = page.locator("#lines > .happened").evaluate_all(
            "all => all.map(one => one.dataset.kind)"
        )
        assert kinds == ["resumed", "barge_in", "tool", "failover", "transfer"]
        expect(page.locator("#floor")).to_have_text("Caller speaks")
        expect(page.locator("#lines > .open")).to_have_count(2)
        page.wait_for_function(AT_THE_END)
        assert_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        shot(page, f"live-call-{size[0]}-{scheme}")


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
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark")):
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
