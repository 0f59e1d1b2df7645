"""``voice-agent calls play``: hear the recording of a call, caller left and agent right."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.calls.database import NoSuchRecordError, one_record, opened_records
from agent.cli.options import Commands, add_config, fail

if TYPE_CHECKING:
    from agent.records.recordings.kept import Place, Recordings

PLAYERS: Sequence[Sequence[str]] = (
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
    ("aplay", "--quiet"),
    ("paplay",),
    ("afplay",),
)
"""What plays a WAV file, best first: of FFmpeg, of Linux with and without a desktop, of a Mac."""


class PlayError(Exception):
    """The recording cannot be heard; the message says why."""


def add(parts: Commands) -> None:
    """Declare the options."""
    play = parts.add_parser("play", help="hear the recording of a call")
    play.add_argument("id", help="of the record; or the platform's id of the call")
    play.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write it there and do not play it; as WAV if the name ends so",
    )
    add_config(play)
    play.set_defaults(run=_play)


def _play(options: argparse.Namespace) -> int:
    from agent.records.recordings.buckets import BucketError
    from agent.records.recordings.kept import NoRecordingError
    from agent.records.seals import SealError
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    try:
        with tempfile.TemporaryDirectory(prefix="voice-agent-") as folder:
            recording = asyncio.run(_fetched(options, Path(folder)))
            if options.output is None:
                _hear(recording)
            else:
                _write(recording, options.output)
    except (SettingsError, StoreError, NoRecordingError, BucketError, SealError) as error:
        return fail(error)
    except (NoSuchRecordError, PlayError, OSError) as error:
        return fail(error)
    return 0


async def _fetched(options: argparse.Namespace, folder: Path) -> Path:
    """Return the recording as a file that anybody reads.

    Raises:
        PlayError: If there is none.
    """
    from agent.records.recordings.kept import NOT_RECORDED, Recordings, recording_of

    async with opened_records(options) as opened:
        record = await one_record(opened, options.id)
        settings, seal = opened.settings.recording, opened.seal
        await opened.looked("play", [record.id])
    file, _ = recording_of(record.data)
    if not file:
        raise PlayError(NOT_RECORDED)
    recordings = Recordings(settings.folder, seal, settings.store)
    return _copied(recordings, recordings.find(file), folder)


def _copied(recordings: Recordings, place: Place, folder: Path) -> Path:
    to = folder / place.name.removesuffix(".sealed")
    with to.open("wb") as file:
        for block in recordings.read(place):
            file.write(block)
    return to


def _hear(recording: Path) -> None:
    command = next((one for one in PLAYERS if shutil.which(one[0])), None)
    if command is None:
        names = ", ".join(one[0] for one in PLAYERS)
        raise PlayError(f"no player is installed ({names}); --output FILE writes the recording")
    wav = recording.with_suffix(".wav")
    _convert(recording, wav)
    try:
        # No deadline: somebody listens, and stops it with Ctrl-C.
        status = subprocess.run([*command, str(wav)], check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return
    if status:
        raise PlayError(f"{command[0]} has failed; --output FILE writes the recording")


def _write(recording: Path, to: Path) -> None:
    """Write it for nobody but its owner: it is what people said."""
    from agent.private_files import whole_private_file

    if to.suffix.lower() == ".wav":
        wav = recording.with_suffix(".wav")
        _convert(recording, wav)
        recording = wav
    with recording.open("rb") as source, whole_private_file(to) as file:
        shutil.copyfileobj(source, file)
    print(to)


def _convert(recording: Path, to: Path) -> None:
    from agent.records.recordings import stereo

    stereo.write(to, stereo.read(recording))
