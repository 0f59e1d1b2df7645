"""Text that can be written, kept and sent.

JSON can hold half a character, a surrogate without its other half; UTF-8 cannot, and neither can
files, databases or requests. Such text comes from outside: a server splits an emoji over two
events, a platform cuts a name by its UTF-16 units. It is mended once, where it comes in.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_ESCAPE = re.compile(
    r"""\\ (?: (?P<pair> u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2} )
             | (?P<half> u[dD][89a-fA-F][0-9a-fA-F]{2} )
             | . )""",
    re.VERBOSE | re.DOTALL,
)
"""One of JSON's escapes; two of them if they are one character."""


def encodable(text: str) -> str:
    """Return ``text`` with halves that belong together joined, and U+FFFD for each of the others.

    The very same object is returned if there is nothing to mend.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class EncodableText:
    """A text that comes in pieces, which may be cut inside of a character."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """Return what is whole by now."""
        text, self._half = self._half + piece, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return encodable(text)

    def flush(self) -> str:
        """Return what is left, now that no more comes: U+FFFD for half a character, or nothing."""
        half, self._half = self._half, ""
        return encodable(half)


def mended_json(text: str) -> str:
    """Return a JSON text without escapes for halves of characters, for a parser that refuses them.

    The very same object is returned if there is nothing to mend.
    """
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda found: r"\ufffd" if found["half"] else found[0], text)


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what ``text`` says; all of it is :func:`encodable`.

    Raises:
        ValueError: If it is not JSON (NaN and Infinity are not), or nested too deep.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "replace")
    return read_json_delta(mended_json(encodable(text)))


def read_json_delta(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what ``text`` says; the other half of a character may come with the next event.

    Raises:
        ValueError: As :func:`read_json`.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def encodable_json(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON value, already read, whose texts and names of fields are :func:`encodable`.

    The very same object is returned if there is nothing to mend.

    Raises:
        ValueError: If it is no JSON, or nested too deep.
    """
    try:
        written = json.dumps(value, ensure_ascii=False)
    except (RecursionError, TypeError):
        raise ValueError("no JSON, or nested too deep") from None
    mended = encodable(written)
    return value if mended is written else json.loads(mended)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
