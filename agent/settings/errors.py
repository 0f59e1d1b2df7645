"""What is wrong with the settings, in one line for each mistake."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipelines.masking import masked

RENAMED: Mapping[str, str] = {
    "state": "database",  # what stood in a folder
    "turns.pause_after": "vad.pause_after",  # it is the gate's, as the rest of `vad`
}
"""Settings, or whole sections, that have another name now, by the old one."""


class SettingsError(Exception):
    """The settings are wrong; one line for each mistake."""


SECRET_WORDS = (
    "key",
    "secret",
    "token",
    "password",
    "database",
    "headers",
    ".env",
    ".args",
    ".command",
    "options",
)
"""In the name of a setting whose value is not quoted: it is a secret, or may hold one."""


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> str:
    """Return a line for each mistake: the setting, what was given, and what is allowed.

    Secrets are not quoted, nor those of an address.

    Args:
        error: What was found.
        model: What was to be made of the values.
        prefix: In front of every name, such as ``stt.options.``.
    """
    return "\n".join(_explain_one(mistake, model, prefix) for mistake in error.errors())


def unknown(name: str, model: type[BaseModel], place: tuple[int | str, ...], prefix: str) -> str:
    """Return the line for a setting that does not exist.

    Args:
        name: As it was given: a setting, or a variable.
        model: Where it was looked for.
        place: The path to it from there.
        prefix: In front of the names that are suggested.
    """
    dotted = prefix + ".".join(map(str, place))
    if now := _renamed(dotted):
        return f"{dotted}: is called {now} now"
    return f"{name}: no such setting{_nearest(model, place, prefix)}"


def _explain_one(mistake: ErrorDetails, model: type[BaseModel], prefix: str) -> str:
    name = prefix + ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        return unknown(name, model, mistake["loc"], prefix)
    if mistake["type"] == "missing":
        return f"{name}: must be given"
    allowed = mistake["msg"].removeprefix("Input ").removeprefix("Value error, ")
    if mistake["type"] in ("too_short", "too_long"):  # pydantic counts a secret's as items
        allowed = allowed.replace("items after validation", "characters")
    section = mistake["type"] in ("model_type", "dict_type", "model_attributes_type")
    if section or isinstance(mistake["input"], Mapping | BaseModel):
        return f"{name}: {allowed}"  # of a whole section, which may hold secrets
    secret = any(word in name.lower() for word in SECRET_WORDS)
    value = mistake["input"]
    shown = repr(masked(value)) if isinstance(value, str) else masked(repr(value))
    given = "(hidden)" if secret else shown
    return f"{name} = {given}: {allowed}"


def _renamed(name: str) -> str:
    """Return what a setting is called now; ``""`` if it never had another name."""
    for old, now in RENAMED.items():
        if name == old or name.startswith(f"{old}."):
            return now + name[len(old) :]
    return ""


def _nearest(model: type[BaseModel], loc: tuple[int | str, ...], prefix: str) -> str:
    for part in loc[:-1]:
        kind = model.model_fields[str(part)].annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return ""
        model, prefix = kind, f"{prefix}{part}."
    close = difflib.get_close_matches(str(loc[-1]), model.model_fields, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {prefix}{close[0]}?"
    return f"; known are {', '.join(prefix + name for name in model.model_fields)}"
