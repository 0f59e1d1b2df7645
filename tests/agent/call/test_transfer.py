"""Whom we dial for the caller."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import pytest

from agent.call.history import History
from agent.call.keys import KEYPAD
from agent.call.orders import (
    CalleeBriefed,
    CallerMoved,
    CallerNotMoved,
    NotReached,
    ReturnToCaller,
    TransferCaller,
)
from agent.call.reply import Announcement
from agent.call.transfer import CallTransfer, Handover, TransferError
from agent.personas.script import Script
from agent.warm_transfers import SUMMARY, Then, WarmTransfer
from pipelines.conversation import Brief, Message
from pipelines.stages.usage import Pricing, Usage
from tests.agent.conversation import Notes
from tests.virtual_time import run

WARM = WarmTransfer(
    briefing="A caller.",
    with_summary=f"A caller: {SUMMARY}",
    consent="Press 1.",
    introduction="Here you are.",
    then="help",
)
SCRIPT = Script(
    greeting="Hello.",
    apology="Sorry.",
    transfer_failed="It failed.",
    transfer_failures={"busy": "They are busy."},
    returned="Back with you.",
    numbers={"sales": "+15550000001", "desk": "+15550000002"},
    warm={"desk": WARM},
    brief=Brief(language="de"),
)


@dataclass
class Dialler:
    """Keeps whom it was asked to dial."""

    refuses: bool = False
    dialled: list[Handover] = field(default_factory=list)

    async def __call__(self, handover: Handover) -> None:
        self.dialled.append(handover)
        if self.refuses:
            raise TransferError("nobody answers")


@dataclass
class Story:
    """A transfer, and what is around it."""

    dialler: Dialler = field(default_factory=Dialler)
    script: Script = SCRIPT
    notes: Notes = field(default_factory=Notes)

    @cached_property
    def history(self) -> History:
        return History(self.notes, Usage(), Pricing())  # which begins in a loop

    @cached_property
    def transfer(self) -> CallTransfer:
        return CallTransfer(self.dialler, self.script, self.history)

    @property
    def told(self) -> list[str]:
        """What the model was told."""
        return [one.text for message in self.history.conversation for one in message.results]

    @property
    def lines(self) -> list[str]:
        return [str(line["status"]) for line in self.notes.of("transfer")]


@pytest.mark.parametrize(
    ("dialler", "to", "dialled", "status"),
    [
        (Dialler(), "sales", "+15550000001", "done"),
        (Dialler(), "sip:desk@example.com", "sip:desk@example.com", "done"),
        (Dialler(refuses=True), "sales", "+15550000001", "failed"),
    ],
    ids=["a name of the agent file", "an address", "refused"],
)
def test_who_is_dialled_and_what_became_of_it_is_on_record(
    dialler: Dialler, to: str, dialled: str, status: str
) -> None:
    """Under the name that the caller's agent has for them: no number is in the transcript."""
    story = Story(dialler)

    async def main() -> None:
        transfer = story.transfer
        assert not transfer.under_way
        assert await transfer.dial(to) is not dialler.refuses
        assert transfer.under_way
        assert await transfer.dial("another")  # nothing happens: somebody is being dialled
        transfer.obey(CallerNotMoved() if dialler.refuses else CallerMoved(stay=False))
        assert not transfer.under_way

    run(main())
    assert [(one.to, one.warm) for one in dialler.dialled] == [(dialled, None)]
    lines = [(line["to"], line["status"]) for line in story.notes.lines]
    assert lines == [(to, "started"), (to, status)]
    refused = ["sales was not dialled, and cannot be reached now: nobody answers"]
    assert story.told == refused * dialler.refuses


def test_whoever_is_asked_first_is_told_what_was_said() -> None:
    """The conversation, not what tools gave; and the model hears that somebody is being asked."""
    story = Story()

    async def main() -> None:
        story.history.conversation += [Message("user", "My tap drips."), Message("assistant", "")]
        await story.transfer.dial("desk")

    run(main())
    (handover,) = story.dialler.dialled
    assert handover.warm == WARM
    assert list(handover.said) == [{"who": "caller", "text": "My tap drips."}]
    assert (handover.language, handover.usage) == ("de", story.history.usage)
    assert "go on talking with them" in story.told[0]


def test_secret_keys_are_told_to_nobody_else() -> None:
    """An account number that the caller has pressed is for our tools alone."""
    story = Story(script=replace(SCRIPT, keys_are_secret=True))

    async def main() -> None:
        story.history.conversation.append(Message("user", KEYPAD.format("1234#")))
        await story.transfer.dial("desk")

    run(main())
    assert list(story.dialler.dialled[0].said) == []


