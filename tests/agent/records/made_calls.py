"""Calls that were made up, as journals: by the handful to be counted by hand, or by the hundred."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.records.events import JournalLine

Lines = Sequence[tuple[str, float | None, dict[str, Any]]]

CALLER, OTHER, OURS = "+12025550123", "+12025550147", "+12025550100"

SAID = (
    ("Is the <b>terrace</b> open on Sunday?", "On Sunday we open at ten."),
    ("A table for four, please.", "A table for four is booked."),
    ("Can I bring my dog?", "Dogs are welcome on the terrace."),
)


def made_call(
    name: str,
    started: float,
    lines: Lines = (),
    *,
    ended: float | None = 60.0,
    hung_up_by: str = "caller",
    **about: object,
) -> list[JournalLine]:
    """Return the journal of a call.

    Args:
        name: Of the record.
        started: Unix time.
        lines: Between the first and the last.
        ended: Seconds after which it was over; None if it goes on.
        hung_up_by: As an ``ended`` line has it.
        about: Fields of the first line that are to be others.
    """
    first = {
        "id": name, "call_id": f"sinch-{name}", "agent": "reception", "direction": "incoming",
        "caller": CALLER, "called": OURS, "language": "en",
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="milliseconds"), **about,
    }  # fmt: skip
    last = [] if ended is None else [("ended", ended, {"reason": "-", "hung_up_by": hung_up_by})]
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate([("call", None, first), *lines, *last])
    ]


def turn(number: int, at: float, waited: float, said: tuple[str, str] = SAID[0]) -> Lines:
    """Return the lines of a turn.

    Args:
        number: Of it.
        at: Seconds at which the caller had spoken.
        waited: Seconds that they then waited for the answer.
        said: By the caller, and by the agent.
    """
    heard = at + waited
    timing = {"turn": number, "speech_end": at, "decided": at + 0.3, "heard": heard}
    spoken = {"turn": number, "text": said[1], "until": heard + 2.0, "cut_off": False}
    return [
        ("caller", at - 1.5, {"turn": number, "text": said[0], "until": at}),
        ("timing", heard, timing),
        ("agent", heard, {**spoken, "said": "answer"}),
    ]


def usage(stage: str, provider: str, cost: float | None, currency: str = "EUR") -> Lines:
    """Return the line of a provider that was asked."""
    price = {} if cost is None else {"cost": cost, "currency": currency}
    return [("usage", 60.0, {"stage": stage, "provider": provider, "requests": 3, **price})]


def many(count: int, until: float, days: float) -> Iterator[list[JournalLine]]:
    """Yield so many calls of the last days, always the same, more by day and on some days."""
    chance = random.Random(17)
    for n in range(count):
        day = chance.triangular(0, days, 2)
        started = until - 86_400 * day - 600
        lines: list[tuple[str, float | None, dict[str, Any]]] = []
        turns = chance.randint(1, 7)
        for number in range(1, turns + 1):
            waited = chance.lognormvariate(-0.35 + day / 40, 0.5)
            lines += turn(number, number * 9.0, waited, chance.choice(SAID))
            if chance.random() < 0.12:
                lines.append(("barge_in", number * 9.0 + 2.5, {"turn": number, "by": "words"}))
        if chance.random() < 0.12:
            error = chance.choice(("timeout", "timeout", "limited"))
            stage, left = chance.choice((("llm", "openai"), ("tts", "elevenlabs")))
            failover = {"stage": stage, "provider": left, "to": "local", "error": error}
            lines.append(("failover", 12.0, failover))
        if chance.random() < 0.02:
            lines.append(("failed", 14.0, {"turn": 1, "stage": "llm", "error": "timeout"}))
        length = turns * 9.0 + chance.uniform(2, 60)
        lines += usage("stt", "deepgram", length / 60 * 0.0043)
        lines += usage("llm", "openai", turns * 0.0011)
        lines += usage("tts", "elevenlabs", turns * 0.0123)
        ways = ["caller"] * 12 + ["agent"] * 6 + ["operator", "service", "service"]
        outgoing = chance.random() < 0.25
        yield made_call(
            f"made-{n:04}",
            started,
            lines,
            ended=length,
            hung_up_by=chance.choice(ways),
            agent=chance.choice(("reception", "reception", "orders")),
            direction="outgoing" if outgoing else "incoming",
            caller=OURS if outgoing else f"+120255501{chance.randrange(100):02}",
            called=f"+120255501{chance.randrange(100):02}" if outgoing else OURS,
        )
