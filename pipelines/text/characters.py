"""Characters that nobody sees, and characters that are others in disguise."""

from __future__ import annotations

import re
import unicodedata

from pipelines.text.replacements import Replacement, replaced

JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Part of the spelling in some scripts: Persian, Hindi, Malayalam. Elsewhere nothing."""

_JOINING = "\u0590-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
"""Characters of the scripts, from Hebrew to Mongolian, in which a joiner changes the letters."""

_UNSEEN: tuple[Replacement, ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        # As HTML writes them: "re&shy;servation"
        (r"&(?:shy|zw?n?j|lrm|rlm|ZeroWidthSpace|NoBreak|#0*(?:173|820[3-7]|8288)"
         r"|#[xX]0*(?:[aA][dD]|200[b-fB-F]|2060));", ""),
        # Hyphens that only a line's end shows, spaces without width, marks of direction,
        # variations of a picture, tags of a flag
        (r"[\u00ad\u034f\u061c\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
         r"\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef]",
         ""),
        (rf"(?<![{_JOINING}])[{JOINERS}]+", ""),
    )
)  # fmt: skip

_SPACED_GROUPS = re.compile(
    r"(?<![\w+.,-])(?<![0-9)]\s)[1-9][0-9]{0,2}(?:[\u00a0\u2009\u202f][0-9]{3})+(?![^\W_]|\s[0-9])"
)
"""A number whose thousands stand apart by a space that does not break: not the groups of a
telephone number, which begins with a nought or a plus, or has others."""

GROUP = "'"
"""Between groups of thousands, where :func:`visible` found that they are that: the Swiss way."""

_DISGUISED = re.compile(
    "["
    "\uff01-\uff5e"  # as wide as a Chinese character
    "\U0001d400-\U0001d7ff"  # bold, italic and script, of mathematics
    "\u2080-\u208e"  # below the line: H₂O
    "\u2460-\u249b\u24b6-\u24ea"  # in a circle
    "\u2160-\u217f"  # Roman
    "\ufb00-\ufb06"  # ligatures
    "]"
)
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")

_BEFORE_MINUS = ("[:=(]", r"\bis", r"\bwas", r"\bist", r"\bes", r"\best", r"\bè", r"\bof")
_HYPHENS: tuple[Replacement, ...] = tuple(
    (re.compile(pattern), "-")
    for pattern in (
        r"[\u2010\u2011]",
        # A minus: not what parts two numbers, or a dish and its price, or one of two dashes
        r"(?<![^\s(:=])(?<![0-9]\s)[–−](?=[$€£]?[0-9])(?![^–\n]{1,60}[\w)]–(?!\w))",
        rf"(?:(?<=[:=(])|{'|'.join(f'(?<={word} )' for word in _BEFORE_MINUS)})[-–−] "
        r"(?=[$€£][0-9])",
    )
)
"""What is a hyphen, or a minus, whatever it looks like: the one that no line ends behind."""


def visible(text: str) -> str:
    """Return ``text`` without the characters that nobody sees, so that they part no word.

    Joiners stay behind letters whose script needs them. Groups of thousands that stand apart by a
    space that does not break are joined by :data:`GROUP`. In any language.
    """
    text = replaced(text, _UNSEEN)
    return _SPACED_GROUPS.sub(lambda found: re.sub(r"\s", GROUP, found[0]), text)


def familiar(text: str) -> str:
    """Return ``text`` with the characters that rules look for, in place of their like.

    It costs the square of the length where marks are heaped on a letter: for short texts.
    """
    text = unicodedata.normalize("NFC", text)
    text = _FOREIGN_DIGIT.sub(lambda found: str(unicodedata.digit(found[0])), text)
    text = _DISGUISED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return replaced(text, _HYPHENS)
