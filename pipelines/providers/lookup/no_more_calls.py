"""Somebody whom we have called wants no more calls: told by phrases, where no model understands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipelines.conversation import END_CALL, NO_MORE_CALLS, Message, ToolCall

_PHRASES: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:take|remove|delete) (?:me|us|my (?:phone )?number|this number) (?:off|from)\b"
        r"|\b(?:do not|don't|don’t|never|stop|quit) (?:ever )?(?:call|calling|phone|phoning|ring|"
        r"ringing|contact|contacting) (?:me|us|here|this number|my (?:phone )?number)\b"
        r"(?! (?:at|on|before|after|until|today|tomorrow|tonight|this|in|about|back in|a) )"
        r"|\b(?:no more|any more) (?:of (?:these|your) )?calls\b|\bopt(?:ing)? (?:me )?out\b"
        r"|\bdo[- ]not[- ]call list\b",
        re.IGNORECASE,
    ),
    "de": re.compile(
        r"\b(?:rufen|ruf|ruft) (?:sie )?(?:mich|uns|hier|diese nummer) (?:bitte )?"
        r"(?:nie|nicht|niemals) (?:mehr|wieder) ?(?:an)?\b"
        r"|\b(?:keine|keinerlei) (?:weiteren |ihrer )?anrufe (?:mehr|von ihnen)\b"
        r"|\bkeine weiteren anrufe\b|\bnicht mehr angerufen werden\b"
        r"|\b(?:streichen|löschen|nehmen) sie (?:mich|uns|meine (?:telefon)?nummer) "
        r"(?:bitte )?(?:aus|von)\b",
        re.IGNORECASE,
    ),
}

CONFIRMED: Mapping[str, str] = {
    "en": "I have noted that: we will not call you again. Goodbye.",
    "de": "Das habe ich vermerkt: Wir rufen Sie nicht wieder an. Auf Wiederhören.",
}
"""What is said once it is kept, by primary language: of those that there are phrases of."""

_NOT_KEPT: Mapping[str, str] = {
    "en": "I'm sorry, I could not note that just now. Please tell us once more.",
    "de": "Das konnte ich gerade leider nicht vermerken. Bitte sagen Sie es uns noch einmal.",
}


def wants_no_more_calls(said: str, language: str) -> bool:
    """Return whether somebody says so.

    Args:
        said: Their words.
        language: Its primary subtag, such as ``de``.
    """
    phrases = _PHRASES.get(language)
    return phrases is not None and phrases.search(" ".join(said.split())) is not None


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
