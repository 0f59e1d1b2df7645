"""The words of calls, as they are searched for: added as they are said, and removed for good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from agent.records.call_records import event_of, shown
from agent.records.conversation import broken_off
from agent.records.events import JournalLine
from agent.records.seals import Seal, SealError
from agent.records.search.search_words import LineWords, words_of
from agent.records.search.word_search import (
    OUTCOME,
    fact,
    in_postgresql,
    in_sqlite,
    place,
    sealed_word,
)
from agent.records.understood import UNDERSTOOD, with_understood
from agent.store.record_tables import LANGUAGE, call_events, call_languages, call_records

SPOKEN = ("caller", "agent", "summary")
"""Kinds of lines whose ``text`` is searched; of what a kill has cut, others."""

MOST_BYTES = 900_000
"""Of the words of one call: half a day of talk, and what a `tsvector` can hold."""

AT_ONCE = 20_000
"""Bytes of words up to which each line is searched for at once. A longer call that goes on is
written anew only when it has grown by an eighth, so that its lines cost no more than they are."""

GAP = "."
"""Stands between two lines, so that no phrase goes from one into the other."""


# What is asked for each call that somebody speaks in, once a second, is put together once for all:
# that was a third of what it costs.

_NEW = (
    select(call_events.c.id, call_events.c.kind, call_events.c.data)
    .where(call_events.c.record == bindparam("number"))
    .where(call_events.c.kind.in_((*SPOKEN, "ended")))
    .where(call_events.c.id > bindparam("after"))
    .order_by(call_events.c.id)
)

_IN_POSTGRESQL = select(literal(""), in_postgresql.c.upto, in_postgresql.c.size).where(
    in_postgresql.c.record == bindparam("its_place")
)

_IN_SQLITE = select(in_sqlite.c.words, in_sqlite.c.upto, in_sqlite.c.size).where(
    in_sqlite.c.rowid == bindparam("its_place")
)

_CHANGE_SQLITE = (
    update(in_sqlite)
    .where(in_sqlite.c.rowid == bindparam("its_place"))
    .values({name: bindparam(name) for name in ("words", "upto", "size")})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What is in the index of a record already."""

    words: str
    """In SQLite only."""

    upto: int
    size: int


def add(connection: Connection, seal: Seal, said: Mapping[int, Sequence[JournalLine]]) -> None:
    """Add the words of the lines of records, in the transaction that stores them.

    What is added are the lines that stand in the database and not yet in the index, whichever are
    given: one that comes twice is added once.

    Args:
        connection: Of that transaction.
        seal: Gives what words are looked up by.
        said: Lines of journals, stored, by number of the record; some may have been added before.
    """
    new = [
        number
        for number, lines in said.items()
        if any(line.kind in (*SPOKEN, "call", "platform", "ended") for line in lines)
    ]
    if not new:
        return
    columns, languages = call_records.c, set[str]()
    these = select(call_records).where(columns.number.in_(new)).order_by(columns.number)
    for row in connection.execute(these).all():
        languages |= _bring_up_to_date(connection, seal, row)
    _note_languages(connection, languages)


