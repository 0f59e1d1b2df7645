"""Whom we dial for the caller."""

from __future__ import annotations

from collections.abc import Callable
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
from agent.call.transfer import CallTransfer, Handover, HasAnsweredError, TransferError
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
    meanwhile: Callable[[Handover], None] | None = None

    async def __call__(self, handover: Handover) -> None:
        self.dialled.append(handover)
        if self.meanwhile is not None:
            self.meanwhile(handover)
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


def move(transfer: CallTransfer, order: CallerMoved) -> None:
    """Have the caller talk to somebody else at once, if it is whom we have dialled."""
    if transfer.knows(order):
        transfer.moved(order)


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
        told = await transfer.dial(to)
        assert (told.text if told else "") == ("It failed." if dialler.refuses else "")
        assert transfer.under_way is not dialler.refuses
        if not dialler.refuses:
            move(transfer, CallerMoved(stay=False, leg=dialler.dialled[0].leg))
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
        move(transfer, CallerMoved(stay=stay, helps=helps))
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


def test_another_is_dialled_while_somebody_helps() -> None:
    """Who helps stays: the dialler is told so, and so is the line, when each comes and leaves."""
    story = Story(script=replace(SCRIPT, warm={"desk": WARM, "sales": replace(WARM, then="help")}))

    async def main() -> None:
        transfer, dialled = story.transfer, story.dialler.dialled
        await transfer.dial("desk")
        transfer.obey(CallerMoved(stay=True, helps=True, leg=dialled[0].leg))
        assert await transfer.dial("sales") is None
        assert dialled[1].beside == (dialled[0].leg,)
        transfer.obey(CallerMoved(stay=True, helps=True, leg=dialled[1].leg))
        gone = ReturnToCaller(by="service", leg=dialled[0].leg)
        assert not transfer.knows(gone)  # nothing changes for the agent
        assert transfer.obey(gone) is None
        assert transfer.together
        back = transfer.obey(ReturnToCaller(by="service"))
        assert (back.text if back else "") == "Back with you."
        assert not transfer.together

    run(main())
    assert story.lines == ["started", "accepted", "done"] * 2 + ["returned"]
    desk, sales = (one.leg for one in story.dialler.dialled)
    party = [(line["party"], line["status"]) for line in story.notes.of("party")]
    assert party == [(desk, "joined"), (sales, "joined"), (desk, "left"), (sales, "left")]


@pytest.mark.parametrize(
    ("to", "title"), [("desk", "desk"), ("+15550000002", "desk"), ("+15550000009", None)]
)
def test_who_helps_is_on_the_line_by_a_name_of_the_agent_file(to: str, title: str | None) -> None:
    """Also if an operator gave the number; a number that the file has not is nobody's name."""
    story = Story()

    async def main() -> None:
        story.transfer.obey(TransferCaller(to=to, announcement="One moment.", warm=WARM))
        await story.transfer.dial(to)
        leg = story.dialler.dialled[0].leg
        story.transfer.obey(CallerMoved(stay=True, helps=True, leg=leg))

    run(main())
    (line,) = story.notes.of("party")
    assert (line["status"], line.get("title")) == ("joined", title)


def test_who_helps_is_there_whatever_becomes_of_the_other() -> None:
    """They do not come: the caller hears why. They come, and leave: the agent helps again."""
    story = Story(
        script=replace(SCRIPT, warm={"desk": WARM, "sales": replace(WARM, then="silent")})
    )

    async def main() -> None:
        transfer, dialled = story.transfer, story.dialler.dialled
        await transfer.dial("desk")
        transfer.obey(CallerMoved(stay=True, helps=True, leg=dialled[0].leg))
        await transfer.dial("sales")
        busy = transfer.obey(CallerNotMoved(why="busy", leg=dialled[1].leg))
        assert busy is not None
        assert transfer.together
        for introduced in (True, False):
            await transfer.dial("sales")
            sales = CallerMoved(stay=True, introduction="Here you are.", leg=dialled[-1].leg)
            said = transfer.obey(sales)
            assert said is not None
            if introduced:
                assert isinstance(said.order, CallerMoved)
                move(transfer, said.order)
            back = transfer.obey(ReturnToCaller(by="service", leg=dialled[-1].leg))
            assert (back.text if back else "") == "Back with you."
            assert transfer.together
            assert said.order is not None
            assert not transfer.knows(said.order)  # which was to be done after the introduction

    run(main())
    assert story.lines[3:] == [
        *("started", "failed", "started", "accepted", "done", "returned"),
        *("started", "accepted", "failed"),
    ]
    assert story.told[-1] == "sales has left; you are with the caller and desk again."


