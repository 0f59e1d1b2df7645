"""What is wrong with the settings, in one line for each mistake."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.settings.allowed import (
    Kind,
    allowed,
    at,
    did_you_mean,
    hint,
    kind_of,
    nearest,
    shown,
    spelt,
)
from agent.settings.origins import Origins
from pipelines.masking import masked
from pipelines.providers import PROVIDERS, find

RENAMED: Mapping[str, str] = {
    "state": "database",  # what stood in a folder
    "turns.pause_after": "vad.pause_after",  # it is the gate's, as the rest of `vad`
}
"""Settings, or whole sections, that have another name now, by the old one."""


MOST_TOLD = 100
"""Mistakes of one section; who has more mends these first."""


class SettingsError(Exception):
    """The settings are wrong; one line for each mistake."""

    origins = Origins()
    """What was given, as far as it could be read; nothing if that is not what is wrong."""


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
)
"""In the name of a setting whose value is not quoted: it is a secret, or may hold one. Texts among
the options of providers are not quoted either."""


def explain(
    error: ValidationError,
    model: type[BaseModel],
    prefix: str,
    origins: Origins,
    *,
    whole: bool = True,
) -> list[str]:
    """Return a line for each mistake: where, the setting, what was given, and what is allowed.

    Secrets are not quoted, nor those of an address.

    Args:
        error: What was found.
        model: What was to be made of the values.
        prefix: In front of every name, such as ``stt.options.``.
        origins: Where each was given.
        whole: Whether all that was given is known; else, what is missing is no mistake.
    """
    lines: list[str] = []
    above = tuple(prefix.split(".")[:-1])
    for mistake in error.errors(include_url=False)[:MOST_TOLD]:
        between = mistake["type"] == "missing" or isinstance(mistake["input"], BaseModel)
        if between and not whole:
            continue
        said = [text.strip() for text in _explain_one(mistake, model, prefix, origins).split("\n")]
        place = ".".join(map(str, (*above, *mistake["loc"])))
        lines += [located(text, place, origins) for text in said]
    return lines


def located(line: str, name: str, origins: Origins) -> str:
    """Return the line for a mistake with where the setting called ``name`` was given before it."""
    where = origins.where(name.split("."))
    return f"{where}: {line}" if where else line


def unknown(
    parts: Sequence[str],
    number: int,
    model: type[BaseModel],
    spelling: Callable[[str], str],
    origins: Origins,
    prefix: str = "",
) -> str:
    """Say that there is no such setting, and which was probably meant.

    Args:
        parts: The path to it from ``model``, as it was given.
        number: Of the part that is not known.
        model: Where it was looked for.
        spelling: How a setting is named where this one was given.
        origins: What was given besides.
        prefix: In front of the names.
    """
    if re.fullmatch("[A-Z0-9]+(_[A-Z0-9]+)+", parts[0]):
        return "no setting, but a variable: it stands in .env, or in the environment"
    return f"no such setting{_meant(parts, number, model, spelling, origins, prefix)}"


def renamed(name: str) -> str:
    """Return what a setting is called now; ``""`` if it never had another name."""
    for old, now in RENAMED.items():
        if name == old or name.startswith(f"{old}."):
            return now + name[len(old) :]
    return ""


def is_secret(name: str, kind: Kind | None) -> bool:
    """Return whether a setting's value is not to be quoted."""
    if kind is not None and (kind.is_secret or kind.is_section):
        return True
    if kind is not None and (kind.item.is_secret or kind.item.is_section):
        return True
    if kind is not None and (kind.is_number or kind.plain is bool or kind.is_choice):
        return False
    return any(word in name.lower() for word in (*SECRET_WORDS, ".options"))


def printable(name: str) -> str:
    """Return a name that somebody gave on one line, and no longer than anybody reads."""
    return "".join(char if char.isprintable() else "?" for char in name[:100])


