"""Figures as all pages write them; ``–`` where one is not known. Templates have them as filters."""

from __future__ import annotations

UNKNOWN = "–"


def seconds(value: float | None) -> str:
    """Return how long something took, such as an answer: to a hundredth of a second."""
    return UNKNOWN if value is None else f"{value:.2f} s"


def clock(value: float | None) -> str:
    """Return seconds as ``m:ss``, with hours before them if there are any.

    They are cut off and not rounded, as clocks do. What is before the answer is at 0:00.
    """
    if value is None:
        return UNKNOWN
    minutes, rest = divmod(int(max(0.0, value)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def money(amount: float | None, currency: str = "") -> str:
    """Return an amount with its currency; of a small one, more of its digits."""
    if amount is None:
        return UNKNOWN
    digits = 2 if abs(amount) >= 1 or not amount else 4
    return f"{amount:,.{digits}f} {currency}".strip()
