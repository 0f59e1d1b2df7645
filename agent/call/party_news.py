"""What is said of who comes to a line of several and goes: while it is news, until it was heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.call.reply import Announcement
from agent.personas.party import PartyText

STALE = 20.0
"""Seconds after which it is not said any more: everybody knows by then."""


@dataclass(frozen=True, slots=True)
class News:
    """Something that is to be said of somebody."""

    what: PartyText
    party: str
    """Name of their leg; ``""`` if it is of several."""

    who: str
    """Their title; ``""`` if that is not known."""

    at: float
    again: bool = False
    """Whether people have talked over it once."""


@dataclass(frozen=True, slots=True)
class NewsText:
    """How it is said."""

    text: str
    """``""`` if it cannot be."""

    names: Sequence[str]
    """Of whom."""

    def was_told(self, heard: str) -> bool:
        """Return whether who it is of was among what people have heard; all of it, if no name is.

        Args:
            heard: The words up to which they have.
        """
        told, text = " ".join(heard.split()), " ".join(self.text.split())
        names = [name for name in self.names if name in text]
        return all(name in told for name in names) if names else told == text


class PartyNews:
    """What is to be said of them, in order: once, and once more if nobody has heard of whom.

    Args:
        known: What is said at all; the rest is let be.
        says: Returns how something is said now.
    """

    def __init__(self, known: frozenset[PartyText], says: Callable[[News], NewsText]) -> None:
        self._known = known
        self._says = says
        self._news: deque[News] = deque()
        self._saying: tuple[Announcement, News, NewsText] | None = None

    def add(self, news: News) -> None:
        """Have something said; whoever has gone before anybody was told has not come either."""
        self._news = deque(one for one in self._news if one.what != "waiting")
        came = [one for one in self._news if (one.what, one.party) == ("joined", news.party)]
        if news.what == "left" and came:
            self._news.remove(came[0])
            return
        self._news.append(news)

    def is_there(self, now: float) -> bool:
        """Return whether there is something to say; what is old by ``now`` is not said any more."""
        while self._news and (
            self._news[0].what not in self._known
            or now - self._news[0].at > STALE
            or not self._says(self._news[0]).text
        ):
            self._news.popleft()
        return bool(self._news)

    def next_announcement(self) -> Announcement:
        """Take what is to be said next; there is something when :meth:`is_there` said so."""
        news = self._news.popleft()
        how = self._says(news)
        announcement = Announcement(text=how.text)
        self._saying = announcement, news, how
        return announcement

    def was_said(self, announcement: Announcement | None, heard: str) -> None:
        """Have something said again if people talked over it before they knew of whom it was.

        Args:
            announcement: What is over; anything that is not of these is let be.
            heard: The words up to which it was heard.
        """
        if self._saying is None or announcement is not self._saying[0]:
            return
        (_, news, how), self._saying = self._saying, None
        if news.again or how.was_told(heard):
            return
        since, self._news = self._news, deque([replace(news, again=True)])
        for one in since:
            self.add(one)
