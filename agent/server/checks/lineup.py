"""Whether the providers have their keys, and the languages of the agents."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from agent.personas.loader import Persona
from agent.server.checks.finding import Finding, findings_of
from agent.settings import Settings, SettingsError
from agent.settings.providers import STAGES, Chosen
from pipelines.providers import ANSWERS_FROM_THE_FILE
from pipelines.providers.contracts import ProviderError, Stage
from pipelines.providers.key_variables import is_own_server, key_variable
from pipelines.providers.languages import languages, primary
from pipelines.providers.transport.keys import find_key

LineUp = Mapping[Stage, Sequence[Chosen]]
"""Whom each stage asks, in order."""

_PLACEHOLDER = re.compile(
    r"your|change(me|it|this)|replace(me|it|this)|placeholder|example|insert|apikey|keyhere|xxxx"
    r"|goeshere|dummy"
)
"""What stands in a key that somebody meant to replace, its signs and spaces left out."""

FEWEST = 6
"""Different characters of a key. Those of all services are random, of 30 and more."""

NOBODY = "scripted"
"""A provider of each stage that wants nothing."""

DOES: Mapping[Stage, str] = {"stt": "hears", "llm": "answers in", "tts": "speaks"}


def line_up(settings: Settings) -> tuple[LineUp, list[Finding]]:
    """Return the providers of the stages that are configured well, and what is wrong."""
    found: list[Finding] = []
    known: dict[Stage, Sequence[Chosen]] = {}
    for stage in STAGES:
        # By itself, so that a mistake in one stage hides nothing of another.
        others = {one: type(getattr(settings, one))(provider=NOBODY) for one in STAGES}
        alone = settings.model_copy(update=others | {stage: getattr(settings, stage)})
        try:
            known[stage] = alone.providers()[stage]
        except SettingsError as error:
            found += findings_of(error)
    return known, found


def keys(lineup: LineUp) -> Iterator[Finding]:
    """Look whether each key is there, and is one. It is not quoted."""
    for stage, providers in lineup.items():
        for number, one in enumerate(providers):
            variable = key_variable(one.provider, one.options)
            given = getattr(one.options, "api_key", None)
            if not variable and given is None:
                continue
            above = f"{stage}.fallback.{number - 1}" if number else stage
            place = variable if given is None else f"{above}.options.api_key"
            try:
                key = find_key(stage, given, variable)
            except ProviderError as error:
                named_so = (f"{stage}.options.api_key: ", f"{variable}: ")
                reason = re.sub("|".join(map(re.escape, named_so)), "", error.reason, count=1)
                yield Finding(place=place, message=f"{reason}; {stage} is {one.name!r}")
                continue
            if not is_own_server(one.options) and (why := _no_key(key)):
                yield Finding(place=place, message=f"{why}; take yours of {one.name!r} ({stage})")


def _no_key(key: str) -> str:
    """Say why this is no key; ``""`` if nothing tells that it is none."""
    signs = re.sub(r"[^a-z0-9]", "", key.lower())
    if _PLACEHOLDER.search(signs) or re.search(r"\.\.\.|…|[<>{}$]", key) or len(set(key)) < FEWEST:
        return "a placeholder, not a key"
    return ""


def written(lineup: LineUp, agents: Mapping[str, Persona]) -> Iterator[Finding]:
    """Look whether somebody can write what agent files want of a call once it is over.

    Args:
        lineup: Whom each stage asks.
        agents: By the path of the file.
    """
    names = {one.name.partition("#")[0] for one in lineup.get("llm", ())}
    if not names or names - ANSWERS_FROM_THE_FILE:
        return
    for path, persona in agents.items():
        for name in persona.afterwards.wanted:
            yield Finding(
                severity="warning",
                place=path,
                message=f"{name}: nobody writes it; {', '.join(names)} says what the file says; "
                "choose a language model",
            )


def spoken(
    lineup: LineUp, agents: Mapping[str, Persona], reached: Collection[str]
) -> Iterator[Finding]:
    """Look whether everybody of the line-up has the language of each agent.

    Args:
        lineup: Whom each stage asks.
        agents: By the path of the file.
        reached: The paths of those that calls come to unless they ask for another by its name.
    """
    for path, persona in agents.items():
        for stage, providers in lineup.items():
            for number, one in enumerate(providers):
                known = languages(stage, one.name.partition("#")[0], one.options)
                if known is None or primary(persona.language) in known:
                    continue
                who = f"{stage}.fallback.{number - 1}" if number else stage
                has = ", ".join(sorted(known))
                yield Finding(
                    severity="warning" if number or path not in reached else "error",
                    place=path,
                    message=f"language: the agent speaks {persona.language!r}, but {who} "
                    f"({one.name!r}) {DOES[stage]} {has} only; choose another provider, or "
                    "its options",
                )
