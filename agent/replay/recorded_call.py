"""A call as it was: its record and both sides of its sound, on one clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.records.events import RecordedEvent
from agent.records.recordings.stereo import StereoAudio
from agent.sinch_limits import DEFAULT_RATE, RATES
from pipelines.audio import BYTES_PER_SAMPLE, Audio, at_rate


class NotReplayedError(Exception):
    """A call cannot be replayed; the message is one clear line, without the name of the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """A call that was held, and recorded."""

    name: str
    """Id of its record; of a recording without one, the name of the file."""

    sound: StereoAudio
    """Both sides, from the answer on, at a rate that a stream can have."""

    started: datetime
    """The answer; aware."""

    agent: str = ""
    """Who answered; ``""`` if that is not known."""

    call_id: str = ""
    """The platform's."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """``caller`` and ``called`` among them, where they are known."""

    outgoing: bool = False
    events: Sequence[RecordedEvent] = ()
    """What happened, without what is about the whole call; none of a recording without a record."""

    notes: Sequence[str] = ()
    """What a reader of the comparison has to know."""

    hear: str = ""
    """How to hear it: a command, or a file."""


def recorded_call(
    name: str,
    sound: StereoAudio,
    events: Sequence[RecordedEvent],
    call: Mapping[str, Any],
    *,
    started: datetime,
    hear: str,
) -> RecordedCall:
    """Put a record and its recording together.

    Args:
        name: Of the call.
        sound: The recording.
        events: Of the record; none if there is none.
        call: Fields of its ``call`` line.
        started: The answer.
        hear: How to hear the recording.

    Raises:
        NotReplayedError: If there is nothing in the recording.
    """
    notes: list[str] = []
    began = _number(_first(events[::-1], "recording", "began"))  # one before it was deleted
    sound = _from_the_answer_on(sound, began, call.get("rate"), notes)
    notes += _pauses(events)
    if not events:
        notes.append("no record: what was said then is not known")
    elif not any("until" in one.fields for one in events if one.kind == "caller"):
        notes.append("a record of an older version: some of its figures are not known")
    dropped = sum(int(_number(one.fields.get("lines"))) for one in events if one.kind == "dropped")
    if dropped:
        notes.append(f"{dropped} lines of its record were lost")
    given = call.get("headers")
    headers = {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    numbers = {side: str(call[side]) for side in ("caller", "called") if call.get(side)}
    return RecordedCall(
        name=name,
        sound=sound,
        started=started,
        agent=str(call.get("agent", "")),
        call_id=str(call.get("call_id", "")) or name,
        headers={**headers, **numbers},
        outgoing=call.get("direction") == "outgoing",
        events=events,
        notes=notes,
        hear=hear,
    )


def _from_the_answer_on(
    read: StereoAudio, began: float, rate: object, notes: list[str]
) -> StereoAudio:
    """Return a recording from the answer on, at a rate of the stream channel."""
    if not read.caller.pcm:
        raise NotReplayedError("its recording is empty")
    agent = read.agent
    if agent.pcm == read.caller.pcm and any(agent.pcm):
        notes.append("one channel: what the agent said then is not in the recording")
        agent = Audio(bytes(len(agent.pcm)), agent.rate)
    wanted = next((one for one in (rate, read.caller.rate) if one in RATES), DEFAULT_RATE)
    if wanted != read.caller.rate:
        notes.append(f"recorded at {read.caller.rate} Hz, replayed at {wanted} Hz")
    sides = [_shifted(side, began, int(str(wanted))) for side in (read.caller, agent)]
    return StereoAudio(caller=sides[0], agent=sides[1])


def _shifted(side: Audio, began: float, rate: int) -> Audio:
    if side.rate != rate:
        side = at_rate([side], rate)
    shift = BYTES_PER_SAMPLE * round(abs(began) * rate)
    pcm = bytes(shift) + side.pcm if began > 0 else side.pcm[shift:]
    return Audio(pcm, rate)


def _pauses(events: Sequence[RecordedEvent]) -> list[str]:
    """Say in which stretches nothing was recorded."""
    found: list[str] = []
    since: float | None = None
    for one in events:
        if one.kind != "recording" or one.at is None:
            continue
        match one.fields.get("status"):
            case "paused" if since is None:
                since = one.at
            case "resumed" | "stopped" | "stored" if since is not None:
                found.append(f"not recorded, and so not replayed: {since:.1f} to {one.at:.1f} s")
                since = None
    if since is not None:
        found.append(f"not recorded, and so not replayed: from {since:.1f} s on")
    return found


def _first(events: Sequence[RecordedEvent], kind: str, name: str) -> object:
    return next((e.fields[name] for e in events if e.kind == kind and name in e.fields), None)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
