"""``voice-agent verify``: is what a record says was heard in its recording, and nothing else?"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.options import Commands, a_file, add_config, fail, seconds

if TYPE_CHECKING:
    from agent.records.events import CallRecord, RecordedEvent
    from agent.records.recordings.kept import Recordings
    from agent.records.recordings.stereo import StereoAudio
    from agent.records.verification.activity import Stretch
    from agent.records.verification.caller import ComparedTurn, ResponseTime
    from agent.records.verification.check import Checked, Verification

AGREES, DIFFERS, UNCHECKED = 0, 1, 2
"""Exit statuses."""

MOST_SECONDS = 14_400.0
"""Of a call."""


class UncheckedError(Exception):
    """A record cannot be checked, and why."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    verify = commands.add_parser(
        "verify",
        help="check the record of a call against its recording",
        description="Transcribe the agent's channel of a recording, sentence by sentence, and say "
        "where it is not what the record says was heard. Exit status: 0 agrees, 1 differs, 2 "
        "cannot be checked.",
    )
    verify.add_argument("id", metavar="ID", help="of the record, or the platform's of the call")
    verify.add_argument(
        "--recording", type=a_file, metavar="FILE", help="the recording, if it is elsewhere"
    )
    verify.add_argument(
        "--began",
        type=seconds(MOST_SECONDS),
        metavar="S",
        help="seconds from the answer to the first sample, if the record does not say",
    )
    verify.add_argument(
        "--stt",
        default="",
        metavar="PROVIDER",
        help="a speech-to-text of the settings, which is sent the recording (the local one)",
    )
    verify.add_argument(
        "--caller", action="store_true", help="the caller's side, too: words and response times"
    )
    verify.add_argument("--json", action="store_true", help="print everything, for scripts")
    add_config(verify)
    verify.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the record and print what was found; return the exit status."""
    from agent import logs
    from agent.cli.calls.database import NoSuchRecordError
    from agent.records.seals import SealError
    from agent.settings import SettingsError
    from agent.store.errors import StoreError
    from pipelines.providers.contracts import ProviderError

    logs.configure("error", "auto")
    try:
        return asyncio.run(_verify(options))
    except (SettingsError, SealError, ProviderError, NoSuchRecordError, UncheckedError) as error:
        return fail(error, UNCHECKED)
    except StoreError as error:
        return fail(StoreError(f"database: {error}"), UNCHECKED)


async def _verify(options: argparse.Namespace) -> int:
    from agent.cli.calls.database import one_record, opened_records
    from agent.records.recordings.kept import Recordings, recording_of
    from agent.records.verification import caller, check, claims, hearing

    async with opened_records(options) as opened:
        record = await one_record(opened, options.id)
        await opened.looked("verify", [record.id])
        events = await opened.records.events(record)
        who = hearing.chosen(opened.settings, options.stt)
        wanted = opened.settings.recording
        recordings = Recordings(wanted.folder, opened.seal, wanted.store)
    language = str(record.data.get("language") or "en")
    if not hearing.has_language(who, language):
        raise UncheckedError(f"{who.name} does not hear {language!r}: name another by --stt")
    file, began = recording_of(record.data, events)
    began = began if options.began is None else options.began
    recording = await asyncio.to_thread(_read, recordings, file, options.recording, began)
    turns: Sequence[ComparedTurn] = []
    async with hearing.hearing(who) as hear:
        found = await check.check(
            claims.sentences(events),
            recording,
            hear,
            language=language,
            unrecorded=_unrecorded(events),
        )
        if options.caller:
            said = claims.of_the_caller(events)
            turns = await caller.caller_turns(said, recording, hear, language=language)
    times = caller.response_times(events, recording) if options.caller else []
    if options.json:
        print(json.dumps(_as_json(record, found, turns, times), ensure_ascii=False))
    else:
        _print(found, turns, times)
    if found.differs:
        return DIFFERS
    if found.sentences and not found.checked:
        raise UncheckedError("nothing of it is in the recording")
    return AGREES


def _read(recordings: Recordings, file: str, given: Path | None, began: float) -> StereoAudio:
    """Return the recording of a call.

    Raises:
        UncheckedError: If there is none, or it cannot be read.
    """
    from agent.records.recordings import stereo
    from agent.records.recordings.buckets import BucketError
    from agent.records.recordings.kept import NOT_RECORDED, NoRecordingError

    if given is None and not file:
        raise UncheckedError(f"{NOT_RECORDED}; --recording names a file")
    name = given or file
    try:
        return recordings.sound(file, began) if given is None else stereo.read(given, began)
    except OSError as error:
        raise UncheckedError(f"{name}: {error.strerror}; --recording names a file") from None
    except NoRecordingError as error:
        raise UncheckedError(f"{name}: {error}; --recording names a file") from None
    except (stereo.NoAudioError, BucketError) as error:
        raise UncheckedError(f"{name}: {error}") from None


def _unrecorded(events: Sequence[RecordedEvent]) -> list[Stretch]:
    """Return when nothing was recorded, in seconds since the answer."""
    found: list[Stretch] = []
    since: float | None = None
    for event in events:
        if event.kind != "recording" or event.at is None:
            continue
        match event.fields.get("status"):
            case "paused":
                since = event.at
            case "resumed" if since is not None:
                found.append((since, event.at))
                since = None
    return found if since is None else [*found, (since, float("inf"))]


def _print(
    found: Verification, turns: Sequence[ComparedTurn], times: Sequence[ResponseTime]
) -> None:
    for one in found.sentences:
        print(_line(one))
    for voice in found.unclaimed:
        heard = voice.heard or "nothing that is a word"
        print(f"{voice.at:8.2f}  DIFFERS  a voice until {voice.until:.2f}, not in the record")
        print(f"{'':19}heard: {heard}")
    for turn in turns:
        print(f"{turn.claim.at:8.2f}  caller   {turn.alike:.0%} alike: {turn.claim.text}")
        print(f"{'':19}heard: {turn.heard}")
    for time in times:
        print(
            f"{'':10}turn {time.turn}: answered after {time.measured:.2f} s by the recording, "
            f"{time.recorded:.2f} s by the record"
        )
    wrong = sum(bool(one.findings) for one in found.sentences) + len(found.unclaimed)
    left = len(found.sentences) - len(found.checked)
    print(
        f"{len(found.checked)} sentences checked, {left} not; "
        + (f"places that differ: {wrong}" if wrong else "the recording agrees")
    )


def _line(one: Checked) -> str:
    verdict = "not checked" if one.skipped else "DIFFERS" if one.findings else "agrees"
    line = f"{one.claim.at:8.2f}  {verdict:7}  {one.claim.text}"
    if one.skipped:
        return f"{line}\n{'':19}{one.skipped}"
    if one.findings:
        told = "\n".join(f"{'':19}{finding}" for finding in one.findings)
        return f"{line}\n{told}\n{'':19}heard: {one.heard}"
    return line


def _as_json(
    record: CallRecord,
    found: Verification,
    turns: Sequence[ComparedTurn],
    times: Sequence[ResponseTime],
) -> dict[str, Any]:
    return {
        "id": record.id,
        "differs": found.differs,
        "sentences": [
            {
                "at": one.claim.at,
                "until": one.claim.until,
                "text": one.claim.text,
                "skipped": one.skipped,
                "heard": one.heard,
                "offset": round(one.offset, 3),
                "findings": list(one.findings),
            }
            for one in found.sentences
        ],
        "unclaimed": [
            {"at": round(one.at, 2), "until": round(one.until, 2), "heard": one.heard}
            for one in found.unclaimed
        ],
        "caller": [
            {"at": one.claim.at, "text": one.claim.text, "heard": one.heard, "alike": one.alike}
            for one in turns
        ],
        "response_times": [
            {"turn": one.turn, "recorded": one.recorded, "measured": round(one.measured, 3)}
            for one in times
        ],
    }
