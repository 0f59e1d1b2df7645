"""All conferences of a platform, on the clock: 20 ms of each, every 20 ms, while anybody is in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.simulator.party.conference import Conference, ConferenceMember, LineActivity, LineTurn
from pipelines.audio import FRAME_SECONDS
from pipelines.background import BackgroundTasks
from pipelines.clock import now

FARTHEST_BEHIND = 0.5
"""Seconds that the clock catches up with after a pause of this machine's; more is left out."""


class ConferenceBridge:
    """Conferences by name, which are there while somebody is in them.

    Args:
        rate: Hertz, of all.
        background: Runs the clock.
        frame_over: Called after each 20 ms: who has left by themselves is taken out then.
    """

    def __init__(
        self, rate: int, background: BackgroundTasks, frame_over: Callable[[], None]
    ) -> None:
        self.rate = rate
        self.turns: dict[str, LineTurn] = {}
        """What was said in all of them, by the keys of turns."""

        self.activities: dict[str, LineActivity] = {}
        """By name, also of conferences that are over: who spoke, on the clock of all."""

        self._background = background
        self._frame_over = frame_over
        self._conferences: dict[str, Conference] = {}
        self._where: dict[ConferenceMember, str] = {}
        self._began = 0.0
        self._runs = False

    def join(self, room: str, member: ConferenceMember) -> None:
        """Let a member in, out of any other conference.

        Raises:
            WrongRateError: If it is at another rate; it is in none then.
        """
        if self._where.get(member) == room:
            return
        self.leave(member)
        activity = self.activities.setdefault(room, LineActivity(self.turns))
        conference = self._conferences.get(room) or Conference(self.rate, activity)
        conference.join(member)
        self._conferences[room] = conference
        self._where[member] = room
        if not self._runs:
            self._runs = True
            self._background.start(self._run(), "the conferences of the stand-in")

    def leave(self, member: ConferenceMember) -> None:
        """Take a member out, if it is in any."""
        room = self._where.pop(member, None)
        if room is None:
            return
        conference = self._conferences[room]
        conference.leave(member)
        if not conference.members:
            del self._conferences[room]

    def forget(self) -> None:
        """Forget what was said, and who spoke in conferences that are over."""
        self.turns.clear()
        self.activities = {room: self.activities[room] for room in self._conferences}

    async def _run(self) -> None:
        self._began = self._began or now()
        due = now()
        while self._conferences:
            at = round((due - self._began) / FRAME_SECONDS) * FRAME_SECONDS
            for conference in list(self._conferences.values()):
                conference.frame(at)
            self._frame_over()
            due = max(due + FRAME_SECONDS, now() - FARTHEST_BEHIND)
            await asyncio.sleep(max(0.0, due - now()))
        self._runs = False
