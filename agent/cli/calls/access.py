"""``voice-agent calls access``: who has looked at the record of a call."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime

from agent.cli.calls.database import NoSuchRecordError, id_of, opened_records
from agent.cli.options import Commands, add_config, fail


def add(parts: Commands) -> None:
    """Declare the options."""
    access = parts.add_parser("access", help="say who has looked at the record of a call")
    access.add_argument("id", metavar="ID", help="of the record")
    add_config(access)
    access.set_defaults(run=_access)


def _access(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    try:
        asyncio.run(_print(options))
    except (SettingsError, StoreError, NoSuchRecordError) as error:
        return fail(error)
    return 0


async def _print(options: argparse.Namespace) -> None:
    from agent.records.access_log import AccessLog, this_user

    async with opened_records(options) as opened:
        found = await AccessLog(opened.database, this_user()).of(await id_of(opened, options.id))
        for one in found:
            at = datetime.fromtimestamp(one.at).astimezone()
            print(f"{at:%Y-%m-%d %H:%M:%S}  {one.what:8}  {one.who}")
        if not found:
            print("Nobody has looked at it, as far back as that is kept.")
