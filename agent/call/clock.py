"""What time brings about in one call. Told what happens and the time; returns what is due.

No timer runs here and no clock is read: whoever runs the call looks every :data:`TICK`, late by at
most that, which no rule minds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from agent.call.keys import PressedKeys
from agent.call.party_line import PartyLine
from agent.call.reply import Announcement
from agent.settings.calls import CallSettings
from pipelines.turn_taking.turns import Event

TICK = 0.1
"""Seconds between two looks."""

STALLED_AFTER = 1.0
"""Seconds without a frame until a speaking caller counts as silent: five times the longest delay
that a telephone jitter buffer hides."""

BRIDGE_AFTER = 2.0
"""Times ``filler_after`` that the caller waits, while we dial for them, until they are told so."""


@dataclass(frozen=True, slots=True)
class BridgeDue:
    """The caller waits for somebody to take their call, and has heard nothing for long."""


class CallClock:
    """Since when is what, in one call. All times are seconds on one clock that never goes back.

    Args:
        settings: The limits.
        now: When the call was answered.
        keys: What was pressed and not answered; an answer to speech that follows takes some, too.
        party: Who is on the line; has something to say of them at times.
    """

    def __init__(
        self, settings: CallSettings, now: float, keys: PressedKeys, party: PartyLine
    ) -> None:
        self._settings = settings
        self._party = party
        self._keys = keys
        self._began = self._audio_at = self._quiet_since = self._idle_since = now
        self._announcements: deque[Announcement] = deque()
        self._idled = 0
        self._warned = False

    def audio_came(self, now: float) -> None:
        """Note that the line carries audio."""
        self._audio_at = now

    def fell_quiet(self, now: float) -> None:
        """Note that nobody has the floor from now on."""
        self._quiet_since = now

    def caller_is_there(self) -> None:
        """Note that the caller has said or pressed something."""
        self._idled = 0

    def press(self, keys: str, now: float) -> bool:
        """Collect keys until they are taken; return whether there is more to them than before."""
        self.caller_is_there()
        return self._keys.press(keys, now)

    def take_keys(self) -> tuple[str, float, float]:
        """Return the keys that were pressed, and when the first and the last; start over."""
        return self._keys.take()

    def announce(self, announcement: Announcement | None) -> None:
        """Have something said as soon as nobody speaks; nothing happens if it is None.

        What is owed to the caller comes first, before they are answered.
        """
        if announcement is None:
            return
        if announcement.is_owed:
            self._announcements.appendleft(announcement)
        else:
            self._announcements.append(announcement)

    def came_back(self, now: float, *, away: bool) -> None:
        """Note that we are alone with the caller again, whom somebody else has talked to.

        What was to be said to both, and done then, is not. If we were away, nor is what was to be
        done for the caller before. The time away counts, since the platform counts it; but it is
        not over before they were warned.
        """
        self._announcements = deque(one for one in self._announcements if one.order is None)
        if not away:
            return
        self.caller_is_there()
        self._keys.take()
        self._announcements = deque(one for one in self._announcements if not one.transfer)
        self._began = max(self._began, now - self._warn_at)

    def start_over(self) -> None:
        """Note that nobody has answered yet: what was to be said is not said.

        But for a goodbye, and for what something has to be done after, to whomever it is said.
        """
        self.caller_is_there()
        self._keys.take()
        done_after = (one for one in self._announcements if one.hang_up or one.order is not None)
        self._announcements = deque(done_after)

    @property
    def owes(self) -> bool:
        """Whether something has to be heard before the caller is answered."""
        return bool(self._announcements) and self._announcements[0].is_owed

    def next_announcement(self) -> Announcement:
        """Take the one whose turn it is; there is one when ``ANNOUNCEMENT_DUE`` was returned."""
        if self._announcements:
            return self._announcements.popleft()
        return self._party.next_announcement()

    def is_stalled(self, now: float) -> bool:
        """Return whether the line has sent nothing for so long that its silence is the caller's."""
        return now - self._audio_at >= STALLED_AFTER

    def over(self, now: float, *, away: bool) -> str:
        """Return why the call has to end now, fit for a log; ``""`` if it may go on.

        Args:
            now: The time.
            away: Whether the caller talks to somebody else: they may, for as long as they like.
        """
        if now - self._audio_at >= self._settings.line.no_audio_timeout:
            return "no audio from the caller"
        if now - self._began >= self._settings.calls.max_seconds and not away:
            return "the call was too long"
        return ""

    def due(self, now: float, *, drafting: bool, moving: bool) -> Event | BridgeDue | None:
        """Return what is due while nobody has the floor; None if nothing is.

        Args:
            now: The time.
            drafting: Whether an answer to what the caller said before is still being prepared.
            moving: Whether we dial somebody for the caller.
        """
        turns, quiet = self._settings.turns, now - self._quiet_since
        if self._keys and not drafting:
            return Event.KEYS_ENTERED if self._keys_are_all(now) else None
        if self._announcements:  # what is to be said in a moment is waited for
            return Event.ANNOUNCEMENT_DUE if now >= self._announcements[0].not_before else None
        if self._party.is_due(quiet, now):
            return Event.ANNOUNCEMENT_DUE
        if moving:
            return BridgeDue() if quiet >= turns.filler_after * BRIDGE_AFTER else None
        if not self._warned and now - self._began >= self._warn_at:
            self._warned = True
            return Event.TIME_SHORT
        if self._party.waits_to_be_spoken_to:
            self._idle_since = now  # whoever is left by the others has not been silent so far
        idle = now - max(self._quiet_since, self._idle_since)
        return self._idle() if idle >= turns.idle_after else None

    @property
    def _warn_at(self) -> float:
        return self._settings.calls.max_seconds - self._settings.calls.warn_before

    def _keys_are_all(self, now: float) -> bool:
        waited = now - self._keys.last_at
        return self._keys.is_ended or waited >= self._settings.turns.keys_after

    def _idle(self) -> Event:
        self._idled += 1
        return Event.IDLED_OUT if self._idled > self._settings.turns.idle_times else Event.IDLED