@pytest.mark.parametrize("then", ["leave", "silent", "help"])
def test_a_warm_transfer_from_the_ringing_to_the_way_back(then: Then) -> None:
    """Each step is on record once, however often it is told; both are introduced in between."""
    script = replace(SCRIPT, warm={"desk": replace(WARM, then=then)})
    story = Story(script=script)
    stay, helps = then != "leave", then == "help"
    taken = CallerMoved(stay=stay, helps=helps, introduction="Here you are.")

    async def main() -> None:
        transfer = story.transfer
        await transfer.dial("desk")
        assert transfer.obey(CalleeBriefed()) is transfer.obey(CalleeBriefed()) is None
        said = transfer.obey(taken)
        assert said is not None
        assert (said.text, said.interruptible) == ("Here you are.", False)
        assert said.order == CallerMoved(stay=stay, helps=helps)
        assert said.not_before > 0
        assert transfer.obey(taken) is None
        assert transfer.together
        transfer.obey(said.order)
        assert (transfer.under_way, transfer.together) == (False, stay)
        back = transfer.obey(ReturnToCaller(by="service"))
        assert (back.text if back else "") == ("Back with you." if stay else "")
        assert transfer.obey(ReturnToCaller(by="service")) is None

    run(main())
    assert story.lines == ["started", "briefed", "accepted", "done"] + ["returned"] * stay
    assert {(line["warm"], line["then"]) for line in story.notes.of("transfer")} == {(True, then)}
    assert [line["status"] for line in story.notes.of("party")] == ["joined", "left"] * helps
    assert ("desk is on the line" in " ".join(story.told)) is helps


@pytest.mark.parametrize(
    ("why", "said", "lines"),
    [
        ("busy", "They are busy.", ["failed"]),
        ("declined", "It failed.", ["declined", "failed"]),
        (None, "It failed.", ["failed"]),
    ],
)
def test_the_caller_hears_why_nobody_came(
    why: NotReached | None, said: str, lines: list[str]
) -> None:
    """In words of its own if there are some; the record and the model know the reason."""
    story = Story()

    async def main() -> None:
        await story.transfer.dial("desk")
        announced = story.transfer.obey(CallerNotMoved(why=why))
        assert announced is not None
        assert announced.text == said
        assert story.transfer.obey(CallerNotMoved(why=why)) is None

    run(main())
    assert story.lines == ["started", *lines]
    assert story.notes.lines[-1].get("why") == why
    assert (f"desk does not take the caller: {why}." in story.told) is (why is not None)


def test_whoever_took_the_call_may_leave_before_they_are_introduced() -> None:
    """Then what was to follow the introduction is not done: we have the caller again."""
    story = Story()

    async def main() -> None:
        await story.transfer.dial("desk")
        story.transfer.obey(CallerMoved(stay=False, introduction="Here you are."))
        back = story.transfer.obey(ReturnToCaller(by="service"))
        assert back is not None
        assert not story.transfer.together

    run(main())
    assert story.lines == ["started", "accepted", "failed"]


def test_an_operator_leaves_texts_to_the_agent_file() -> None:
    """What they give counts; the rest is that of its first warm transfer. No number is told."""
    story = Story()
    number = "+15550000009"
    asked = WarmTransfer(briefing="VIP.", consent="", introduction="", then="silent")

    async def main() -> None:
        story.transfer.obey(TransferCaller(to=number, announcement="One moment.", warm=asked))
        await story.transfer.dial(number)

    run(main())
    expected = replace(WARM, briefing="VIP.", with_summary="", then="silent")
    assert story.dialler.dialled[0].warm == expected
    assert story.told == []


def test_nobody_talks_an_operator_out_of_it() -> None:
    """What is said over the announcement is answered afterwards; whoever was named is dialled."""
    order = TransferCaller(to="desk", announcement="One moment.")

    async def main() -> Announcement | None:
        return Story().transfer.obey(order)

    said = run(main())
    assert said is not None
    assert (said.transfer, said.interruptible) == ("desk", False)


def test_an_operator_may_pass_on_cold_whom_the_file_asks_first() -> None:
    """Their word is the last."""
    story = Story()

    async def main() -> None:
        story.transfer.obey(TransferCaller(to="desk", announcement="One moment."))
        await story.transfer.dial("desk")

    run(main())
    assert story.dialler.dialled[0].warm is None


def test_nobody_else_is_dialled_while_somebody_helps() -> None:
    """A line has one whom the caller was passed on to; the model is told so."""
    story = Story()

    async def main() -> None:
        await story.transfer.dial("desk")
        story.transfer.obey(CallerMoved(stay=True, helps=True))
        assert await story.transfer.dial("sales")

    run(main())
    assert len(story.dialler.dialled) == 1
    assert story.told[-1] == "sales was not dialled: somebody helps already"
