"""``voice-agent opt-outs``: who wants no more calls. The service need not run."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from agent.cli.calls.database import opened_records
from agent.cli.options import USAGE, Commands, add_config, fail, whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.store.opt_outs import OptOuts

    _Work = Callable[[OptOuts, list[str]], Awaitable[int]]

PAGE = 1000
"""Rows that are read at a time."""


def add(commands: Commands) -> None:
    """Declare the commands below it, and their options."""
    opt_outs = commands.add_parser("opt-outs", help="who wants no more calls: list, add, remove")
    parts = opt_outs.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = parts.add_parser("list", help="print them, the latest first")
    listing.add_argument(
        "--limit", type=whole(1, 10_000_000), metavar="N", help="no more than so many (all)"
    )
    adding = parts.add_parser("add", help="call these numbers no more")
    removing = parts.add_parser("remove", help="let these numbers be called again")
    for part in (adding, removing):
        part.add_argument(
            "numbers", nargs="+", metavar="NUMBER", help="number, SIP address or user:ID"
        )
    for part, run in ((listing, _list), (adding, _add), (removing, _remove)):
        add_config(part)
        part.set_defaults(run=run)


def _list(options: argparse.Namespace) -> int:
    async def work(opt_outs: OptOuts, _numbers: list[str]) -> int:
        left, skip = options.limit, 0
        while left is None or left > 0:
            page = await opt_outs.latest(PAGE if left is None else min(PAGE, left), skip=skip)
            for one in page:
                at = datetime.fromtimestamp(one.made).astimezone()
                print(f"{at:%Y-%m-%d %H:%M}  {one.how:8}  {one.agent or '-':16}  {one.number}")
            if len(page) < PAGE:
                break
            skip, left = skip + len(page), None if left is None else left - len(page)
        return 0

    return _with(options, [], work)


def _add(options: argparse.Namespace) -> int:
    async def work(opt_outs: OptOuts, numbers: list[str]) -> int:
        for number in numbers:
            new = await opt_outs.add(number, how="operator")
            print(f"{number}: " + ("is not called any more" if new else "was opted out already"))
        return 0

    return _with(options, options.numbers, work)


def _remove(options: argparse.Namespace) -> int:
    async def work(opt_outs: OptOuts, numbers: list[str]) -> int:
        there = [await opt_outs.remove(number) for number in numbers]
        for number, was in zip(numbers, there, strict=True):
            print(f"{number}: " + ("may be called again" if was else "has not opted out"))
        return 0 if all(there) else 1

    return _with(options, options.numbers, work)


def _with(options: argparse.Namespace, given: list[str], work: _Work) -> int:
    """Open the list and do ``work`` with numbers as they are dialled; return the exit status."""
    from agent import phone_numbers
    from agent.settings import SettingsError
    from agent.sinch.dialling.dial_rules import home_country
    from agent.store.errors import StoreError
    from agent.store.opt_outs import OptOuts

    async def main() -> int:
        async with opened_records(options) as opened:
            country = opened.settings.sinch.country
            home = home_country(opened.settings.sinch)
            numbers = []
            for text in given:
                try:
                    dialled = phone_numbers.without_parameters(text)
                    dialled = phone_numbers.address(dialled, country)
                except ValueError as error:
                    return fail(ValueError(f"{text!r}: {error}"), USAGE)
                numbers.append(phone_numbers.person(dialled, home))
            return await work(OptOuts(opened.database), numbers)

    try:
        return asyncio.run(main())
    except StoreError as error:
        return fail(StoreError(f"database: {error}"))
    except SettingsError as error:
        return fail(error)
