"""What happens in calls in progress, for those who look; where nobody does, nothing is done.

A :class:`CallFeed` is told of one call: its lines, redacted, by the thread that writes its record,
and who has the floor by the call itself. Only while somebody looks is a line handed on; what is
always known costs a call one reference. :class:`CallFeeds` has those of this process, and, while
somebody looks, those of the others (:mod:`agent.server.live.relay`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Literal, Protocol

from agent.call.turn_record import TurnRecord
from agent.records.journals.writer import Record
from agent.server.live.call_audio import AudioListener, CallAudio
from agent.server.live.happenings import (
    MOST_QUEUED,
    CallFacts,
    CallOver,
    Floor,
    FloorChange,
    Follower,
    Happening,
    LastWords,
    ListWatch,
    LiveLine,
)
from pipelines.clock import now
from pipelines.turn_taking.turns import State

LONGEST_SAID = 300
"""Characters of the last words of a call: the end of them."""

FLOORS: Mapping[State, Floor] = {
    State.RINGING: "nobody",
    State.QUIET: "nobody",
    State.HEARING: "caller",
    State.PAUSED: "caller",
    State.REPLYING: "agent",
    State.HELD: "caller",
    State.AWAY: "nobody",
    State.ENDED: "nobody",
}
"""Who has it, for those who look: whoever makes a sound over our words has stopped us."""


class CallFeed:
    """One call in progress, as it is seen from outside. Of this process, or of another.

    Args:
        facts: What does not change of it.
    """

    def __init__(self, facts: CallFacts) -> None:
        self.facts = facts
        self.known = asyncio.Event()
        """Set once whoever holds the call has told of it."""

        self.said: LastWords | None = None
        self.over = False
        self.floor_now: FloorChange | None = None
        """Who has the floor, and since when; None if that is not known."""

        self._spoken: tuple[str, object] = ("", None)
        self._followers: set[Follower] = set()
        self._watches: set[ListWatch] = set()

    @property
    def floor(self) -> Floor:
        """Who has it."""
        return "nobody" if self.floor_now is None else self.floor_now.floor

    @property
    def lines(self) -> int:
        """How many lines its record has by now, as far as it is known here."""
        return 0

    @contextmanager
    def listening(self) -> Iterator[AudioListener]:
        """Listen in from now on, until the block is left; :meth:`advance` now and then."""
        yield AudioListener()

    def advance(self) -> None:
        """Have those who listen be told what was heard by now."""

    @property
    def followed(self) -> bool:
        """Whether somebody follows this very call."""
        return bool(self._followers)

    @contextmanager
    def following(self) -> Iterator[Follower]:
        """Follow the call until the block is left; what has happened before is in its record."""
        follower = Follower()
        self._followers.add(follower)
        self._catch_up(follower)
        self.look(self._watches)
        try:
            yield follower
        finally:
            self._followers.discard(follower)
            self.look(self._watches)

    def look(self, watches: set[ListWatch]) -> None:
        """Note who watches the list; and have lines come while anybody looks."""
        self._watches = watches

    def tell(self, *happened: Happening) -> None:
        """Pass on what happens to all who look."""
        for what in happened:
            match what:
                case LiveLine(kind=kind, fields=fields):
                    self._hear(kind, fields)
                case CallOver():
                    self.over = True
        for follower in self._followers:
            follower.tell(*happened)
        for watch in self._watches:
            watch.tell(self.facts.name)

    def _catch_up(self, follower: Follower) -> None:
        """Tell somebody new what no record has."""
        if self.floor_now is not None:
            follower.tell(self.floor_now)
        if self.over:
            follower.tell(CallOver())

    def _hear(self, kind: str, fields: Mapping[str, Any]) -> None:
        if not (words := last_words(kind, fields)):
            return
        spoken = (kind, fields.get("turn"))
        if kind == "heard" and spoken == self._spoken and self.said is not None:
            words = LastWords("agent", f"{self.said.text} {words.text}"[-LONGEST_SAID:])
        self.said, self._spoken = words, spoken


class LocalFeed(CallFeed):
    """A call of this process. Make it in the event loop of the call, before its first line.

    Args:
        facts: What does not change of it.
        record: Its record.
        awaited: Whether somebody waits for it: what happens until they come is kept for them.
    """

    def __init__(self, facts: CallFacts, record: Record, *, awaited: bool) -> None:
        super().__init__(facts)
        self._record = record
        self._early: deque[Happening] | None = deque(maxlen=MOST_QUEUED) if awaited else None
        self._audio: CallAudio | None = None
        self._zero = now()
        self._loop = asyncio.get_running_loop()
        self.known.set()
        self.look(set())

    @property
    def lines(self) -> int:
        """See :class:`CallFeed`."""
        return self._record.lines

    def attach(self, turns: TurnRecord, audio: CallAudio) -> None:
        """Be told who has the floor, from now on; and what is heard, once somebody listens."""
        self._zero = turns.began
        turns.on_floor = self._on_floor
        self._audio = audio

    @contextmanager
    def listening(self) -> Iterator[AudioListener]:
        """See :class:`CallFeed`."""
        if self._audio is None:
            yield AudioListener()
            return
        with self._audio.listening() as listener:
            yield listener

    def advance(self) -> None:
        """See :class:`CallFeed`."""
        if self._audio is not None:
            self._audio.advance()

    def look(self, watches: set[ListWatch]) -> None:
        """See :class:`CallFeed`."""
        super().look(watches)
        if not self._looked_at:
            self._record.told = None
        elif self._record.told is None:
            self._record.told = self._on_line
            if self._record.said is not None:
                self.said = last_words(*self._record.said)

    def tell(self, *happened: Happening) -> None:
        """See :class:`CallFeed`."""
        super().tell(*happened)
        if self._early is not None:
            self._early.extend(happened)

    def _catch_up(self, follower: Follower) -> None:
        if self._early is None:
            super()._catch_up(follower)
            return
        follower.tell(*self._early)
        self._early = None

    @property
    def _looked_at(self) -> bool:
        return bool(self._watches or self._followers or self._early is not None)

    def _on_floor(self, state: State) -> None:
        """Take the state of the floor, within the call's own stack."""
        floor = FLOORS[state]
        if floor == self.floor:
            return
        self.floor_now = FloorChange(floor, round(now() - self._zero, 3))
        if self._looked_at:
            self._loop.call_soon(self.tell, self.floor_now)

    def _on_line(self, number: int | None, kind: str, fields: Mapping[str, Any]) -> None:
        """Take a line, in the thread that writes it."""
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self.tell, LiveLine(number, kind, fields))


