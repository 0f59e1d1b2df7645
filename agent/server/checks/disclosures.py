"""Whether agents say that they are machines, where people have to be told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from agent import phone_numbers
from agent.countries import EEA, EU
from agent.personas.disclosures import GREETING, disclosure_in, disclosure_texts
from agent.personas.loader import Persona
from agent.personas.machine_words import example, tells_of_a_machine
from agent.server.checks.finding import Finding
from agent.settings import Settings
from agent.sinch.dialling.dial_rules import allowed_countries

_TEMPLATE = re.compile(r"\{[%{#].*?[%}#]\}", re.DOTALL)


def disclosures(settings: Settings, agents: Mapping[str, Persona]) -> Iterator[Finding]:
    """Look at what agents say of themselves, and where they say nothing.

    Args:
        settings: The whole tree.
        agents: Those that can be used, by name.
    """
    named = settings.disclosure.required
    required = {*named, *EEA} if EU in named else {*named}
    for name, persona in agents.items():
        place = str(settings.prompts / f"{name}.md")
        yield from _wording(place, persona)
        where = _talks_to(settings, persona)
        silent = sorted(one for one in where if not disclosure_in(persona.disclosure, one))
        if not silent:
            continue
        needed = sorted(required.intersection(silent))
        add = f"add 'disclosure: {example(persona.language)}' to the file (docs/disclosure.md)"
        if _says_it(persona.greeting, persona.language):
            if needed:
                why = "the greeting says that it is a machine, and may be interrupted before: in "
                why += f"{', '.join(needed)} it must be heard; add 'disclosure: greeting'"
                yield Finding(severity="warning", place=place, message=f"disclosure: {why}")
        elif needed:
            why = f"in {', '.join(needed)} people must be told first that it is a machine; {add}"
            yield Finding(place=place, message=f"disclosure: {why}")
        elif not persona.disclosure:
            why = f"nobody is told that it is a machine; {add}"
            yield Finding(severity="warning", place=place, message=f"disclosure: {why}")


def _talks_to(settings: Settings, persona: Persona) -> set[str]:
    """Return the countries that an agent calls or whose numbers it answers; none without Sinch."""
    numbers = {phone_numbers.country(one) for one in persona.numbers}
    sinch = settings.sinch
    usual = {*allowed_countries(sinch)[0], sinch.country} if sinch.takes_callbacks else set[str]()
    return (usual | numbers) - {""}


def _wording(place: str, persona: Persona) -> Iterator[Finding]:
    """Find sentences that should tell of a machine, and do not by any word that we know."""
    disclosure = persona.disclosure
    values = [disclosure] if isinstance(disclosure, str) else disclosure.values()
    texts = [*disclosure_texts(disclosure)]
    texts += [("greeting", persona.greeting)] if GREETING in values else []
    for field, text in texts:
        if _says_it(text, persona.language) is False:
            why = (
                f"does not seem to say that it is a machine, as {example(persona.language)!r} does"
            )
            yield Finding(severity="warning", place=place, message=f"{field}: {why}")


def _says_it(text: str, language: str) -> bool | None:
    return tells_of_a_machine(_TEMPLATE.sub(" ", text), language)
