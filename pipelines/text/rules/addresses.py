"""Addresses of mail and of the web."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.rule import Rule
from pipelines.text.rules.spelling import spelled_out


def _mail(found: re.Match[str], language: SpokenLanguage) -> str:
    names = {"@": language.at, ".": language.dot, "-": language.hyphen}
    names |= {"_": language.underscore, "+": language.plus}
    text = _figures_aside(found[0].removeprefix("mailto:"))
    return re.sub(r"[@.+_-]", lambda mark: f" {names[mark[0]]} ", text)


def _figures_aside(text: str) -> str:
    """Spell figures of an address, but for one or two: nobody types a number in words."""
    return re.sub(r"[0-9]{3,}", lambda found: f" {spelled_out(found[0])} ", text)


def _link(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read the host and the path; nobody listens to a query."""
    text = re.sub(r"^https?://(?:www\.)?|^www\.", "", found[0])
    end = re.search(r"[.!?…:'»”)\]]*$", text)
    mark = end[0] if end else ""
    text = re.split(r"[?#]", text.removesuffix(mark))[0].rstrip("/")
    names = {".": language.dot, "/": language.slash, "-": language.hyphen}
    names |= {"_": language.underscore}
    text = _figures_aside(text)
    return re.sub(r"[./_-]", lambda sign: f" {names[sign[0]]} ", text) + mark


def _host(language: SpokenLanguage) -> str:
    """Return a pattern for "example.com/menu": letters, and a domain that begins no next sentence.

    From its beginning alone: else each part of a long one would be tried. "Sig.ra Rossi" is none.
    """
    titles = any_of(language.abbreviations)
    return (
        rf"(?<![\w.-])(?!(?i:{titles})(?:\.[a-z]{{2}}(?=\s[A-Z])|(?<=\.[a-z]{{2}})(?!\w)))"
        r"[A-Za-z][\w-]+(?:\.[\w-]+)*(?<=\.[a-z]{2})(?:/[\w/-]*)?(?!\w)"
    )


RULES = (
    Rule(r"\b(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _mail),
    Rule(r"\bhttps?://[^\s,;()<>\"]+", _link),
    Rule(r"\bwww\.[^\s,;()<>\"]+", _link),
    Rule(_host, _link),
    Rule(
        r"(?<![\w.-])[A-Za-z][\w-]*(?:\.[\w-]+)*?\.(?:com|org|net|info|app|dev|shop|online|biz|edu|gov)"
        r"(?:\.[a-z]{2})?(?:/[\w/-]*)?(?![\w-])",
        _link,
    ),
)
