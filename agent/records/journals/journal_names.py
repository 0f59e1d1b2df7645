"""What journals are called: by the time at which they were begun, and unlike any other.

A file is ``<journal>-<call id>.jsonl``: the name of the journal is what its lines are known by in
the database, the platform's name of the call is there for people.
"""

from __future__ import annotations

import hashlib
import os
import re
from datetime import UTC, datetime

from agent.records.values import began_at

STAMP = "%Y%m%dT%H%M%S"

NAME = re.compile(
    r"(?P<journal>(?P<stamp>\d{8}T\d{6}\.\d{3})-[0-9a-f]{8})-(?P<call>[A-Za-z0-9_-]{1,64})\.jsonl"
)
"""Of a file."""

OLD_NAME = re.compile(r"(?P<stamp>\d{8}T\d{6}\.\d{3})-(?P<call>.{1,200})\.jsonl")
"""Of a transcript of the version before, and of any file of ours."""

MADE = -1
"""Number of the line that a journal is given whose first cannot be read."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def new_journal(began: datetime) -> str:
    """Return the name of a new journal, which no other has: 28 characters."""
    return f"{_stamp(began)}-{os.urandom(4).hex()}"


def file_name(journal: str, call_id: str) -> str:
    """Return the name of the file of a journal. ``call_id`` may hold anything."""
    return f"{journal}-{_UNSAFE.sub('_', call_id)[:64] or 'call'}.jsonl"


def journal_of(old: str) -> str:
    """Return the name of the journal of a file of the version before: always the same."""
    found = OLD_NAME.fullmatch(old)
    stamp = found["stamp"] if found else "00010101T000000.000"
    digest = hashlib.sha256(old.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{stamp}-{digest[:8]}"


def began(journal: str) -> float | None:
    """Return when a journal was begun, in Unix time; None if its name does not say."""
    try:
        at = datetime.strptime(journal[:19], f"{STAMP}.%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return began_at(at.isoformat())


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC).strftime(f'{STAMP}.%f')[:-3]}"