def named(name: str, value: object, *, secret: bool) -> str:
    """Return ``name = value``, with no secret in it."""
    if secret:
        return f"{name} = (hidden)"
    return f"{name} = {shown(masked(value)) if isinstance(value, str) else masked(shown(value))}"


def _explain_one(
    mistake: ErrorDetails, model: type[BaseModel], prefix: str, origins: Origins
) -> str:
    place = [printable(str(part)) for part in mistake["loc"]]
    name = prefix + ".".join(place)
    if mistake["type"] == "extra_forbidden":
        if now := renamed(name):
            return f"{name}: is called {now} now"
        return f"{name}: {unknown(place, len(place) - 1, model, str, origins, prefix)}"
    if mistake["type"] == "missing":
        return f"{name}: must be given"
    value = mistake["input"]
    kind = at(model, mistake["loc"])
    if mistake["type"] in ("value_error", "custom"):
        what = mistake["msg"].removeprefix("Value error, ")
    elif kind is None:
        what = mistake["msg"].removeprefix("Input ")
    else:
        what = f"must be {allowed(kind)}{hint(kind, value)}"
    whole_section = isinstance(value, Mapping | BaseModel) or (kind is not None and kind.is_section)
    if whole_section:  # it may hold secrets
        return "\n".join(f"{name}: {line}" for line in what.split("\n"))
    given = named(name, value, secret=is_secret(name, kind))
    return "\n".join(f"{given}: {line}" for line in what.split("\n"))


def _meant(
    parts: Sequence[str],
    number: int,
    model: type[BaseModel],
    spelling: Callable[[str], str],
    origins: Origins,
    prefix: str,
) -> str:
    """Return ``; did you mean ...?``, or which settings there are."""
    section = at(model, parts[:number])
    known = list(section.model.model_fields) if section and section.model else []
    above = prefix + "".join(f"{part}." for part in parts[:number])
    options = [f"options.{name}" for name in _options(parts[:number], section, origins)]
    named_so = {spelt(name.removeprefix("options.")): name for name in (*options, *known)}
    same = [named_so[spelt(parts[number])]] if spelt(parts[number]) in named_so else []
    beside_options = "options" in known  # then one of another provider is meant
    if not same and not prefix and not beside_options:
        given = [spelt(".".join(parts)), spelt(parts[-1])]
        everywhere = list(_settings(model))
        found = [name for name in everywhere if spelt(name) == given[0]]
        found = found or [name for name in everywhere if spelt(name.rpartition(".")[2]) == given[1]]
        if found and len(found) <= 3:
            return did_you_mean([spelling(name) for name in found])
    if close := same or [named_so[spelt(one)] for one in nearest(parts[number], named_so)]:
        rest = "".join(f".{part}" for part in parts[number + 1 :])
        return did_you_mean([spelling(f"{above}{name}{rest}") for name in close])
    if not prefix:
        whole = {spelt(name): name for name in _settings(model)}
        closest = difflib.get_close_matches(spelt(".".join(parts))[:200], whole, n=1, cutoff=0.85)
        if closest:
            return did_you_mean([spelling(whole[closest[0]])])
    if not known:
        return ""
    return f"; known are {', '.join(spelling(above + name) for name in known)}"


def _options(place: Sequence[str], section: Kind | None, origins: Origins) -> Iterable[str]:
    """Return the options of the provider that a section names: people write them beside it."""
    if section is None or section.model is None or "options" not in section.model.model_fields:
        return ()
    given: Any = origins.values
    for part in place:
        if isinstance(given, list):
            given = given[int(part)]
        else:
            given = given.get(part) if isinstance(given, dict) else None
    name = given.get("provider") if isinstance(given, dict) else None
    try:
        stage = next(stage for stage in PROVIDERS if stage == place[0])
        provider = find(stage, str(name or section.model.model_fields["provider"].default))
    except LookupError:  # which is told by itself
        return ()
    found: Iterable[str] = provider.Options.model_fields
    return found


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = kind_of(field).model
        yield prefix + name
        if inner is not None:
            yield from _settings(inner, f"{prefix}{name}.")
