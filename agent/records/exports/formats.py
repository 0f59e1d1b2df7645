"""Calls as lines of JSON and rows of CSV, written into a file as they come."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from agent.records.events import RecordedEvent
from agent.records.exports.columns import Columns
from agent.records.exports.pages import WholeCall
from agent.records.values import iso, plain_json

BOM = b"\xef\xbb\xbf"
"""What tells Excel that a file is in UTF-8."""


class Export(Protocol):
    """Calls in one format. It is whole only once it is closed; the file is closed by its owner."""

    def add(self, call: WholeCall) -> None:
        """Write a call."""
        ...

    def close(self) -> None:
        """Write what ends it."""
        ...


class JsonLines:
    """A JSON object a call, with its lines; or an object a line of a call.

    Args:
        file: To write into.
        events: Whether each line of a call is one.
    """

    def __init__(self, file: BinaryIO, *, events: bool = False) -> None:
        self._file = file
        self._events = events

    def add(self, call: WholeCall) -> None:
        """Write a call."""
        if self._events:
            for event in call.events:
                self._file.write(_json({"record": call.record.id, **_line(event)}))
        else:
            self._file.write(_json(_call(call)))

    def close(self) -> None:
        """Nothing ends it."""


class Csv:
    """A row a call, or a turn, as RFC 4180 has it: UTF-8, what has a newline in it is quoted.

    Before what a spreadsheet may take for a formula there is an apostrophe, which tells it that
    this is text: callers say what they like. Numbers as phones have them are left as they are.

    Args:
        file: To write into.
        columns: Of the table.
        bom: Whether it begins with :data:`BOM`.
    """

    def __init__(self, file: BinaryIO, columns: Columns, *, bom: bool = False) -> None:
        self._file = file
        self._columns = columns
        self._text = io.StringIO(newline="")
        self._rows = csv.writer(self._text)
        if bom:
            file.write(BOM)
        self._write(list(columns.kinds))

    def add(self, call: WholeCall) -> None:
        """Write a call."""
        for row in self._columns.rows(call):
            self._write([_cell(value) for value in row])

    def close(self) -> None:
        """Nothing ends it."""

    def _write(self, row: list[str]) -> None:
        self._rows.writerow(row)
        self._file.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(rf"(?:^|(?<=[;|\t\r\n]))(?=[{_SIGNS}])|^(?=[\t\r\n])")
"""Where a text begins that a spreadsheet may run, by OWASP's page on CSV injection; also behind
what separates cells or rows where the list separator is no comma: quotes do not hold there."""

_PHONE_NUMBER = re.compile(r"\+[0-9]{1,15}")


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return iso(value.timestamp()) or ""
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case str():
            value = value.replace("\0", "\ufffd")  # ends a cell, or the file, in some programs
            return value if _PHONE_NUMBER.fullmatch(value) else _FORMULA.sub("'", value)
    return str(value)


def _call(call: WholeCall) -> Mapping[str, Any]:
    record = call.record
    return {
        "id": record.id,
        "call_id": record.data.get("call_id"),
        "started": iso(record.started),
        "ended": iso(record.ended),
        "direction": record.direction,
        "caller": record.data.get("caller"),
        "called": record.data.get("called"),
        "agent": record.agent,
        "outcome": record.outcome,
        **({"damaged": call.damaged} if call.damaged else {}),
        "events": [_line(event) for event in call.events],
    }


def _line(event: RecordedEvent) -> dict[str, Any]:
    at = {} if event.at is None else {"at": event.at}
    return {"kind": event.kind, **at, **event.fields}


def _json(value: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        text = json.dumps(plain_json(value), ensure_ascii=False)
    # Half a character, which JSON can hold and UTF-8 cannot, is written as JSON escapes it, which
    # is what Python's backslashes happen to be.
    return text.encode("utf-8", "backslashreplace") + b"\n"
