"""A number is found in whatever form it is asked for, by whatever asks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.erasing import Erasing
from agent.records.seals import Seal
from agent.records.search.number_forms import looked_up_as
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.records.exports.calls import all_of, journal
from tests.agent.records.test_search import SEALS

ASKED = {
    "+12025550123": ["+12025550123", "0012025550123", "(202) 555-0123", "12025550123",
                     "tel:+12025550123", "TEL:+1-202-555-0123", "sip:+12025550123@example.com"],
    "sip:Ann@Example.com": ["sip:ann@example.com", "SIP:ANN@EXAMPLE.COM"],
    "user:Ann": ["user:ann", "Ann"],
    "anonymous": ["Anonymous"],
    "": [""],
}  # fmt: skip
"""By how a number is on record: how people ask for it, in the United States."""


@pytest.mark.parametrize("seal", SEALS, ids=["plain", "sealed"])
def test_a_number_is_found_in_any_form(
    database_url: DatabaseUrl, tmp_path: Path, seal: Seal
) -> None:
    """In lists, by words, in exports and to be erased."""

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, seal)
            for n, number in enumerate(ASKED):
                await stored.add(journal(f"call-{n}", caller=number))
            records = CallRecords(store.database, seal)
            erasing = Erasing(store.database, seal, tmp_path)
            for n, forms in enumerate(ASKED.values()):
                for form in forms:
                    number = looked_up_as(form, "US")
                    for words in (None, "open"):
                        wanted = RecordFilter(caller=number, words=words)
                        listed = [one.id for one in await records.find(wanted)]
                        exported = await all_of(store.database, wanted, seal)
                        assert listed == [one.record.id for one in exported] == [f"call-{n}"], form
                    erased = [one.id for one in await erasing.of_number(form, "US")]
                    assert erased == ([f"call-{n}"] if form else [])

    asyncio.run(main())


def test_a_number_of_eleven_digits_may_be_one_of_the_country() -> None:
    """Or have its country in it, as platforms write them."""
    assert looked_up_as("11987654321", "BR") == "+5511987654321"
    assert looked_up_as("12025550123", "US") == "+12025550123"
    assert looked_up_as("5511987654321", "BR") == "+5511987654321"
