"""What a language model may do with the call itself, once all that it said was heard."""

from __future__ import annotations

import re

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


def control_step(call: ToolCall, brief: Brief) -> Step | str:
    """Return what to do with the call once all was heard, or what is wrong with that."""
    match call.name, dict(call.arguments):
        case conversation.END_CALL, _:
            return EndCall()
        case conversation.STAY_SILENT, _:
            return StaySilent() if brief.may_stay_silent else "You were spoken to. Answer."
        case conversation.TRANSFER_CALL, {"to": to}:
            known = [destination.name for destination in brief.destinations]
            if to in known:
                return TransferCall(str(to))
            return f"There is no such destination. There are: {', '.join(known) or 'none'}."
        case conversation.PRESS_KEYS, {"keys": str(keys)} if brief.may_press_keys and KEYS(keys):
            return PressKeys(keys)
    return "That cannot be done in this call, or not with these arguments."
