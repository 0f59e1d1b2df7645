"""Whom the service may call, and how much of it: what keeps a stolen token from being expensive."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from agent import phone_numbers
from agent.phone_numbers import USER
from agent.sinch_limits import MAX_SECONDS
from pipelines.settings import Section


def _country(code: str) -> str:
    if not phone_numbers.is_country(code):
        raise ValueError("two letters of a country with telephone numbers, such as US")
    return code


def _named(text: str) -> str:
    number = re.sub(r"[\s().-]", "", text)
    if not re.fullmatch(r"\+[1-9][0-9]{1,14}\*?", number):
        raise ValueError("a number with + and the country; with * at its end, all that begin so")
    return number


def _host(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", name):
        raise ValueError("a host, such as pbx.example.com")
    return name.lower().rstrip(".")


def _user(user: str) -> str:
    return user if user == "*" else phone_numbers.user(phone_numbers.address(USER + user))


class DiallingSettings(Section):
    """Which numbers are dialled, by `voice-agent dial`, the REST interface and transfers alike."""

    countries: tuple[Annotated[str, AfterValidator(_country)], ...] = Field(
        (),
        description="Countries that may be called, such as `US`. Unset: the country of "
        "`sinch.caller_id`, or else `sinch.country`. Territories count apart: Jamaica is `JM`, "
        "though its numbers begin with +1.",
    )
    numbers: tuple[Annotated[str, AfterValidator(_named)], ...] = Field(
        (),
        description="Numbers that may be called wherever and whatever they are: of other "
        "countries, premium-rate, shared-cost, personal, satellite, not yet in any table. In "
        "E.164; with `*` at its end, all that begin so.",
    )
    sip_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        (),
        description="Hosts at which SIP addresses may be called, whole. Unset: none; what a host "
        "of yours passes on to the telephone network is its own to limit.",
    )
    users: tuple[Annotated[str, AfterValidator(_user)], ...] = Field(
        (),
        description="Users of your In-App SDK that may be called, by their ids; with `*` at its "
        "end, all that begin so, and `*` is everyone. Version 1 alone has them. Unset: none.",
    )
    calls_to_a_number: int = Field(
        10, ge=0, description="Calls to one number in 24 hours; people block who calls more often."
    )
    transfers_to_a_number: int = Field(
        200, ge=0, description="Callers passed on to one number in 24 hours: a desk has many."
    )
    at_once: int = Field(
        20, ge=0, description="Calls that we have placed, and transfers, at the same time."
    )
    amount_a_day: float = Field(
        100.0,
        ge=0,
        allow_inf_nan=False,
        description="What they may cost in 24 hours, in the currency of the Sinch account. Each "
        "counts as `price_a_minute` for the longest that it may last, and once it is over as what "
        "the platform says it has cost.",
    )
    price_a_minute: float = Field(
        0.05,
        ge=0,
        allow_inf_nan=False,
        description="What a minute may cost while its price is not known; take the dearest "
        "of your countries.",
    )
    transfer_seconds: int = Field(
        3600,
        ge=60,
        le=MAX_SECONDS,
        description="Seconds after which the platform ends a transfer; they count as above.",
    )
