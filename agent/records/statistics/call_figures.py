"""What of one call is counted: its answer times, silences, barge-ins, failures and cost."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from agent.records.conversation import answer_time
from agent.records.events import RecordedEvent
from agent.records.values import number, text, whole

COUNTED = ("timing", "filler", "barge_in", "failover", "failed", "usage", "platform", "leg")
"""Kinds of lines that are read for it."""

LONG, VERY_LONG = 2.0, 4.0
"""Seconds of silence before an answer from which on it is dead air. People leave 0.2 s between
turns, and take a second for trouble (Jefferson 1989: a "standard maximum" of about 1 s); after two
they ask whether somebody is there."""

PHONE = ("phone", "platform")
"""Stage and provider of what the platform charges."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What has failed."""

    stage: str
    provider: str
    """``""`` if nobody was left."""

    error: str
    lost: bool
    """Whether a reply was lost, and not taken over by the next provider."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid, and in what."""

    stage: str
    provider: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """The figures of one call. It is small: tens of thousands are kept in memory."""

    waits: array[float]
    """Seconds from the end of the caller's speech to the first sound of the answer."""

    long_waits: int
    """Of these, how many were more than :data:`LONG` seconds of silence: a filler ends it."""

    very_long_waits: int
    replies: int
    """Whatever the agent said of which something was heard."""

    barge_ins: int
    failures: tuple[Failure, ...]
    paid: tuple[Payee, ...]
    amounts: array[float]
    """What each of ``paid`` has got."""

    unpriced: bool
    """Whether a provider was asked that has no price."""


@dataclass(slots=True)
class _Lines:
    """What is taken down while the lines of a call are read."""

    waits: list[float] = field(default_factory=list)
    silences: list[float] = field(default_factory=list)
    fillers: dict[int | None, float] = field(default_factory=dict)
    replies: int = 0
    barge_ins: int = 0
    failures: list[Failure] = field(default_factory=list)
    paid: dict[Payee, float] = field(default_factory=dict)
    unpriced: bool = False

    def timing(self, fields: Mapping[str, Any]) -> None:
        """Note when a reply was heard, if it was; a ``filler`` of its turn stands before."""
        self.replies += number(fields.get("heard")) is not None
        filler = self.fillers.pop(whole(fields.get("turn")), None)
        for seconds in answer_time(fields):
            self.waits.append(seconds)
            bridged = filler - float(fields["speech_end"]) if filler is not None else seconds
            self.silences.append(min(seconds, bridged) if bridged > 0 else seconds)

    def pay(self, stage: str, provider: str, cost: object, currency: object) -> None:
        """Note what a provider costs."""
        if (amount := number(cost)) is None:
            return
        payee = _payee(stage, provider, text(currency) or "")
        self.paid[payee] = self.paid.get(payee, 0.0) + amount


def figures_of(events: Iterable[RecordedEvent]) -> CallFigures:
    """Return the figures of a call.

    Args:
        events: Its lines, at least those of :data:`COUNTED`, in the order in which they were
            stored.
    """
    lines = _Lines()
    for event in events:
        fields = event.fields
        match event.kind:
            case "timing":
                lines.timing(fields)
            case "filler" if event.at is not None:
                lines.fillers.setdefault(whole(fields.get("turn")), event.at)
            case "barge_in":
                lines.barge_ins += 1
            case "failover" | "failed":
                provider = text(fields.get("provider")) if event.kind == "failover" else ""
                stage, error = text(fields.get("stage")) or "", text(fields.get("error")) or ""
                lines.failures.append(
                    _failure(stage, provider or "", error, event.kind == "failed")
                )
            case "usage":
                stage, name = text(fields.get("stage")) or "", text(fields.get("provider")) or ""
                lines.pay(stage, name, fields.get("cost"), fields.get("currency"))
                lines.unpriced |= "cost" not in fields
            case "platform" | "leg":
                lines.pay(*PHONE, fields.get("amount"), fields.get("currency"))
    return CallFigures(
        waits=array("f", lines.waits),
        long_waits=sum(one > LONG for one in lines.silences),
        very_long_waits=sum(one > VERY_LONG for one in lines.silences),
        replies=lines.replies,
        barge_ins=lines.barge_ins,
        failures=tuple(lines.failures),
        paid=_payees(tuple(lines.paid)),
        amounts=array("d", lines.paid.values()),
        unpriced=lines.unpriced,
    )


@lru_cache(1024)  # of thousands of calls, they are few
def _payee(stage: str, provider: str, currency: str) -> Payee:
    return Payee(stage, provider, currency)


@lru_cache(1024)
def _payees(paid: tuple[Payee, ...]) -> tuple[Payee, ...]:
    return paid


@lru_cache(1024)
def _failure(stage: str, provider: str, error: str, lost: bool) -> Failure:  # noqa: FBT001 - a key
    return Failure(stage, provider, error, lost)
