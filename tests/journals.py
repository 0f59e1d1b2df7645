"""The records of calls as files, wherever they are: on their way into the database, or kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Lines = list[dict[str, Any]]


def files_of(transcripts: Path) -> list[Path]:
    """Return the journals and transcripts, in the order in which they were begun."""
    return sorted(
        (*transcripts.glob("*.jsonl"), *transcripts.glob("journals/*.jsonl")),
        key=lambda path: path.name,
    )


def records_of(transcripts: Path) -> list[Lines]:
    """Return the lines of each record, the oldest first.

    Lines that came when the journal of their call was closed stand behind the others.
    """
    while True:
        try:
            journals = [_lines(path) for path in files_of(transcripts)]
        except FileNotFoundError:  # it was moved this very moment
            continue
        break
    records: list[Lines] = []
    for lines in filter(None, journals):
        known = [one for one in records if one[0].get("call_id") == lines[0].get("call_id")]
        if lines[0]["kind"] == "call" or not known:
            records.append(lines)
        else:
            known[-1].extend(lines)
    return records


def lines_of(transcripts: Path, kind: str = "") -> Lines:
    """Return the lines of all records, or those of a kind."""
    found = [line for record in records_of(transcripts) for line in record]
    return [line for line in found if not kind or line["kind"] == kind]


def _lines(path: Path) -> Lines:
    # One that is being written may not have all of its last line yet.
    text = path.read_text(errors="replace")
    return [json.loads(line) for line in text.split("\n")[:-1]]
