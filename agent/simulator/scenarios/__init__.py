"""Situations that ``voice-agent evaluate`` puts an agent into: read from YAML, made into audio."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.simulator.echo import DELAY, EchoLine
from agent.simulator.plan import CallerLine, Cue, Plan, Turn
from agent.simulator.scenarios.entries import (
    AnswerToOpening,
    Background,
    Echo,
    Entry,
    Interruption,
    JoinedTurn,
    Kind,
    Noise,
    PickUp,
    TurnWithPause,
    WholeTurn,
)
from agent.simulator.scenarios.joining import joined, softer, trimmed, with_pause
from agent.simulator.scenarios.sounds import sound
from agent.simulator.speech import recorded_turn

DEFAULT = Path(__file__).parent / "default.yaml"
MAX_BYTES = 1_000_000
MOST = 10_000
"""Situations of a file."""

WATCHED = 5.0
"""Seconds that a caller who has said what they had to say waits for more."""


class ScenarioError(Exception):
    """The file of situations is not usable; the message is one line."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    situations: Annotated[
        list[Annotated[Entry, Field(discriminator="kind")]],
        Field(min_length=1, max_length=MOST),
    ]


class Situation(BaseModel):
    """One call to place."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    kind: Kind
    plan: Plan
    pause: float | None = None
    """Seconds, where the caller pauses."""

    offset: float | None = None
    """Seconds from the end of the agent's opening to an answer: where that is, a call before
    tells (:meth:`answering`)."""

    below: float | None = None
    """Decibels: of a talker below the caller, of an echo below the agent."""

    fingerprint: str = ""
    """Of the entry and its recordings: two results are of the same situation if it is the same."""

    def answering(self, opening: float) -> Plan:
        """Return the plan of an answer, if the opening takes ``opening`` seconds."""
        (turn,) = self.plan.turns
        cue = Cue(event="opening", seconds=max(0.0, opening + (self.offset or 0.0)))
        return replace(self.plan, turns=[replace(turn, cue=cue)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recordings:
    """Those of a folder, at the rate of the line."""

    folder: Path
    rate: int

    def turn(self, name: str) -> Turn:
        """Read one; the names of files stay in their folder."""
        if Path(name).name != name:
            raise ScenarioError(f"{name!r}: recordings are named without their folder")
        return recorded_turn(self.folder / f"{name}.wav", self.rate)

    def digest(self, entry: Entry) -> str:
        """Return the fingerprint of an entry and of its files, whatever the rate."""
        names = [getattr(entry, field, None) for field in ("recording", "filler", "talker")]
        names += [name for group in getattr(entry, "groups", ()) for name in group.split()]
        found = hashlib.sha256(entry.model_dump_json().encode())
        for name in names:
            if name is not None:
                found.update((self.folder / f"{name}.wav").read_bytes())
        return found.hexdigest()[:12]


def load(path: Path = DEFAULT, rate: int = 8000) -> list[Situation]:
    """Read a file of situations and their recordings.

    Args:
        path: YAML; see ``default.yaml`` beside this module.
        rate: Hertz on the line.

    Raises:
        ScenarioError: If it cannot be read, or is not such a file.
        CallFailedError: If a recording cannot be read.
    """
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise ScenarioError(f"{path}: more than {MAX_BYTES} bytes")
        file = TypeAdapter(_File).validate_python(yaml.safe_load(data))
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ScenarioError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ScenarioError(f"{path}: {where}: {first['msg']}") from None
    recordings = _Recordings(folder=path.parent / "recordings", rate=rate)
    found: list[Situation] = []
    for entry in file.situations:
        made = list(_made(entry, recordings))
        digest = recordings.digest(entry)
        found += [one.model_copy(update={"fingerprint": digest}) for one in made]
    seen: set[str] = set()
    for situation in found:
        if situation.name in seen:
            raise ScenarioError(f"{path}: two situations are named {situation.name!r}")
        seen.add(situation.name)
    return found


def _made(entry: Entry, recordings: _Recordings) -> Iterator[Situation]:
    """Yield the situations of an entry."""
    match entry:
        case TurnWithPause() | JoinedTurn():
            yield from _with_pauses(entry, recordings)
        case AnswerToOpening():
            yield from _answers(entry, recordings)
        case Background():
            yield from _backgrounds(entry, recordings)
        case Echo():
            yield from _echoes(entry, recordings)
        case PickUp():
            yield from _pick_ups(entry, recordings)
        case _:
            yield _situation(entry, _plan_of_one(entry, recordings), entry.name)


def _answers(entry: AnswerToOpening, recordings: _Recordings) -> Iterator[Situation]:
    turn = _at_once(recordings.turn(entry.recording))
    for offset in entry.offsets:
        name = f"{entry.name}, {offset:+g} s"
        yield _situation(entry, _plan(turn, linger=WATCHED), name, offset=offset)


def _echoes(entry: Echo, recordings: _Recordings) -> Iterator[Situation]:
    silent = Plan(rate=recordings.rate, answer_timeout=8.0, linger=WATCHED, max_seconds=40)
    for below in entry.below:
        plan = replace(silent, line=_echo(below, entry.delay))
        yield _situation(entry, plan, f"{entry.name}, {below:g} dB down", below=below)


def _pick_ups(entry: PickUp, recordings: _Recordings) -> Iterator[Situation]:
    turn = _at_once(recordings.turn(entry.recording))
    for at in entry.at:
        cued = replace(turn, cue=Cue(event="answer", seconds=at))
        yield _situation(entry, _plan(cued, linger=WATCHED), f"{entry.name}, {at:g} s")


def _plan_of_one(entry: WholeTurn | Interruption | Noise, recordings: _Recordings) -> Plan:
    """Return the plan of an entry that is one situation."""
    match entry:
        case Noise():
            audio = sound(entry.sound, 10 ** (entry.decibels / 20), recordings.rate)
            return _plan(Turn(audio=audio, label=entry.name), entry.after)
        case WholeTurn():
            return _plan(recordings.turn(entry.recording))
        case Interruption():
            plan = _plan(recordings.turn(entry.recording), entry.after)
            return plan if entry.echo is None else replace(plan, line=_echo(entry.echo))


def _with_pauses(entry: TurnWithPause | JoinedTurn, recordings: _Recordings) -> Iterator[Situation]:
    for pause in entry.pauses:
        if isinstance(entry, JoinedTurn):
            groups = [[recordings.turn(one) for one in group.split()] for group in entry.groups]
            turn = joined(groups, entry.gap, pause)
        else:
            whole = recordings.turn(entry.recording)
            if entry.at >= whole.audio.seconds:
                raise ScenarioError(f"{entry.name}: the recording ends before {entry.at:g} s")
            filler = None if entry.filler is None else recordings.turn(entry.filler)
            turn = with_pause(whole, entry.at, pause, filler)
        yield _situation(entry, _plan(turn), f"{entry.name}, pause {pause:g} s", pause=pause)


def _backgrounds(entry: Background, recordings: _Recordings) -> Iterator[Situation]:
    caller = recordings.turn(entry.recording)
    talker = recordings.turn(entry.talker)
    for below in entry.below:
        other = replace(
            softer(_at_once(talker), caller, below),
            cue=Cue(event="reply", seconds=entry.after),
        )
        plan = replace(_plan(caller, linger=WATCHED - 1), turns=[caller, other])
        yield _situation(entry, plan, f"{entry.name}, {below:g} dB below", below=below)


def _situation(entry: Entry, plan: Plan, name: str, **more: Any) -> Situation:  # noqa: ANN401
    return Situation(name=name, kind=entry.kind, plan=plan, **more)


def _at_once(turn: Turn) -> Turn:
    """Return a turn whose first frame sounds."""
    return replace(turn, audio=trimmed(turn.audio))


def _echo(below: float, delay: float = DELAY) -> Callable[[], CallerLine]:
    return lambda: EchoLine(below, delay)


def _plan(turn: Turn, after: float | None = None, linger: float = 0.0) -> Plan:
    return Plan(
        turns=[turn],
        rate=turn.audio.rate,
        interrupt_after=after,
        answer_timeout=8.0,
        max_seconds=60.0,
        linger=linger,
    )
