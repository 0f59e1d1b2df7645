"""Situations that ``voice-agent evaluate`` puts an agent into: read from YAML, made into audio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.simulator.speech import recorded_turn
from agent.simulator.stream_caller import Plan, Turn
from pipelines.audio import Audio

DEFAULT = Path(__file__).parent / "default.yaml"
MAX_BYTES = 1_000_000

Kind = Literal["turn", "pause", "barge-in", "backchannel", "noise"]
Samples = npt.NDArray[np.float64]

_Seconds = Annotated[float, Field(ge=0, le=60)]
_Name = Annotated[str, Field(min_length=1, max_length=100)]


class ScenarioError(Exception):
    """The file of situations is not usable; the message is one line."""


class _Situation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name


class Utterance(_Situation):
    """The caller says something, and is answered."""

    kind: Literal["turn"]
    recording: _Name
    """Name of a WAV file, without ``.wav``, in the folder ``recordings``."""


class Pausing(_Situation):
    """The caller pauses inside of a sentence; each length is a situation."""

    kind: Literal["pause"]
    recording: _Name
    at: _Seconds
    """Where in the recording the pause is put."""

    pauses: Annotated[list[Annotated[float, Field(gt=0, le=10)]], Field(min_length=1)]


class Over(_Situation):
    """The caller makes themselves heard while the agent speaks."""

    kind: Literal["barge-in", "backchannel"]
    recording: _Name
    after: _Seconds
    """From when the agent began to speak."""


class Sounding(_Situation):
    """Something is heard while the agent speaks."""

    kind: Literal["noise"]
    sound: Literal["click", "cough", "hiss", "hum", "typing", "babble"]
    decibels: Annotated[float, Field(ge=-90, le=0)]
    """RMS of its loudest 20 ms, against full scale."""

    after: _Seconds


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    situations: Annotated[
        list[Annotated[Utterance | Pausing | Over | Sounding, Field(discriminator="kind")]],
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


def _made(
    entry: Utterance | Pausing | Over | Sounding, folder: Path, rate: int
) -> Iterator[Situation]:
    if isinstance(entry, Sounding):
        audio = _sound(entry.sound, 10 ** (entry.decibels / 20), rate)
        plan = _plan(Turn(audio=audio, label=entry.name), entry.after)
        yield Situation(name=entry.name, kind=entry.kind, plan=plan)
        return
    turn = recorded_turn(folder / f"{entry.recording}.wav", rate)
    match entry:
        case Utterance():
            yield Situation(name=entry.name, kind=entry.kind, plan=_plan(turn))
        case Over():
            yield Situation(name=entry.name, kind=entry.kind, plan=_plan(turn, entry.after))
        case Pausing():
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


# Sounds, each as samples at a rate; their level is set afterwards.


def _sound(name: str, level: float, rate: int) -> Audio:
    random = np.random.default_rng(5)
    samples = _SOUNDS[name](rate, random)
    window = rate // 50
    power = np.square(samples[: len(samples) // window * window].reshape(-1, window)).mean(axis=1)
    scaled = samples * (level / np.sqrt(power.max())) * 32767
    return Audio(np.clip(scaled, -32768, 32767).astype("<i2").tobytes(), rate)


def _fading(seconds: float, rate: int) -> Samples:
    return np.exp(-np.arange(int(seconds * rate)) / (rate * seconds / 5))


def _click(rate: int, random: np.random.Generator) -> Samples:
    """A handset that is put on a table: 30 ms."""
    return _padded(_fading(0.03, rate) * random.standard_normal(int(0.03 * rate)), rate)


def _cough(rate: int, random: np.random.Generator) -> Samples:
    """Two bursts of coloured noise, 0.15 and 0.2 s."""
    bursts = []
    for seconds in (0.15, 0.2):
        noise = random.standard_normal(int(seconds * rate))
        dull = np.convolve(noise, np.ones(4) / 4, mode="same")
        bursts += [_fading(seconds, rate) * dull, np.zeros(int(0.06 * rate))]
    return _padded(np.concatenate(bursts), rate)


def _hiss(rate: int, random: np.random.Generator) -> Samples:
    """A bad line: white noise, 2 s."""
    return random.standard_normal(2 * rate)


def _hum(rate: int, _random: np.random.Generator) -> Samples:
    """Mains hum and its harmonics, 2 s."""
    at = np.arange(2 * rate) / rate
    tones: Samples = sum((np.sin(2 * np.pi * 50 * n * at) / n for n in (2, 3, 4, 6)), np.zeros(1))
    return tones


def _typing(rate: int, random: np.random.Generator) -> Samples:
    """Twelve keys in 1.5 s."""
    samples = np.zeros(int(1.5 * rate))
    for at in np.sort(random.uniform(0, 1.4, 12)):
        key = _fading(0.02, rate) * random.standard_normal(int(0.02 * rate))
        start = int(at * rate)
        samples[start : start + len(key)] += key
    return _padded(samples, rate)


def _babble(rate: int, _random: np.random.Generator) -> Samples:
    """Three people talking elsewhere, 2 s: the recordings, one over the other."""
    folder = DEFAULT.parent / "recordings"
    samples = np.zeros(2 * rate)
    for name in ("not-at-desk", "press-one", "first-in-line"):
        pcm = recorded_turn(folder / f"{name}.wav", rate).audio.pcm
        samples += np.frombuffer(pcm, "<i2")[rate // 2 : rate // 2 + len(samples)]
    return samples


def _padded(samples: Samples, rate: int) -> Samples:
    return np.concatenate([samples, np.zeros(rate // 50)])


_SOUNDS: dict[str, Callable[[int, np.random.Generator], Samples]] = {
    "click": _click,
    "cough": _cough,
    "hiss": _hiss,
    "hum": _hum,
    "typing": _typing,
    "babble": _babble,
}
