"""Calls of several: read from YAML, and given voices.

Who is on the line, what each says when, and of each turn whether the agent is to answer it. The
file is for people; what runs is a script for each phone
(:mod:`agent.simulator.party.party_phones`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.simulator.party.party_phones import Expected, PartyCue, PartyTurn, PhoneScript
from agent.simulator.plan import Turn
from agent.simulator.scenarios import MAX_BYTES, ScenarioError
from agent.simulator.sinch.phone_network import Phone
from agent.simulator.speech import recorded_turn
from pipelines.audio import Audio, at_rate

PARTIES = Path(__file__).parent / "parties.yaml"
MOST_CALLS = 1000

OPENING_WITHIN = 4.0
"""Seconds that the first to speak waits for the agent's opening."""

AFTER_THE_AGENT = 1.2
"""Seconds of quiet after the agent before a turn, unless it says: longer than a breath."""

AFTER_ANOTHER = 3.0
"""The same after somebody else: an agent that takes itself for addressed has answered by then.
Where people answer each other faster, the file says so."""

LEAVES_AFTER = 1.5
"""Seconds after the agent's last word until all hang up."""

_Text = Annotated[str, Field(min_length=1, max_length=400, pattern=r"\S")]
_Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^/\\\s][^/\\]*$")]
_Seconds = Annotated[float, Field(ge=0, le=60)]


class PartyPhone(BaseModel):
    """Somebody on the line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pitch: Annotated[float, Field(ge=0.7, le=1.4)] = 1.0
    """Of their voice, which is as much faster: one local voice is several people by it."""

    rings: _Seconds = 0.0
    """Seconds until they answer: who joins late."""

    answers: bool = True


class SaidOnLine(BaseModel):
    """A turn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: _Name
    says: _Text | None = None
    """Words, for the local voice; ``{agent}`` is the name that the agent goes by."""

    recording: _Name | None = None
    """Instead, a WAV file, without ``.wav``, in the folder ``recordings``."""

    agent: Expected | None = None
    after: _Seconds | None = None
    """Seconds: of quiet after what was before, or into what is spoken over."""

    over: _Name | None = None
    """Whom they speak over: ``agent``, or somebody by name."""

    leaves: bool = False

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.says is None) == (self.recording is None) and not (
            self.leaves and self.says is None
        ):
            raise ValueError("either 'says' or 'recording'; neither only for 'leaves: true'")
        if self.agent is not None and self.says is None and self.recording is None:
            raise ValueError("'agent' is about what is said")
        return self


class PartyScenario(BaseModel):
    """A call of several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name
    phones: Annotated[dict[_Name, PartyPhone], Field(min_length=1, max_length=10)]
    turns: Annotated[list[SaidOnLine], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _has_who_speaks(self) -> Self:
        left: set[str] = set()
        for turn in self.turns:
            phone = self.phones.get(turn.who)
            if phone is None or not phone.answers or turn.who in left:
                raise ValueError(f"{turn.who!r} says something, and is not on the line")
            if turn.over is not None and turn.over not in {"agent", *self.phones}:
                raise ValueError(f"nobody called {turn.over!r} can be spoken over")
            left |= {turn.who} if turn.leaves else set()
        return self

    @property
    def expected(self) -> Mapping[str, tuple[Expected, str]]:
        """What is judged: by the key of a turn, what the agent is to do, and the words."""
        return {
            self.key(number): (turn.agent, turn.says or turn.recording or "")
            for number, turn in enumerate(self.turns)
            if turn.agent is not None
        }

    def key(self, number: int) -> str:
        """Return what cues call the turn of that number, from 0."""
        return f"{self.name}/{number}"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parties: Annotated[list[PartyScenario], Field(min_length=1, max_length=MOST_CALLS)]


def load_parties(path: Path = PARTIES) -> list[PartyScenario]:
    """Read a file of calls of several.

    Raises:
        ScenarioError: If it cannot be read, or is not such a file.
    """
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise ScenarioError(f"{path}: more than {MAX_BYTES} bytes")
        calls = _File.model_validate(yaml.safe_load(data)).parties
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ScenarioError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ScenarioError(f"{path}: {where}: {first['msg']}") from None
    if len({call.name for call in calls}) < len(calls):
        raise ScenarioError(f"{path}: two calls have the same name")
    return calls


Voice = Callable[[list[str], int], Awaitable[list[Turn]]]
"""Speaks texts at a rate: :func:`agent.simulator.speech.spoken_turns`, or a double."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicedParty:
    """A call of several that can be held."""

    scenario: PartyScenario
    scripts: Mapping[str, PhoneScript]
    """By name, of those who answer."""

    def phones(self, numbers: Sequence[str]) -> dict[str, Phone]:
        """Return the phones for a stand-in, at these numbers, in the order of the file."""
        found: dict[str, Phone] = {}
        for number, (name, phone) in zip(numbers, self.scenario.phones.items(), strict=True):
            found[number] = Phone(
                script=self.scripts.get(name),
                answers="yes" if phone.answers else "no",
                after=max(phone.rings, 0.05),
            )
        return found


