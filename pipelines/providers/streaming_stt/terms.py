"""The terms that a provider is told to expect: what is configured, and then names of a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TermLimits:
    """How much a provider takes. More is an error at some, and at others nothing is heard then."""

    most: int
    """Terms in all."""

    longest: int
    """Characters of one."""

    in_all: int | None = None
    """Characters of all of them; None for no limit."""


def with_names(
    keyterms: Sequence[str], names: Sequence[str], limits: TermLimits
) -> tuple[str, ...]:
    """Return what is configured, unchanged, and of ``names`` the first that there is room for.

    A name that is among the terms already, in whatever case, is not told again.
    """
    told = list(keyterms)
    known = {term.casefold() for term in keyterms}
    length = sum(map(len, keyterms))
    for name in names:
        if len(told) >= limits.most:
            break
        fits = limits.in_all is None or length + len(name) <= limits.in_all
        if fits and 0 < len(name) <= limits.longest and name.casefold() not in known:
            told.append(name)
            known.add(name.casefold())
            length += len(name)
    return tuple(told)
