"""``voice-agent calls list``: the records of calls, the latest first."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime

from agent.cli.calls.database import opened_records
from agent.cli.options import Commands, add_config, fail


def add(parts: Commands) -> None:
    """Declare the options."""
    listing = parts.add_parser("list", help="list calls, the latest first")
    add_config(listing)
    listing.set_defaults(run=_list)


def _list(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    try:
        asyncio.run(_print(options))
    except (SettingsError, StoreError) as error:
        return fail(error)
    return 0


async def _print(options: argparse.Namespace) -> None:
    from agent.records.call_records import RecordFilter

    async with opened_records(options) as opened:
        for record in await opened.records.find(RecordFilter()):
            started = datetime.fromtimestamp(record.started).astimezone()
            print(f"{started:%Y-%m-%d %H:%M:%S}  {record.id}  {record.agent}  {record.outcome}")
