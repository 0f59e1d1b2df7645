"""Which records are wanted: the same options for whatever is done with them."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from agent.cli.options import whole

if TYPE_CHECKING:
    from agent.records.call_records import RecordFilter
    from agent.settings import Settings

WHEN = "when it began: 2026-11-26, today, yesterday, or 3h ago as 3h"

FILTERS = (
    "since", "before", "caller", "called", "number", "answered_by", "outcome", "direction",
    "disclosed", "words", "language",
)  # fmt: skip
"""What the options are kept as."""


def add_filters(part: argparse._ActionsContainer, agent: str = "--agent") -> None:
    """Declare the options.

    Args:
        part: Of the command line.
        agent: The option of who has answered.
    """
    from agent.records.events import DISCLOSED, OUTCOMES

    part.add_argument("--since", type=moment, metavar="WHEN", help=WHEN)
    part.add_argument(
        "--before", type=moment, metavar="WHEN", help="before that, in the same words"
    )
    part.add_argument("--caller", metavar="NUMBER", help="who called, as people write it")
    part.add_argument("--called", metavar="NUMBER", help="who was called")
    part.add_argument(
        "--number", metavar="NUMBER", help="either of both, or else on the line or passed on to"
    )
    part.add_argument(
        agent, dest="answered_by", metavar="NAME", help="whose calls: an agent file, without .md"
    )
    part.add_argument("--outcome", choices=OUTCOMES, metavar="HOW", help=", ".join(OUTCOMES))
    part.add_argument("--direction", choices=("incoming", "outgoing"), help="who called whom")
    part.add_argument(
        "--disclosed", choices=DISCLOSED, help="whether it was heard that a machine talks"
    )


def add_words(part: argparse._ActionsContainer) -> None:
    """Declare what says which words were said, for a command that is no search."""
    part.add_argument("--words", nargs="+", metavar="WORD", help="what was said, as of search")
    add_language(part)


def add_language(part: argparse._ActionsContainer) -> None:
    """Declare the language of the words."""
    part.add_argument(
        "--language", metavar="TAG", help="of the words, such as de (any that was spoken)"
    )


def add_limit(part: argparse._ActionsContainer, usually: int) -> None:
    """Declare how many are wanted."""
    part.add_argument(
        "--limit",
        type=whole(1, 1_000_000),
        default=usually,
        metavar="N",
        help=f"most calls, the latest ({usually})",
    )


def given_filters(options: argparse.Namespace) -> list[str]:
    """Return which of these options somebody has given."""
    return [name for name in FILTERS if getattr(options, name) is not None]


def wanted_records(options: argparse.Namespace, settings: Settings) -> RecordFilter:
    """Return what the options ask for."""
    from agent.records.call_records import RecordFilter
    from agent.records.search.number_forms import looked_up_as

    def number(given: str | None) -> str | None:
        return None if given is None else looked_up_as(given, settings.sinch.country)

    return RecordFilter(
        since=options.since,
        before=options.before,
        caller=number(options.caller),
        called=number(options.called),
        number=number(options.number),
        agent=options.answered_by,
        outcome=options.outcome,
        direction=options.direction,
        disclosed=options.disclosed,
        words=None if options.words is None else " ".join(map(_as_given, options.words)),
        language=options.language,
    )


def moment(given: str) -> float:
    """Return a Unix time, as people write it.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    from agent.records import queries

    try:
        return queries.moment(given, datetime.now().astimezone().replace(tzinfo=None))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{given!r}: {queries.MOMENT}") from None


def _as_given(word: str) -> str:
    """Return a word of the command line; what a shell took for one because of quotes is one."""
    return f'"{word}"' if " " in word.strip() and '"' not in word else word
