"""Who does each stage: the providers that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel, Field, ValidationError

from agent.settings.allowed import did_you_mean, nearest
from agent.settings.errors import SettingsError, explain, located, named
from agent.settings.origins import Origins
from pipelines.environment import strange_character
from pipelines.providers import PROVIDERS, find
from pipelines.providers.contracts import Stage
from pipelines.settings import Section
from pipelines.stages.limits import ModelLimits

STAGES: tuple[Stage, ...] = get_args(Stage)


class FallbackSettings(Section):
    """Who takes over."""

    provider: str
    options: dict[str, Any] = Field({}, repr=False)


class StageSettings(Section):
    """Who does a stage, and how."""

    provider: str
    options: dict[str, Any] = Field(
        {}, repr=False, description="The provider's own; see its table."
    )
    fallback: tuple[FallbackSettings, ...] = Field(
        (),
        repr=False,
        description="Who takes over within the same turn when that one fails, in order: "
        "`[[{stage}.fallback]]`, each with `provider` and `options`.",
    )


class SttSettings(StageSettings):
    """Who hears."""

    provider: str = "moonshine"


class LlmSettings(StageSettings, ModelLimits):
    """Who thinks."""

    provider: str = "lookup"


class TtsSettings(StageSettings):
    """Who speaks."""

    provider: str = "piper"


SENT = frozenset(("base_url", "model", "voice", "region", "language", "key_variable"))
"""Options that name something to a server: what is pasted along with a name is not found there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A provider that the settings name."""

    name: str
    """Its own; with a number behind it, ``openai#2``, if it is there before."""

    provider: Any
    """Its class."""

    options: BaseModel


def chosen(stage: Stage, settings: StageSettings, origins: Origins) -> list[Chosen]:
    """Return whom ``stage`` asks, in order, each with its validated options.

    Args:
        stage: Which one.
        settings: Its section.
        origins: Where each setting was given.

    Raises:
        SettingsError: If there is no such provider, or its options are wrong; a line for each.
    """
    found: list[Chosen] = []
    mistakes: list[str] = []
    several: tuple[StageSettings | FallbackSettings, ...] = (settings, *settings.fallback)
    for number, given in enumerate(several):
        try:
            one = _chosen(stage, number, given.provider, given.options, origins)
        except SettingsError as error:
            mistakes.append(str(error))
            continue
        names = [other.name for other in found]
        same = sum(name.partition("#")[0] == one.name for name in names)
        found.append(replace(one, name=f"{one.name}#{same + 1}") if same else one)
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return found


def mistakes_in(stage: Stage, default: str, origins: Origins) -> list[str]:
    """Return what is wrong with the providers of a stage, though its section is wrong elsewhere.

    Args:
        stage: Which one.
        default: The provider, where none is named.
        origins: What was given, whatever it is, and where.
    """
    section = origins.values.get(stage, {})
    fallback = section.get("fallback", []) if isinstance(section, dict) else []
    mistakes: list[str] = []
    for number, given in enumerate([section, *(fallback if isinstance(fallback, list) else [])]):
        if not isinstance(given, dict):
            continue
        provider, options = given.get("provider", "" if number else default), given.get("options")
        try:
            if isinstance(provider, str) and provider:
                _found(stage, number, provider, origins)
                if isinstance(options, dict | None):
                    _chosen(stage, number, provider, options or {}, origins)
        except SettingsError as error:
            mistakes += str(error).split("\n")
    return mistakes


def _chosen(
    stage: Stage, number: int, name: str, given: Mapping[str, Any], origins: Origins
) -> Chosen:
    """Return one that is named: the first of its stage, or who takes over, counted from 1."""
    provider = _found(stage, number, name, origins)
    try:
        options = provider.Options.model_validate(given)
    except ValidationError as error:
        lines = explain(error, provider.Options, f"{_place(stage, number)}options.", origins)
        raise SettingsError("\n".join(lines)) from error
    mistakes: list[str] = []
    for option in sorted(SENT & type(options).model_fields.keys()):
        value = getattr(options, option)
        if isinstance(value, str) and (strange := strange_character(value)):
            setting = f"{_place(stage, number)}options.{option}"
            line = (
                f"{setting}: there is a character in it that is not seen or not meant "
                f"({strange}); type it anew"
            )
            mistakes.append(located(line, setting, origins))
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return Chosen(name=name, provider=provider, options=options)


def _found(stage: Stage, number: int, name: str, origins: Origins) -> Any:  # noqa: ANN401 - a class
    try:
        return find(stage, name)
    except LookupError as error:
        setting = f"{_place(stage, number)}provider"
        meant = did_you_mean(nearest(name, PROVIDERS[stage]))
        line = f"{named(setting, name, secret=False)}: {error.args[0]}{meant}"
        raise SettingsError(located(line, setting, origins)) from error


def _place(stage: Stage, number: int) -> str:
    return f"{stage}.fallback.{number - 1}." if number else f"{stage}."