def test_a_helper_who_leaves_while_another_rings_is_the_one_who_has_left() -> None:
    """The phone rings on; what is told of it counts."""
    story = Story()

    async def main() -> None:
        transfer, dialled = story.transfer, story.dialler.dialled
        await transfer.dial("desk")
        transfer.obey(CallerMoved(stay=True, helps=True, leg=dialled[0].leg))
        await transfer.dial("sales")
        back = transfer.obey(ReturnToCaller(by="service"))
        assert (back.text if back else "") == "Back with you."
        assert (transfer.under_way, transfer.together) == (True, False)
        move(transfer, CallerMoved(stay=False, leg=dialled[1].leg))
        assert not transfer.under_way

    run(main())
    noted = [(line["to"], line["status"]) for line in story.notes.of("transfer")][3:]
    assert noted == [("sales", "started"), ("desk", "returned"), ("sales", "done")]


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        ((), []),
        ((CalleeBriefed(),), ["briefed"]),
        ((CalleeBriefed(), CallerMoved(stay=True, introduction="Hi.")), ["briefed", "accepted"]),
    ],
    ids=["ringing", "asked", "accepted"],
)
def test_what_the_end_of_the_call_cuts_off_is_on_record(
    told: tuple[CalleeBriefed | CallerMoved, ...], lines: list[str]
) -> None:
    """Once, and before the last line; what was over by then has its own end."""
    story = Story()

    async def main() -> None:
        await story.transfer.dial("desk")
        for order in told:
            story.transfer.obey(order)
        story.history.close("the caller hung up", "caller")

    run(main())
    assert story.lines == ["started", *lines, "cut off"]
    assert [line["kind"] for line in story.notes.lines][-2:] == ["transfer", "ended"]


def test_what_is_over_is_not_cut_off() -> None:
    """Who helps, or was not reached, has an end on record already."""
    story = Story()

    async def main() -> None:
        await story.transfer.dial("desk")
        story.transfer.obey(CallerMoved(stay=True, helps=True))
        story.history.close("the caller hung up", "caller")

    run(main())
    assert story.lines == ["started", "accepted", "done"]


TWO = replace(SCRIPT, numbers={**SCRIPT.numbers, "home": "+15550000004"}, warm={})


def test_who_is_asked_for_again_is_ringing_already() -> None:
    """The model is told so, nobody is dialled twice, and the caller hears nothing more."""
    story = Story(script=TWO)

    async def main() -> None:
        assert await story.transfer.dial("sales") is None
        assert await story.transfer.dial("sales") is None
        assert story.transfer.under_way

    run(main())
    assert len(story.dialler.dialled) == 1
    assert story.told == ["sales is being called already: go on with the caller."]
    assert story.lines == ["started"]


@pytest.mark.parametrize(("first", "again"), [("sales", "+15550000001"), ("+15550000001", "sales")])
@pytest.mark.parametrize("helps", [False, True])
def test_who_is_there_by_name_is_not_dialled_by_number(first: str, again: str, helps: bool) -> None:
    """Nor the other way around: operators have numbers, a model has names, and both reach one."""
    story = Story(script=TWO)

    async def main() -> None:
        transfer = story.transfer
        for to in (first, again):
            if to.startswith("+"):
                transfer.obey(TransferCaller(to=to, announcement="One moment."))
            await transfer.dial(to)
            if helps and to == first:
                leg = story.dialler.dialled[0].leg
                transfer.obey(CallerMoved(stay=True, helps=True, leg=leg))
        assert transfer.under_way is not helps

    run(main())
    assert len(story.dialler.dialled) == 1
    assert story.lines == (["started", "done"] if helps else ["started"])


def test_who_is_asked_for_instead_takes_the_place_of_whoever_rings() -> None:
    """What is told of the first from then on is about nobody; the second is who comes."""
    story = Story(script=TWO)

    async def main() -> None:
        transfer = story.transfer
        await transfer.dial("sales")
        assert await transfer.dial("home") is None
        first, second = (one.leg for one in story.dialler.dialled)
        assert transfer.obey(CallerNotMoved(why="busy", leg=first)) is None
        move(transfer, CallerMoved(stay=False, leg=first))
        assert transfer.under_way
        assert not transfer.knows(CallerMoved(stay=False, leg=first))
        move(transfer, CallerMoved(stay=False, leg=second))
        assert not transfer.under_way

    run(main())
    noted = [(line["to"], line["status"], line.get("why")) for line in story.notes.of("transfer")]
    assert noted == [
        ("sales", "started", None),
        ("sales", "failed", "replaced"),
        ("home", "started", None),
        ("home", "done", None),
    ]


