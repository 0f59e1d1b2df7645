"""What a listener says without wanting the floor: "mm-hm", "yeah", "okay"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from pipelines.turn_taking.annotations import words_of
from pipelines.turn_taking.words_by_language import joined_words, primary, words_in

UNSPACED_BACKCHANNELS: Mapping[str, re.Pattern[str]] = {
    "zh": re.compile(
        "(?:[嗯唔呃啊哦噢喔诶欸哎呵哈對对是好行的了]|可以|没错|沒錯|明白|知道|清楚|當然|当然|没问题|沒問題|ok)+"
    ),
    "ja": re.compile(
        "(?:はい|ええ|うん|うーん|ああ|あー|へえ|へー|ほう|ふーん|ふん|そう|です|ですか|ですね|ね|か|なるほど"
        "|たしかに|確かに|わかりました|分かりました|わかった|分かった|了解)+"
    ),
    "th": re.compile("(?:ค่ะ|คะ|ครับ|คับ|อืม|อือ|อ๋อ|โอเค|ใช่|ได้|เข้าใจ|แล้ว)+"),
}
"""Where no spaces are written, what the whole text consists of; by primary language subtag. What
other languages have is in their lists, and one that has neither has none."""

LONGEST_UNSPACED = 12
"""Characters, for the same: the longest of them twice."""

MOST_WORDS = 4
"""Beyond these it is a sentence, whatever it is made of."""


def is_backchannel(text: str, language: str) -> bool:
    """Return whether ``text`` is nothing but backchannels, as said over someone's speech.

    Args:
        text: A transcript; case and punctuation do not matter.
        language: BCP 47 tag.
    """
    spoken = words_of(text).casefold()
    if unspaced := UNSPACED_BACKCHANNELS.get(primary(language)):
        letters = "".join(filter(_is_letter, spoken))
        return len(letters) <= LONGEST_UNSPACED and unspaced.fullmatch(letters) is not None
    known, words = words_in(language), joined_words(spoken)
    return (
        0 < len(words) <= MOST_WORDS and known is not None and _made_of(words, known.backchannels)
    )


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"


def _made_of(words: list[str], known: frozenset[str]) -> bool:
    """Return whether ``words`` are known phrases, one after the other."""
    if not words:
        return True
    return any(
        " ".join(words[:length]) in known and _made_of(words[length:], known)
        for length in range(1, min(3, len(words)) + 1)
    )
