"""Somebody whom we have called wants no more calls: told by phrases, where no model understands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from pipelines.conversation import END_CALL, NO_MORE_CALLS, Message, ToolCall
from pipelines.providers.lookup.no_more_calls_words import OPT_OUT_WORDS, OptOutWords

_SENTENCE = re.compile(r"[.!?;\u2026]+")

_BEHIND = 4
"""Words behind a phrase that may take it back."""

CONFIRMED: Mapping[str, str] = {
    "en": "I have noted that: we will not call you again. Goodbye.",
    "de": "Das habe ich vermerkt: Wir rufen Sie nicht wieder an. Auf Wiederhören.",
    "es": "Lo he anotado: no volveremos a llamarle. Adiós.",
    "fr": "C'est noté : nous ne vous rappellerons plus. Au revoir.",
    "it": "Ne ho preso nota: non la chiameremo più. Arrivederci.",
}
"""What is said once it is kept, by primary language: of those that there are phrases of."""

_NOT_KEPT: Mapping[str, str] = {
    "en": "I'm sorry, I could not note that just now. Please tell us once more.",
    "de": "Das konnte ich gerade leider nicht vermerken. Bitte sagen Sie es uns noch einmal.",
    "es": "Lo siento, ahora no he podido anotarlo. Por favor, díganoslo otra vez.",
    "fr": "Désolé, je n'ai pas pu le noter à l'instant. Redites-le-nous, s'il vous plaît.",
    "it": "Mi dispiace, ora non ho potuto prenderne nota. Ce lo dica di nuovo, per favore.",
}


def wants_no_more_calls(said: str, language: str) -> bool:
    """Return whether somebody says so.

    Args:
        said: Their words.
        language: Its primary subtag, such as ``de``.
    """
    words = OPT_OUT_WORDS.get(language)
    return words is not None and any(_says_so(one, words) for one in _sentences(said))


def _sentences(said: str) -> Iterator[str]:
    """Yield each without accents, in small letters, and with nothing behind its last word."""
    letters = unicodedata.normalize("NFKD", said.casefold().replace("\u2019", "'"))
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    for sentence in _SENTENCE.split(plain):
        yield " ".join(sentence.split())


def _says_so(sentence: str, words: OptOutWords) -> bool:
    for found in words.wants.finditer(sentence):
        behind = sentence[found.end() :].split(None, _BEHIND)[:_BEHIND]
        if not words.unless.search(" ".join(behind)):
            return True
    return False


def opting_out(conversation: Sequence[Message], language: str) -> list[str | ToolCall]:
    """Return what is done about it, and once that is done what is said.

    Args:
        conversation: Whose last utterance says so.
        language: Its primary subtag, one that :func:`wants_no_more_calls` has words of.
    """
    for result in conversation[-1].results:
        if result.call.name == NO_MORE_CALLS:
            if result.failed:
                return [_NOT_KEPT[language]]
            return [CONFIRMED[language], ToolCall(END_CALL)]
    return [ToolCall(NO_MORE_CALLS)]
