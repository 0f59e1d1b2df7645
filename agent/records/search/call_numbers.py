"""Whoever was on the line of a call beside caller and called, or took it: found by their numbers.

Calls of one phone, which nearly all are, have no row here: they are found by their own columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Connection, any_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from agent.records.seals import Seal
from agent.records.search.number_forms import looked_up_as
from agent.store.record_tables import call_numbers, call_records


def add(connection: Connection, seal: Seal, record: int, numbers: Iterable[str]) -> None:
    """Have a record found by these numbers, too; those that it is found by already are let be.

    Args:
        connection: Of the transaction that stores what they are of.
        seal: Gives what they are looked up by.
        record: Number of the record.
        numbers: Numbers, addresses or In-App users.
    """
    found = dict.fromkeys(seal.look_up(looked_up_as(one)) for one in numbers)
    rows = [{"record": record, "number": one} for one in found if one]
    if rows:
        connection.execute(insert(call_numbers).on_conflict_do_nothing(), rows)


def remove(connection: Connection, record: int) -> None:
    """Have a record not found by them any more."""
    connection.execute(delete(call_numbers).where(call_numbers.c.record == record))


def had(stored: Collection[str], dialect: str) -> ColumnElement[bool]:
    """Return what is true of records of calls that somebody had to do with, in whatever way.

    Args:
        stored: All that their number is looked up by.
        dialect: Of the database: ``sqlite`` or ``postgresql``.
    """
    columns, others = call_records.c, call_numbers.c
    found = select(others.record).where(others.number.in_(stored))
    on_line: ColumnElement[bool] = columns.number.in_(found)
    if dialect == "postgresql":  # reads the whole table for an "or" with a query, not with an array
        on_line = columns.number == any_(func.array(found.scalar_subquery()))
    return or_(columns.caller.in_(stored), columns.called.in_(stored), on_line)
