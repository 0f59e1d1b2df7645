"""Lines that the agent has left to those who talk on them: whether they still do.

An end is told to us once. In version 1 of the API nobody but us ends the call of whoever is left
alone by it: if that word is lost, since no process ran, or none could be reached, they sit in a
silent conference for as long as their leg may last. So the conference is asked now and then who is
in it. Whoever is missing twice has left, and what follows is what follows a callback.

Such a line is among what this process tells the others, until it is over: when it dies or stops,
another looks after it, or the next that starts (:mod:`agent.server.orphans`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Svaml
from agent.sinch.callbacks import LegEnded, LegIdentity
from agent.sinch.contracts import Actions
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory, talk_to_another, transfer_legs
from agent.sinch.legs.leg_kinds import CALLER, BridgedCall, Phone
from agent.sinch.legs.leg_tables import CallEvent, CallStatus, LegStatus
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.refusals import RefusedError, UnavailableError
from agent.store.errors import StoreError
from pipelines.backoff import longer

log = structlog.get_logger()

LINE = "line "
"""What stands before the name of a call whose agent has left its line, where processes tell of the
calls that they hold."""

LOOKED_AT_AFTER = 1.0
"""Seconds for the process that has left a line to see to it; then, if it has died, another does."""

LOOK_EVERY = 30.0
"""Seconds between two looks at a line: one request for each, and what somebody sits in silence for
at the most whose end of a conversation was not told."""

LONGEST_WAIT = 240.0
"""Seconds between two looks at the most, while Sinch does not tell: each time twice as many. It
says 429 to whoever asks too often, and publishes no number."""

AT_ONCE = 4
"""Lines that are asked for at once: a process may inherit hundreds in one moment."""

AGAIN_AFTER = 3.0
"""Seconds until somebody who is missing is looked for once more: who has answered is in the
conference a moment later."""

OVER_WITHIN = 10.0
"""Seconds for the platform to tell that the phones of a line have hung up that nobody talks on any
more; then they are asked to once more, one by one."""

NOT_KNOWN, NOT_TOLD = "N/A", "its end was not told"
"""The result and the reason of a leg's end that nobody has told us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line, as it was when the database was asked last."""

    call: BridgedCall
    legs: Mapping[str, str] = field(default_factory=dict)
    """The platform's ids of whoever is on it, each with our name of the leg, or ``""``."""

    is_known: bool = False
    """Whether the database could be asked just now."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a conference has told."""

    missing: frozenset[str] = frozenset()
    """The ids of legs that should be there, and are not."""

    alone: bool = False
    """Whether nobody there has anybody to talk to."""

    failed: float = 0.0
    """Seconds until it is asked again, if it has told nothing; else 0."""


