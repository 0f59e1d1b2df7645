"""Numbers that are called for help: as people say them there."""

from __future__ import annotations

import re

from pipelines.text.languages.code_words import CODE_WORDS
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.figures import number_in_words
from pipelines.text.rules.rule import Rule
from pipelines.text.rules.spelling import spelled_out

_NEAR = 60
"""Characters before a number, of the same sentence, in which something shows that it is called."""


# fmt: off
HELP = frozenset((
    "000", "015", "016", "017", "018", "024", "061", "062", "065", "066", "080", "085", "088",
    "091", "092", "100", "101", "102", "103", "104", "105", "107", "108", "110", "111", "112",
    "113", "114", "115", "116", "117", "118", "119", "122", "123", "144", "147", "190", "192",
    "193", "199", "211", "311", "411", "511", "611", "711", "811", "911", "988", "995", "997",
    "998", "999", "1522", "1530", "3114", "3117", "3631", "3919", "3939", "3977", "116000",
    "116006", "116111", "116116", "116117", "116123",
))
# fmt: on
"""Numbers that are called for help, or to be told something: of Europe, America, India, Japan.
Every language knows them all, as callers travel."""


def _short_number(language: SpokenLanguage) -> str:
    """Return a pattern for a number of help, alone, that does not count what follows."""
    shown = CODE_WORDS[language.code]
    numbers = any_of(HELP | shown.help.keys())
    return (
        rf"(?<![\w.,:/+#$€£-])(?<![0-9] )(?P<number>[0-9]-[0-9]-[0-9]"
        rf"|(?P<pair>{shown.pairs})|116 [0-9]{{3}}|{numbers})"
        r"(?!\w|[.,:/-][0-9]|\s[0-9]|\s?[%‰€$£¥₹°])"
        rf"(?!\s(?i:{shown.amounts}|{shown.nouns})(?!\w))"
    )


def _called(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read the number if the sentence calls it."""
    if pair := found["pair"]:
        return f"{number_in_words(pair[:3], language)}, {number_in_words(pair[-3:], language)}"
    shown = CODE_WORDS[language.code]
    start, end = found.span()
    before = re.split(r"[.!?;]\s", found.string[max(0, start - _NEAR) : start])[-1]
    if found["number"] != "9-1-1" and not (
        re.search(rf"(?i)(?<!\w)(?:{shown.calls})(?!\w)", before)
        or re.match(rf"(?i)\W{{1,3}}(?:{shown.called})(?!\w)", found.string[end : end + _NEAR])
    ):
        return found[0]
    number = re.sub("[^0-9]", "", found["number"])
    return shown.help.get(number) or spelled_out(number)


RULES = (Rule(_short_number, _called),)
