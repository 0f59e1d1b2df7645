"""Telephone numbers: as they are dialled, refused, and shown in a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.phone_numbers import (
    EMERGENCY,
    ImpossibleNumberError,
    address,
    number,
    oddity,
    person,
    shortened,
)


@pytest.mark.parametrize(
    ("text", "country", "dialled"),
    [
        ("+1 (202) 555-0123", "", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("0044 20 7946 0000", "DE", "+442079460000"),
        (" sip:Desk@example.com ", "", "sip:Desk@example.com"),
        ("sips:desk@example.com:5061", "", "sips:desk@example.com:5061"),
    ],
)
def test_a_number_is_dialled_as_it_was_meant(text: str, country: str, dialled: str) -> None:
    """With the country where it has none; SIP addresses as they are."""
    assert address(text, country) == dialled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025550123",
        "+1",
        "+1 555",
        "+1 253 0000",
        "hello",
        "sip:",
        "sip:a b@c",
        "+12025550123 ext 5",
    ],
)
def test_what_nobody_can_have_is_refused(text: str) -> None:
    """Before anything is dialled; the error does not quote it."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - any wording that does not quote
        address(text)
    assert len(text) < 5 or text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "country", "odd"),
    [
        ("000-000-0000", "US", "a number that nobody has"),
        ("911", "US", EMERGENCY),
        ("110", "DE", EMERGENCY),  # possible within a town of Germany, and dialled before
        ("000", "AU", EMERGENCY),
        ("15", "FR", EMERGENCY),
        ("(202) 555-0123", "US", ""),
        ("0900 1 123456", "DE", "a premium-rate number"),
    ],
)
def test_what_is_no_usual_telephone_is_told(text: str, country: str, odd: str) -> None:
    """By the numbering plan of its country; whether it is called is for others to decide."""
    assert oddity(number(text, country)).startswith(odd)
    assert bool(oddity(number(text, country))) == bool(odd)


def test_a_local_number_is_none() -> None:
    """It would be dialled without its area."""
    with pytest.raises(ImpossibleNumberError):
        number("253-0000", "US")


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


@pytest.mark.parametrize(
    ("dialled", "reached"),
    [
        ("+12025550123", "+12025550123"),
        ("sip:+12025550123@pbx.example.com", "+12025550123"),
        ("sips:12025550123@pbx.example.com:5061", "+12025550123"),
        ("sip:%2B12025550123@pbx.example.com", "+12025550123"),
        ("sip:2025550123;ext=7@pbx.example.com", "+12025550123"),
        ("sip:Ann@PBX.example.com.", "sip:ann@pbx.example.com"),
        ("sips:ann@pbx.example.com:5061", "sip:ann@pbx.example.com"),
        ("sip:%61nn;tag=1@pbx.example.com", "sip:ann@pbx.example.com"),
        ("user:Ann", "user:Ann"),
    ],
)
def test_whoever_is_reached_is_one_however_they_are_dialled(dialled: str, reached: str) -> None:
    """So nobody who has opted out is called by another spelling."""
    assert person(dialled, "US") == reached
