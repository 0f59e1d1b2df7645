"""The thread that writes the log, on descriptors that fail and that take nothing."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.logs.repeats import PER_SECOND, Repeats
from agent.logs.writer import MOST_WAITING, Entry, LogWriter, json_line

pytestmark = pytest.mark.usefixtures("nothing_left")


def entry(number: int = 0) -> Entry:
    return Entry(fields={"event": "something", "level": "info", "number": number})


@contextmanager
def writing(descriptor: int, repeats: Repeats | None = None) -> Iterator[LogWriter]:
    writer = LogWriter(descriptor, json_line, repeats or Repeats())
    try:
        yield writer
    finally:
        writer.close(30.0)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def test_what_a_full_disk_took_is_told_once_it_has_room(tmp_path: Path) -> None:
    """And what comes then is written."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with writing(descriptor) as writer:
        for number in range(10):
            writer.put(entry(number))
        wait_until_lost(writer, 10)
        there = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
        os.dup2(there, descriptor)
        os.close(there)
        writer.put(entry(10))
    os.close(descriptor)
    lost, last = read_lines(tmp_path / "log")
    assert (lost["event"], lost["lost"], last["number"]) == ("log lines were lost", 10, 10)


def test_nobody_waits_for_a_reader_that_does_not_read() -> None:
    """What is beyond the queue is lost and counted; the rest comes when it reads again."""
    reader, descriptor = os.pipe()
    fill(descriptor)
    many = MOST_WAITING + 500
    with writing(descriptor) as writer:
        began = time.thread_time()
        for number in range(many):
            writer.put(entry(number))
        assert time.thread_time() - began < 5  # it did not wait: it is this thread's own time
        got = bytearray()
        draining = threading.Thread(target=drain, args=(reader, got))
        draining.start()
    os.close(descriptor)
    draining.join()
    lines = [json.loads(line) for line in bytes(got).lstrip(b"x").splitlines()]
    numbers = [line["number"] for line in lines if "number" in line]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= MOST_WAITING
    assert sum(line.get("lost", 0) for line in lines) == many - len(numbers)


def test_a_reader_that_never_reads_does_not_keep_us_from_ending() -> None:
    """Closing takes the time that it is given, and no more."""
    reader, descriptor = os.pipe()
    fill(descriptor)
    writer = LogWriter(descriptor, json_line, Repeats())
    writer.put(entry())
    writer.close(0.05)
    os.close(reader)  # the thread ends with it, by an error
    writer.close(30.0)
    os.close(descriptor)


def test_a_line_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    """A disk that fills up in the middle of a line: the next begins on its own."""
    path = tmp_path / "log"
    reader, descriptor = os.pipe()
    os.set_blocking(descriptor, False)
    with writing(descriptor) as writer:
        writer.put(Entry(fields={"event": "y" * 100_000}))
        wait_until_lost(writer, 1)
        there = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(there, descriptor)
        os.close(there)
        writer.put(entry(7))
    os.close(descriptor)
    os.close(reader)
    lines = read_lines(path)
    assert [line.get("number") for line in lines][-1] == 7
    assert path.read_text().startswith("\n")


def test_how_often_something_was_not_said_is_told_in_time() -> None:
    """Though nothing else is logged."""
    repeats, (reader, descriptor) = Repeats(), os.pipe()
    with writing(descriptor, repeats) as writer:
        for _ in range(PER_SECOND + 7):
            if not repeats.passes(("error", "asyncio", "again"), time.monotonic()):
                writer.wake()
        line = json.loads(os.read(reader, 10_000))
    assert (line["event"], line["more"], line["like"]) == ("more like it", 7, "again")
    assert (line["level"], line["library"]) == ("error", "asyncio")
    os.close(descriptor)
    os.close(reader)


def fill(descriptor: int) -> None:
    """Fill a pipe up."""
    blocking = os.get_blocking(descriptor)
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(descriptor, blocking)


def drain(reader: int, got: bytearray) -> None:
    while some := os.read(reader, 65536):
        got += some
    os.close(reader)


def wait_until_lost(writer: LogWriter, lines: int) -> None:
    while writer._lost < lines:
        time.sleep(0.01)
