"""The record that an address names, and the address of one."""

from __future__ import annotations

from urllib.parse import quote

from agent.records.call_records import CallRecords, SeveralRecordsError
from agent.records.events import CallRecord
from agent.server.operator.call_answers import QueryError
from agent.sinch.refusals import NoSuchCallError


def page_of(record: str) -> str:
    """Return the address of a call's page, by the id of its record."""
    return f"/console/calls/{quote(record, safe='')}"


async def call_of(records: CallRecords | None, name: str) -> CallRecord:
    """Return the record of a call by its id, a beginning of it, or the platform's id.

    Args:
        records: Of all calls; None without a database.
        name: What stands in the address.

    Raises:
        NoSuchCallError: If there is none.
        QueryError: If several begin so.
        StoreError: If the database fails.
        SealError: If there is no key for it.
    """
    if records is None:
        raise NoSuchCallError
    try:
        record = await records.one(name)
    except SeveralRecordsError as error:
        raise QueryError("id", f"{error}: give more of it") from None
    if record is None:
        raise NoSuchCallError
    return record
