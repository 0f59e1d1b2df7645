"""Phones that ring: who has answered without our being told, and how long the others may.

In version 1 of the API phones on a line ring until we hang up. What this process does not do about
one, because it has died or stopped, another does: :mod:`agent.server.orphans`.

Whoever has answered without the platform's telling us are In-App users, in version 1.

Sinch's documents: "No ACE event is sent" for destinations of the type ``username``. They are in the
conference into which they were dialled from when they answer, and it lists its legs, so it is asked
for these as long as they ring. What follows is what follows a callback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import LegAnswered, LegIdentity
from agent.sinch.contracts import Actions
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import PartyLeg, PlacedLeg, TransferLeg
from agent.sinch.legs.leg_tables import LegStatus
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.refusals import RefusedError, UnavailableError
from pipelines.clock import now

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks: what they may hear of silence before the agent is asked for."""

RINGS_AT_MOST = 60.0
"""Seconds after which they are hung up: who answers later would be alone in a silent conference."""


SLACK = 1.0
"""Seconds beyond the time that a phone may ring until it is hung up: where the platform does so by
itself, it is the one."""

Phoned = PlacedLeg | PartyLeg | TransferLeg
"""What has somebody's phone at its end."""


class AnswerWatch:
    """Looks whether those have answered of whom the platform does not tell.

    Args:
        directory: Knows the legs, and the conferences.
        actions: What we can ask the platform for; None if we have no account to do it with.
        hang_ups: For those who do not answer, or too late.
        answered: Does what follows a callback that somebody has answered; what it returns would be
            the answer to that.
        follow_ups: Does what takes time.
        processes: The others, who see to whoever rings when we are no more.
    """

    def __init__(
        self,
        directory: CallDirectory,
        actions: Actions | None,
        hang_ups: HangUps,
        answered: Callable[[LegAnswered], Awaitable[Svaml]],
        follow_ups: FollowUps,
        processes: OtherProcesses,
    ) -> None:
        self._directory = directory
        self._actions = actions
        self._hang_ups = hang_ups
        self._answered = answered
        self._follow_ups = follow_ups
        self._processes = processes

    def limit(self, leg: PartyLeg | TransferLeg, ring_seconds: float) -> None:
        """Hang up on whoever has not answered by then. Returns at once.

        Args:
            leg: As the platform has taken it.
            ring_seconds: How long they may ring.
        """
        after = ring_seconds + SLACK
        self._processes.announced(leg.name, "", after)
        stop = partial(self._stop_ringing, leg.name)
        self._follow_ups.insist(stop, "hang up an unanswered phone", after=after)

    async def _stop_ringing(self, name: str) -> None:
        try:
            await self._hang_ups.unanswered(name)
        except UnavailableError:
            raise
        except RefusedError:  # logged; nobody else would be told otherwise
            log.debug("an unanswered phone rings on")
        self._processes.ended(name)

    def watch(self, leg: Phoned, to: str) -> None:
        """Look for an answer from now on, if we would not be told of it. Returns at once.

        A call to several is no phone; each of these is watched by itself.

        Args:
            leg: As the platform has taken it.
            to: Who is dialled.
        """
        is_phone = not (isinstance(leg, PlacedLeg) and leg.parties)
        if is_phone and self._actions is not None and not self._actions.tells_of_answer(to):
            look = partial(self._watch, self._actions, leg, now() + RINGS_AT_MOST)
            self._follow_ups.insist(look, "look for an answer")

    async def _watch(self, actions: Actions, leg: Phoned, until: float) -> None:
        while now() < until:
            await asyncio.sleep(LOOK_EVERY)
            known = await self._directory.leg(leg.name)
            if not isinstance(known, Phoned) or known.status is not LegStatus.DIALLING:
                return
            if await self._is_there(actions, known):
                await self._has_answered(actions, known)
                return
        await self._hang_ups.own_leg(leg.name)

    async def _is_there(self, actions: Actions, leg: Phoned) -> bool:
        of = leg.name if isinstance(leg, PlacedLeg) else leg.of
        line = await self._directory.call(of) or await self._directory.placed(of)
        if line is None or not leg.call_id:
            return False
        try:
            return await actions.has_joined(leg.call_id, line.conference)
        except SinchError as error:
            log.warning("no word of an answer", status=error.status, code=error.code)
            return False

    async def _has_answered(self, actions: Actions, leg: Phoned) -> None:
        who = LegIdentity(version=actions.version, call_id=leg.call_id, custom=leg.name)
        told = await self._answered(LegAnswered(leg=who, asks=False))
        if told == ANSWERS[actions.version].hang_up():  # nobody at the platform heeds it
            await self._hang_ups.own_leg(leg.name)
