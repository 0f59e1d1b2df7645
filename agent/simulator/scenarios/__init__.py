"""Situations that ``voice-agent evaluate`` puts an agent into: read from YAML, made into audio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.simulator.plan import Plan, Turn
from agent.simulator.scenarios.sounds import SoundName, sound
from agent.simulator.speech import recorded_turn
from pipelines.audio import Audio

DEFAULT = Path(__file__).parent / "default.yaml"
MAX_BYTES = 1_000_000

Kind = Literal["turn", "pause", "barge-in", "backchannel", "noise"]

_Seconds = Annotated[float, Field(ge=0, le=60)]
_Name = Annotated[str, Field(min_length=1, max_length=100)]


class ScenarioError(Exception):
    """The file of situations is not usable; the message is one line."""


class _Situation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name


class WholeTurn(_Situation):
    """The caller says something, and is answered."""

    kind: Literal["turn"]
    recording: _Name
    """Name of a WAV file, without ``.wav``, in the folder ``recordings``."""


class TurnWithPause(_Situation):
    """The caller pauses inside of a sentence; each length is a situation."""

    kind: Literal["pause"]
    recording: _Name
    at: _Seconds
    """Where in the recording the pause is put."""

    pauses: Annotated[list[Annotated[float, Field(gt=0, le=10)]], Field(min_length=1)]


class Interruption(_Situation):
    """The caller makes themselves heard while the agent speaks."""

    kind: Literal["barge-in", "backchannel"]
    recording: _Name
    after: _Seconds
    """From when the agent began to speak."""


class Noise(_Situation):
    """Something is heard while the agent speaks."""

    kind: Literal["noise"]
    sound: SoundName
    decibels: Annotated[float, Field(ge=-90, le=0)]
    """RMS of its loudest 20 ms, against full scale."""

    after: _Seconds


Entry = WholeTurn | TurnWithPause | Interruption | Noise


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    situations: Annotated[
        list[Annotated[Entry, Field(discriminator="kind")]],
        Field(min_length=1, max_length=10_000),
    ]


class Situation(BaseModel):
    """One call to place."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    kind: Kind
    pause: float | None = None
    """Seconds, for a pause."""

    plan: Plan


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
    folder = path.parent / "recordings"
    found = [made for entry in file.situations for made in _made(entry, folder, rate)]
    names = [situation.name for situation in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ScenarioError(f"{path}: two situations are named {twice!r}")
    return found


def _made(entry: Entry, folder: Path, rate: int) -> Iterator[Situation]:
    if isinstance(entry, Noise):
        audio = sound(entry.sound, 10 ** (entry.decibels / 20), rate)
        plan = _plan(Turn(audio=audio, label=entry.name), entry.after)
        yield Situation(name=entry.name, kind=entry.kind, plan=plan)
        return
    turn = recorded_turn(folder / f"{entry.recording}.wav", rate)
    match entry:
        case WholeTurn():
            yield Situation(name=entry.name, kind=entry.kind, plan=_plan(turn))
        case Interruption():
            yield Situation(name=entry.name, kind=entry.kind, plan=_plan(turn, entry.after))
        case TurnWithPause():
            if entry.at >= turn.audio.seconds:
                raise ScenarioError(f"{entry.name}: the recording ends before {entry.at:g} s")
            for pause in entry.pauses:
                yield Situation(
                    name=f"{entry.name}, pause {pause:g} s",
                    kind=entry.kind,
                    pause=pause,
                    plan=_plan(_with_pause(turn, entry.at, pause)),
                )


def _plan(turn: Turn, after: float | None = None) -> Plan:
    return Plan(
        turns=[turn],
        rate=turn.audio.rate,
        interrupt_after=after,
        answer_timeout=8.0,
        max_seconds=60.0,
    )


def _with_pause(turn: Turn, at: float, pause: float) -> Turn:
    pcm, rate = turn.audio.pcm, turn.audio.rate
    cut = 2 * int(at * rate)
    silence = bytes(2 * int(pause * rate))
    return Turn(audio=Audio(pcm[:cut] + silence + pcm[cut:], rate), label=turn.label)
