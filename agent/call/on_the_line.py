"""Who is on the line besides the agent, as a call was told, and what the record has of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent.call.orders import Order, PartyJoined, PartyLeft


@dataclass(frozen=True, slots=True, kw_only=True)
class LineParty:
    """Somebody who is on the line, or expected there, when the call begins."""

    party: str
    """Name of their leg."""

    title: str
    """What they are called, such as ``Ann``; ``""`` if that is not known."""

    present: bool
    """Whether they are there; otherwise they are being dialled."""


class OnTheLine:
    """Who is on the line of one call of several, and who is expected.

    The same may be told twice, by the beginning of the call and by an order that was left for it
    meanwhile: each change is put on record once. Of a call between two, nothing is.

    Args:
        note: Puts a line on record, for each who is expected, joins, leaves or does not come.
    """

    def __init__(self, note: Callable[..., None]) -> None:
        self._note = note
        self._present: dict[str, str] = {}
        self._expected: dict[str, str] = {}
        self._gone: set[str] = set()

    @property
    def present(self) -> tuple[str, ...]:
        """The titles of those who are there, in the order in which they came; some are ``""``."""
        return tuple(self._present.values())

    @property
    def expected(self) -> tuple[str, ...]:
        """The titles of those who are being dialled."""
        return tuple(self._expected.values())

    def begin(self, parties: Iterable[LineParty]) -> None:
        """Note who is there, and who is expected, when the call begins."""
        for one in parties:
            if one.present:
                self.obey(PartyJoined(party=one.party, title=one.title))
            else:
                self._expected[one.party] = one.title
                self._tell(one.party, one.title, "expected")

    def obey(self, order: Order) -> None:
        """Note who has joined or left; any other order is nothing to it."""
        match order:
            case PartyJoined(party=party, title=title) if party not in self._present:
                self._expected.pop(party, None)
                self._gone.discard(party)  # the platform told us otherwise before
                self._present[party] = title
                self._tell(party, title, "joined")
            case PartyLeft(party=party, title=title, why=why) if party not in self._gone:
                self._present.pop(party, None)
                self._expected.pop(party, None)
                self._gone.add(party)
                if why in ("left", "dropped"):
                    self._tell(party, title, why)
                else:
                    self._tell(party, title, "not reached", why)

    def _tell(self, party: str, title: str, status: str, why: str = "") -> None:
        known = {"title": title, "status": status, "why": why}
        self._note("party", party=party, **{k: v for k, v in known.items() if v})
