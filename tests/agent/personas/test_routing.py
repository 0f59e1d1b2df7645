"""Which agent answers, and what numbers look like."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.personas.routing import Routing, fits
from agent.phone_numbers import address, number, shortened
from agent.settings.sinch import Route

CALLER, CALLED = "+442079460000", "+15550100"


def test_the_first_rule_that_fits_decides(tmp_path: Path) -> None:
    """Then the numbers in agent files; then the usual agent, or nobody."""
    head = "---\ngreeting: Hello.\n"
    (tmp_path / "sales.md").write_text(f"{head}numbers: ['+1 555 01 00']\n---\nSell.")
    (tmp_path / "broken.md").write_text("nothing")
    routes = [
        Route(agent="vip", caller="+44 20*", headers={"X-Tier": "gold"}),
        Route(agent="uk", caller="+44*"),
        Route(agent="sip", called="sip:Desk@example.com"),
    ]
    routing = Routing(folder=tmp_path, usual="reception", routes=routes)
    assert routing.agent(CALLED, CALLER, {"x-tier": "Gold"}) == "vip"
    assert routing.agent(CALLED, CALLER, {}) == "uk"
    assert routing.agent("sip:desk@example.com", "", {}) == "sip"
    assert routing.agent(CALLED, "+33123456789", {}) == "sales"
    assert routing.agent("+15550199", "", {}) == "reception"
    assert Routing(folder=tmp_path, usual="").agent("+15550199", "", {}) == ""


@pytest.mark.parametrize(
    ("route", "fitting"),
    [
        (Route(agent="a"), True),
        (Route(agent="a", called="+1 (555) 01-00"), True),
        (Route(agent="a", called="+1555010"), False),
        (Route(agent="a", caller="*"), True),
        (Route(agent="a", headers={"x": "*"}), True),
        (Route(agent="a", headers={"y": "*"}), False),
        (Route(agent="a", headers={"x": ""}), True),
    ],
)
def test_a_rule_fits_what_it_names(route: Route, fitting: bool) -> None:
    """Numbers however they are written; a star for anything that is there."""
    assert fits(route, CALLED, CALLER, {"x": "1"}) == fitting


@pytest.mark.parametrize(
    ("text", "country", "dialled"),
    [
        ("+1 (202) 555-0123", "", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("020 7946 0000", "GB", CALLER),
        ("0044 20 7946 0000", "DE", CALLER),
        (" sip:Desk@example.com ", "", "sip:Desk@example.com"),
        ("sips:desk@example.com:5061", "", "sips:desk@example.com:5061"),
    ],
)
def test_a_number_is_dialled_as_it_was_meant(text: str, country: str, dialled: str) -> None:
    """With the country where it has none; SIP addresses as they are."""
    assert address(text, country) == dialled


@pytest.mark.parametrize(
    "text", ["", "2025550123", "+1", "+1 555", "hello", "sip:", "sip:a b@c", "+12025550123 ext 5"]
)
def test_what_nobody_can_have_is_refused(text: str) -> None:
    """Before anything is dialled; the error does not quote it."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - any wording that does not quote
        address(text)
    assert len(text) < 5 or text not in str(caught.value)


def test_a_log_shows_the_end_of_a_number() -> None:
    """Never all of it."""
    assert shortened(number("+12025550123")) == "…123"
    assert shortened("12") == "…"


@given(st.text() | st.from_regex(r"(sips?:|\+)?[0-9a-z@. ()-]*", fullmatch=True))
def test_anything_is_an_address_or_a_mistake(text: str) -> None:
    """What an operator or an agent file may hold; the message does not quote it."""
    try:
        found = address(text, "US")
    except ValueError as error:
        assert len(text) < 5 or text not in str(error)  # noqa: PT017 - either is right
        return
    assert found.startswith("+") or found.lower().startswith("sip")
    assert not set(found) & set(" \r\n")
