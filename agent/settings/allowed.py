"""What a setting, or a field of an agent file, may be: said in words, by its declaration."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, Secret, SecretStr
from pydantic.fields import FieldInfo

PATTERNS: Mapping[str, str] = {
    "^https?://": "an address that begins with https:// or http://",
    "^(https?://[^@?#]+)?$": "an address that begins with https:// or http://, without user, "
    "password and query",
    "^(https?://[^?#]+)?$": "an address that begins with https:// or http://, without query",
    r"^/[\w/-]*$": "a path that begins with /, of letters, digits, _, - and /",
    "^([A-Z]{2})?$": "a country in two capital letters, such as US",
    "^[0-9*#]?$": "one key of a telephone: a digit, * or #",
    "^[a-z]{2,3}$": "a language in two or three small letters, such as en",
    "^[a-z]{2,3}-[A-Za-z0-9]+-.+": "a voice that begins with its language and country, such as "
    "en-US-...",
    "^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable: letters, digits and _",
    "^[A-Za-z0-9_-]+$": "letters, digits, _ and -",
    "^[A-Za-z0-9._-]+$": "letters, digits, ., _ and -",
    "^[a-z0-9]+$": "small letters and digits",
    "^[a-z0-9][a-z0-9_-]{0,39}$": "at most 40 small letters, digits, _ and -",
    "^[A-Za-z0-9_-]{1,64}$": "at most 64 letters, digits, _ and -",
    r"^[\w.]+:[\w.]+$": "package.module:function",
    "^([A-Za-z0-9-]{1,64})?$": "the name of a header: letters, digits and -",
}
"""Patterns in words: nobody has to read a regular expression."""


class Kind(NamedTuple):
    """What a value has to be: a type, and what bounds it."""

    type: Any
    bounds: tuple[Any, ...] = ()

    @property
    def plain(self) -> Any:  # noqa: ANN401 - a type
        """The type without ``None`` and what is annotated; a union if there still are several."""
        return unwrapped(self).type

    @property
    def is_secret(self) -> bool:
        """Whether it is not to be shown."""
        plain = self.plain
        return isinstance(plain, type) and issubclass(plain, Secret | SecretStr)

    @property
    def is_number(self) -> bool:
        """Whether it is a number, and not true or false."""
        return self.plain in (int, float)

    @property
    def is_text(self) -> bool:
        """Whether it is a text, secret or not."""
        return self.plain is str or self.is_secret

    @property
    def is_choice(self) -> bool:
        """Whether it is one of a few words."""
        return get_origin(self.plain) is Literal

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return get_origin(self.plain) in (tuple, list, frozenset, Sequence)

    @property
    def is_section(self) -> bool:
        """Whether it has settings, or names and values, in it."""
        return self.model is not None or get_origin(self.plain) in (dict, Mapping)

    @property
    def model(self) -> type[BaseModel] | None:
        """Whose fields it has, if it has declared ones."""
        plain = self.plain
        return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None

    @property
    def item(self) -> Kind:
        """What is in a list, or behind the names of a section."""
        found = [one for one in get_args(self.plain) if one is not Ellipsis]
        return Kind(found[-1]) if found else Kind(Any)


def unwrapped(kind: Kind) -> Kind:
    """Return a kind without ``Annotated`` and ``None``, its bounds all in one place."""
    declared, bounds = kind
    while True:
        if get_origin(declared) is Annotated:
            declared, *more = get_args(declared)
            bounds = (*bounds, *more)
        elif get_origin(declared) in (Union, UnionType):
            rest = [one for one in get_args(declared) if one is not NoneType]
            if len(rest) != 1:
                return Kind(declared, bounds)
            declared = rest[0]
        else:
            return Kind(declared, bounds)


def kind_of(field: FieldInfo) -> Kind:
    """Return what a field may be."""
    return Kind(field.annotation, tuple(field.metadata))


def at(model: type[BaseModel], place: Iterable[int | str]) -> Kind | None:
    """Return what may stand at a place below ``model``; None if nothing is declared there."""
    kind = Kind(model)
    for part in place:
        if kind.model is not None:
            field = kind.model.model_fields.get(str(part))
            if field is None:
                return None
            kind = kind_of(field)
        elif kind.is_list or kind.is_section:
            kind = kind.item
        else:
            return None
    return kind


def allowed(kind: Kind) -> str:
    """Say what a value may be, such as ``a whole number from 0 to 65535``."""
    declared, bounds = unwrapped(kind)
    pattern = _bound(bounds, "pattern")
    if pattern or get_origin(declared) is Literal:
        return PATTERNS.get(pattern) or f"one of {', '.join(map(str, get_args(declared)))}"
    if kind.is_number:
        return ("a whole number" if declared is int else "a number") + _range(bounds)
    if kind.is_list:
        return f"a list{_of(kind.item)}{_length(bounds, 'items')}"
    if kind.is_section:
        return f"a section of {'settings' if kind.model else 'names and values'}"
    if get_origin(declared) in (Union, UnionType):
        several = [allowed(Kind(one)) for one in get_args(declared) if one is not NoneType]
        return " or ".join(dict.fromkeys(several))
    return f"{_PLAIN.get(declared, 'a text')}{_length(bounds, 'characters')}"


_PLAIN = {bool: "true or false", Path: "a path"}


def _bound(bounds: Iterable[object], name: str) -> Any:  # noqa: ANN401 - a number, or a pattern
    for one in bounds:
        if (found := getattr(one, name, None)) is not None:
            return found
    return None


def _range(bounds: tuple[Any, ...]) -> str:
    ge, gt, le, lt = (_bound(bounds, name) for name in ("ge", "gt", "le", "lt"))
    if ge is not None and le is not None:
        return f" from {_number(ge)} to {_number(le)}"
    above = f"{_number(ge)} or more" if ge is not None else ""
    above = f"more than {_number(gt)}" if gt is not None else above
    below = f"at most {_number(le)}" if le is not None else ""
    below = f"less than {_number(lt)}" if lt is not None else below
    if said := " and ".join(part for part in (above, below) if part):
        return f", {said}"
    return ""


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _length(bounds: tuple[Any, ...], of: str) -> str:
    least, most = _bound(bounds, "min_length"), _bound(bounds, "max_length")
    if least and most:
        return f" of {least} to {most} {of}"
    if least == 1:
        return ", not empty"
    if least:
        return f" of {least} {of} or more"
    return f" of at most {most} {of}" if most else ""


def _of(item: Kind) -> str:
    if item.is_choice:
        return f" of {', '.join(map(str, get_args(item.plain)))}"
    return " of sections" if item.is_section else " of numbers" if item.is_number else " of texts"


def shown(value: object) -> str:
    """Return a value as a file would have it, no longer than anybody reads."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, date | datetime | time):
        text = value.isoformat()
    else:
        try:
            text = repr(value)
        except ValueError:  # a number of thousands of digits
            text = "a number too long to be read"
    return text if len(text) <= 100 else f"{text[:100]}..."


