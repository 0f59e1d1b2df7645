"""Whom we call, and how much of it: what every call that we place and every transfer has to pass.

The rules of a destination are looked at first, and cost nothing. Then it is counted, in the
database, against what the settings allow: whatever asks for it, in whichever process, the limits
are the same. A call is counted before it is dialled, at the dearest that it can come to, so a limit
is never passed by calls that are dialled at the same moment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import structlog

from agent import phone_numbers
from agent.settings.dialling import DiallingSettings
from agent.settings.sinch import SinchSettings
from agent.sinch.callbacks import LegEnded
from agent.sinch.refusals import AllowanceUsedUpError, DestinationRefusedError
from agent.store.dials import Dials, DialsLimits, UsedUp
from agent.store.opt_outs import How, OptOuts

log = structlog.get_logger()

SLACK = 60.0
"""Seconds beyond the longest that a call may last after which it does not count as in progress, if
the platform has never told of its end."""

OPTED_OUT_HINT = ": `voice-agent opt-outs list` says since when, and `remove` takes it back"
OPTED_OUT = f"wants no more calls from us{OPTED_OUT_HINT}"

_REACHED = {
    UsedUp.NUMBER: "this number was called as often as it may be in 24 hours",
    UsedUp.AT_ONCE: "as many calls of ours as may be are in progress (sinch.dialling.at_once)",
    UsedUp.AMOUNT: "what calls of ours may cost in 24 hours is used up, or reserved for those in "
    "progress (sinch.dialling.amount_a_day)",
}


class DialRules:
    """Lets a destination be dialled, or refuses it.

    Every method that waits raises StoreError if the database fails; nobody may be dialled then.

    Args:
        settings: The section ``sinch``.
        dials: Counts.
        opt_outs: Who wants no more calls.
    """

    def __init__(self, settings: SinchSettings, dials: Dials, opt_outs: OptOuts) -> None:
        self._rules = settings.dialling
        self._countries, self._home = allowed_countries(settings)
        self._ring_seconds = settings.ring_seconds
        self._dials = dials
        self._opt_outs = opt_outs

    def check(self, to: str) -> None:
        """Look at a destination, without counting.

        Args:
            to: A number in E.164, a SIP address, or an In-App user.

        Raises:
            DestinationRefusedError: If it may not be called.
        """
        if why := refusal(to, self._rules, self._countries, self._home):
            log.warning("not dialled", to=phone_numbers.shortened(to), reason=why)
            raise DestinationRefusedError(why)

    async def admit_call(self, name: str, to: str, max_seconds: int) -> None:
        """Count a call that is about to be placed.

        Args:
            name: Of its leg.
            to: As :meth:`check` takes it.
            max_seconds: After which the platform ends it.

        Raises:
            DestinationRefusedError: If it may not be called, or whoever it is wants no more calls.
            AllowanceUsedUpError: If a limit is reached; it is not counted then.
        """
        if await self._opt_outs.holds(self.person(to)):
            log.warning("not dialled", to=phone_numbers.shortened(to), reason=OPTED_OUT)
            raise DestinationRefusedError(OPTED_OUT)
        await self._admit(name, to, max_seconds, "call", self._rules.calls_to_a_number)

    async def admit_calls(self, dialled: Mapping[str, str], max_seconds: int) -> None:
        """Count all calls that are about to be placed at once, or none of them.

        Args:
            dialled: Whom, by the name of the leg.
            max_seconds: After which the platform ends each.

        Raises:
            DestinationRefusedError: If one of them may not be called.
            AllowanceUsedUpError: If a limit is reached by them.
        """
        for to in dialled.values():
            self.check(to)
        counted: list[str] = []
        try:
            for name, to in dialled.items():
                await self.admit_call(name, to, max_seconds)
                counted.append(name)
        except (DestinationRefusedError, AllowanceUsedUpError):
            for name in counted:
                await self.not_dialled(name, certain=True)
            raise

    async def opt_out(self, to: str, agent: str, how: How) -> bool:
        """Keep that whoever is dialled by ``to`` wants no more calls; return whether it is new.

        Callers may still be passed on to them: a desk is not called for its own sake.
        """
        return await self._opt_outs.add(self.person(to), how=how, agent=agent)

    def person(self, to: str) -> str:
        """Return whom a destination reaches, however it is written."""
        return phone_numbers.person(to, self._home)

    async def admit_transfer(self, name: str, to: str) -> None:
        """Count a transfer that is about to be dialled; see :meth:`admit_call`."""
        seconds, most = self._rules.transfer_seconds, self._rules.transfers_to_a_number
        await self._admit(name, to, seconds, "transfer", most)

    async def _admit(self, name: str, to: str, max_seconds: int, kind: str, most: int) -> None:
        self.check(to)
        limits = DialsLimits(
            to_a_number=most, at_once=self._rules.at_once, amount=self._rules.amount_a_day
        )
        reached = await self._dials.add(
            name,
            f"{kind} {self.person(to)}",  # who is rung, however their number is written
            amount=self._price(max_seconds),
            open_for=max_seconds + self._ring_seconds + SLACK,
            limits=limits,
        )
        if reached is not None:
            why = _REACHED[reached]
            log.warning("not dialled", to=phone_numbers.shortened(to), reason=why)
            raise AllowanceUsedUpError(why)

    async def not_dialled(self, name: str, *, certain: bool) -> None:
        """Take back what was counted for a call that the platform did not place.

        Args:
            name: Of its leg.
            certain: Whether it did not. If that is not known, the call counts until it would have
                rung out, and as a minute: whoever answers it is hung up on.
        """
        if certain:
            await self._dials.forget(name)
        else:
            await self._dials.settle(
                name, amount=self._price(60), open_for=self._ring_seconds + SLACK
            )

    async def ended(self, name: str, callback: LegEnded) -> None:
        """Count a call as what it has cost, now that it is over."""
        await self._dials.settle(name, amount=self._cost(callback), open_for=0.0)

    def _price(self, seconds: float) -> float:
        return self._rules.price_a_minute * math.ceil(seconds / 60)

    def _cost(self, callback: LegEnded) -> float | None:
        """Return what a call has cost; None if nothing tells: it counts as it was reserved."""
        if (told := callback.price) is not None:
            return told
        if callback.seconds is not None:
            return self._price(callback.seconds)
        return None if callback.answered else 0.0


def home_country(settings: SinchSettings) -> str:
    """Return the country that we call from, which a number in a SIP address is of that has none.

    ``""`` if it is not known.
    """
    return phone_numbers.country(settings.caller_id) if settings.caller_id else settings.country


def allowed_countries(settings: SinchSettings) -> tuple[frozenset[str], str]:
    """Return the countries that may be called, and the one that we call from, ``""`` if unknown."""
    home = home_country(settings)
    usual = {home} if home else set[str]()
    return frozenset(settings.dialling.countries or usual), home


def refusal(to: str, rules: DiallingSettings, countries: frozenset[str], home: str) -> str:
    """Say why a destination is not called; ``""`` if it is. It is not quoted.

    Args:
        to: A number in E.164, a SIP address, or an In-App user.
        rules: What is allowed.
        countries: Those that may be called.
        home: Of a number in a SIP address that has none.
    """
    if user := phone_numbers.user(to):
        known = any(_fits(user, named) for named in rules.users)
        return "" if known else "an In-App user who is not named in sinch.dialling.users"
    if host := phone_numbers.sip_host(to):
        number = phone_numbers.sip_number(to, home)
        if host not in rules.sip_hosts:
            return "a SIP host that is not named in sinch.dialling.sip_hosts"
        return _emergency(number, rules) if number else ""
    return _emergency(to, rules) or _usual(to, rules, countries)


def _emergency(number: str, rules: DiallingSettings) -> str:
    # By its own name alone: an asterisk in the settings does not mean it.
    if phone_numbers.oddity(number) != phone_numbers.EMERGENCY or number in rules.numbers:
        return ""
    return (
        "an emergency number, which is not named in sinch.dialling.numbers: whoever is in need has "
        "to call it from their own phone"
    )


def _usual(number: str, rules: DiallingSettings, countries: frozenset[str]) -> str:
    if any(_fits(number, named) for named in rules.numbers):
        return ""
    if odd := phone_numbers.oddity(number):
        return f"{odd}, which is not named in sinch.dialling.numbers"
    if not countries:
        return "no country may be called: set sinch.caller_id, or sinch.dialling.countries"
    where = phone_numbers.country(number)
    known = ", ".join(sorted(countries))
    return "" if where in countries else f"in {where}: sinch.dialling.countries has {known}"


def _fits(to: str, named: str) -> bool:
    return to.startswith(named[:-1]) if named.endswith("*") else to == named
