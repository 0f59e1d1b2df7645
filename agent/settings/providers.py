"""Who does each stage: the providers that the settings name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel, Field, ValidationError

from agent.settings.errors import SettingsError, explain
from pipelines.environment import strange_character
from pipelines.providers import find
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


def chosen(stage: Stage, settings: StageSettings) -> list[Chosen]:
    """Return whom ``stage`` asks, in order, each with its validated options.

    Raises:
        SettingsError: If there is no such provider, or its options are wrong.
    """
    found = [_chosen(stage, stage, settings)]
    for number, fallback in enumerate(settings.fallback):
        one = _chosen(stage, f"{stage}.fallback.{number}", fallback)
        names = [other.name for other in found]
        same = sum(name.partition("#")[0] == one.name for name in names)
        found.append(replace(one, name=f"{one.name}#{same + 1}") if same else one)
    return found


def _chosen(stage: Stage, place: str, given: StageSettings | FallbackSettings) -> Chosen:
    try:
        provider = find(stage, given.provider)
    except LookupError as error:
        raise SettingsError(f"{place}.provider = {given.provider!r}: {error.args[0]}") from error
    try:
        options = provider.Options.model_validate(given.options)
    except ValidationError as error:
        raise SettingsError(explain(error, provider.Options, f"{place}.options.")) from error
    for name in SENT & type(options).model_fields.keys():
        value = getattr(options, name)
        if isinstance(value, str) and (strange := strange_character(value)):
            raise SettingsError(
                f"{place}.options.{name}: there is a character in it that is not seen or not "
                f"meant ({strange}); type it anew"
            )
    return Chosen(name=given.provider, provider=provider, options=options)
