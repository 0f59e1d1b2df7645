"""The agent's end of a call: where its stream is, and, in a conference, its leg."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from functools import partial

import structlog

from agent import call_headers, phone_numbers
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Stream
from agent.sinch.contracts import Actions, StreamTarget
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import BridgedCall, PartyLeg, PlacedLeg, StreamLeg
from agent.sinch.legs.leg_tables import CallStatus
from agent.sinch.tokens import Claims, StreamTokens

log = structlog.get_logger()

STREAM_WITHIN = 20.0
"""Seconds for the stream of an answered leg to come about; then the leg is hung up."""


class StreamLegs:
    """Tells the platform where the stream of a call is, and brings it to conferences.

    Args:
        target: Where streams are taken.
        token_lifetime: Seconds from the callback until the stream has to come.
        tokens: Each stream brings one.
        directory: Knows the calls.
        actions: What we can ask the platform for; None if we have no account to do it with.
        hang_ups: For a phone to which no stream comes.
        follow_ups: Does what takes time.
    """

    def __init__(
        self,
        target: StreamTarget,
        token_lifetime: float,
        tokens: StreamTokens,
        directory: CallDirectory,
        actions: Actions | None,
        hang_ups: HangUps,
        follow_ups: FollowUps,
    ) -> None:
        self._target = target
        self._token_lifetime = token_lifetime
        self._tokens = tokens
        self._directory = directory
        self._actions = actions
        self._hang_ups = hang_ups
        self._follow_ups = follow_ups

    def stream(
        self,
        call_id: str,
        agent: str,
        headers: Mapping[str, str],
        *,
        asked_at: float,
        dialled: str = "",
        max_seconds: int | None = None,
    ) -> Stream:
        """Return the stream for a call, with a token that is good for once.

        Args:
            call_id: The platform's id of the phone's leg.
            agent: Who answers.
            headers: What the call brings along.
            asked_at: Unix time of the callback.
            dialled: Our name of a call that we placed.
            max_seconds: Longest that it may be; None if there is nothing special about it.
        """
        claims = Claims(
            call=call_id,
            agent=agent,
            rate=self._target.rate,
            expires=int(asked_at + self._token_lifetime),
            dialled=dialled,
        )
        token = self._tokens.mint(claims)
        return Stream(
            endpoint=f"{self._target.url}/{token}",
            rate=claims.rate,
            max_seconds=self._target.max_seconds if max_seconds is None else max_seconds,
            headers={"token": token, **headers},
        )

    def begin(self, placed: PlacedLeg, phone: PlacedLeg | PartyLeg) -> tuple[BridgedCall, Stream]:
        """Return the call that we placed, and its stream, now that a phone has answered.

        Keep the call, then :meth:`bring` the stream.

        Args:
            placed: As it was dialled.
            phone: That the call goes by: the same, or the first to answer of several.
        """
        headers = call_headers.of_call(
            placed.agent, placed.caller_id, phone_numbers.shown(phone.to)
        )
        stream = self.stream(
            phone.call_id,
            placed.agent,
            headers,
            asked_at=time.time(),
            dialled=placed.name,
            max_seconds=placed.max_seconds,
        )
        call = BridgedCall(
            name=placed.name,
            version=placed.version,
            phone=phone.name,
            call_id=phone.call_id,
            session=phone.session,
            conference=placed.conference,
            parties=tuple(name for name in placed.parties if name != phone.name),
            ends_with=placed.ends_with,
            announced=placed.announced,
            headers=dict(headers),
        )
        return call, stream

    def bring(self, call: BridgedCall, stream: Stream, *, after: float = 0.0) -> None:
        """Add the stream to the conference in which the phone waits; else hang the phone up.

        Returns at once. Where the stream takes no leg of its own, it comes by the answer to a
        callback. Whoever waits for one that does not come is hung up, whichever way it was to.

        Args:
            call: Of the phone.
            stream: As :meth:`stream` has made it.
            after: Seconds from now, while the platform's voice still speaks.
        """
        if self._actions is None:
            return
        # Whatever becomes of it; if Sinch does not hang up now, either, it may then.
        look = partial(self._look_for_stream, call.name)
        self._follow_ups.insist(look, "look for a stream", after=after + STREAM_WITHIN)
        if not call.conference:
            return
        bring = partial(self._bring, self._actions, call, stream)
        if after:
            self._follow_ups.start_later(after, bring, "bring a stream")
        else:
            self._follow_ups.start(bring(), "bring a stream")

    async def _bring(self, actions: Actions, call: BridgedCall, stream: Stream) -> None:
        leg = StreamLeg(name=f"s{uuid.uuid4().hex[:24]}", of=call.name)
        await self._directory.add_leg(leg)
        try:
            await actions.bring_stream(leg.name, stream, call.conference)
        except SinchError as error:
            log.warning("no stream for a call", status=error.status, code=error.code)
            await self._hang_ups.phone(call.name)

    async def _look_for_stream(self, call_name: str) -> None:
        """Hang up a phone that nobody talks to, and all who are on its line."""
        call = await self._directory.call(call_name)
        if call is None or call.status is CallStatus.OVER:
            return
        if not await self._directory.stream_came(call.call_id):
            log.warning("the stream of a call did not come; the phone is hung up")
            await self._hang_ups.phone(call_name)
