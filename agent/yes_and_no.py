"""What somebody has answered to a question of ours: yes, no, or nothing that we understand. Pure.

The question is the agent's own, or one of a menu of the platform. Keys tell it in both versions of
the API. Version 1 also hears words, in the language of the platform's voice; what it gives then is
not documented beyond ``inputMethod`` ``voice``, so that the words themselves, the value of an
option and its digit are all taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TAKE, DECLINE = "1", "2"
"""Keys, and what version 1 returns for them."""

MOST_WORDS = 6
"""Of an answer; more is somebody who talks, or a machine."""

_YES_AND_NO: Mapping[str, tuple[str, str]] = {
    "da": ("ja jo gerne", "nej ikke"),
    "de": ("ja jawohl jo klar gerne okay", "nein nee nicht"),
    "en": ("yes yeah yep yup sure okay ok", "no nope not don't can't cannot won't"),
    "es": ("sí si claro vale", "no"),
    "fi": ("kyllä joo juu", "ei en"),
    "fr": ("oui ouais d'accord", "non pas"),
    "it": ("sì si certo bene", "no non"),
    "nb": ("ja jo gjerne", "nei ikke"),
    "nl": ("ja jawel prima graag", "nee niet"),
    "no": ("ja jo gjerne", "nei ikke"),
    "pl": ("tak dobrze", "nie"),
    "pt": ("sim claro", "não nao"),
    "sv": ("ja jo gärna", "nej inte"),
}
"""By primary language: words of a yes and of a no. Where both are said it is neither."""

_TURNED = """
mind problem problems worries problème problema ahead fine nur gut allez adelante avanti
know understand understood hear idea weiß verstehe verstanden höre sais comprends compris
entends n'entends j'entends entiendo oigo capisco entendo weet begrijp versta
"""
"""Words with which a no may mean yes, as in "no, go ahead", or, of the second line on, nothing, as
in "I can't hear you": so that it is neither."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def knows_words_of(language: str) -> bool:
    """Return whether a yes and a no are understood in a language, by its BCP 47 tag."""
    return _primary(language) in _YES_AND_NO


def says_yes(given: str, *, spoken: bool, locale: str) -> bool | None:
    """Return whether this answer is a yes or a no; None if it is neither.

    Args:
        given: What was pressed or said.
        spoken: Whether it was said.
        locale: Of the voice that has asked, such as ``en-US``.
    """
    words = [word.lower().replace("\u2019", "'") for word in _WORD.findall(given)]
    if words in ([TAKE], [DECLINE]):
        return words == [TAKE]
    if not spoken or not words or len(words) > MOST_WORDS:
        return None
    if given.rstrip().endswith(("?", "\uff1f")):
        return None
    yes, no = _YES_AND_NO.get(_primary(locale), ("", ""))
    agrees, declines = (bool(set(words) & set(these.split())) for these in (yes, no))
    if agrees is declines or (declines and set(words) & set(_TURNED.split())):
        return None
    return agrees


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