async def voiced(
    scenario: PartyScenario,
    agent: str,
    rate: int,
    voice: Voice,
    recordings: Path = PARTIES.parent / "recordings",
) -> VoicedParty:
    """Give those on the line their voices.

    Args:
        scenario: Who says what.
        agent: The name that the agent is spoken to by.
        rate: Hertz.
        voice: Speaks.
        recordings: Where recordings are.

    Raises:
        CallFailedError: If there is no voice, or a recording cannot be read.
    """
    texts = [turn.says.replace("{agent}", agent) for turn in scenario.turns if turn.says]
    spoken = iter(await voice(texts, rate))
    turns: dict[str, list[PartyTurn]] = {
        name: [] for name, phone in scenario.phones.items() if phone.answers
    }
    for number, said in enumerate(scenario.turns):
        found: Turn | None = None
        if said.says:
            found = _pitched(next(spoken), scenario.phones[said.who].pitch)
        elif said.recording:
            found = recorded_turn(recordings / f"{said.recording}.wav", rate)
        turns[said.who].append(
            PartyTurn(
                key=scenario.key(number),
                cue=_cue(scenario, number),
                audio=None if found is None else found.audio,
                label="" if found is None else found.label,
                leaves=said.leaves,
                agent=said.agent,
            )
        )
    last = scenario.key(len(scenario.turns) - 1)
    done = PartyCue(event="turn", of=last, seconds=AFTER_ANOTHER)
    if scenario.turns[-1].agent == "answer":
        done = PartyCue(event="agent", of=last, seconds=LEAVES_AFTER)
    gone = {turn.who for turn in scenario.turns if turn.leaves}
    for name in turns.keys() - gone:
        turns[name].append(PartyTurn(key=f"{scenario.name}/{name}", cue=done, leaves=True))
    scripts = {
        name: PhoneScript(name=name, turns=said, joins_after=scenario.phones[name].rings)
        for name, said in turns.items()
    }
    return VoicedParty(scenario=scenario, scripts=scripts)


def _cue(scenario: PartyScenario, number: int) -> PartyCue:
    turn = scenario.turns[number]
    if turn.over is not None:
        return PartyCue(event="over", of=turn.over, seconds=turn.after or 0.0)
    if number == 0:
        quiet = AFTER_THE_AGENT if turn.after is None else turn.after
        return PartyCue(event="agent", seconds=quiet, within=OPENING_WITHIN)
    before, of = scenario.turns[number - 1], scenario.key(number - 1)
    if before.agent == "answer":
        quiet = AFTER_THE_AGENT if turn.after is None else turn.after
        return PartyCue(event="agent", of=of, seconds=quiet)
    quiet = AFTER_ANOTHER if turn.after is None else turn.after
    return PartyCue(event="turn", of=of, seconds=quiet)


def _pitched(turn: Turn, pitch: float) -> Turn:
    """Return a turn by a voice as much higher and faster: by 5 % each, so that rates are whole."""
    rate = turn.audio.rate
    heard = Audio(turn.audio.pcm, round(pitch * 20) * rate // 20)
    return Turn(audio=at_rate([heard], rate), label=turn.label, cue=turn.cue)
