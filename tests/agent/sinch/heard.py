"""Stories of several phones, by what each of them heard: the stand-in mixes their audio.

Every sentence is a tone of its own (:mod:`tests.agent.tones`), so that what a phone was sent tells
who was heard on it. The service is a real one, on sockets of this machine; it hears tones, too.
Both versions of the API are told at once: a story lasts as long as people talk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.simulator.party.party_phones import PartyCue, PartyTurn, PhoneScript
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.sinch.callbacks import Version
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import Piece
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import Story, told
from tests.agent.tones import TableModel, Tones, ToneSynthesizer, ToneTranscriber

LATELY = 0.2
"""Seconds without a sound after which it is quiet."""

LEAVES = "(hangs up)"


@dataclass(frozen=True)
class Cast:
    """The agent of a story."""

    agent: str
    """Its file."""

    answers: Mapping[str, str]
    """Of its model, by what was said last."""

    says: Sequence[str]
    """All sentences that are told apart, of the agent and of the platform."""

    whispered: Mapping[str, str] = field(default_factory=dict)
    """What its model answers in place of that, once it was told something: by what it was told."""


class WatchedModel(TableModel):
    """A model that follows what it is whispered, and keeps what it was shown.

    Args:
        cast: Says what it answers.
    """

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast.answers)
        self.shown: list[str] = []
        """What others have said, in all requests."""

        self._told = {text: TableModel({"": answer}) for text, answer in cast.whispered.items()}

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Yield the answer."""
        self.shown += [one.text for one in conversation if one.role == "user"]
        told = [model for text, model in self._told.items() if text in brief.whispers]
        answers = told[-1].reply if told else super().reply
        async for piece in answers(brief, conversation):
            yield piece


@dataclass
class Line:
    """A story, and what was heard in it."""

    story: Story
    tones: Tones
    model: WatchedModel

    def leg(self, number: str) -> PhoneLeg:
        """Return the last leg to a phone."""
        return [leg for leg in self.story.sinch.legs if leg.number == number][-1]

    def heard(self, number: str) -> list[str]:
        """Return the sentences that reached a phone until now, in the order of their beginning."""
        there = self.leg(number).person
        return [] if there is None else self.tones.heard(there.recording.heard)

    async def hears(self, number: str, text: str) -> None:
        """Return once a sentence has reached a phone, and nobody sounds there just now."""
        await until(lambda: text in self.heard(number) and self._is_quiet(number))

    def _is_quiet(self, number: str) -> bool:
        there = self.leg(number).person
        assert there is not None
        heard = there.recording.heard
        return not any(heard.pcm[-2 * round(LATELY * heard.rate) :])

    async def order(self, action: str, body: Mapping[str, object], expected: int = 202) -> None:
        """Ask the operator's interface for something to be done to the one call."""
        (call,) = (await self.story.operate("GET", "/calls"))[1]["calls"]
        status, answer = await self.story.operate("POST", f"/calls/{call['id']}/{action}", body)
        assert status == expected, answer

    def understood(self) -> list[str]:
        """Return what the agent has on record as said by others."""
        return [line["text"] for line in self.story.lines("caller")]

    def streams(self) -> list[PhoneLeg]:
        """Return the agent's ends."""
        return [leg for leg in self.story.sinch.legs if leg.is_stream]

    async def is_over(self) -> None:
        """Return when nobody hangs on."""
        await until(lambda: all(leg.over.is_set() for leg in self.story.sinch.legs))


Tell = Callable[[Line], Awaitable[None]]
People = Mapping[str, tuple[Phone, Mapping[str, PartyCue]]]
"""By number: a telephone, and what is said into it, each when."""


def after(text: str, seconds: float = 0.2) -> PartyCue:
    """Begin when somebody with a script has said that."""
    return PartyCue(event="turn", of=text, seconds=seconds)


def once_answered(text: str = "", seconds: float = 0.3) -> PartyCue:
    """Begin when the agent is done, after it has answered that; or has spoken at all."""
    return PartyCue(event="agent", of=text, seconds=seconds, within=30)


def tell(folder: Path, tell_one: Tell, people: People, cast: Cast) -> None:
    """Run a story in both versions, at once."""

    async def one(version: Version) -> None:
        tones = Tones([*cast.says, *(text for _, says in people.values() for text in says)])
        model, at = WatchedModel(cast), folder / version
        (at / "prompts").mkdir(parents=True)
        (at / "prompts" / "reception.md").write_text(cast.agent)
        providers = voice(stt=ToneTranscriber(tones), llm=model, tts=ToneSynthesizer(tones))
        phones = {number: _phone(tones, number, *given) for number, given in people.items()}
        sinch = {"conference": version == "v1"}
        given: dict[str, Any] = {"providers": providers, "phones": phones, "sinch": sinch}
        given["alone"] = False  # the other version's is beside it
        given["end_of_turn"] = dict.fromkeys(("shortest", "middle", "long", "longest"), 0.25)
        async with told(at, version, **given) as story, asyncio.timeout(40):
            story.sinch.speak_with(tones.audio)
            line = Line(story, tones, model)
            try:
                await tell_one(line)
            finally:
                for leg in story.sinch.legs:
                    print(version, leg.title, "heard", line.heard(leg.number))
            assert story.sinch.faults == []

    async def main() -> None:
        async with asyncio.TaskGroup() as versions:
            versions.create_task(one("v1"))
            versions.create_task(one("v2"))

    asyncio.run(main())


def _phone(tones: Tones, number: str, phone: Phone, says: Mapping[str, PartyCue]) -> Phone:
    turns = []
    for text, cue in says.items():
        audio = None if text == LEAVES else tones.audio(text)
        turns.append(PartyTurn(key=text, label=text, cue=cue, audio=audio, leaves=audio is None))
    return replace(phone, script=PhoneScript(name=number, turns=turns))