class LineWatch:
    """Looks after lines that have no agent any more.

    Args:
        directory: Knows the legs and calls.
        actions: What we can ask the platform for; None if we have no account to do it with.
        hang_ups: For whoever is left.
        ended: Does what follows a callback that a leg has ended.
        follow_ups: Does what takes time.
        processes: The others, who look after these lines when we are no more.
    """

    def __init__(
        self,
        directory: CallDirectory,
        actions: Actions | None,
        hang_ups: HangUps,
        ended: Callable[[LegEnded], Awaitable[Svaml]],
        follow_ups: FollowUps,
        processes: OtherProcesses,
    ) -> None:
        self._directory = directory
        self._actions = actions
        self._hang_ups = hang_ups
        self._ended = ended
        self._follow_ups = follow_ups
        self._processes = processes
        self._asking = asyncio.Semaphore(AT_ONCE)
        self._watched: set[str] = set()
        self._seen_off: set[str] = set()

    def agent_leaves(self, call_name: str) -> None:
        """Leave a line to the other processes, should this one die before it is seen to.

        Returns at once. Call :meth:`begin`, :meth:`see_off` or :meth:`is_seen_to` then.
        """
        self._processes.announced(f"{LINE}{call_name}", "", LOOKED_AT_AFTER)

    def is_seen_to(self, call_name: str) -> None:
        """Let a line be on which nobody is any more. Returns at once."""
        self._processes.ended(f"{LINE}{call_name}")

    async def begin(self, call: BridgedCall) -> bool:
        """Look after a line from now on if people talk on it; return whether that is so.

        Raises:
            StoreError: If the database fails.
        """
        talk = bool(call.conference) and await talk_to_another(self._directory, call)
        if self._actions is None or not talk:
            return False
        if call.name not in self._watched:
            self._watched.add(call.name)
            self.agent_leaves(call.name)
            look = self._look(self._actions, _Line(call=call), _Look())
            self._follow_ups.start(look, "look who is on a line")
        return True

    def see_off(self, call_name: str) -> None:
        """Look, a moment from now, whether all have hung up on a line on which nobody talks.

        Whoever has not is hung up, and of whoever is gone without our being told the rest follows.
        Returns at once.
        """
        if self._actions is None:
            self.is_seen_to(call_name)
        elif call_name not in self._seen_off:
            self._seen_off.add(call_name)
            self.agent_leaves(call_name)
            look = partial(self._see_off, call_name)
            self._follow_ups.insist(look, "see a line off", after=OVER_WITHIN)

    async def _see_off(self, call_name: str) -> None:
        call = await self._directory.call(call_name)
        if call is not None and not await self.begin(call):
            for phone in await self._phones(call):
                try:
                    gone = await self._hang_ups.is_gone(phone)
                except UnavailableError:
                    raise
                except RefusedError:  # logged; the others still have to go
                    continue
                if gone:
                    own = call.phone if isinstance(phone, BridgedCall) else phone.name
                    await self._tell_ended(call, phone.call_id, "" if own == CALLER else own)
        self._seen_off.discard(call_name)
        if call_name not in self._watched:
            self.is_seen_to(call_name)

    async def _phones(self, call: BridgedCall) -> list[Phone]:
        """Return the phones of a line of whose end nobody was told."""
        parties = await self._directory.parties(call.name)
        found: list[Phone] = [leg for leg in parties if not leg.is_over]
        over = (LegStatus.ENDED, LegStatus.FAILED)
        took = await transfer_legs(self._directory, call)
        found += [leg for leg in took if leg.status not in over]
        is_party = any(leg.name == call.phone for leg in parties)
        if not is_party and call.status is not CallStatus.OVER:
            found.append(call)
        return found

    async def _tell_ended(self, call: BridgedCall, call_id: str, name: str) -> None:
        """Do what follows the end of a leg of which nobody was told."""
        log.warning("somebody has left a line, and that was not told")
        who = LegIdentity(version=call.version, call_id=call_id, custom=name)
        await self._ended(LegEnded(leg=who, result=NOT_KNOWN, reason=NOT_TOLD))

    async def _look(self, actions: Actions, before: _Line, seen: _Look) -> None:
        """Look once, and have it done again for as long as the line is not over."""
        line = await self._as_it_is(before)
        if line is None:
            self._watched.discard(before.call.name)
            self.is_seen_to(before.call.name)
            return
        look = await self._ask(actions, line, seen)
        certain = _Look(look.missing & seen.missing, look.alone and seen.alone)
        await self._see_to(line, certain)
        after = look.failed or (AGAIN_AFTER if look.missing or look.alone else LOOK_EVERY)
        again = partial(self._look, actions, line, look)
        self._follow_ups.start_later(after, again, "look who is on a line")

    async def _as_it_is(self, line: _Line) -> _Line | None:
        """Return a line as it is now; None if nobody is on it any more, as far as we know.

        If the database fails, it is as it was.
        """
        try:
            call = await self._directory.call(line.call.name)
            if call is None:
                return None
            if not await talk_to_another(self._directory, call):
                await self._hang_ups.conference(call.name)  # somebody may have been left there
                return None
            return _Line(call=call, legs=await self._legs(call), is_known=True)
        except (StoreError, RefusedError):  # logged where it was raised
            return replace(line, is_known=False)

    async def _legs(self, call: BridgedCall) -> Mapping[str, str]:
        parties = await self._directory.parties(call.name)
        found = {leg.call_id: leg.name for leg in parties if leg.status is LegStatus.CONNECTED}
        if all(leg.name != call.phone for leg in parties):
            found[call.call_id] = "" if call.phone == CALLER else call.phone
        took = await transfer_legs(self._directory, call)
        found |= {leg.call_id: leg.name for leg in took if leg.is_there}
        return {call_id: name for call_id, name in found.items() if call_id}

    async def _ask(self, actions: Actions, line: _Line, before: _Look) -> _Look:
        try:
            async with self._asking:
                there = await actions.participants(line.call.conference)
        except SinchError as error:
            log.warning("no word of who is on a line", status=error.status, code=error.code)
            wait = longer(before.failed, first=LOOK_EVERY, longest=LONGEST_WAIT)
            return _Look(failed=wait)
        return _Look(missing(line.legs, there), len(there) < 2)

    async def _see_to(self, line: _Line, look: _Look) -> None:
        """Do what follows from what was seen twice."""
        if not line.is_known:
            if look.alone:
                await self._hang_ups.all_known(line.call)
            return
        for call_id in look.missing:
            await self._tell_ended(line.call, call_id, line.legs.get(call_id, ""))
        if look.alone:
            await self._let_go(line.call.name)

    async def _let_go(self, call_name: str) -> None:
        """Note that a call is over on whose line nobody talks; the next look clears that."""
        try:
            call = await self._directory.call(call_name)
            if call is not None and call.status is not CallStatus.OVER:
                await self._directory.advance_call(call_name, CallEvent.ENDED)
        except StoreError:  # the database has logged it; what is seen next leads here again
            log.debug("a line is let go later")


def missing(known: Collection[str], there: Collection[str]) -> frozenset[str]:
    """Return who should be in a conference and is not, as far as that can be told.

    Where two and more are of whom we do not know all, they may be the same by other ids: nobody is
    missing then.

    Args:
        known: The ids of the legs that should be there.
        there: Those that are.
    """
    if len(there) > 1 and not set(there) <= set(known):
        return frozenset()
    return frozenset(known) - frozenset(there)
