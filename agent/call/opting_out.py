"""How whoever we have called says that they want no more calls, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog

from agent.call.history import History
from agent.call.orders import HangUp, Order
from agent.personas.script import Script
from agent.store.errors import StoreError
from agent.store.opt_outs import How
from pipelines.background import BackgroundTasks
from pipelines.conversation import NO_MORE_CALLS, ToolSpec
from pipelines.providers.lookup.no_more_calls import wants_no_more_calls
from pipelines.tools.tool import CallInfo, Tool, ToolError

log = structlog.get_logger()

Note = Callable[..., None]
"""Puts a line on the record of the call: ``note`` of its history."""

Keep = Callable[[How], Awaitable[bool]]
"""Keeps that whoever was called wants no more calls, on that word; returns whether that is new.
Raises StoreError."""

KEPT_WITHIN = 5.0
"""Seconds until what was pressed is kept, be the call over by then or not."""

_SPEC = ToolSpec(
    name=NO_MORE_CALLS,
    description="Keep it for good that the person you have called wants no more calls from us. "
    "Use it at once when they say so in any words, such as 'take me off your list' or 'don't call "
    "again'; not when they only have no time now. Once it is done, tell them so in a short "
    "sentence, and end the call.",
    parameters={"type": "object", "properties": {}, "additionalProperties": False},
)


def no_more_calls(keep: Keep, note: Note) -> Tool:
    """Return what a language model may have done in a call that we have placed.

    Args:
        keep: Keeps it.
        note: Puts it on record.
    """

    async def run(_arguments: Mapping[str, Any], _about: CallInfo) -> str:
        try:
            new = await keep("model")
        except StoreError:  # the database has logged it
            message = "It could not be kept. Say so, and that a person will see to it."
            raise ToolError(message) from None
        note("opt_out", by="model", **({} if new else {"known": True}))
        log.info("opted out", by="model")
        return "Done: no agent of ours will call them again. Tell them so, and say goodbye."

    return Tool(spec=_SPEC, run=run, timeout=5.0)


class OptingOut:
    """What a key does in a call that we have placed, and words do before they have agreed to it.

    It is kept, confirmed, and hung up. Close it once the call is over: who presses the key and
    hangs up has opted out.

    Args:
        keep: Keeps it.
        history: Of the call; puts it on record.
        obey: Gives the call an order.
        script: Of the call.
    """

    def __init__(
        self, keep: Keep, history: History, obey: Callable[[Order], None], script: Script
    ) -> None:
        self._keep, self._note, self._obey = keep, history.record.note, obey
        self._script = script
        self._background = BackgroundTasks()
        self._done = False
        if script.opt_out_key:
            history.pressed.on(script.opt_out_key, partial(self._note_that, "keys"))
        history.consent.opts_out = self._said

    async def aclose(self) -> None:
        """Let what was pressed or said be kept."""
        await self._background.aclose(KEPT_WITHIN)

    def _said(self, text: str) -> bool:
        """Return whether somebody has said so; it is seen to then."""
        if not wants_no_more_calls(text, self._script.brief.language.partition("-")[0].lower()):
            return False
        self._note_that("words")
        return True

    def _note_that(self, how: How) -> None:
        """Note that they want no more calls; once is enough. Returns at once."""
        if not self._done:
            self._done = True
            self._background.start(self._opt_out(how), "opting out")

    async def _opt_out(self, how: How) -> None:
        try:
            async with asyncio.timeout(KEPT_WITHIN):
                new = await self._keep(how)
        except (StoreError, TimeoutError) as error:  # nothing is promised that was not kept
            log.warning("an opt-out could not be kept", by=how, error=type(error).__name__)
            self._note("opt_out", by=how, failed=True)
            goodbye = self._script.brief.goodbye
            self._obey(HangUp(goodbye=True, by="agent", words=goodbye))
            return
        self._note("opt_out", by=how, **({} if new else {"known": True}))
        log.info("opted out", by=how)
        self._obey(HangUp(goodbye=True, by="agent", words=self._script.opted_out))