def test_the_first_answers_as_the_second_is_asked_for() -> None:
    """They are with the caller: nobody else is dialled, and the model knows."""
    story = Story(script=TWO)

    def answered(_handover: Handover) -> None:
        move(story.transfer, CallerMoved(stay=False, leg=story.dialler.dialled[0].leg))
        raise HasAnsweredError("somebody who was called before has just answered")

    async def main() -> None:
        await story.transfer.dial("sales")
        story.dialler.meanwhile = answered
        assert await story.transfer.dial("home") is None
        assert not story.transfer.under_way

    run(main())
    assert story.lines == ["started", "done"]
    assert story.told == ["home was not dialled: somebody who was called before has just answered"]


def test_who_comes_though_another_was_asked_for_has_the_caller() -> None:
    """The database failed before the first was given up: the second was not dialled."""
    story = Story(script=TWO)

    async def main() -> None:
        await story.transfer.dial("sales")
        story.dialler.refuses = True
        assert await story.transfer.dial("home") == Announcement(text="It failed.")
        first = CallerMoved(stay=False, leg=story.dialler.dialled[0].leg)
        assert story.transfer.knows(first)
        move(story.transfer, first)
        assert not story.transfer.under_way

    run(main())
    assert story.notes.of("transfer")[-1]["to"] == "sales"
    assert story.notes.of("transfer")[-1]["status"] == "done"


def test_what_became_of_the_second_may_be_told_before_they_were_dialled() -> None:
    """A callback is faster than the answer to our request: it counts, once."""
    story = Story(script=TWO)

    async def main() -> None:
        await story.transfer.dial("sales")
        moved: list[str] = []

        def fast(handover: Handover) -> None:
            move(story.transfer, CallerMoved(stay=False, leg=handover.leg))
            moved.append(handover.to)

        story.dialler.meanwhile = fast
        await story.transfer.dial("home")
        assert moved == ["+15550000004"]
        assert not story.transfer.under_way

    run(main())
    assert story.lines == ["started", "failed", "started", "done"]


def test_the_first_fails_by_itself_while_the_second_is_dialled() -> None:
    """Nothing is said of it: the caller knows that somebody else is called."""
    story = Story(script=TWO)

    async def main() -> None:
        await story.transfer.dial("sales")
        said: list[Announcement | None] = []

        def busy(_handover: Handover) -> None:
            no = CallerNotMoved(why="busy", leg=story.dialler.dialled[0].leg)
            said.append(story.transfer.obey(no))

        story.dialler.meanwhile = busy
        assert await story.transfer.dial("home") is None
        assert said == [None]
        assert story.transfer.under_way

    run(main())
    assert story.lines == ["started", "failed", "started"]


def test_a_second_who_cannot_be_dialled_leaves_nobody_to_wait_for() -> None:
    """The first was given up for them, and the caller is told that it has failed."""
    story = Story(script=TWO)

    async def main() -> None:
        await story.transfer.dial("sales")
        story.dialler.refuses = True
        said = await story.transfer.dial("home")
        assert said is not None
        assert said.text == "It failed."
        assert not story.transfer.under_way

    run(main())
    assert story.lines == ["started", "failed", "started", "failed"]


def test_the_agent_does_not_undo_what_an_operator_has_asked_for() -> None:
    """A model is told so before it announces it; what was announced by then is taken back."""
    story = Story(script=TWO)
    number = "+15550000009"

    async def main() -> None:
        story.transfer.obey(TransferCaller(to=number, announcement="One moment."))
        await story.transfer.dial(number)
        said = await story.transfer.dial("home")
        assert said is not None
        assert said.text == "It failed."
        story.transfer.obey(TransferCaller(to="+15550000008", announcement="No, wait."))
        assert await story.transfer.dial("+15550000008") is None  # but an operator does

    run(main())
    assert [one.to for one in story.dialler.dialled] == [number, "+15550000008"]
    assert "an operator has somebody else called" in story.told[0]


def test_an_operator_stops_the_ringing() -> None:
    """The caller is told that nobody comes; the record and the model know by whom."""
    story = Story(script=TWO)

    async def main() -> None:
        await story.transfer.dial("sales")
        stopped = CallerNotMoved(by="operator", leg=story.dialler.dialled[0].leg)
        said = story.transfer.obey(stopped)
        assert said is not None
        assert story.transfer.obey(stopped) is None

    run(main())
    assert story.notes.lines[-1] | {"at": 0} == {
        "kind": "transfer",
        "to": "sales",
        "status": "failed",
        "by": "operator",
        "at": 0,
    }
    assert story.told == ["An operator does not want sales called any more."]
