"""Somebody calls: which agent answers, and how the platform is to bring them together."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog

from agent import call_headers, phone_numbers
from agent.personas.routing import Routing
from agent.settings.sinch import SinchSettings
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.applications import Applications
from agent.sinch.callbacks import IncomingCall, LegIdentity
from agent.sinch.contracts import Actions, ExpectedCall, LocalCalls
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import CALLER, BridgedCall
from agent.sinch.stream_legs import StreamLegs

log = structlog.get_logger()

CLOCKS_APART = 30
"""Seconds by which the platform's clock is believed to differ from ours."""


class IncomingCalls:
    """Answers the callbacks of calls that come in.

    Args:
        settings: The section ``sinch``.
        routing: Which agent answers.
        directory: Keeps the calls.
        stream_legs: Where streams are, and how they come to a conference.
        actions: What we can ask the platform for; None if we have no account to do it with.
        calls: Those of this process, which prepares for one.
    """

    def __init__(
        self,
        settings: SinchSettings,
        routing: Routing,
        directory: CallDirectory,
        stream_legs: StreamLegs,
        actions: Actions | None,
        calls: LocalCalls,
    ) -> None:
        self._settings = settings
        self._routing = routing
        self._directory = directory
        self._stream_legs = stream_legs
        self._actions = actions
        self._calls = calls
        self._applications = Applications(settings)

    async def answer(self, callback: IncomingCall) -> Svaml:
        """Return what the platform is to do with the call."""
        leg, settings, answers = callback.leg, self._settings, ANSWERS[callback.leg.version]
        self._applications.other(callback.application)
        agent = await self._routing.agent(callback.called, callback.caller, callback.headers)
        if not agent:
            log.info(
                "call refused: no agent for it", called=phone_numbers.shortened(callback.called)
            )
            return answers.say_and_hang_up(settings.refusal, settings.announcer, answer=True)
        if reason := self._calls.no_room(leg.call_id):
            self._calls.decline(reason)
            return answers.say_and_hang_up(settings.sorry, settings.announcer, answer=True)
        headers = call_headers.of_call(agent, callback.caller, callback.called, callback.headers)
        # Before anything is waited for: the next caller may have no place then.
        self._calls.expect(
            ExpectedCall(
                call=leg.call_id,
                agent=agent,
                caller=callback.caller,
                called=callback.called,
                headers=headers,
            )
        )
        stream = self._stream_legs.stream(
            leg.call_id, agent, headers, asked_at=_unix_time(leg.timestamp)
        )
        call = BridgedCall(
            name=leg.call_id,
            version=leg.version,
            phone=CALLER,
            call_id=leg.call_id,
            session=leg.session_id,
            conference=self._conference(leg),
            announced=time.time(),
            headers=dict(headers),
        )
        known = False
        try:
            await self._directory.add_call(call)
            known = True
        finally:
            if not known:  # the database fails, or our answer is not waited for any more
                self._calls.forget(call.name)
        log.info("call announced", agent=agent, version=leg.version)
        self._stream_legs.bring(call, stream)
        return answers.connect_incoming(
            stream, call.conference, settings.ring_seconds, settings.callback_url
        )

    def _conference(self, leg: LegIdentity) -> str:
        """Return the conference that the call is to be, so that it can be passed on; or ``""``."""
        if not self._settings.conference or self._actions is None or leg.version != "v1":
            return ""
        return self._actions.conference(leg.call_id)


def _unix_time(timestamp: str) -> int:
    """Return the Unix time of a callback; now if it does not say."""
    now = time.time()
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return int(now)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    # A platform's clock that goes wrong may neither keep a token alive nor kill it.
    return int(min(max(at.timestamp(), now - CLOCKS_APART), now + CLOCKS_APART))
