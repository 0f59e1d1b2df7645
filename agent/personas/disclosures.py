"""That a machine talks: the sentence of an agent that must be heard first, by country.

Regulation (EU) 2024/1689, Article 50 (1) and (5), wants people told so at the latest at the time of
the first interaction, clearly, from 2 August 2026 on, unless it is obvious.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from agent.countries import EEA, EU
from agent.personas.fields import is_switch
from agent.personas.machine_words import example
from agent.phone_numbers import country_of, is_country

DEFAULT = "default"
"""Names all other countries."""

GREETING = "greeting"
"""In place of a sentence: the greeting says it."""

Disclosure = str | Mapping[str, str]
"""A sentence, :data:`GREETING`, or ``""`` for none; or each of them by country, ``EU`` and
:data:`DEFAULT`."""


def read_disclosure(value: object) -> object:
    """Return what stands in an agent file as it is checked, spaces around its texts left out.

    Raises:
        ValueError: If it is no sentence and no map of sentences by country.
    """
    if value is None or isinstance(value, str):
        return _sentence(value)
    if not isinstance(value, dict):
        message = "take a sentence, 'greeting', or one of them for each country"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only this one into a mistake
    for country, text in value.items():
        known = country in (EU, DEFAULT) or (isinstance(country, str) and is_country(country))
        if not known:
            hint = "; put NO in quotation marks" if country is False else ""
            message = "name countries by two capital letters, such as DE; or EU, default" + hint
            raise ValueError(message)
        if text is not None and not isinstance(text, str):
            message = f"{country}: take a sentence, 'greeting', or '' for none"
            raise ValueError(message)
        _sentence(text)
    if DEFAULT not in value:
        message = "needs a line 'default' for all other countries, which may be ''"
        raise ValueError(message)
    return {country: (text or "").strip() for country, text in value.items()}


def _sentence(text: str | None) -> str:
    if is_switch(text):
        message = f"write what is said, or '' for nothing: {text!r} would be said aloud"
        raise ValueError(message)
    return (text or "").strip()


def disclosure_in(disclosure: Disclosure, country: str) -> str:
    """Return what holds for whoever is in a country.

    Args:
        disclosure: Of the agent.
        country: Two letters. If it is not known, ``""``, they are told if anybody is.
    """
    if isinstance(disclosure, str):
        return disclosure
    usual = disclosure[DEFAULT]
    if not country:
        return usual or next(filter(None, disclosure.values()), "")
    return disclosure.get(country, disclosure.get(EU, usual) if country in EEA else usual)


def filled(disclosure: Disclosure, fill: Callable[[str], str]) -> Disclosure:
    """Return a disclosure whose sentences are no templates any more.

    Args:
        disclosure: Of the agent.
        fill: Fills a template in.
    """
    if isinstance(disclosure, str):
        return fill(disclosure)
    return {where: fill(sentence) for where, sentence in disclosure.items()}


def told_alone(disclosure: Disclosure, address: str, language: str) -> str:
    """Return what tells somebody who comes to a conversation that a machine talks; ``""`` for none.

    They hear it alone, before; and a sentence of ours where the greeting has it, which they do not
    hear.

    Args:
        disclosure: Of the agent.
        address: As they are dialled.
        language: Of the agent: a BCP 47 tag.
    """
    discloses = disclosure_in(disclosure, country_of(address))
    return example(language) if discloses == GREETING else discloses


def lacks_greeting(fields: Mapping[str, object]) -> bool:
    """Return whether a greeting should say it, and the fields of the file have none."""
    disclosure = fields.get("disclosure")
    several = disclosure.values() if isinstance(disclosure, dict) else [disclosure]
    by_greeting = any(isinstance(one, str) and one.strip() == GREETING for one in several)
    return by_greeting and not str(fields.get("greeting") or "").strip()


def disclosure_texts(disclosure: object, place: str = "disclosure") -> Iterator[tuple[str, str]]:
    """Yield the place of each sentence, such as ``disclosure.DE``, and the sentence.

    Args:
        disclosure: As it stands in the file, whatever that is.
        place: Of all of them.
    """
    several = disclosure if isinstance(disclosure, dict) else {"": disclosure}
    for country, text in several.items():
        if isinstance(text, str) and text.strip() not in ("", GREETING):
            yield f"{place}.{country}".rstrip("."), text.strip()
