"""The records of calls in the database, as they are written: line by line, each once."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from agent.records.call_records import answer_time_of, hidden, shown
from agent.records.erasing import was_erased
from agent.records.events import A_MACHINE, Disclosed, JournalLine, Outcome, disclosed_after
from agent.records.journals.journal_names import MADE, began
from agent.records.legs import legs_of, numbers_of, with_leg
from agent.records.seals import Seal
from agent.records.search import call_numbers, words_index
from agent.records.search.number_forms import looked_up_as
from agent.records.values import began_at
from agent.records.webhooks.outbox import Outbox
from agent.store.engine import Database
from agent.store.record_tables import RECORD_ID, call_events, call_records
from agent.store.tables import digest
from pipelines.encodable import encodable

WHOSE = ("call_id", "id", "about")
"""What a line that is added to a record later says of whose it is: the record has it."""

OF_THE_CALL = ("ended", "platform", "summary", "recording")
"""Kinds of lines whose last is known of a record without its events."""

CHANGES = {*OF_THE_CALL, "usage", "wanted", "leg", "disclosed"}
"""Kinds of lines of which something becomes of the record, besides that they are kept."""

MAKES_A_RECORD = ("platform", "leg")
"""Kinds of lines which the platform's word on a call stands in: it leaves a record, though nobody
has answered it."""

BY_REASON: Mapping[str, Outcome] = {
    "the caller hung up": "caller hung up",
    "the agent hung up": "agent hung up",
    "the operator hung up": "operator hung up",
    "the call was too long": "stopped",
    "no audio from the caller": "stopped",
    "the service stops": "stopped",
}
"""Outcome by the reason, where a line of an earlier version does not tell who has hung up."""

NOBODY: Mapping[str, Outcome] = {
    "the caller was passed on": "passed on",
    "interrupted": "interrupted",
    "failed": "failed",  # a bug of ours
}
"""Outcome by the reason of an ``ended`` line, whoever has hung up."""

BY_WHOM: Mapping[str, Outcome] = {
    "caller": "caller hung up",
    "agent": "agent hung up",
    "operator": "operator hung up",
    "service": "stopped",
}
"""Outcome of any other reason. Without it, it is a line that broke."""

ID = re.compile(rf"[A-Za-z0-9._-]{{1,{RECORD_ID}}}")

Journals = Mapping[str, list[JournalLine]]
"""Lines by the name of their journal."""


class StoredRecords:
    """Takes the lines of journals into the database.

    Args:
        database: Shared by all processes.
        seal: Hides what people said.
        outbox: What the user's systems are told; None if they are told nothing.
    """

    def __init__(self, database: Database, seal: Seal, outbox: Outbox | None = None) -> None:
        self._database = database
        self._seal = seal
        self._outbox = outbox

    async def add(self, lines: Sequence[JournalLine]) -> None:
        """Store lines of journals in one transaction; those that were stored before are let be.

        A journal begins with its ``call`` line; or its first line says whose it is, by the record's
        ``id`` or the ``call_id``, of which the latest record is meant. What the platform says of a
        call that has none makes one; other lines whose record is not there are dropped.

        Raises:
            StoreError: If the database fails.
            SealError: If there is no key for what is there already.
        """
        ordered = sorted(lines, key=lambda one: (one.journal, one.line))
        journals = {name: list(g) for name, g in groupby(ordered, key=lambda one: one.journal)}
        await self._database.write(lambda c: self._add(c, journals))

    def _add(self, connection: Connection, journals: Journals) -> None:
        self._begin(connection, journals)
        records = {row.number: row for row in self._locked(connection, journals)}
        numbers = self._numbers(connection, journals, records.values())
        journals = {name: list(map(_own, theirs)) for name, theirs in journals.items()}
        if rest := set(numbers.values()) - records.keys():
            these = select(call_records).where(call_records.c.number.in_(rest))
            found = connection.execute(these.order_by(call_records.c.number).with_for_update())
            records |= {row.number: row for row in found}
        stored = [
            {
                "record": numbers[journal],
                "journal": journal,
                "line": one.line,
                "kind": one.kind,
                "at": one.at,
                "data": hidden(self._seal, one.fields),
            }
            for journal, theirs in journals.items()
            if numbers.get(journal) in records
            for one in theirs
        ]
        if not stored:
            return
        adding = insert(call_events).on_conflict_do_nothing()
        added = adding.returning(call_events.c.journal, call_events.c.line)
        new = {(row.journal, row.line) for row in connection.execute(added, stored)}
        told: dict[int, list[JournalLine]] = {}
        for journal, number in numbers.items():
            if theirs := [one for one in journals[journal] if (journal, one.line) in new]:
                told.setdefault(number, []).extend(theirs)
        told = {number: _believed(records[number], theirs) for number, theirs in told.items()}
        if not told:
            return
        names = ("data", "changed", "ended", "outcome", "summary_due", "disclosed")
        change = update(call_records).where(call_records.c.number == bindparam("its_number"))
        changed = {n: self._changed(connection, records[n], theirs) for n, theirs in told.items()}
        values = change.values({name: bindparam(name) for name in names})
        connection.execute(values, list(changed.values()))
        words_index.add(connection, self._seal, told)  # by what stands in the records now
        for number, theirs in told.items():
            self._note_numbers(connection, number, theirs)
            if self._outbox is not None:
                known = partial(shown, self._seal, changed[number]["data"])
                self._outbox.add(connection, number, theirs, known)

    # Whose a journal is

    def _begin(self, connection: Connection, journals: Journals) -> None:
        """See to it that there is a record for each journal that begins with a ``call`` line."""
        firsts = [theirs[0] for theirs in journals.values() if theirs[0].kind == "call"]
        if not firsts:
            return
        firsts.sort(key=lambda line: _id(line) == line.journal)  # whose own it is counts
        wanted = {_id(line): line for line in firsts}
        rows = {name: self._row(line) for name, line in wanted.items()}
        for name, told in self._without_call(connection, rows).items():
            data = _taken_over(wanted[name].fields, shown(self._seal, told.data))
            row = rows.pop(name) | {"data": hidden(self._seal, data)}
            this = update(call_records).where(call_records.c.number == told.number)
            connection.execute(this.values(row))
        if rows:
            connection.execute(insert(call_records).on_conflict_do_nothing(), list(rows.values()))

    def _without_call(
        self, connection: Connection, rows: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Row[Any, Any, Any]]:
        """Return by the ids of ``rows`` what the platform has told of their calls before."""
        ids = {row["call_id"]: name for name, row in rows.items() if row["agent"]}
        columns = call_records.c
        told = select(columns.number, columns.call_id, columns.data).where(
            columns.call_id.in_(ids), columns.outcome == "not answered"
        )
        return {ids[row.call_id]: row for row in connection.execute(told).all()}

    def _locked(self, connection: Connection, journals: Journals) -> list[Row[Any]]:
        """Return the records that are called as their journals, as nearly all are.

        They are locked, in one order: another process may be about to store lines of the same.
        """
        ids = {_id(theirs[0]) for theirs in journals.values() if theirs[0].kind == "call"}
        these = select(call_records).where(call_records.c.id.in_(ids | journals.keys()))
        return list(connection.execute(these.order_by(call_records.c.number).with_for_update()))

    def _numbers(
        self, connection: Connection, journals: Journals, records: Iterable[Row[Any]]
    ) -> dict[str, int]:
        """Return the number of the record of each journal, as far as there is one."""
        by_id = {row.id: row.number for row in records}
        ids = {
            name: _id(theirs[0]) if theirs[0].kind == "call" else name
            for name, theirs in journals.items()
        }
        found = {name: by_id[its] for name, its in ids.items() if its in by_id}
        if rest := journals.keys() - found.keys():  # they are not called as their records
            events = call_events.c
            firsts = select(events.journal, events.record).where(
                events.journal.in_(rest), events.line.in_((MADE, 0))
            )
            found |= {row.journal: row.record for row in connection.execute(firsts)}
        for name in sorted(journals.keys() - found.keys()):
            if (number := self._whose(connection, journals[name][0])) is not None:
                found[name] = number
        return found

    def _whose(self, connection: Connection, line: JournalLine) -> int | None:
        """Return the number of the record that a line says it belongs to."""
        columns = call_records.c
        its_id, call_id = line.fields.get("id"), line.fields.get("call_id")
        if line.line or not (isinstance(its_id, str) or isinstance(call_id, str)):
            return None
        if isinstance(its_id, str) and (found := self._by_id(connection, [its_id])):
            return found[its_id]
        latest = select(func.max(columns.number)).where(columns.call_id == digest(str(call_id)))
        number: int | None = connection.scalar(latest)
        if number is not None or line.kind not in MAKES_A_RECORD:
            return number
        if was_erased(connection, digest(str(call_id))):
            return None
        row = self._row(line) | {"id": line.journal, "outcome": "not answered"}
        at = began(line.journal)
        row |= {"started": at or row["started"], "ended": at or row["started"]}
        connection.execute(insert(call_records).on_conflict_do_nothing(), [row])
        number = self._by_id(connection, [line.journal]).get(line.journal)
        about = line.fields.get("about")
        if number is not None and isinstance(about, dict):
            call_numbers.add(connection, self._seal, number, numbers_of(about))
        return number

    def _by_id(self, connection: Connection, ids: Iterable[str]) -> dict[str, int]:
        columns = call_records.c
        these = select(columns.id, columns.number).where(columns.id.in_(list(ids)))
        return {row.id: row.number for row in connection.execute(these)}

    # What is stored of a record

    def _row(self, line: JournalLine) -> dict[str, Any]:
        given = line.fields
        if line.kind != "call":  # what is known of a call that nobody answered
            about, name = given.get("about"), given.get("call_id")
            given = {"call_id": name, **about} if isinstance(about, dict) else {"call_id": name}
        outgoing = given.get("direction") == "outgoing" or "dialled" in given
        return {
            "id": _id(line),
            "call_id": digest(str(given.get("call_id", ""))),
            "started": began_at(given.get("started")) or began(line.journal) or time.time(),
            "ended": None,
            "direction": "outgoing" if outgoing else "incoming",
            "agent": _text(given.get("agent"))[:200],
            "caller": self._seal.look_up(looked_up_as(_text(given.get("caller")))),
            "called": self._seal.look_up(looked_up_as(_text(given.get("called")))),
            "outcome": "in progress",
            "changed": time.time(),
            "data": hidden(self._seal, given),
        }

    def _note_numbers(
        self, connection: Connection, record: int, lines: Iterable[JournalLine]
    ) -> None:
        """Have a record found by whoever was dialled for its call, beside caller and called."""
        numbers = [
            one for line in lines if line.kind in ("call", "leg") for one in numbers_of(line.fields)
        ]
        call_numbers.add(connection, self._seal, record, numbers)

    def _changed(
        self, connection: Connection, row: Row[Any], lines: Iterable[JournalLine]
    ) -> dict[str, Any]:
        as_it_was = {
            "its_number": row.number,
            "data": row.data,
            "changed": time.time(),
            "ended": row.ended,
            "outcome": row.outcome,
            "summary_due": row.summary_due,
            "disclosed": row.disclosed,
        }
        told = [line for line in lines if line.kind in CHANGES]
        # Of most lines, while a call goes on, nothing does.
        return as_it_was | (self._told(connection, row, told) if told else {})

    def _told(
        self, connection: Connection, row: Row[Any], told: Iterable[JournalLine]
    ) -> dict[str, Any]:
        """Return what changes in the row of a record by these lines."""
        data = dict(shown(self._seal, row.data))
        ended, outcome, due = row.ended, row.outcome, row.summary_due
        disclosed: Disclosed | None = row.disclosed
        for line in told:
            data |= _known(data, line)
            if line.kind == "wanted" and "summary" not in data:
                due = 0.0  # at once, when it has ended
            elif line.kind == "summary":
                due = None
            if line.kind == "disclosed":
                disclosed = disclosed_after(disclosed, line.fields)
            if line.kind == "ended":
                ended, outcome = row.started + max(line.at or 0.0, 0.0), outcome_of(line.fields)
                data["answer_time"] = answer_time_of(connection, self._seal, row.number)
            elif line.kind == "platform" and outcome == "in progress" and not row.agent:
                ended, outcome = row.started, "not answered"  # there was no stream
            if outcome == "not answered" and line.fields.get("answerer") == "machine":
                outcome = "agent hung up"  # as the agent itself does, where it is the one to hear
                data["ended"] = {"reason": A_MACHINE, "hung_up_by": "agent"}
        return {
            "data": hidden(self._seal, data),
            "ended": ended,
            "outcome": outcome,
            "summary_due": due,
            "disclosed": disclosed,
        }


def _believed(row: Row[Any], lines: list[JournalLine]) -> list[JournalLine]:
    """Return the lines of which something becomes of the record; the others are kept, and no more.

    A record begins and ends once: what another journal says of that, which carries its id, is let
    be once it has ended.
    """
    once, own = ("call", "ended"), row.id
    if row.ended is None and not any(o.kind == "ended" and o.journal == own for o in lines):
        return lines
    return [one for one in lines if one.journal == own or one.kind not in once]


def _known(data: Mapping[str, Any], line: JournalLine) -> dict[str, Any]:
    """Return what is known of a record besides, by one more line."""
    if line.kind in OF_THE_CALL:
        return {line.kind: {"at": line.at, **line.fields}}
    if line.kind == "leg":
        return {"legs": with_leg(data, line.fields)}
    if line.kind == "usage":
        return {"usage": [*data.get("usage", ()), dict(line.fields)]}
    return {}


def _taken_over(call: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a call whose platform was faster than its ``call`` line."""
    data = {**call, **{name: told[name] for name in ("platform",) if name in told}}
    for leg in legs_of(told):
        data["legs"] = with_leg(data, leg)
    return data


def _own(line: JournalLine) -> JournalLine:
    """Return a line without what says whose it is, if it is the first of a journal of its own."""
    if line.line or line.kind == "call":
        return line
    return replace(
        line, fields={name: one for name, one in line.fields.items() if name not in WHOSE}
    )


def outcome_of(ended: Mapping[str, Any]) -> Outcome:
    """Return what a call is listed by, of the fields of its ``ended`` line."""
    reason, whom = str(ended.get("reason")), str(ended.get("hung_up_by"))
    if reason in NOBODY:
        return NOBODY[reason]
    return BY_WHOM.get(whom) or BY_REASON.get(reason) or "failed"


def _id(line: JournalLine) -> str:
    """Return the id of a record, as its first line says; or else it is called as the journal."""
    given = line.fields.get("id")
    return given if isinstance(given, str) and ID.fullmatch(given) else line.journal


def _text(value: object) -> str:
    """Return a text that any database takes."""
    return encodable(value).replace("\0", "") if isinstance(value, str) else ""
