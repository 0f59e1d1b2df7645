"""Which languages a provider hears, answers in or speaks, as it is configured.

By what each one's documentation says, and by our own options. It is asked before the start, to find
an agent whose language nobody of the line-up has; no request depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.providers.contracts import Stage

Languages = frozenset[str] | None
"""Primary subtags, such as ``de``; None: any, or it is not known."""

ENGLISH = frozenset({"en"})

SEVERAL = frozenset({"de", "en", "es", "fr", "hi", "it", "ja", "nl", "pt", "ru"})
"""What Deepgram's ``multi`` hears, https://developers.deepgram.com/docs/multilingual-code-switching,
and Flux' model of several languages as well."""

SAME = {"nb": "no", "nn": "no", "cmn": "zh", "fil": "tl", "iw": "he", "in": "id"}
"""Subtags that services write in two ways."""


def languages(stage: Stage, name: str, options: Any) -> Languages:  # noqa: ANN401 - of any provider
    """Return the languages of a provider.

    Args:
        stage: What it does.
        name: Its own, without a number.
        options: Its validated ones.
    """
    rule = RULES.get((stage, name))
    if rule is not None:
        return rule(options)
    return _one(getattr(options, "language", None))  # a provider of somebody else's


def primary(tag: str) -> str:
    """Return the primary subtag of a language, as :data:`Languages` have it."""
    subtag = re.split("[-_]", tag, maxsplit=1)[0].lower()
    return SAME.get(subtag, subtag)


def _one(tag: object) -> Languages:
    if not isinstance(tag, str) or tag.lower() in ("", "auto", "multi", "mul"):
        return None
    return frozenset({primary(tag)})


def _assemblyai(options: Any) -> Languages:  # noqa: ANN401
    if options.model.startswith("universal-streaming"):
        return ENGLISH if options.model.endswith("english") else None
    return frozenset(map(primary, options.languages)) or None


def _deepgram(options: Any) -> Languages:  # noqa: ANN401
    return SEVERAL if options.language == "multi" else _one(options.language)


def _flux(options: Any) -> Languages:  # noqa: ANN401
    if options.model.endswith("-en"):
        return ENGLISH
    return frozenset(map(primary, options.languages)) or SEVERAL


def _voice_name(options: Any) -> Languages:  # noqa: ANN401
    """Return the language of a voice that begins with it, unless it speaks all."""
    return None if "Multilingual" in options.voice else _one(options.voice)


def _aura(options: Any) -> Languages:  # noqa: ANN401
    """Return the language that a model of Deepgram's ends with, such as ``aura-2-thalia-en``."""
    ending = options.model.rpartition("-")[2]
    return _one(ending) if re.fullmatch("[a-z]{2}", ending) else None


def _lookup(_options: Any) -> Languages:  # noqa: ANN401
    from pipelines.providers.lookup.languages import LANGUAGES  # noqa: PLC0415 - seldom asked

    return frozenset(LANGUAGES)


RULES: Mapping[tuple[Stage, str], Callable[[Any], Languages]] = {
    ("stt", "moonshine"): lambda _: ENGLISH,
    ("stt", "assemblyai"): _assemblyai,
    ("stt", "cartesia"): lambda o: ENGLISH if o.model == "ink-2" else _one(o.language),
    ("stt", "cartesia-turns"): lambda _: ENGLISH,
    ("stt", "deepgram"): _deepgram,
    ("stt", "deepgram-flux"): _flux,
    ("llm", "lookup"): _lookup,
    ("tts", "piper"): lambda _: ENGLISH,
    ("tts", "azure"): _voice_name,
    ("tts", "deepgram"): _aura,
    ("tts", "google"): _voice_name,
}
"""Those of which the option ``language`` does not say it all."""
