"""A caller who was taken over, on the page of their call: given back to the agent."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Route, expect

from tests.browser.conftest import Looking, Served, assert_accessible, shot
from tests.browser.test_live import pushed, served

__all__ = ["served"]

STARTED: dict[str, Any] = {
    "kind": "call",
    "at": 0.0,
    "agent": "reception",
    "direction": "incoming",
    "started": "2026-11-26T12:00:00+00:00",
}
TO = "+4915112345678"


def transfer(status: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "line", {"kind": "transfer", "at": 3.0, "to": TO, "status": status, **more}


def test_a_caller_is_given_back(served: Served, looking: Looking) -> None:
    """The button is there while somebody else talks to them, and only then."""
    page = looking().page()
    before = [("line", STARTED), transfer("started"), transfer("done")]
    pushed(page, "/console/live/c1/events", *before)
    asked: list[str] = []

    def give_back(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(status=202, json={})

    page.route("**/console/live/c1/return", give_back)
    page.goto(served.base + "/console/live/c1")
    back = page.get_by_role("button", name="Give back to the agent")
    expect(back).to_be_visible()
    expect(page.get_by_role("button", name="Take over")).to_be_hidden()
    expect(page.get_by_role("button", name="Transfer")).to_be_hidden()
    assert_accessible(page)
    shot(page, "live-call-taken-over")
    back.click()
    expect(page.locator("#notices")).to_contain_text("The agent goes on with the caller.")
    assert asked == ["{}"]

    page.unroute("**/console/live/c1/events")
    pushed(page, "/console/live/c1/events", *before[:2])
    page.reload()
    ringing = page.get_by_role("button", name="Stop the ringing")
    expect(ringing).to_be_visible()
    expect(page.get_by_role("button", name="Take over")).to_be_hidden()
    ringing.click()
    expect(page.locator("#notices")).to_contain_text("The agent goes on with the caller.")
    assert asked == ["{}", "{}"]

    page.unroute("**/console/live/c1/events")
    pushed(page, "/console/live/c1/events", *before, transfer("returned", by="operator"))
    page.reload()
    expect(page.locator("#lines")).to_contain_text("The agent is back, called by an operator")
    expect(back).to_be_hidden()
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_label("When you hang up before the caller")).to_have_value("return")
    expect(page.get_by_role("dialog").get_by_label("What the agent says before")).to_have_value(
        "I'm handing you over to a colleague. One moment, please."
    )
    assert_accessible(page)
    shot(page, "live-call-take-over")
