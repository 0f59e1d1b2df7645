"""Words and facts of records as the two databases index them, and as they are asked for there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    cast,
    select,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from agent.records.seals import Seal
from agent.records.search.search_words import LONGEST, Question, Term
from agent.store.record_tables import call_records
from agent.store.tables import digest

_OTHER = MetaData()  # made by statements of their own: see agent.store.record_tables

in_sqlite = Table(
    "call_words",
    _OTHER,
    Column("rowid", BigInteger, primary_key=True),
    Column("call_words", Text),  # what MATCH asks of the whole table
    Column("words", Text),
    Column("record", BigInteger),
    Column("upto", BigInteger),
    Column("size", Integer),
)

in_postgresql = Table(
    "call_words",
    MetaData(),
    Column("record", BigInteger, primary_key=True),
    Column("upto", BigInteger),
    Column("size", Integer),
    Column("words", TSVECTOR),
)

OUTCOME = "outcome"
"""The kind of the one fact that changes; it is in SQLite's index alone, which is written anew."""

_LATEST = 2**43 - 1
"""Milliseconds of a Unix time that a place has room for: the year 2248."""

_SAME_MOMENT = 2**20
"""Records that may have begun in one millisecond."""

_SEPARATOR = re.compile(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]")


def place(started: float, number: int) -> int:
    """Return where a record stands in SQLite's index: in the order of ``started`` and ``number``.

    A list of records that were found is then read from its end, however many there are, and a span
    of time is a piece of it.
    """
    moment = min(max(round(started * 1000), 0), _LATEST)
    return moment * _SAME_MOMENT + number % _SAME_MOMENT


def sealed_word(seal: Seal, word: str) -> str:
    """Return what a word is found by: letters and digits, 32 at the most."""
    return _indexed(seal.look_up(word))


def _indexed(found: str) -> str:
    return (digest(found) if _SEPARATOR.search(found) else found)[:LONGEST]


def fact(kind: str, value: str) -> str:
    """Return a word that nobody says, for what else a record is found by."""
    return f"={kind}{digest(value)[:20]}"


def narrowed(
    found: Select[Any],
    asked: Question,
    facts: Iterable[str],
    seal: Seal,
    *,
    span: tuple[float | None, float | None] = (None, None),
    dialect: str,
) -> Select[Any]:
    """Return a selection of records, of which only those are left in which words are found.

    Args:
        found: The selection.
        asked: The words.
        facts: Of :func:`fact`, which go without saying in the selection: they make it faster.
        seal: Gives what words are found by.
        span: Unix times from which on, and until which (that one too), records have begun.
        dialect: Of the database: ``sqlite`` or ``postgresql``.
    """
    terms = [[one for term in forms for one in _sealed(seal, term)] for forms in asked]
    if dialect == "postgresql":
        lasting = [f"'{one}'" for one in facts if not one.startswith(f"={OUTCOME}")]
        query = " & ".join([*lasting, *map(_in_postgresql, terms)])
        condition = in_postgresql.c.words.op("@@")(cast(query, TSQUERY))
        return found.join(in_postgresql, in_postgresql.c.record == call_records.c.number).where(
            condition
        )
    query = " AND ".join([*(f'"{one}"' for one in facts), *map(_in_sqlite, terms)])
    conditions: list[ColumnElement[bool]] = [in_sqlite.c.call_words.op("MATCH")(query)]
    since, until = span
    if since is not None:
        conditions.append(in_sqlite.c.rowid >= place(since, 0))
    if until is not None:
        conditions.append(in_sqlite.c.rowid <= place(until, _SAME_MOMENT - 1))
    words = select(in_sqlite.c.rowid, in_sqlite.c.record).where(and_(*conditions)).subquery()
    # Read from the latest on, which is the order that is wanted; nothing has to be sorted.
    return (
        found.join(words, words.c.record == call_records.c.number)
        .order_by(None)
        .order_by(words.c.rowid.desc())
    )


def with_fact(name: str, dialect: str) -> Select[Any]:
    """Return the numbers of the records with a fact."""
    if dialect == "postgresql":
        return select(in_postgresql.c.record).where(
            in_postgresql.c.words.op("@@")(cast(f"'{name}'", TSQUERY))
        )
    return select(in_sqlite.c.record).where(in_sqlite.c.call_words.op("MATCH")(f'"{name}"'))


def _sealed(seal: Seal, term: Term) -> list[Term]:
    """Return what a term is found by: by each key, and from before there was one."""
    if term.begins:
        return [term]
    by_key = zip(*(seal.look_ups(word) for word in term.words), strict=True)
    return [Term(tuple(map(_indexed, words))) for words in by_key]


def _in_sqlite(forms: Sequence[Term]) -> str:
    said = [f'"{" ".join(one.words)}"' + "*" * one.begins for one in forms]
    return f"({' OR '.join(dict.fromkeys(said))})"


def _in_postgresql(forms: Sequence[Term]) -> str:
    said = [
        f"'{one.words[0]}':*" if one.begins else " <-> ".join(f"'{word}'" for word in one.words)
        for one in forms
    ]
    return f"({' | '.join(f'({one})' for one in dict.fromkeys(said))})"
