"""What compares: before the numbers beside it become words."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from pipelines.text.languages.sign_names import SignNames, sign_names
from pipelines.text.rules.rule import Rule

_CURRENCY = "$€£¥₹"
_NUMBER_NEXT = rf"(?=[-−+]?[{_CURRENCY}]?[0-9])"


def named_sign(pattern: str, name: Callable[[SignNames], str]) -> Rule:
    """Return a rule that puts the name of a sign in its place, apart from the words beside it."""
    return Rule(pattern, lambda _, language: f" {name(sign_names(language))} ")


RULES = (
    # What compares, the longest first
    named_sign(r"\s?(?:<?[-–—=]+>|→|⇒|↔|⟶)\s?(?=\S)", attrgetter("arrow")),
    named_sign(r"\s?(?:<=|=<|≤|⩽)\s?(?=\S)", attrgetter("at_most")),
    named_sign(r"\s?(?:>=|≥|⩾)\s?(?=\S)", attrgetter("at_least")),
    named_sign(r"\s?(?:!=|≠|=/=)\s?(?=\S)", attrgetter("unequal")),
    named_sign(
        rf"(?<=[\w)%°'’{_CURRENCY}])\s?={{1,3}}\s?(?=[-−+(]?[{_CURRENCY}]?\w)",
        attrgetter("equals"),
    ),
    # "<name>" would be something to fill in
    named_sign(
        rf"\s?<\s?{_NUMBER_NEXT}|(?<=\w)\s<\s(?=\w)|(?<=\w)<(?=\w++(?!>))",
        attrgetter("less"),
    ),
    named_sign(rf"\s?>\s?{_NUMBER_NEXT}|(?<=\b\w)\s?>\s?(?=\w\b)", attrgetter("more")),
    Rule(r"(?<=\w)\s[>›»]\s(?=[A-ZÄÖÜÉÈ])", lambda *_: ", "),  # "Settings > Privacy"
    named_sign(r"(?<=\w)\s>\s(?=\w)", attrgetter("more")),
)
