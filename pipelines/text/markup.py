"""Markdown, HTML, SSML and pictures: what a language model writes, and nobody reads out."""

from __future__ import annotations

import html
import re
import unicodedata

from pipelines.text.characters import JOINERS
from pipelines.text.replacements import Replacement, any_of, replaced

BLOCKS = frozenset(
    """
    address article aside blockquote body br canvas caption center col colgroup dd details dialog
    dir div dl dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header
    hgroup hr html iframe legend li link main menu meta nav noscript ol optgroup option p pre
    search section select speak summary table tbody template tfoot thead title tr ul video
    """.split()  # noqa: SIM905 - a list that is read and edited
)
"""HTML's elements, and SSML's, that stand on lines of their own: what is in them does not run on
into what is beside them."""

INLINE = frozenset(
    """
    a abbr acronym area audio b base bdi bdo big button cite code data datalist del dfn em embed
    font i img input ins kbd label map mark math meter nobr object output param path picture
    progress q rp rt ruby s samp slot small source span strike strong sub sup svg textarea time
    track td th tt u var wbr

    amazon:auto-breaths amazon:breath amazon:domain amazon:effect amazon:emotion break desc
    emphasis google:style lang lexicon lookup mstts:express-as mstts:silence mstts:viseme par
    phoneme prosody say-as seq token voice w
    """.split()  # noqa: SIM905
)
"""Those that stand within a line; the second half is SSML's."""

_SWITCHES = """
    allowfullscreen async autofocus autoplay checked controls default defer disabled hidden ismap
    loop multiple muted nomodule novalidate open playsinline readonly required reversed selected
"""
"""HTML's attributes that have no value. Any other word without one makes no tag of what stands
between < and >: ``<b and your limit c>``."""

ATTRIBUTE = (
    r"\s++(?:[A-Za-z_@:][\w:.@-]*+\s*+=\s*+(?:\"[^\"<>]*+\"|'[^'<>]*+'|[^\s\"'<>=`]++)"
    rf"|{any_of(_SWITCHES.split())}(?![\w=]))"
)
"""One of a tag; for a regular expression."""

ATTRIBUTES = rf"(?:{ATTRIBUTE})*\s*+/?"
"""What may stand between the name of a tag and its end; for a regular expression."""


def _tags(names: frozenset[str]) -> str:
    return rf"</?(?i:{any_of(names)})(?![\w:-]){ATTRIBUTES}>"


_ACTS = [
    act.replace("_", " ")
    for act in """
    beams breathes chuckles chuckling clears_throat coughs cries exhales gasps giggles giggling
    grins groans inhales laughing laughs laughter nods pauses pausing shrugs sighing sighs
    smiles smiling sniffs typing whispers whispering winks yawns
    hustet kichert lacht lächelt nickt räuspert_sich schweigt seufzt zwinkert
    ríe sonríe suspira asiente rit sourit soupire ride sorride sospira
    """.split()  # noqa: SIM905
]
_SOUNDS = [*_ACTS, "applause", "beat", "breath", "chuckle", "laugh", "music", "pause", "pausa"]
_SOUNDS += ["sigh", "silence", "smile", "rires", "risas", "rire"]


def _direction(acts: list[str]) -> str:
    """Return an expression for what an actor does, and nobody says: "laughs softly"."""
    return rf"(?i:(?:\w+ly )?{any_of(acts)}(?: \w+ly| a bit)?[.!…]*)"


