"""Whom we call: by the rules of the settings, and within their limits."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.call.orders import TransferCaller
from agent.phone_numbers import address, person
from agent.settings.dialling import DiallingSettings
from agent.settings.sinch import SinchSettings
from agent.sinch.callbacks import IncomingCall, LegEnded, Version
from agent.sinch.contracts import Dial
from agent.sinch.dialling.dial_rules import allowed_countries, refusal
from agent.sinch.refusals import AllowanceUsedUpError, DestinationRefusedError, RefusedError
from agent.sinch.tokens import Claims
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell

HOME = "+12025550100"


def refused(to: str, caller_id: str = HOME, country: str = "", **rules: Any) -> str:
    settings = SinchSettings(
        caller_id=caller_id, country=country, dialling=DiallingSettings(**rules)
    )
    return refusal(address(to, country), settings.dialling, *allowed_countries(settings))


@pytest.mark.parametrize(
    ("to", "rules", "why"),
    [
        ("+12025550123", {}, ""),
        ("+18002530000", {}, ""),  # freephone
        ("+10000000000", {}, "nobody has"),
        ("+15551234567", {}, "nobody has"),
        ("+19005551234", {}, "premium-rate"),
        ("+15005550123", {}, "personal"),
        ("+18765551234", {}, "in JM"),  # the classic: it begins with +1
        ("+18095551234", {}, "in DO"),
        ("+442079460000", {}, "in GB"),
        ("+442079460000", {"countries": ("GB",)}, ""),
        ("+12025550123", {"countries": ("GB",)}, "in US"),
        ("+443001234567", {"countries": ("GB",)}, ""),
        ("+447624123456", {"countries": ("GB",)}, "in IM"),
        ("+448431234567", {"countries": ("GB",)}, "premium-rate"),
        ("+447012345678", {"countries": ("GB",)}, "personal"),
        ("+491805123456", {"countries": ("DE",)}, "shared-cost"),
        ("+870773111632", {}, "satellite"),
        ("+881612345678", {}, "satellite"),
        ("+882161234567", {}, "satellite"),
        ("+883510012345678", {}, "satellite"),
        ("+979123456789", {}, "satellite or an international"),
        ("+870773111632", {"numbers": ("+870 773 111 632",)}, ""),
        ("+881612345678", {"numbers": ("+8816*",)}, ""),
        ("+19005551234", {"numbers": ("+1 (900) 555-1234",)}, ""),
        ("+19005551235", {"numbers": ("+1 (900) 555-1234",)}, "premium-rate"),
        ("+15551234567", {"numbers": ("+1555*",)}, ""),
        ("+1911", {}, "emergency"),
        ("+49112", {"countries": ("DE",)}, "emergency"),
        ("+44999", {"countries": ("GB",)}, "emergency"),
        ("+1911", {"numbers": ("+19*", "+1911*")}, "emergency"),
        ("+1911", {"numbers": ("+1911",)}, ""),
        ("user:ann", {}, "dialling.users"),
        ("user:ann", {"numbers": ("+12*",), "countries": ("US",)}, "dialling.users"),
        ("user:ann", {"users": ("bob", "anna", "An*")}, "dialling.users"),
        ("user:ann", {"users": ("ann",)}, ""),
        ("user:ann@example.com", {"users": ("ann*",)}, ""),
        ("user:911", {"users": ("*",)}, ""),
        ("user:+19005551234", {"users": ("ann",)}, "dialling.users"),
        ("sip:desk@example.com", {}, "sip_hosts"),
        ("sip:desk@EXAMPLE.com.:5060", {"sip_hosts": ("Example.com",)}, ""),
        ("sips:desk@example.com.evil.org", {"sip_hosts": ("example.com",)}, "sip_hosts"),
        ("sip:desk@pbx.example.com", {"sip_hosts": ("example.com",)}, "sip_hosts"),
        ("sip:911@example.com", {"sip_hosts": ("example.com",)}, "emergency"),
        ("sip:+1911;phone-context=x@example.com", {"sip_hosts": ("example.com",)}, "emergency"),
    ],
)
def test_who_may_be_called(to: str, rules: dict[str, Any], why: str) -> None:
    """Usual telephones of the countries that are allowed, and what is named; the rest by reason."""
    said = refused(to, **rules)
    assert why in said
    assert bool(said) == bool(why)
    assert to.lstrip("+") not in said


@pytest.mark.parametrize(
    "text",
    [
        *("253-0000", "555-0123", "2025550", "911-0000", "123", "988", "000", "0000", "+1 2530000"),
        *("000-000-0000", "0000000000", "111-111-1111", "123-456-7890", "999-999-9999"),
        *("012-555-0123", "202-055-0123", "202-155-0123", "+1 202 000 0000", "555-555-5555"),
        *("+1 202 555 012", "+1 202 555 01234", "202 555 0123 / 24", "+12025550123;ext=5"),
        *("202-555-0123 ext. 5", "+1 202 555 0123,,12", "*67 202 555 0123", "call me", "", "+"),
        *("911", "9-1-1", "112", "+1 911", "+1-112", "\uff19\uff11\uff11", "sip:911@example.com"),
        *("900-555-1234", "+1 500 555 0123", "+999 123456789", "+800 1234 5678", "user:ann"),
    ],
)
def test_local_and_nobodys_numbers_are_not_dialled(text: str) -> None:
    """However they are written, in the country that numbers without + are of."""
    try:
        to = address(text, "US")
    except ValueError:
        return
    rules = DiallingSettings(sip_hosts=("example.com",))
    assert refusal(to, rules, frozenset({"US"}), "US"), to


def test_version_two_calls_no_users() -> None:
    """Which is said at the start, and not when somebody is to be called."""
    with pytest.raises(ValueError, match=r"dialling\.users: version 2 calls no In-App users"):
        SinchSettings(api="v2", dialling=DiallingSettings(users=("ann",)))


def test_without_a_country_nobody_is_called() -> None:
    """The caller id has one, or else the settings; a caller id of a request does not count."""
    assert "no country may be called" in refused("+12025550123", caller_id="")
    assert refused("+12025550123", caller_id="", country="US") == ""
    assert "in US: sinch.dialling.countries has GB" in refused("+12025550123", "+442079460000")


@given(st.from_regex(r"\+[1-9][0-9]{2,14}", fullmatch=True))
def test_any_number_is_called_or_refused_for_a_reason(to: str) -> None:
    """Nothing else comes of one; without a country of theirs, none is called."""
    try:
        number = address(to)
    except ValueError:
        return
    rules = DiallingSettings(countries=("US",))
    said = refusal(number, rules, frozenset({"US"}), "US")
    assert number.startswith("+1") or said
    assert refusal(number, rules, frozenset(), "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"countries": ("us",)},
        {"countries": ("001",)},
        {"countries": ("ZZ",)},
        {"numbers": ("*",)},
        {"numbers": ("2025550123",)},
        {"numbers": ("+*",)},
        {"sip_hosts": ("sip:example.com",)},
        {"sip_hosts": ("*",)},
        {"users": ("",)},
        {"users": (" ann",)},
        {"users": ("a\nb",)},
        {"amount_a_day": math.inf},
        {"amount_a_day": math.nan},
        {"at_once": -1},
    ],
)
def test_a_rule_that_would_allow_anything_is_refused(wrong: dict[str, Any]) -> None:
    """Before anybody is called by it."""
    with pytest.raises(ValueError, match="1 validation error"):
        DiallingSettings(**wrong)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_destination_is_refused_on_every_way(tmp_path: Path, version: Version) -> None:
    """A call, an operator's transfer, an agent's: Sinch is asked nothing, no number is logged."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        before = len(s.platform.asked)
        with capture_logs() as logs:
            for to in ("+19005551234", "+442079460000", "sip:a@b.example", "+1911", "+10000000000"):
                with pytest.raises(DestinationRefusedError):
                    await s.call_control.dial(Dial(to=to, agent="reception"), "the-very-same-key")
                order = TransferCaller(to=to, announcement="One moment.")
                with pytest.raises(DestinationRefusedError):
                    await s.call_control.request_transfer("phone", order)
                with pytest.raises(DestinationRefusedError):
                    await s.call_control.transfer(claims, to)
                assert to not in str(logs)
        assert len(s.platform.asked) == before
        assert {line["event"] for line in logs} == {"not dialled"}
        assert logs[0]["to"] == "…234"
        # The key is free, and so is the line.
        await s.call_control.dial(Dial(to=TO, agent="reception"), "the-very-same-key")
        await s.call_control.transfer(claims, MANAGER)

    tell(tmp_path, version, story, conference=True)