def last_words(kind: str, fields: Mapping[str, Any]) -> LastWords | None:
    """Return what a line of a record says was said; None if it says nothing of that."""
    text = fields.get("text")
    if kind not in ("caller", "understood", "heard", "agent") or not isinstance(text, str):
        return None
    who: Literal["caller", "agent"] = "agent" if kind in ("heard", "agent") else "caller"
    return LastWords(who, text[-LONGEST_SAID:]) if text else None


class Elsewhere(Protocol):
    """Has the calls of other processes be among the feeds, while somebody looks."""

    def look(self) -> None:
        """Find out what is looked at now. Returns at once."""
        ...


class CallFeeds:
    """The calls in progress that are known here, and who looks at them.

    All of it is used in the event loop of the calls.
    """

    def __init__(self) -> None:
        self._feeds: dict[str, CallFeed] = {}
        self._watches: set[ListWatch] = set()
        self._watched = 0
        self._awaited: dict[str, list[asyncio.Event]] = {}
        self.elsewhere: Elsewhere | None = None
        """Brings what other processes hold; None if this one keeps to itself."""

        self.closed = False
        """Whether nobody may look any more: the service stops."""

    @property
    def calls(self) -> Mapping[str, CallFeed]:
        """Those that are known, by name: of others only while somebody looks."""
        return self._feeds

    @property
    def watched(self) -> bool:
        """Whether somebody looks at the list of the calls of all processes."""
        return self._watched > 0

    @property
    def awaits_any(self) -> bool:
        """Whether somebody waits for a call that is not known yet."""
        return bool(self._awaited)

    def awaits(self, name: str) -> bool:
        """Return whether somebody waits for a call of that name."""
        return name in self._awaited

    def begin(self, feed: CallFeed, name: str) -> None:
        """Have a call be known by that name, until :meth:`end`."""
        feed.facts = replace(feed.facts, name=name)
        self._feeds[name] = feed
        feed.look(self._watches)
        for watch in self._watches:
            watch.tell(name)
        for key in (name, feed.facts.record):
            for event in self._awaited.get(key, ()):
                event.set()

    def end(self, name: str) -> None:
        """Have a call be known no more: it is over, and its record closed."""
        if (feed := self._feeds.pop(name, None)) is not None:
            feed.tell(CallOver())
            feed.look(set())

    def find(self, name: str) -> CallFeed | None:
        """Return a call by its name, or the id of its record; None if none is known."""
        if (feed := self._feeds.get(name)) is not None:
            return feed
        return next(
            (one for one in self._feeds.values() if name and one.facts.record == name), None
        )

    @contextmanager
    def watching(self, *, here: bool = False) -> Iterator[ListWatch]:
        """Watch the list until the block is left; all that is known has changed at first.

        Args:
            here: Whether the calls of other processes are not asked for.
        """
        watch = ListWatch()
        watch.tell(*self._feeds)
        self._watches.add(watch)
        self._watched += not here
        self._look()
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            self._watched -= not here
            self._look()

    @contextmanager
    def following(self, feed: CallFeed) -> Iterator[Follower]:
        """Follow a call until the block is left."""
        try:
            with feed.following() as follower:
                self._look_elsewhere()
                yield follower
        finally:
            self._look_elsewhere()

    @contextmanager
    def listening(self, feed: CallFeed) -> Iterator[AudioListener]:
        """Listen in on a call until the block is left; see :meth:`CallFeed.listening`."""
        try:
            with feed.listening() as listener:
                self._look_elsewhere()
                yield listener
        finally:
            self._look_elsewhere()

    async def arrival(self, name: str, seconds: float) -> CallFeed | None:
        """Return a call once it is known; None if it does not begin in so many seconds."""
        if (found := self.find(name)) is not None:
            return found
        event = asyncio.Event()
        self._awaited.setdefault(name, []).append(event)
        self._look_elsewhere()
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return None
        finally:
            self._awaited[name].remove(event)
            if not self._awaited[name]:
                del self._awaited[name]
            self._look_elsewhere()
        return self.find(name)

    def close(self) -> None:
        """Have all who look be told that :attr:`closed` is so."""
        self.closed = True
        for watch in self._watches:
            watch.tell()
        for feed in self._feeds.values():
            feed.tell()
        for events in self._awaited.values():
            for event in events:
                event.set()

    def _look(self) -> None:
        for feed in self._feeds.values():
            feed.look(self._watches)
        self._look_elsewhere()

    def _look_elsewhere(self) -> None:
        if self.elsewhere is not None:
            self.elsewhere.look()