def hint(kind: Kind, given: object) -> str:
    """Say what is to be changed in what was given, where that is plain; else ``""``."""
    if kind.is_section != isinstance(given, dict):
        return f", and no {_word(given)}"
    if isinstance(given, float) and not math.isfinite(given):
        return ", and finite"
    if kind.is_text and isinstance(given, bool | int | float | date | datetime | time):
        return ", in quotation marks"
    if isinstance(given, str) and (kind.is_number or kind.plain is bool):
        return _hint_for_a_number(given.strip())
    if isinstance(given, str) and kind.is_choice:
        return did_you_mean(nearest(given, map(str, get_args(kind.plain))))
    return ""


def _word(given: object) -> str:
    words = {dict: "section", list: "list", str: "text", bool: "true or false"}
    return next((word for kind, word in words.items() if isinstance(given, kind)), "number")


def _hint_for_a_number(given: str) -> str:
    bare = given.strip(" \"'\u2018\u2019\u201c\u201d\u201e")
    if bare != given:
        return ", without quotation marks"
    if re.fullmatch(r"[+-]?[\d.,_]+\s*[^\W\d_]+", bare):
        return ", without a unit"
    return ", with a point and no comma" if re.fullmatch(r"[+-]?\d+,\d+", bare) else ""


def in_words(table: Iterable[tuple[str, str, str]], said: str, line: str) -> str:
    """Return what to say of a line that a parser refuses; ``""`` if the table has nothing.

    Args:
        table: Patterns of what the parser says, and of how the line looks, and the words; the first
            that fits counts.
        said: By the parser.
        line: Where it stopped.
    """
    fits = (w for of, looks, w in table if re.search(of, said) and re.search(looks, line))
    return next(fits, "")


def did_you_mean(names: Sequence[str]) -> str:
    """Return ``; did you mean a or b?``; ``""`` without a name."""
    return f"; did you mean {' or '.join(names)}?" if names else ""


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the known name that ``name`` was most likely meant to be, or nothing.

    Case, hyphens, dots and camelCase are no differences.
    """
    plain = {spelt(one): one for one in known}
    close = difflib.get_close_matches(spelt(name)[:100], plain, n=1, cutoff=0.6)
    return [plain[one] for one in close]


def spelt(name: str) -> str:
    """Return a name as names are spelt here: small letters, with one underscore between words."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\W_]+", "_", snake).strip("_").lower()
