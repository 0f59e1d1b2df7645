"""Consent: nothing of whoever is there reaches a language model before a yes. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.call.call import Call
from agent.call.consent import MOST_ASKED
from agent.call.orders import CallerMoved, CallerNotMoved, ReturnToCaller
from agent.call.screening import Screening, Screens
from agent.call.transfer import Handover
from agent.personas.consents import ScriptConsent
from agent.records.recordings.recording_files import RecordingWriter
from agent.records.seals import NoSeal
from agent.server.call_recording import recording_of
from agent.settings.recording import RecordingSettings
from agent.warm_transfers import WarmTransfer
from pipelines.conversation import Brief, Message
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece, ProviderError
from tests.agent.conversation import RATE, SCRIPT, Caller, Loudness, Talk, talk, voice
from tests.agent.records.test_recording_files import AtOnce

ASK = "May our machine deal with this call? Say yes or press one."
NO = "Then write to us, please. Goodbye."
CONSENT = ScriptConsent(ask=ASK, refused=NO)
ASKING = replace(SCRIPT, disclosure="I am a machine.", consent=CONSENT)
UNTIL_ASKED = "." * 75
"""Disclosure and question, by the voice of the tests."""

ANSWER = "+" * 6 + "." * 45
"""Somebody answers, and hears what follows."""


class Watched(scripted.LanguageModel):
    """A language model that keeps all that it was shown."""

    def __init__(self) -> None:
        super().__init__(scripted.LanguageModelOptions(lines=("Fine.", "Good.", "Well.")))
        self.shown: list[str] = []

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.shown += [one.text for one in conversation if one.role == "user"]
        async for piece in super().reply(brief, conversation):
            yield piece


class Never(scripted.Transcriber):
    """Speech-to-text that nobody may ask."""

    async def transcribe(self, *_args: Any, **_more: Any) -> Any:
        raise AssertionError("speech went to a provider")


def asked(
    script: str, *said: str, of: Any = ASKING, made: Any = None, **how: Any
) -> tuple[Talk, Watched]:
    """Hold a call whose caller says that after the question; return it, and what a model saw."""
    model = how.pop("llm", None) or Watched()
    stt = how.pop("stt", None)
    done = talk(Caller(script), voice(said, llm=model, stt=stt), script=of, made=made, **how)
    return done, model


def consents(done: Talk) -> list[tuple[str, str]]:
    return [(line["status"], line["by"]) for line in done.notes.of("consent")]


def heard(done: Talk) -> list[str]:
    """What was said to its end, in order."""
    return [line["text"] for line in done.notes.of("agent") if not line["cut_off"]]


def presses(*keys: tuple[float, str]) -> Callable[[Call], None]:
    def made(call: Call) -> None:
        for at, key in keys:
            asyncio.get_running_loop().call_later(at, call._press, key)

    return made


def test_a_yes_goes_on_to_the_greeting_and_the_conversation() -> None:
    """Disclosure, question, yes, greeting; the model is shown what came after, and that alone."""
    done, model = asked(UNTIL_ASKED + ANSWER + ANSWER, "Yes, sure.", "A table.")
    assert heard(done)[:4] == ["I am a machine.", ASK, SCRIPT.greeting, "Fine."]
    assert consents(done) == [("given", "word")]
    assert model.shown == ["A table."]
    assert [line["text"] for line in done.notes.of("caller")] == ["Yes, sure.", "A table."]
    assert [line["text"] for line in done.notes.of("disclosed")] == ["I am a machine."]


@pytest.mark.parametrize("keys", ["1", "1#", "11"])
def test_a_key_is_a_yes(keys: str) -> None:
    """In any voice agent as in any menu."""
    done, model = asked(UNTIL_ASKED + "." * 70 + ANSWER, "A table.", made=presses((8.0, keys)))
    assert consents(done) == [("given", "key")]
    assert model.shown == ["A table."]


def test_a_key_counts_while_they_speak() -> None:
    """Whatever they say to it, and nothing of that is shown to a model."""
    script = UNTIL_ASKED + "+" * 15 + "." * 60 + ANSWER
    done, model = asked(script, "One moment, where is it?", "A table.", made=presses((8.0, "1")))
    assert consents(done) == [("given", "key")]
    assert model.shown == ["A table."]


@pytest.mark.parametrize("at", [3.5, 5.0, 6.0])
def test_a_key_over_the_question_is_an_answer_to_it(at: float) -> None:
    """The question is heard in full all the same."""
    done, _ = asked(UNTIL_ASKED + "." * 70, made=presses((at, "1")))
    assert heard(done)[:3] == ["I am a machine.", ASK, SCRIPT.greeting]
    assert consents(done) == [("given", "key")]


def test_what_comes_before_the_question_is_no_answer() -> None:
    """Keys and a "yes?" over the disclosure: the question is asked all the same, and once more."""
    pressed, _ = asked(UNTIL_ASKED + "." * 40, made=presses((0.5, "1")))
    assert consents(pressed) == []
    spoken, _ = asked("++++" + "." * 71 + "." * 60, "Yes.")
    assert consents(spoken) == []
    assert heard(spoken)[:2] == ["I am a machine.", ASK]


@pytest.mark.parametrize(("said", "by"), [("No, thanks.", "word"), ("Nope.", "word"), ("2", "key")])
def test_a_no_is_said_goodbye(said: str, by: str) -> None:
    """In the words of the file; no model was asked, and no greeting said."""
    if by == "key":
        done, model = asked(UNTIL_ASKED + "." * 90, made=presses((8.0, said)))
    else:
        done, model = asked(UNTIL_ASKED + ANSWER + "." * 40, said)
    assert consents(done) == [("refused", by)]
    assert heard(done) == ["I am a machine.", ASK, NO]
    assert done.ending == "the agent hung up"
    assert model.shown == []


def test_what_was_said_before_does_not_stand_in_the_way_of_an_answer() -> None:
    """It is forgotten: a yes after the question counts at once."""
    done, _ = asked("++++" + "." * 71 + ANSWER, "Yes.", "Hello?")
    assert consents(done) == [("given", "word")]
    assert heard(done)[:3] == ["I am a machine.", ASK, SCRIPT.greeting]


def test_what_begins_before_the_question_is_no_answer_to_it() -> None:
    """Somebody who speaks on into it has not heard it."""
    done, _ = asked("....." + "+" * 25 + "." * 65, "Yes.")
    assert consents(done) == []
    assert heard(done)[:3] == ["I am a machine.", ASK, ASK]


def test_what_is_neither_is_asked_again_twice() -> None:
    """Then it is a no; nothing of it went to a model, and no tool ran."""
    said = ("What is this?", "I want to know the price of a table.", "Yes or no?")
    done, model = asked(UNTIL_ASKED + ("+" * 6 + "." * 75) * 3 + "." * 60, *said)
    assert heard(done) == ["I am a machine.", *[ASK] * MOST_ASKED, NO]
    assert consents(done) == [("refused", "unclear")]
    assert model.shown == []
    assert done.notes.of("tool") == []


def test_a_yes_to_the_second_question_counts() -> None:
    """And nothing of what was said before is shown to a model afterwards."""
    done, model = asked(
        UNTIL_ASKED + "+" * 6 + "." * 75 + ANSWER + ANSWER, "Who?", "Yes.", "A table."
    )
    assert consents(done) == [("given", "word")]
    assert model.shown == ["A table."]


def test_silence_is_a_no_in_the_end() -> None:
    """Asked again after the silence in which a caller is asked if they are there."""
    done, _ = asked("." * 600)
    assert heard(done) == ["I am a machine.", *[ASK] * MOST_ASKED, NO]
    assert consents(done) == [("refused", "silence")]
    assert done.ending == "the agent hung up"


def test_who_hangs_up_has_not_agreed() -> None:
    """Over the question, or after it; their last words go to no model."""
    for script in (UNTIL_ASKED[:40] + "++", UNTIL_ASKED + "+" * 5):
        done, model = asked(script, "Yes.")
        assert consents(done) == []
        assert model.shown == []
        assert done.ending == "the caller hung up"


def test_by_keys_alone_no_provider_hears_them() -> None:
    """Speech is not transcribed before the yes, at the end of the call neither."""
    script = replace(ASKING, consent=replace(CONSENT, keys_only=True))
    done, _ = asked(
        UNTIL_ASKED + "+" * 8 + "." * 10 + "+++",
        of=script,
        stt=Never(scripted.TranscriberOptions()),
    )
    assert consents(done) == []
    pressed = replace(ASKING, consent=replace(CONSENT, keys_only=True))
    agreed, model = asked(
        UNTIL_ASKED + "+" * 8 + "." * 80 + ANSWER, "A table.", of=pressed, made=presses((9.5, "1"))
    )
    assert consents(agreed) == [("given", "key")]
    assert model.shown == ["A table."]


class Deaf(scripted.Transcriber):
    """Speech-to-text that fails."""

    async def transcribe(self, *_args: Any, **_more: Any) -> Any:
        raise ProviderError("stt", "it is away")


def test_where_nobody_hears_them_keys_still_do() -> None:
    """The agent apologises for what it could not hear."""
    done, _ = asked(
        UNTIL_ASKED + "+" * 6 + "." * 120,
        stt=Deaf(scripted.TranscriberOptions()),
        made=presses((12.0, "1")),
    )
    assert SCRIPT.apology in heard(done)
    assert consents(done) == [("given", "key")]


TO_OFFICE = replace(CONSENT, refused="I put you through.", transfer="office")
PASSES_ON = replace(
    ASKING,
    consent=TO_OFFICE,
    numbers={"office": "+12025550111"},
    warm={"office": WarmTransfer(with_summary="It is about {{ summary }}")},
)


def test_who_says_no_is_passed_on() -> None:
    """To a person, who is told nothing of what was said."""
    handed: list[Handover] = []

    async def mover(handover: Handover) -> None:
        handed.append(handover)

    def moved(call: Call) -> None:
        order = CallerMoved(stay=False)
        asyncio.get_running_loop().call_later(13.0, call.obey, order)

    done, model = asked(
        UNTIL_ASKED + ANSWER + "+" * 5 + "." * 60,
        "No.",
        "Hm?",
        of=PASSES_ON,
        mover=mover,
        made=moved,
    )
    assert heard(done)[:3] == ["I am a machine.", ASK, "I put you through."]
    (to,) = handed
    assert (to.to, to.said) == ("+12025550111", ())
    assert done.ending == "the caller was passed on"
    assert model.shown == []


@pytest.mark.parametrize("there", [True, False], ids=["nobody answers", "nobody can dial"])
def test_where_nobody_takes_them_the_agent_says_goodbye(*, there: bool) -> None:
    """It does not go on with them after all."""

    async def mover(handover: Handover) -> None: ...

    def failed(call: Call) -> None:
        if there:
            order = CallerNotMoved(why="no answer")
            asyncio.get_running_loop().call_later(13.0, call.obey, order)

    done, model = asked(
        UNTIL_ASKED + ANSWER + "." * 200,
        "No.",
        of=PASSES_ON,
        mover=mover if there else None,
        made=failed,
    )
    assert heard(done)[3:] == [SCRIPT.transfer_failed, SCRIPT.brief.goodbye]
    assert done.ending == "the agent hung up"
    assert model.shown == []


def test_who_is_given_back_after_a_no_is_said_goodbye() -> None:
    """The platform had to keep the stream, and whoever took them has left."""

    async def mover(handover: Handover) -> None: ...

    def moved(call: Call) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(13.0, call.obey, CallerMoved(stay=True))
        loop.call_later(15.0, call.obey, ReturnToCaller(by="service"))

    done, model = asked(
        UNTIL_ASKED + ANSWER + "." * 200, "No.", of=PASSES_ON, mover=mover, made=moved
    )
    assert heard(done)[-1] == SCRIPT.brief.goodbye
    assert done.ending == "the agent hung up"
    assert model.shown == []


def test_who_comes_back_before_a_yes_is_asked_again() -> None:
    """A colleague had taken the call over; who had agreed is not asked again."""

    def moved(at: float) -> Callable[[Call], None]:
        def made(call: Call) -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(at, call.obey, CallerMoved(stay=True))
            loop.call_later(at + 2, call.obey, ReturnToCaller(by="service"))

        return made

    before, model = asked("." * 500, made=moved(4.0))
    assert heard(before).count(ASK) == MOST_ASKED
    assert model.shown == []
    after, _ = asked(UNTIL_ASKED + ANSWER + "." * 100, "Yes.", made=moved(13.0))
    assert heard(after).count(ASK) == 1


TEXT = "Please call us back."


@pytest.mark.parametrize("machine", [True, False])
def test_a_machine_is_not_asked_and_whoever_picks_up_is(*, machine: bool) -> None:
    """It gets the message; who stops that is no machine, and has to agree."""
    message = TEXT if machine else " ".join([TEXT] * 5)

    async def told() -> None: ...

    def ears(transcriber: Any) -> Screening:
        return Screening(
            Screens(machine="message", message=message), ASKING, Loudness(), transcriber, told
        )

    greeting = "..." + "+" * 30 + "....." + "+" * 20 + "." * 5 + "b" * 4
    says = "I'm not here. Leave a message after the tone."
    if machine:
        done, _ = asked(greeting + "." * 120, says, says, ears=ears)
        assert ASK not in heard(done)
        assert heard(done)[-1] == TEXT
        assert done.ending == "the agent hung up"
    else:
        picked_up = "." * 30 + "+" * 14 + "." * 75 + ANSWER
        done, model = asked(
            greeting + picked_up, says, says, "Wait, I am here, who is it?", "Yes.", ears=ears
        )
        assert ASK in heard(done)
        assert consents(done) == [("given", "word")]
        assert model.shown == []


@pytest.mark.parametrize("late", [True, False])
def test_a_screener_is_told_who_calls_and_whoever_comes_is_asked(*, late: bool) -> None:
    """And as often as anybody, though the screener was asked before it was known."""
    agent = replace(ASKING, screener=TEXT)

    async def told() -> None: ...

    def ears(transcriber: Any) -> Screening:
        return Screening(Screens(machine="hangup"), agent, Loudness(), transcriber, told)

    says = "Hi, if you record your name, I'll see if this person is available."
    before = "....." + "+" * 6 + "." * 80 if late else ""
    picks_up = "." * 40 + "+" * 6 + UNTIL_ASKED + ANSWER + ANSWER
    script = before + "....." + "+" * 30 + "." * 75 + picks_up
    words = [*(["Hello?"] if late else []), says, "Hello?", "Yes.", "A table."]
    done, model = asked(script, *words, of=agent, ears=ears)
    greeted = [agent.disclosure, ASK] if late else []
    assert heard(done)[: len(greeted) + 5] == [
        *greeted, agent.disclosure, TEXT, agent.disclosure, ASK, SCRIPT.greeting
    ]  # fmt: skip
    assert consents(done) == [("given", "word")]
    assert model.shown == ["A table."]


def test_the_yes_of_a_machine_counts_for_nobody() -> None:
    """It jokes, "yes?", "okay", and then it asks for a message; who picks up is asked anew."""

    async def told() -> None: ...

    def ears(transcriber: Any) -> Screening:
        return Screening(
            Screens(machine="message", message=TEXT), ASKING, Loudness(), transcriber, told
        )

    joke = "....." + "+" * 6 + UNTIL_ASKED + "." * 12 + ANSWER + "+" * 25 + "." * 20
    picks_up = "+" * 6 + UNTIL_ASKED + ANSWER + ANSWER
    words = ["Hello?", "Okay.", "I'm not here. Leave a message after the tone.", "Hello?", "Yes."]
    done, model = asked(joke + picks_up, *words, "A table.", ears=ears)
    assert consents(done) == [("given", "word"), ("refused", "machine"), ("given", "word")]
    assert heard(done).count(ASK) == 2
    assert model.shown == ["A table."]


@pytest.mark.parametrize("told", ["", "This call is recorded."])
@pytest.mark.parametrize("yes", [True, False])
def test_nothing_is_recorded_before_a_yes(tmp_path: Path, told: str, *, yes: bool) -> None:
    """It begins with the yes, or once they have heard after it that they are recorded."""
    writer = RecordingWriter(tmp_path, NoSeal(), limit_mb=1000, min_free_mb=0, threads=AtOnce())
    settings = RecordingSettings(calls="on", consent=told)
    recording, script = recording_of(settings, writer, ASKING, "r1", RATE)
    assert recording is not None
    done, _ = asked(
        UNTIL_ASKED + ANSWER + "." * 60, "Yes." if yes else "No.", of=script, recording=recording
    )
    began = [line["began"] for line in done.notes.of("recording") if line["status"] == "started"]
    assert len(began) == yes
    assert not began or began[0] >= done.notes.of("consent")[0]["at"]
    assert bool(list(tmp_path.iterdir())) == yes
