"""The end of a call: by its phone, its stream, or an operator; and the platform's word on it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from agent.call.orders import HangUp
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.call_facts import call_facts
from agent.sinch.callbacks import LegEnded
from agent.sinch.contracts import LocalCalls
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.leg_records import LegRecords, charged
from agent.sinch.legs.directory import CallDirectory, talk_to_another
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import STREAM, LegFacts
from agent.sinch.legs.leg_tables import CallEvent, CallStatus, LegEvent, LegStatus
from agent.sinch.line_watch import LINE, LineWatch
from agent.sinch.refusals import CallOverError, NoSuchCallError
from agent.store.errors import StoreError

log = structlog.get_logger()

RECORD_WITHIN = 5.0
"""Seconds for our own end of a call to be on record, once the platform has told its own; a call is
gone in that time, whatever failed."""

INTERRUPTED = "interrupted"
"""Why a call ended whose process has died."""

LOOK_EVERY = 0.05
"""Seconds between two looks at whether it is."""


class CallEndings:
    """Sees to it that nobody hangs on when a call ends, and that its record says how it did.

    Args:
        directory: Knows the legs and calls.
        calls: Those of this process, with their records.
        dispatch: Tells the agent of a call.
        hang_ups: For whoever is left.
        follow_ups: Does what takes time.
        legs: Puts on record what became of the others.
        watch: Looks after lines that the agent leaves to those who talk.
    """

    def __init__(
        self,
        directory: CallDirectory,
        calls: LocalCalls,
        dispatch: OrderDispatch,
        hang_ups: HangUps,
        follow_ups: FollowUps,
        legs: LegRecords,
        watch: LineWatch,
    ) -> None:
        self._directory = directory
        self._calls = calls
        self._dispatch = dispatch
        self._hang_ups = hang_ups
        self._follow_ups = follow_ups
        self._legs = legs
        self._watch = watch

    async def hang_up(self, call_name: str, *, goodbye: bool) -> None:
        """Hang up a call, in whichever process its stream is, or a leg that still rings.

        Args:
            call_name: Ours, or the platform's id.
            goodbye: Whether its agent, if it has one, says goodbye before.

        Raises:
            NoSuchCallError: If there is none.
            CallOverError: If it is over.
            RefusedError: If Sinch does not do it.
        """
        leg = await self._directory.placed(call_name)
        call = await self._directory.call(call_name)
        order = HangUp(goodbye=goodbye)
        if leg is None and call is None:
            if await self._dispatch.order_by_hand(call_name, order):
                return
            raise NoSuchCallError
        if leg is not None and leg.is_over:
            raise CallOverError
        if call is not None and call.status is CallStatus.OVER:
            raise CallOverError
        told = await self._dispatch.order(call_name, order)
        if told and call is not None and call.status is CallStatus.WITH_AGENT:
            return
        if leg is not None:
            why = LegFacts(reason="hung up by the operator")
            await self._directory.advance(leg, LegEvent.ENDED, why)
        await self._hang_ups.phone(call_name)

    async def let_go(self, call_name: str) -> None:
        """Hang up whoever was left alone by a process that has died, and note that it is over.

        Whoever it had dialled onto a line, and still rings, has rung for as long as they may. Any
        other phone that still rings is let be, since any process answers its callbacks; so is a
        call whose stream is elsewhere, and are those who talk to somebody whom they were passed on
        to, unless the platform has ended their call with the stream: then the other is alone. Where
        it has not, this process looks after them from now on.

        Args:
            call_name: Of a call, of a leg, or of a line that the process had left.

        Raises:
            RefusedError: If Sinch does not hang up a leg that rings. Whoever is on a line is asked
                for until Sinch is there.
        """
        call_name = call_name.removeprefix(LINE)
        call = await self._directory.call(call_name)
        if call is None:
            await self._hang_ups.unanswered(call_name)  # it may be a leg
            return
        if call.status is not CallStatus.OVER:
            ends_with_stream = ANSWERS[call.version].stays_when_moved
            if not ends_with_stream and await talk_to_another(self._directory, call):
                await self._watch.begin(call)
                return
            if await self._dispatch.has_stream(call.call_id):
                return
            log.warning("a phone is hung up: the process of its call has died", call=call_name)
            leg = await self._directory.placed(call_name)
            if leg is not None:
                await self._directory.advance(leg, LegEvent.ENDED, LegFacts(reason=INTERRUPTED))
            await self._directory.advance_call(call_name, CallEvent.ENDED)
            await self._directory.stream_ended(call.call_id)
        self._watch.see_off(call_name)
        hang_up = partial(self._hang_ups.everybody, call)
        await self._follow_ups.finish(hang_up, "hang up whoever is left", otherwise=None)

    async def phone_ended(self, call_name: str, callback: LegEnded, party: str = "") -> Svaml:
        """Close the record of a call whose phone has hung up, and let nobody else hang on.

        Args:
            call_name: Ours.
            callback: What the platform said of that.
            party: Name of the leg, if the phone is one of several on the line.

        Returns:
            What the platform is to do.
        """
        answers = ANSWERS[callback.leg.version]
        self._calls.forget(call_name)
        await self.close(call_name, callback, party)
        call = await self._directory.advance_call(call_name, CallEvent.ENDED)
        if call is None:
            return answers.nothing()
        self.stream_leg_ended(call_name)
        if not call.transfer:
            return answers.hang_up_legs(STREAM)
        stop = partial(self._hang_ups.transfer_for_nobody, call.transfer)
        self._follow_ups.insist(stop, "hang up an unanswered transfer")
        return answers.hang_up_legs(STREAM, call.transfer, *call.helpers)

    async def close(self, call_name: str, callback: LegEnded, party: str = "") -> None:
        """Have the platform's last word on a call put on its record, unless one is.

        Arguments as of :meth:`phone_ended`.
        """
        if await self._directory.first_to_end(callback.leg.call_id):
            told = await self._last_word(callback, party)
            self._follow_ups.start(self._close_record(call_name, callback, told), "close a record")
            others = partial(self._legs.left_before, call_name, callback)
            self._follow_ups.insist(others, "record who has left before")

    def stream_leg_ended(self, call_name: str) -> None:
        """Hang up whoever is left alone in the conference of a call. Returns at once."""
        clear = partial(self._clear, call_name)
        self._follow_ups.insist(clear, "end a conference")

    async def _clear(self, call_name: str) -> None:
        await self._hang_ups.conference(call_name)
        call = await self._directory.call(call_name)
        if call is None or call.status is CallStatus.OVER:
            self._watch.is_seen_to(call_name)

    def stream_ended(self, call_name: str, call_id: str, *, moved: bool, hung_up: bool) -> None:
        """Let the platform have the last word on a call whose record we have closed.

        A phone that our stream has left alone is hung up; where there is no conference, the
        platform does it itself. Returns at once.

        Args:
            call_name: Ours.
            call_id: The platform's id of its phone's leg.
            moved: Whether the caller talks to somebody else now.
            hung_up: Whether one of us wanted the end: then it is that of whoever helps, too.
        """
        self._watch.agent_leaves(call_name)
        leave = partial(self._leave, call_name, call_id, moved=moved, hung_up=hung_up)
        self._follow_ups.insist(leave, "leave a call")

    async def _leave(self, call_name: str, call_id: str, *, moved: bool, hung_up: bool) -> None:
        try:
            await self._directory.stream_ended(call_id)
            call = await self._directory.call(call_name)
            is_over = call is None or call.status is CallStatus.OVER
            if call is not None and not is_over and ANSWERS[call.version].stays_when_moved:
                await self._hang_ups.whoever_took(call)  # the platform hangs up the caller
            # Whoever it left them with may have hung up as it left.
            await self._hang_ups.conference(call_name, whoever_talks=hung_up and not moved)
            if call is None or is_over:
                self._watch.is_seen_to(call_name)
            elif not await self._watch.begin(call):
                self._watch.see_off(call_name)
        except StoreError:
            if hung_up and not moved:
                await self._hang_ups.conference_without_database(call_name)
            raise

    async def _last_word(self, callback: LegEnded, party: str) -> dict[str, Any]:
        """Return what the platform says of the end of a call, with the price of that one leg.

        If it is one of several, the record says which, and has its price once: on a line of its
        own, where the database has failed just now.
        """
        told = charged(callback)
        if not party:
            return told
        with suppress(StoreError):  # nobody else closes the record
            if await self._legs.first_to_record(party):
                return told | {"leg": party}
        return {"result": callback.result, "reason": callback.reason}

    async def _close_record(
        self, call_name: str, callback: LegEnded, told: Mapping[str, Any]
    ) -> None:
        """Add what the platform says of a call to its record, behind our own last line.

        The socket of a stream and the callback are two connections: either may be the first to
        tell that the call is over, to this process or another.
        """
        call_id, looks = callback.leg.call_id, round(RECORD_WITHIN / LOOK_EVERY)
        about = call_facts(None, None, callback)
        try:
            leg = await self._directory.placed(call_name)
            parties = await self._directory.parties(call_name)
            call = await self._directory.call(call_name)
            about = call_facts(call, leg, callback, parties)
            if call is None and leg is not None and leg.status is LegStatus.MACHINE:
                told = {**told, "answerer": "machine"}
            for _ in range(looks):
                if not await self._dispatch.has_stream(call_id):
                    break
                await asyncio.sleep(LOOK_EVERY)
        finally:
            self._calls.platform_line(call_id, told, about)
