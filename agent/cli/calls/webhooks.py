"""``voice-agent calls webhooks``: what systems of the user's are still to be told, or were not."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from agent.cli.calls.database import opened_records
from agent.cli.options import FAILED, USAGE, Commands, add_config, fail, whole

if TYPE_CHECKING:
    from agent.records.webhooks.outbox import Listed
    from agent.settings import Settings

PAGE = 500
"""Messages that are read at once."""


def add(parts: Commands) -> None:
    """Declare the options."""
    webhooks = parts.add_parser(
        "webhooks", help="list webhooks that wait or were given up, send them again, try endpoints"
    )
    webhooks.add_argument("--endpoint", metavar="NAME", help="to this one alone")
    webhooks.add_argument("--given-up", action="store_true", help="those alone that were given up")
    webhooks.add_argument(
        "--again",
        nargs="*",
        type=whole(1, 10**9),
        metavar="ID",
        help="have these sent now; without ids, all that were given up",
    )
    webhooks.add_argument(
        "--ping", action="store_true", help="send a `ping` to each endpoint, and print how it went"
    )
    add_config(webhooks)
    webhooks.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError, load
    from agent.store.errors import StoreError

    if options.ping and options.again is not None:
        return fail(ValueError("give --ping or --again"), USAGE)
    try:
        if options.ping:
            return asyncio.run(_ping(load(options.config), options.endpoint))
        asyncio.run(_again(options) if options.again is not None else _list(options))
    except (SettingsError, StoreError) as error:
        return fail(error)
    return 0


async def _list(options: argparse.Namespace) -> None:
    from agent.records.webhooks.outbox import Outbox

    async with opened_records(options) as opened:
        outbox, after, shown = Outbox(opened.database), 0, 0
        while page := await outbox.list(
            endpoint=options.endpoint, given_up=options.given_up, after=after, limit=PAGE
        ):
            for message in page:
                print(_line(message))
            after, shown = page[-1].id, shown + len(page)
        print(f"# webhooks: {shown}")


async def _again(options: argparse.Namespace) -> None:
    from agent.records.webhooks.outbox import Outbox

    async with opened_records(options) as opened:
        again = await Outbox(opened.database).send_again(
            options.again or None, endpoint=options.endpoint
        )
    print(f"# to be sent now, by the service: {again}")


def _line(message: Listed) -> str:
    made = datetime.fromtimestamp(message.made).astimezone()
    if message.due is None:
        due = "given up"
    else:
        due = f"due {datetime.fromtimestamp(message.due).astimezone():%m-%d %H:%M:%S}"
    parts = [f"{message.id}", f"{made:%Y-%m-%d %H:%M:%S}", message.endpoint, message.event]
    parts += [message.call or "(erased)", f"attempts {message.attempts}", due, message.problem]
    return "  ".join(part for part in parts if part)


async def _ping(settings: Settings, wanted: str | None) -> int:
    import uuid

    from agent.records.webhooks.delivery import ping, send
    from agent.records.webhooks.endpoints import endpoints
    from agent.settings import SettingsError

    try:
        found = endpoints(settings.webhooks)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if wanted is not None and wanted not in found:
        raise SettingsError(f"webhooks.{wanted}: there is no such endpoint in the settings")
    failures = 0
    for name, endpoint in found.items():
        if wanted is None or name == wanted:
            failed = await send(endpoint, f"msg_{uuid.uuid4().hex}", ping())
            failures += failed is not None
            print(f"{name}: {'taken' if failed is None else failed.why}")
    if not found:
        print("# there are no webhooks in the settings")
    return FAILED if failures else 0
