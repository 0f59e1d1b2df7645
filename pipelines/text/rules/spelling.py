"""What is spelt: letters one by one, and digits."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.numerals import cardinal
from pipelines.text.rules.rule import Rule

_ASIDE = 0xE000
"""Where Unicode leaves characters to whoever wants them. No text that is read has any of them."""

_RUNS = re.compile(r"[0-9]{3}(?=[0-9]{3})|[0-9]+|[^\W0-9_]+")


def aside(text: str) -> str:
    """Return letters and digits so that only the last rule finds them, and spells them.

    A "1" in a code is not a price, nor "M." at its end a "Monsieur".
    """
    return "".join(chr(_ASIDE + ord(char)) for char in text)


def spelled_out(code: str, *, words: bool = False) -> str:
    """Return a code so that it is spelt, its groups apart: "A B, one two three four".

    Args:
        code: Its letters and digits, none beyond Latin; what stands between them is a pause.
        words: Whether what looks like a word stays one: "SAVE20" is "SAVE two zero".
    """
    groups: list[str] = []
    for part in re.split(r"[\W_]+", code):
        runs = _RUNS.findall(part)
        if part.isdigit():
            groups += map(aside, runs)
        elif part:
            keep = words and len(runs) <= _MOST_RUNS
            groups.append(" ".join(run if keep and is_word(run) else aside(run) for run in runs))
    return ", ".join(groups)


_MOST_RUNS = 4
"""Of letters and digits in one group of a code that has a word in it: SAVE20NOW."""

_ONSET = (
    "[bcdfghjklmnpqrstvwxzßçñ]|b[lr]|c[hlr]|d[rw]|f[lr]|g[hlnr]|k[lnr]|p[fhlnrs]|qu|r?h|s[chklmnpqtwz]"
    "|t[hrswz]|v[lr]|w[hr]|xm|zw|chr|phr|sc[hlr]|sch[lmnrw]|s[hkp][lr]|str|thr|tsch"
)
_CODA = (
    "[bcdfghjklmnpqrstvwxzßçñ]|bs|c[hkst]|dd|f[ft]|g[gnhs]|ght|l[bcdfgklmnpstvxz]|m[mpbs]|n[cdgknstxz]"
    "|p[hpst]|r[bcdfgklmnpstvxz]|s[chkpst]|t[hstz]|w[dklnst]|xt|zz|cht|chs|ck[se]|mpf|ns[ft]|nkt|nth"
    "|rbst|rch|rst|rds|rks|rts|sch|tsch|ngs|nds|nts|lls|lth|lbst|nch|mps|cts|rth|ngth|fth"
)
_WORD = re.compile(
    rf"(?i)(?:{_ONSET})?(?:[aeiouyäöüáéíóúàèìòùâêîôû]++(?:{_CODA})?(?:{_ONSET})?)*"
    rf"[aeiouyäöüáéíóúàèìòùâêîôû]++(?:{_CODA})?"
)
"""What can be said in one of the languages, by what begins and ends syllables there."""


def is_word(letters: str) -> bool:
    """Return whether letters of a code are a word, by whether they can be said: SAVE, not ABCD."""
    return len(letters) >= 4 and bool(_WORD.fullmatch(letters))


def _spelt(found: re.Match[str], language: SpokenLanguage) -> str:
    chars = [chr(ord(char) - _ASIDE) for char in found[0]]
    said = " ".join(
        cardinal(int(char), language.code) if char.isdigit() else char.upper() for char in chars
    )
    start, end = found.span()
    before, behind = found.string[max(0, start - 1) : start], found.string[end : end + 1]
    return " " * before.isalnum() + said + " " * behind.isalnum()


RULES = (Rule("[\ue000-\uf8ff]+", _spelt),)