_MARKUP: tuple[Replacement, ...] = tuple(
    (re.compile(pattern, re.MULTILINE), new)
    for pattern, new in (
        (r"^[ \t]*(?:```|~~~).*$", " "),
        (r"<!--.*?-->|<\?xml[^<>]*>|<!(?:DOCTYPE|doctype)[^<>]*>|<!\[CDATA\[|\]\]>", " "),
        (r"</t[dh]\s*>", ", "),
        (_tags(BLOCKS | {"break"}), " "),
        (_tags(INLINE - {"break"}), ""),
        (r"^[ \t]*(?:[-*_][ \t]*){3,}$", " "),  # a line across
        (r"^[ \t]*\|?[ \t]*:?-{2,}[-| :]*$", " "),  # below the head of a table
        (rf"(?<![\w*])\*{_direction(_ACTS)}\*(?![\w*])", " "),
        (rf"(?<!\w)(?:\({_direction(_SOUNDS)}\)|\[{_direction(_SOUNDS)}\])(?![\w(])", " "),
        (r"^[ \t]*\[[^\[\]]+\]:[ \t]*<?https?://.*$", " "),  # where links lead to
        (r"^[ \t]*\[\^[\w-]{1,20}\]:[ \t]*", ""),  # a footnote, and what refers to one
        (r"\[\^[\w-]{1,20}\]|(?<=[\w.!?,)])(?:\[\d{1,3}(?:, ?\d{1,3})*\])+(?!\()", ""),
        (r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1"),
        (r"!?\[([^\[\]]+)\]\[[^\[\]]*\]", r"\1"),
        (r"<((?:https?://)[^<>\s]*)>", r"\1"),
        (r"<(?:mailto:|tel:|sip:)?([^<>\s@]++@[^<>\s@]++|\+[\d().-]+)>", r"\1"),
        (r"^([ \t]*#{1,6}[ \t].*?)[ \t]#+[ \t]*$", r"\1"),
        # "# or *" and "# to go on" are keys, "> 5" and ">= 5" compare
        (
            r"^[ \t]*(?:(?![*#][ \t]\w+[ \t][*#](?!\S)|#[ \t][a-zà-ÿ\u0101-\u017fа-ё])"
            r"(?:#{1,6}[ \t]|>(?![ \t]?[=$€£0-9])[ \t]?|[-*+•‣◦▪–][ \t]+))+",
            "",
        ),
        (r"^[ \t]*(?:={3,}|-{3,})[ \t]*$", " "),  # below a heading
        (r"\[[ xX]\][ \t]+", ""),
        (r"^[ \t]*\||\|[ \t]*$", ""),
        (r"[ \t]*\|[ \t]*", ", "),
        (r"\$\$|\\[()\[\]]|\\(?:left|right|quad|displaystyle)\b", " "),  # a formula
        (r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2"),
        (r"\\(?:text|mathrm|mathbf|textbf|emph)\{([^{}]*)\}", r"\1"),
        (r"\\(?:times|cdot)\b", "×"),
        (r"(?<=[\w)])\^(?:2|\{2\})(?!\w)", "²"),
        (r"(?<=[\w)])\^(?:3|\{3\})(?!\w)", "³"),
        (r"`+|\*{2,}|~~+", ""),
        # Emphasis; a star by itself is a key, or a product.
        (r"(?<![\w*#])\*(?=[^\s*\"'”’),.;:!?])([^*\n]{1,200}?)(?<!\s)\*(?![\w*#])", r"\1"),
        (r"\*(?=[^\W\d_])|(?<=[^\W\d_])\*|(?<=[.!?])\*", ""),
        (r"(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)", ""),
        (r"\\(?=[^\w\s])", ""),
    )
)


def without_markup(text: str) -> str:
    """Return the words of ``text``, with what stands for markup in them: spaces, commas."""
    words = html.unescape(replaced(text, _MARKUP))
    return "".join(" " if _is_picture(char) else char for char in words)


_READ = frozenset("°©®™№")
"""Signs among the pictures that are more than that."""


def _is_picture(char: str) -> bool:
    """Return whether ``char`` is an emoji, part of one, or nothing that has a name."""
    if char in _READ or char in JOINERS or char.isascii():
        return False
    return char == "\N{COMBINING ENCLOSING KEYCAP}" or unicodedata.category(char) in _PICTURES


_PICTURES = frozenset(("So", "Sk", "Cn", "Co", "Cs", "Cf"))

_ODD = re.compile(r"[*_`~|\\^{}<>=\[\]#]")

_UNNAMED: tuple[Replacement, ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"[_`~|\\^{}\[\]]", " "),
        (r"\s>\s(?=[^\W\d_]{2})", ", "),  # "Settings > Privacy"
        (r"(?<![-=<])<?[-=]+>|<-+(?![-0-9])", " - "),  # an arrow
        (r"(?<![0-9*#<>=])[*#<>=]+(?=[^\W\d_])|(?<=[^\W\d_])[*#<>=]+(?![0-9*#<>=])", " "),
    )
)
"""Where no rule named the signs: those by themselves and beside figures are left to the voice."""

_LAST: tuple[Replacement, ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"\s+", " "),
        (r"\s+(?=[,.!?;:])", ""),
        (r"(?:,\s?){2,}", ", "),
        (r",(?=[.!?])", ""),
        (r"^[\s,;:]+|[\s,]+$", ""),
    )
)


def tidied(text: str, *, keep_signs: bool = False) -> str:
    """Return ``text`` on one line, without what voices differ about: odd signs, many spaces.

    Args:
        text: What is left of a text, after all that reads it.
        keep_signs: Whether ``# * < > =`` stay where they stand alone or beside figures: no rule
            made words of those that say something.
    """
    return replaced(replaced(text, _UNNAMED) if keep_signs else _ODD.sub(" ", text), _LAST)
