"""Values and tracebacks in the log: bounded, without values, and never an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from hypothesis import given
from hypothesis import strategies as st

from agent.logs.plain import MOST_CHARACTERS, MOST_FRAMES, described, frames, plain


class Hostile:
    """Describes itself by what nobody may read, or not at all."""

    def __repr__(self) -> NoReturn:
        raise RuntimeError

    __str__ = __format__ = __repr__  # type: ignore[assignment]


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.builds(Hostile)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner)
    | st.tuples(inner),
    max_leaves=20,
)  # fmt: skip


@given(_ANY)
def test_any_value_can_be_written(value: Any) -> None:
    """Half characters, numbers that are no JSON, objects that cannot describe themselves."""
    json.dumps(plain(value)).encode()


def test_what_has_no_end_has_one_in_the_log() -> None:
    """Long texts, long lists, deep and circular ones, large numbers."""
    circle: list[Any] = []
    circle.append(circle)
    huge = {"text": "x" * 10**6, "list": list(range(10**5)), "circle": circle, "number": 10**5000}
    told = json.dumps(plain(huge))
    assert len(told) < 3 * MOST_CHARACTERS
    assert plain(Path("a/b")) == "a/b"
    assert plain(Hostile()) == "<Hostile>"


def test_a_traceback_has_no_words_and_an_end() -> None:
    """Neither of the error, nor of those in its group; recursion is cut."""

    def recur(depth: int) -> None:
        if not depth:
            raise ExceptionGroup("a secret", [ValueError("a secret"), KeyError("a secret")])
        recur(depth - 1)

    try:
        recur(500)
    except ExceptionGroup as error:
        text = described(frames(error))
    assert "a secret" not in text.replace('"a secret"', "")  # but for the line of this file
    assert text.splitlines()[-2:] == ["builtins.ValueError", "builtins.KeyError"]
    assert len(text.splitlines()) <= 2 * MOST_FRAMES + 3
    assert "recur(depth - 1)" in text
