"""What a language model may do with the call itself, once all that it said was heard."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pipelines import conversation
from pipelines.conversation import Brief, ToolCall
from pipelines.reply.steps import (
    KEYS,
    EndCall,
    PressKeys,
    StaySilent,
    Step,
    TransferCall,
)

CONTROLS = frozenset(
    {
        conversation.END_CALL,
        conversation.TRANSFER_CALL,
        conversation.PRESS_KEYS,
        conversation.STAY_SILENT,
    }
)

_SILENCE = re.compile(r"[\W_]*(?:stay(?:s|ing)?[\W_]*silent|silence)[\W_]*", re.IGNORECASE)


def as_asked(piece: str | ToolCall, brief: Brief) -> str | ToolCall:
    """Return what a model gives, as a call of the tool if it has written that it stays silent.

    Small models write the name of a tool, or a remark in brackets, where they should ask for it.
    """
    silent = brief.may_stay_silent and isinstance(piece, str) and _SILENCE.fullmatch(piece)
    return ToolCall(conversation.STAY_SILENT) if silent else piece


async def unless_refused(
    pieces: AsyncGenerator[str | ToolCall, None], brief: Brief
) -> AsyncGenerator[str | ToolCall, None]:
    """Yield what a model gives, but no word of a message that asks for a transfer that is refused.

    Nobody is to hear announced what is taken back then: the model is told, and says something else.
    While somebody is refused, what it says waits for the end of its message, where it asks.
    """
    refused = [one.name for one in brief.destinations if one.refused]
    async with aclosing(pieces):
        if not refused:
            async for piece in pieces:
                yield piece
            return
        message = [piece async for piece in pieces]
    calls = [piece for piece in message if isinstance(piece, ToolCall)]
    named = [call.arguments.get("to") for call in calls if call.name == conversation.TRANSFER_CALL]
    for piece in message if not any(to in refused for to in named) else calls:
        yield piece


def control_step(call: ToolCall, brief: Brief) -> Step | str:
    """Return what to do with the call once all was heard, or what is wrong with that."""
    match call.name, dict(call.arguments):
        case conversation.END_CALL, _:
            return EndCall()
        case conversation.STAY_SILENT, _:
            return StaySilent() if brief.may_stay_silent else "You were spoken to. Answer."
        case conversation.TRANSFER_CALL, {"to": to}:
            known = {destination.name: destination for destination in brief.destinations}
            if to in known:
                why = known[str(to)].refused
                return f"Not dialled: {why}." if why else TransferCall(str(to))
            return f"There is no such destination. There are: {', '.join(known) or 'none'}."
        case conversation.PRESS_KEYS, {"keys": str(keys)} if brief.may_press_keys and KEYS(keys):
            return PressKeys(keys)
    return "That cannot be done in this call, or not with these arguments."
