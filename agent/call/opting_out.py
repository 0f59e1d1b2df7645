"""How whoever we have called says that they want no more calls, and what is kept of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from agent.store.errors import StoreError
from pipelines.conversation import NO_MORE_CALLS, ToolSpec
from pipelines.tools.tool import CallInfo, Tool, ToolError

log = structlog.get_logger()

Note = Callable[..., None]
"""Puts a line on the record of the call: ``note`` of its history."""

Keep = Callable[[], Awaitable[bool]]
"""Keeps that whoever was called wants no more calls; returns whether that is new. Raises
StoreError."""

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
            new = await keep()
        except StoreError:  # the database has logged it
            message = "It could not be kept. Say so, and that a person will see to it."
            raise ToolError(message) from None
        note("opt_out", by="model", **({} if new else {"known": True}))
        log.info("opted out", by="model")
        return "Done: no agent of ours will call them again. Tell them so, and say goodbye."

    return Tool(spec=_SPEC, run=run, timeout=5.0)
