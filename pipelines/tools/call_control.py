"""What a language model may do with the call itself: hang up, transfer, press keys.

These are no tools of a toolbox: what they ask for is done by the call, after what was said before
has been heard.
"""

from __future__ import annotations

from pipelines.conversation import (
    END_CALL,
    PRESS_KEYS,
    STAY_SILENT,
    TRANSFER_CALL,
    Brief,
    ToolSpec,
)


def call_control(brief: Brief) -> tuple[ToolSpec, ...]:
    """Return what a model may do with the call itself, given whom and what ``brief`` allows."""
    specs = [
        _control(
            END_CALL,
            "Hang up the phone. Use it once the caller has said goodbye or needs nothing more, and "
            "always write a short goodbye in the same message: the call ends after it was spoken.",
        )
    ]
    if brief.destinations:
        whom = " ".join(f"{d.name}: {d.when}." for d in brief.destinations)
        specs.append(
            _control(
                TRANSFER_CALL,
                "Pass the caller on to somebody else. Always say so in a short sentence in the "
                f"same message: they are dialled after it was spoken. Whom, and when: {whom}",
                to={"type": "string", "enum": [d.name for d in brief.destinations]},
            )
        )
    if brief.may_press_keys:
        specs.append(
            _control(
                PRESS_KEYS,
                "Press keys of the telephone, to choose from a menu that answered the call. They "
                "are pressed after what you write in the same message was spoken; write nothing if "
                "a machine listens.",
                keys={"type": "string", "pattern": "^[0-9*#A-Dw]{1,32}$"},
            )
        )
    return tuple(specs)


def _control(name: str, description: str, **parameters: object) -> ToolSpec:
    schema: dict[str, object] = {
        "type": "object",
        "properties": parameters,
        "additionalProperties": False,
    }
    if parameters:  # an empty list is an error by older drafts of JSON Schema
        schema["required"] = list(parameters)
    return ToolSpec(name=name, description=description, parameters=schema)


STAY_SILENT_SPEC = _control(
    STAY_SILENT,
    "Say nothing, and leave the line to those who talk to each other. Only where a remark behind "
    "what was said last says that it may have been said to another person: call it if it was, "
    "without writing anything.",
)
"""Offered on a line of several alone."""
