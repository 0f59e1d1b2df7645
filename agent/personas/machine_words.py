"""Whether a sentence tells that a machine talks, by its words: a hint for who writes an agent file.

A word alone tells little: who repairs computers says "computer", too. So it is a machine that is
called by a word for nothing else ("artificial intelligence"), a kind of assistant, voice or call
("automated assistant"), or one that somebody is, or talks with ("you are talking to a robot").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Parts of regular expressions, matched in any case."""

    surely: str
    """What nothing else is called by."""

    kind: str
    """What makes an assistant no human one."""

    who: str
    """Who or what talks."""

    behind: bool
    """Whether the kind stands behind it: "asistente virtual"."""

    is_: str
    """Of what somebody is, or talks with."""

    machine: str


_LANGUAGES: Mapping[str, _Words] = {
    "en": _Words(
        surely=r"artificial intelligence|chat ?bot|voice ?bot|robocall",
        kind=r"automated|automatic|virtual|digital|computeri[sz]ed|robotic|ai|computer",
        who=r"assistant|agent|attendant|receptionist|voice|system|caller|call|message|helper",
        behind=False,
        is_=r"i'm|i’m|i am|this is|it is|it's|(?:speak|talk)ing (?:to|with)|answered by",
        machine=r"an ai|ai|bots?|robots?|computers?|machines?",
    ),
    "de": _Words(
        surely=r"künstlichen? intelligenz|chat ?bot|voice ?bot|sprach(?:roboter|bot|computer)"
        r"|telefon(?:roboter|bot)|(?:ki|ai)-\w+",
        kind=r"automati(?:sch|siert)\w*|virtuelle\w*|digitale\w*|computergesteuerte\w*",
        who=r"\w*(?:assistent|agent|system|anruf|ansage|stimme|nachricht|hilfe)(?:in|en|s)?",
        behind=False,
        is_=r"ich bin|hier (?:ist|spricht|antwortet)|(?:sprechen|reden) mit|dass sie mit|ich als",
        machine=r"ki|roboter|bot|computer|maschine|automat",
    ),
    "fr": _Words(
        surely=r"intelligence artificielle|chat ?bot|voice ?bot|callbot",
        kind=r"virtuel(?:le)?|automati(?:que|sée?)|numérique|ia|robotisée?",
        who=r"assistante?|agente?|système|voix|appel|message|standard(?:iste)?|répondeur",
        behind=True,
        is_=r"je suis|c'est|c’est|parle[zr]? (?:à|avec)|communication avec|vous répond|ici",
        machine=r"ia|robots?|ordinateur|machine|automate",
    ),
    "es": _Words(
        surely=r"inteligencia artificial|chat ?bot|voice ?bot",
        kind=r"virtual|automátic[oa]|automatizad[oa]|digital|(?:de )?ia",
        who=r"asistente|agente|sistema|voz|llamada|mensaje|operador[a]?|contestador",
        behind=True,
        is_=r"soy|es|habla(?:ndo)? con|(?:responde|atiende|habla)",
        machine=r"ia|robot|bot|ordenador|computadora|máquina",
    ),
    "it": _Words(
        surely=r"intelligenza artificiale|chat ?bot|voice ?bot|risponditore automatico",
        kind=r"virtuale|automatic[oa]|automatizzat[oa]|digitale|(?:di )?ia",
        who=r"assistente|agente|sistema|voce|chiamata|messaggio|operatore",
        behind=True,
        is_=r"sono|è|parlando con|parla con|risponde",
        machine=r"ia|robot|bot|computer|macchina",
    ),
    "pt": _Words(
        surely=r"inteligência artificial|chat ?bot|voice ?bot|robô de voz",
        kind=r"virtual|automátic[oa]|automatizad[oa]|digital|(?:de )?ia",
        who=r"assistente|agente|sistema|voz|chamada|ligação|mensagem|atendente",
        behind=True,
        is_=r"sou|é|fala(?:r|ndo)? com|responde|atende",
        machine=r"ia|robô|robot|bot|computador|máquina",
    ),
    "nl": _Words(
        surely=r"kunstmatige intelligentie|chat ?bot|voice ?bot|spraak(?:robot|computer)|ai-\w+",
        kind=r"automatische?|geautomatiseerde?|virtuele|digitale|ai",
        who=r"\w*(?:assistente?|agent|systeem|stem|bericht|gesprek|oproep|telefoontje)",
        behind=False,
        is_=r"ik ben|dit is|spreekt met|praat met|antwoordt",
        machine=r"ai|robot|bot|computer|machine",
    ),
    "pl": _Words(
        surely=r"sztuczn\w+ inteligencj\w+|chat ?bot\w*|voice ?bot\w*",
        kind=r"wirtualn\w+|automatyczn\w+|zautomatyzowan\w+|cyfrow\w+|głosow\w+",
        who=r"asysten\w+|agent\w*|system\w*|głos\w*|połączeni\w+|wiadomoś\w+|rozmow\w+",
        behind=False,
        is_=r"jestem|to|rozmawia\w* z(?:e)?|odpowiada|mówi|tu|asystent\w*",
        machine=r"ai|robot\w*|bot\w*|komputer\w*|maszyn\w*|automat\w*",
    ),
}

_ARTICLE = r"(?:(?:a|an|the|de[rmsn]?|die|das|eine?[rnm]?|une?|la|le|un[ao]?|uma?|il|o|e[el]n)\s)?"


def _pattern(words: _Words) -> re.Pattern[str]:
    one = (words.who, words.kind) if words.behind else (words.kind, words.who)
    between = r"[\s-](?:\w+\s)?" if words.behind else r"[\s-]"
    return re.compile(
        rf"\b(?:{words.surely})\b"
        rf"|\b(?:{one[0]}){between}(?:{one[1]})\b"
        rf"|\b(?:{words.is_})\s{_ARTICLE}(?:un')?(?:{words.machine})\b(?![\s-](?-i:[A-Z]))"
        rf"|,\s{_ARTICLE}(?:un')?(?:ia|ki|ai)\b",
        re.IGNORECASE,
    )


_PATTERNS = {language: _pattern(words) for language, words in _LANGUAGES.items()}


def tells_of_a_machine(text: str, language: str) -> bool | None:
    """Return whether a text tells that a machine talks; None in a language without words.

    Args:
        text: What is said; it may be a template.
        language: A BCP 47 tag.
    """
    pattern = _PATTERNS.get(language.partition("-")[0])
    return None if pattern is None else pattern.search(" ".join(text.split())) is not None


_EXAMPLES: Mapping[str, str] = {
    "en": "You are talking to an automated assistant.",
    "de": "Sie sprechen mit einem automatischen Assistenten.",
    "fr": "Vous parlez à un assistant automatique.",
    "es": "Está hablando con un asistente automático.",
    "it": "Sta parlando con un assistente automatico.",
    "pt": "Está a falar com um assistente automático.",
    "nl": "U spreekt met een automatische assistent.",
    "pl": "Rozmawiają Państwo z automatycznym asystentem.",
}


def example(language: str) -> str:
    """Return a sentence that tells of a machine; in English for a language without words.

    Args:
        language: A BCP 47 tag.
    """
    return _EXAMPLES.get(language.partition("-")[0], _EXAMPLES["en"])