async def dial(s: Story, to: str = TO, max_seconds: int = 600) -> str:
    return (await s.call_control.dial(Dial(to=to, agent="reception", max_seconds=max_seconds))).name


async def cost(s: Story, name: str, amount: str, seconds: float | None = 61.0) -> None:
    leg = s.leg(name, f"phone of {name}")
    ended = LegEnded(
        leg=leg, result="ANSWERED", reason="N/A", seconds=seconds, amount=amount, currency="EUR"
    )
    await s.call_control.answer(ended)
    await asyncio.sleep(0.01)


def test_a_number_is_called_so_often_a_day(tmp_path: Path) -> None:
    """Whatever became of the calls; others may be, and callers are passed on to it apart."""

    async def story(s: Story) -> None:
        for _ in range(2):
            await s.ended(await dial(s), "x", "NOANSWER")
        with pytest.raises(AllowanceUsedUpError, match="this number"):
            await dial(s)
        await dial(s, MANAGER)
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.transfer(claims, TO)
        with pytest.raises(AllowanceUsedUpError, match="this number"):
            await s.call_control.transfer(claims, TO)

    rules = {"calls_to_a_number": 2, "transfers_to_a_number": 1}
    tell(tmp_path, "v2", story, dialling=rules)


def test_so_many_calls_are_in_progress(tmp_path: Path) -> None:
    """Until the platform says that one has ended; what it refused never was."""

    async def story(s: Story) -> None:
        s.platform.fails.add("place")
        for _ in range(3):
            with pytest.raises(RefusedError):
                await dial(s)
        s.platform.fails.clear()
        names = [await dial(s) for _ in range(2)]
        with pytest.raises(AllowanceUsedUpError, match="at_once"):
            await dial(s)
        await s.ended(names[0], "x")
        await asyncio.sleep(0.01)
        await dial(s)

    tell(tmp_path, "v1", story, dialling={"at_once": 2})