def remove(connection: Connection, record: int) -> None:
    """Remove the words of a record, before the record itself is deleted.

    SQLite keeps what was removed in its index until the database is scrubbed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(delete(in_postgresql).where(in_postgresql.c.record == record))
        return
    started = select(call_records.c.started).where(call_records.c.number == record)
    began = connection.execute(started).scalar()
    where = in_sqlite.c.record == record  # which reads all of it
    if began is not None:
        where = in_sqlite.c.rowid == place(began, record)
    connection.execute(delete(in_sqlite).where(where))


def renew_facts(connection: Connection, seal: Seal, record: int) -> None:
    """Write anew what else a record is found by, after its columns have changed.

    SQLite keeps what was removed in its index until the database is scrubbed.
    """
    its = select(call_records).where(call_records.c.number == record)
    row = connection.execute(its).first()
    if row is None or (stored := _stored(connection, row)) is None:
        return
    try:
        about = shown(seal, row.data)
    except SealError:
        about = {}
    facts = _facts(seal, row, about)
    if connection.dialect.name != "postgresql":
        _write_sqlite(connection, row, facts, [], stored, is_new=False)
        return
    kinds = tuple(f"={kind}" for kind in ("agent", "caller", "called", "direction", "dialled"))
    lexemes = func.tsvector_to_array(in_postgresql.c.words)
    known = select(lexemes).where(in_postgresql.c.record == record)
    gone = [one for one in connection.execute(known).scalar_one() if one.startswith(kinds)]
    left = func.ts_delete(in_postgresql.c.words, cast(gone, ARRAY(Text)))
    change = update(in_postgresql).where(in_postgresql.c.record == record)
    connection.execute(change.values(words=left.op("||")(_facts_in_postgresql(facts))))


def _bring_up_to_date(connection: Connection, seal: Seal, row: Row[Any]) -> set[str]:
    """Add what is new of a record; return the tags of the languages that it is in."""
    stored = _stored(connection, row)
    upto = stored.upto if stored else 0
    new = connection.execute(_NEW, {"number": row.number, "after": upto}).all()
    if stored is not None and not new:
        return set()
    said: list[tuple[str, Mapping[str, Any]]] = [
        (one.kind, shown(seal, one.data)) for one in new if one.kind != "ended"
    ]
    if any(one.kind == "ended" for one in new):
        said += _cut_off(connection, seal, row.number)
    about = shown(seal, row.data)
    language = str(about.get("language", ""))
    size, lines, languages = stored.size if stored else 0, list[list[str]](), {language}
    for kind, fields in said:
        spoken_in = str(fields.get("language", "")) if kind == "caller" else ""
        words = _sealed(seal, words_of(str(fields.get("text", "")), spoken_in or language))
        size += sum(len(word.encode()) + 8 for word in words)
        if words and size <= MOST_BYTES:
            lines.append(words)
        languages.add(spoken_in)
    grown = size - (stored.size if stored else 0)
    if stored and row.ended is None and stored.size > AT_ONCE and grown * 8 < stored.size:
        return set()
    upto = max((one.id for one in new), default=0)
    state = _Stored(words=stored.words if stored else "", upto=upto, size=size)
    write = _write_postgresql if connection.dialect.name == "postgresql" else _write_sqlite
    write(connection, row, _facts(seal, row, about), lines, state, is_new=stored is None)
    return languages


def _stored(connection: Connection, row: Row[Any]) -> _Stored | None:
    """Return what is in the index already; None if nothing is."""
    if connection.dialect.name == "postgresql":
        asked, its_place = _IN_POSTGRESQL, row.number
    else:
        asked, its_place = _IN_SQLITE, place(row.started, row.number)
    found = connection.execute(asked, {"its_place": its_place}).first()
    return None if found is None else _Stored(words=found[0], upto=found[1], size=found[2])


def _facts(seal: Seal, row: Row[Any], about: Mapping[str, Any]) -> list[str]:
    facts = [
        fact("agent", row.agent),
        fact("caller", row.caller),
        fact("called", row.called),
        fact("direction", row.direction),
        fact(OUTCOME, row.outcome),
    ]
    dialled = str(about.get("dialled", ""))
    return [*facts, fact("dialled", seal.look_up(dialled))] if dialled else facts


def _cut_off(
    connection: Connection, seal: Seal, record: int
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what was said last and has no line of its own, of either side, as if it had one."""
    events = call_events.c
    asked = select(call_events).where(
        events.record == record, events.kind.in_(("heard", "agent", *UNDERSTOOD))
    )
    lines = [event_of(seal, row) for row in connection.execute(asked.order_by(events.id)).all()]
    has_line = {line.id for line in lines if line.kind == "caller"}
    understood = (line for line in with_understood(lines) if line.kind == "caller")
    said = [("caller", one.fields) for one in understood if one.id not in has_line]
    return [*said, *(("agent", one.fields) for one in broken_off(lines))]


def _sealed(seal: Seal, words: LineWords) -> list[str]:
    """Return the words of a line as they stand in the index."""
    if not words.spoken:
        return []
    spoken = [sealed_word(seal, word) for word in words.spoken]
    return [*spoken, GAP, *(sealed_word(seal, word) for word in words.besides)]


def _note_languages(connection: Connection, tags: Iterable[str]) -> None:
    new = {tag.lower().replace("_", "-").partition("-")[0][:LANGUAGE] for tag in tags} - {""}
    if not new:
        return
    known = set(connection.execute(select(call_languages.c.language)).scalars())
    for language in sorted(new - known):
        row = insert_or_update(call_languages).values(language=language)
        connection.execute(row.on_conflict_do_nothing())


def _write_sqlite(
    connection: Connection,
    row: Row[Any],
    facts: Sequence[str],
    lines: Sequence[Sequence[str]],
    state: _Stored,
    *,
    is_new: bool,
) -> None:
    before = state.words.partition(f" {GAP} ")[2]  # without the facts of then
    said = f" {GAP} ".join([before, *(" ".join(line) for line in lines)])
    values = {
        "words": f"{' '.join(facts)} {GAP} {said}",
        "upto": state.upto,
        "size": state.size,
    }
    at = place(row.started, row.number)
    if is_new:
        values |= {"rowid": at, "record": row.number}
        connection.execute(insert(in_sqlite).values(values))
    else:
        connection.execute(_CHANGE_SQLITE, {"its_place": at, **values})


def _write_postgresql(
    connection: Connection,
    row: Row[Any],
    facts: Sequence[str],
    lines: Sequence[Sequence[str]],
    state: _Stored,
    *,
    is_new: bool,
) -> None:
    # A position above 16,383 is that: phrases of a call that is longer than two hours are not
    # found in its end, its words are.
    words = [word for line in lines for word in (*line, GAP)]
    said = " ".join(f"'{word}':{min(at, 16383)}" for at, word in enumerate(words, 1))
    new: ColumnElement[Any] = cast(said, TSVECTOR)
    if is_new:
        new = _facts_in_postgresql(facts).op("||")(new)
    row_of_it = insert_or_update(in_postgresql).values(
        record=row.number, upto=state.upto, size=state.size, words=new
    )
    connection.execute(
        row_of_it.on_conflict_do_update(
            index_elements=[in_postgresql.c.record],
            set_={
                "upto": row_of_it.excluded.upto,
                "size": row_of_it.excluded.size,
                "words": in_postgresql.c.words.op("||")(row_of_it.excluded.words),
            },
        )
    )


def _facts_in_postgresql(facts: Sequence[str]) -> ColumnElement[Any]:
    lasting = (f"'{one}'" for one in facts if not one.startswith(f"={OUTCOME}"))
    return cast(" ".join(lasting), TSVECTOR)
