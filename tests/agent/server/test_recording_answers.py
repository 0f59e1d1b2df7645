"""Recordings are read where nothing else waits."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from agent.records.recordings.kept import Recordings
from agent.records.seals import NoSeal
from agent.server.operator.recording_answers import RecordingAnswers


def test_recordings_are_read_in_threads_of_their_own(tmp_path: Path) -> None:
    """A bucket that hangs keeps none of those in which providers are looked up."""
    answers = RecordingAnswers(None, Recordings(tmp_path, NoSeal()))
    name = asyncio.run(answers._in_thread(lambda: threading.current_thread().name))
    assert name.startswith("reading recordings")