@pytest.mark.parametrize(
    ("version", "amount", "seconds", "calls"),
    [
        ("v1", "0.25", 61.0, 3),  # 1.00 a day: what is spent, and 0.50 for the next
        ("v1", "", 61.0, 6),  # not told: two minutes at 0.05 each
        ("v1", "nan", 61.0, 6),
        ("v1", "-3", 61.0, 6),
        ("v1", "", None, 2),  # nothing is known: ten minutes, as it was reserved
        ("v2", "0.10", 61.0, 3),  # the price of a minute, two begun
        ("v1", "0", 61.0, 8),
    ],
)
def test_calls_cost_so_much_a_day(
    tmp_path: Path, version: Version, amount: str, seconds: float | None, calls: int
) -> None:
    """Each as the longest that it may last, until the platform tells what it has cost."""

    async def story(s: Story) -> None:
        for _ in range(calls):
            await cost(s, await dial(s), amount, seconds)
        if amount != "0":
            with pytest.raises(AllowanceUsedUpError, match="amount_a_day"):
                await dial(s)
            with pytest.raises(AllowanceUsedUpError, match="amount_a_day"):
                await dial(s, max_seconds=14400)

    tell(tmp_path, version, story, dialling={"amount_a_day": 1.0, "calls_to_a_number": 100})


def test_what_is_in_progress_counts_at_its_longest(tmp_path: Path) -> None:
    """So that many calls at the same moment do not pass what one after the other would not."""

    async def story(s: Story) -> None:
        await dial(s)
        name = await dial(s)
        with pytest.raises(AllowanceUsedUpError, match="amount_a_day"):
            await dial(s, max_seconds=60)
        await cost(s, name, "0.01")
        await dial(s, max_seconds=60)

    tell(tmp_path, "v1", story, dialling={"amount_a_day": 1.0})


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_who_wants_no_more_calls_is_not_called(tmp_path: Path, version: Version) -> None:
    """Whichever agent it was told; a caller is passed on to them, and their key is free."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        assert await s.call_control.opt_out(MANAGER, "other", "model")
        assert not await s.call_control.opt_out(MANAGER, "reception", "keys")
        before = len(s.platform.asked)
        with capture_logs() as logs:
            for key in ("the-very-same-key", "the-very-same-key"):
                with pytest.raises(DestinationRefusedError, match="wants no more calls from us"):
                    await s.call_control.dial(Dial(to=MANAGER, agent="reception"), key)
        assert len(s.platform.asked) == before
        assert MANAGER not in str(logs)
        await s.call_control.dial(Dial(to=TO, agent="reception"), "the-very-same-key")
        await s.call_control.transfer(claims, MANAGER)

    tell(tmp_path, version, story, conference=True)


def test_a_number_has_opted_out_however_it_is_dialled() -> None:
    """In a SIP address, too, where it has a number."""
    assert person("sip:+12025550123@pbx.example.com") == person("+12025550123") == "+12025550123"
    assert person("sip:2025550123@pbx.example.com", "US") == "+12025550123"
    assert person("sip:Desk@PBX.example.com") == person("sip:desk@pbx.example.com")
    assert person("user:Ann") == "user:Ann"


OF_ONE = (
    "sip:+15550000001@example.com",
    "sip:+15550000001@example.com:5060",
    "sip:+15550000001@pbx.example.com",
)
"""The same telephone as TO, by way of somebody's exchange."""


@pytest.mark.parametrize("first", [TO, OF_ONE[0]])
def test_a_person_is_counted_however_their_number_is_written(tmp_path: Path, first: str) -> None:
    """Calls, and transfers for themselves; somebody else at the same host is another."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await dial(s, first)
        for again in (TO, *OF_ONE):
            with pytest.raises(AllowanceUsedUpError, match="this number was called as often"):
                await dial(s, again)
        await dial(s, "sip:desk@example.com")
        with pytest.raises(AllowanceUsedUpError):
            await dial(s, "sip:desk@example.com:5060")
        await s.call_control.transfer(claims, first)
        for again in (TO, *OF_ONE):
            with pytest.raises(AllowanceUsedUpError):
                await s.call_control.transfer(claims, again)

    rules = {
        "numbers": ("+1555*",),
        "sip_hosts": ("example.com", "pbx.example.com"),
        "calls_to_a_number": 1,
        "transfers_to_a_number": 1,
    }
    tell(tmp_path, "v1", story, conference=True, dialling=rules)
