"""Credentials that everybody knows: samples out of documentation, and texts that stand for a token.

With one of them in force anybody could sign callbacks, or place calls, so the service does not
start. A sample of our own documentation is one, too, unless it is tried out against the stand-in.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from pydantic import SecretStr

from agent.settings.errors import SettingsError
from agent.settings.tree import Settings
from agent.urls import LOOPBACK
from pipelines.environment import strange_character

PUBLISHED = {
    # developers.sinch.com: callback signing, and the .NET SDK's tests.
    "669e367e-6bba-48ab-af15-266871c28135",
    "BeIukql3pTKJ8RGL5zo0DA==",
    # OpenAPI of version 2: callback signing.
    "a74b1566-0f18-4f8e-9c23-8e6b5df8fd3e",
    "F5wrP9SKYU6w8sbZXkp7GA==",
    # Application signed requests.
    "5f5c418a0f914bbc8234a9bf5eddad97",
    "JViE5vDor0Sw3WllZka15Q==",
    # Registration tokens of the SDKs for apps.
    "a32e5a8d-f7d8-411c-9645-9038e8dd051d",
    "ax8hTTQJF0OPXL32r1LHMA==",
    # The glossary of the SDKs for apps, and their user authentication.
    "196087a1-e815-4bc4-8984-60d8d8a43f1d",
    "d404a4d3-51cf-45e2-bc32-e294ae879d58",
    "oYdgGRXoxEuJhGDY2KQ/HQ==",
}
"""Keys (in lower case) and secrets that stand in Sinch's own documentation and SDKs."""

OWN_SAMPLES = {"any", "try-it-3f0c9a6d1be84572a1f4c60d"}
"""What ``docs/sinch-number.md`` has for a try with the stand-in; the secret there is a word."""

CREDENTIALS = (
    "application_key",
    "application_secret",
    "service_id",
    "service_secret",
    "access_key",
    "access_secret",
)
"""Settings of ``sinch`` that say who we are."""

SHORTEST = 16
"""Characters of a token; the settings refuse less as well."""

FEWEST = 8
"""Different characters of a token. 16 random hexadecimal digits, the poorest that is told to be
enough, have fewer in one case of a hundred; the 48 of ``openssl rand -hex 24`` have 13 or more."""

_WORDS = re.compile(
    "change(me|it|this)|replace(me|it|this)|secret|password|passw0rd|placeholder|example|sample"
    "|yourtoken|yourkey|(operator|server|bearer|access|api|test|my)token|tokenhere|longrandom"
    "|randomtext|default|qwerty|asdfgh|letmein|insert|1q2w3e|fixme|setme"
)
"""What stands in a text that somebody meant to replace; its signs and spaces are left out.
No word is so short that chance would write it."""


_LEET = str.maketrans("01345$", "oleass")
"""Signs that stand for letters in a word."""


def refuse_placeholders(settings: Settings) -> None:
    """Refuse credentials and tokens that are no secret, or were copied badly; none is quoted.

    Raises:
        SettingsError: A line for each.
    """
    if lines := [*_published(settings), *_weak(settings), *_strange(settings)]:
        raise SettingsError("\n".join(lines))


def _strange(settings: Settings) -> Iterator[str]:
    for name in CREDENTIALS:
        if strange := strange_character(_text(getattr(settings.sinch, name)), ascii_only=True):
            yield f"sinch.{name}: there is a character in it that no key has ({strange})"
    for name, token in _tokens(settings).items():
        if strange := strange_character(_text(token)):
            yield f"{name}: there is a character in it that is not seen or not meant ({strange})"


def _tokens(settings: Settings) -> dict[str, SecretStr | None]:
    return {"operator.token": settings.operator.token, "server.token": settings.server.token}


def _published(settings: Settings) -> Iterator[str]:
    tried_out = urlsplit(settings.sinch.api_url or "").hostname in LOOPBACK
    for name in CREDENTIALS:
        value = _text(getattr(settings.sinch, name))
        if value in PUBLISHED or value.lower() in PUBLISHED:
            yield (
                f"sinch.{name}: this is the sample of Sinch's documentation, which everybody "
                "has; take your own from the dashboard"
            )
        elif not tried_out and (value in OWN_SAMPLES or _is_words(name, value)):
            yield f"sinch.{name}: a placeholder; take your own from the dashboard"


def _is_words(name: str, value: str) -> bool:
    """Return whether a secret is a text in base64: Sinch's are random bytes."""
    if name not in ("application_secret", "service_secret") or not value:
        return False
    try:
        secret = base64.b64decode(value)
    except ValueError:  # the settings say so
        return False
    return len(set(secret)) < 2 or (secret.isascii() and secret.decode("ascii").isprintable())


def _weak(settings: Settings) -> Iterator[str]:
    for name, token in _tokens(settings).items():
        if token is not None and (why := weakness(_text(token))):
            yield f"{name}: {why}; `openssl rand -hex 24` makes a good one"
        elif _text(token) in OWN_SAMPLES and settings.sinch.public_url.startswith("https:"):
            yield f"{name}: a sample of ours; `openssl rand -hex 24` makes a good one"


def weakness(token: str) -> str:
    """Say why a token can be guessed; ``""`` if nothing tells that it can.

    Args:
        token: As it was set. It is not quoted.
    """
    if len(token) < SHORTEST:
        return f"shorter than {SHORTEST} characters"
    signs = re.sub(r"[^a-z0-9$]", "", token.lower())
    if _WORDS.search(signs) or _WORDS.search(signs.translate(_LEET)) or token in PUBLISHED:
        return "a placeholder, not a secret"
    letters = re.sub(r"[^A-Za-z]", "", token)
    if re.search(r"\s", token) or (not re.search(r"\d", token) and _is_prose(letters)):
        return "words, not a secret"
    steps = [abs(ord(b) - ord(a)) for a, b in pairwise(token)]
    in_a_row = sum(step <= 1 for step in steps) > len(steps) / 2
    repeats = token in (token + token)[1:-1]
    if len(set(token)) < FEWEST or repeats or in_a_row:
        return "too regular to be a secret"
    return ""


def _is_prose(letters: str) -> bool:
    """Return whether letters are written as words are: chance mixes capitals and small ones."""
    return sum(letter.isupper() for letter in letters) < len(letters) / 5 or letters.isupper()


def _text(value: str | SecretStr | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""
