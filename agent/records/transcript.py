"""The transcript of a call: JSON lines on disk, each written through as it is known.

One file a call, ``<start>-<call id>.jsonl``. Each line is an object with ``kind`` and, after the
first line, ``at``: seconds since the answer.

- ``call``: ``call_id``, ``agent``, ``started`` (UTC, ISO 8601), ``rate`` in hertz; for a call that
  we placed ``dialled``, our name of it
- ``caller``: ``text``; keys that were pressed are a text of ours, ``Keypad: 12#``. ``at`` is when
  they began to speak, or pressed the first; the line is written when it is understood, which is
  later: behind an ``agent`` line that began after it, or behind the hang-up
- ``agent``: ``text``, the words that were heard, from ``at`` on; ``cut_off``, whether that was not
  all of it
- ``resumed``: a sound of the caller's was a false alarm, and we went on; ``after``, seconds of hold
- ``transfer``: ``to``, a name in the agent file; ``status``: started, done or failed
- ``failed``: ``stage``, when a provider failed and the reply was lost
- ``tool``: ``name``, ``arguments``, ``result``, ``seconds``; ``status``: done, failed or cancelled
- ``usage``, one for each provider that was asked: ``stage``, ``provider``, ``requests``,
  ``failures``, ``retries``, ``first_result`` (seconds, the median); ``seconds`` of speech
  transcribed; ``tokens_in``, ``tokens_cached`` of them, ``tokens_out``; ``characters`` spoken;
  ``cost`` and ``currency``, if its price is in the settings
- ``ended``: ``reason``; ``close_code`` and ``close_reason`` of the platform, if it was the first to
  close the line (1005: without a code; 1006: without a word); ``drafts_discarded``, and what they
  cost: ``tokens_wasted`` (pieces of the language model's), ``audio_wasted`` (seconds synthesized)
- ``platform``: what the platform said of the phone's leg, behind ``ended``: ``result``, ``reason``,
  ``seconds``, and ``amount`` and ``currency``: the price, or in version 2 of the API the rate a
  minute
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import structlog

from agent.private_files import make_private_folder
from agent.records import locks

log = structlog.get_logger()

MOST = 10**15
"""A number that any reader of JSON takes is less."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class Transcript:
    """The transcript of one call. Close it when the call is over.

    A disk that fails costs the transcript, never the call: it is logged once.

    Args:
        folder: Where transcripts are kept; made if missing.
        call_id: The platform's name of the call. Not trusted: it may hold anything.
        started: When the call was answered.
    """

    def __init__(self, folder: Path, call_id: str, started: datetime) -> None:
        stamp = started.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
        self._file: TextIO | None = None
        self.path = folder / f"{stamp}-{_file_name(call_id)}.jsonl"
        try:
            make_private_folder(folder)
            # Words are private: only the service's user may read them. "x": never two in one file.
            self.path.touch(mode=0o600, exist_ok=False)
            self._file = _open(self.path)
            locks.hold(self._file)  # as long as this process lives
        except OSError as error:
            self._give_up(error)

    def add(self, kind: str, **fields: object) -> None:
        """Write one line through to the operating system; a crash of ours does not lose it.

        Never raises, whatever the fields are.
        """
        if self._file is None:
            return
        try:
            self._file.write(_line(kind, fields))
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file; lines added afterwards are dropped."""
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError as error:
            self._give_up(error)
        self._file = None

    def _give_up(self, error: OSError) -> None:
        self._file = None
        log.error("transcript cannot be written", path=str(self.path), error=error.strerror)


def add_platform_line(
    folder: Path, call_id: str, path: Path | None = None, /, **fields: object
) -> None:
    """Add what the platform said of a call to its transcript; see :func:`add_late_line`."""
    add_late_line(folder, call_id, "platform", path, **fields)


def add_late_line(
    folder: Path, call_id: str, kind: str, path: Path | None = None, /, **fields: object
) -> None:
    """Add what is known after the end of a call to its transcript; to a new one if it has none.

    A call that nobody answered has no stream, and so no transcript yet.

    Args:
        folder: Where transcripts are kept.
        call_id: The platform's name of the call.
        kind: Of the line.
        path: Of the transcript, if it is known; else it is looked for, among all that there are.
        fields: Of the line.
    """
    path = path or _latest(folder, call_id)
    if path is None:
        started = datetime.now(UTC)
        transcript = Transcript(folder, call_id, started)
        transcript.add("call", call_id=call_id, started=started.isoformat(timespec="milliseconds"))
        transcript.add(kind, **fields)
        transcript.close()
        return
    try:
        with _open(path) as file:
            file.write(_line(kind, fields))
    except OSError as error:
        log.warning("transcript cannot be written", path=str(path), error=error.strerror)


def _latest(folder: Path, call_id: str) -> Path | None:
    """Return the last transcript of a call; None if there is none. Reads the whole folder."""
    ending = f"-{_file_name(call_id)}.jsonl"
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a hundred thousand, in a tenth of the time
    except OSError:  # a new transcript tells what is wrong with it
        return None
    latest = max((name for name in names if name.endswith(ending)), default=None)
    return folder / latest if latest is not None else None


def _open(path: Path) -> TextIO:
    # Half a character, which JSON can hold and UTF-8 cannot, comes from outside: it is written as
    # JSON escapes it, which is what Python's backslashes happen to be.
    return path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)


def _line(kind: str, fields: Mapping[str, object]) -> str:
    """Return one line; a value that JSON does not have is replaced by its type."""
    try:
        return json.dumps({"kind": kind, **fields}, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError):
        plain = {name: _plain(value) for name, value in fields.items()}
        return json.dumps({"kind": kind, **plain}, ensure_ascii=False) + "\n"


def _plain(value: object) -> object:
    """Return ``value`` if it is a text or a number of common size."""
    if isinstance(value, str) or (isinstance(value, int | float) and abs(value) < MOST):
        return value
    return f"({type(value).__name__})"


def _file_name(call_id: str) -> str:
    return _UNSAFE.sub("_", call_id)[:64] or "call"
