"""The record that an address names."""

from __future__ import annotations

from agent.records.call_records import CallRecords
from agent.records.events import CallRecord
from agent.server.call_answers import QueryError
from agent.sinch.contracts import NoSuchCallError


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
    if (record := await records.get(name)) is not None:
        return record
    ids = await records.beginning(name)
    if len(ids) > 1:
        raise QueryError("id", "several calls begin so: give more of it")
    record = await records.get(ids[0]) if ids else None
    if record is None:
        raise NoSuchCallError
    return record
