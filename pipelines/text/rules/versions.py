"""Versions of programs and standards, and addresses of machines: each part, never a decimal."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.languages.sign_names import sign_names
from pipelines.text.rules.figures import digit_by_digit, number_in_words
from pipelines.text.rules.rule import Rule

_WORDS = r"(?i:versi[oó]ne?n?s?|release|firmware)"

_PRODUCTS = (
    r"Python|iOS|iPadOS|watchOS|tvOS|Android|macOS|Mac OS X|OS X|Windows|Linux|Ubuntu|Debian|"
    r"Fedora|Java|JDK|"
    r"Node|Node\.js|PHP|Perl|Ruby|Kotlin|TypeScript|JavaScript|Angular|Django|Firefox|Chrome|"
    r"Safari|HTML|CSS|HTTP|TLS|SSL|USB|HDMI|DisplayPort|Bluetooth|Wi-?Fi|PCIe|OpenSSL|Kubernetes|"
    r"Docker|PostgreSQL|Postgres|MySQL|MariaDB|SQLite|Redis|GPT|Claude|Gemini|Llama|OAuth|Unicode|"
    r"OpenAPI|Excel|WordPress|Minecraft|API|SDK|App"
)
"""What has versions, and hardly stands before a decimal."""

_NUMBER = r"[0-9]+(?:\.[0-9]+)*(?:\.[xX*](?!\w))?"
_TAIL = (
    r"(?P<tail>(?:[-+.]?(?:alpha|beta|rc|dev|pre|post|lts|snapshot|[ab](?=[0-9]))[-.]?[0-9]*)*)"
    r"(?!\w)"
)


def _version(found: re.Match[str], language: SpokenLanguage) -> str:
    parts = found["number"].split(".")
    said = f" {language.dot} ".join(
        number_in_words(part, language) if part.isdigit() else part for part in parts
    )
    tail = re.findall("[a-zA-Z]+|[0-9]+", found["tail"])
    words = [number_in_words(part, language) if part.isdigit() else part for part in tail]
    return " ".join([_name(found, language), said, *words]).strip()


def _name(found: re.Match[str], language: SpokenLanguage) -> str:
    """Return what stands before the number: once "version", if "v" is all that says so."""
    before = (found["before"] or "").strip()
    if re.search(_WORDS, before) or not found.groupdict().get("v"):
        return before
    return f"{before} {sign_names(language).version}".strip()


def _machine(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read an address of a machine: its parts digit by digit, as one would type it."""
    parts = found[0].split(".")
    if any(int(part) > 255 for part in parts):
        return found[0]
    return f" {language.dot} ".join(
        digit_by_digit(part, language) if len(part) == 3 else number_in_words(part, language)
        for part in parts
    )


RULES = (
    Rule(r"(?<![\w.,-])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w-]|\.[0-9])", _machine),
    # "v2.3.1"
    Rule(
        rf"(?<![\w.-])(?P<before>{_WORDS}\s)?(?P<v>v|V(?=[0-9]+\.))\.?(?P<number>{_NUMBER}){_TAIL}",
        _version,
    ),
    # "Version 2.3.1", "iOS 17.4"
    Rule(
        rf"(?<![\w.-])(?P<before>(?:{_WORDS}|{_PRODUCTS})(?:\s{_WORDS})?)[\s/-](?P<v>[vV]\.?\s?)?"
        rf"(?=[0-9]+\.[0-9]|[0-9]+\.[xX])(?P<number>{_NUMBER}){_TAIL}(?!,[0-9]|\s?[%€$£°])",
        _version,
    ),
)
