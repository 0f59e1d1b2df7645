"""What becomes of transfers where news of them cross, come late or twice, or are of another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.call.orders import (
    CalleeBriefed,
    CallerMoved,
    CallerNotMoved,
    Order,
    ReturnToCaller,
    TransferCaller,
)
from agent.call.transfer import CallTransfer, Handover, HasAnsweredError
from agent.warm_transfers import WarmTransfer
from tests.agent.call.test_transfer import SCRIPT, WARM, Dialler, Story, move
from tests.virtual_time import run

HELPED = replace(SCRIPT, warm={"desk": WARM, "sales": replace(WARM, then="silent")})


async def helped(story: Story) -> CallTransfer:
    """Return a transfer whose caller the desk helps by now."""
    await story.transfer.dial("desk")
    story.transfer.obey(CallerMoved(stay=True, helps=True, leg=story.dialler.dialled[0].leg))
    return story.transfer


def ends(story: Story, to: str) -> list[object]:
    return [line["status"] for line in story.notes.of("transfer") if line["to"] == to]


@pytest.mark.parametrize("lost", ["not moved", "left", "all left"])
def test_nothing_is_done_after_an_introduction_of_somebody_who_has_gone(lost: str) -> None:
    """Though another helps: the agent stays with both, and is not silent for nobody."""
    story = Story(script=HELPED)

    async def main() -> None:
        transfer = await helped(story)
        await transfer.dial("sales")
        leg = story.dialler.dialled[1].leg
        said = transfer.obey(CallerMoved(stay=True, introduction="Here you are.", leg=leg))
        assert said is not None
        assert said.order is not None
        assert transfer.introduced(said.order)
        gone: dict[str, Order] = {
            "not moved": CallerNotMoved(leg=leg),  # as it is told without the database
            "left": ReturnToCaller(by="service", leg=leg),
            "all left": ReturnToCaller(by="operator"),
        }
        transfer.obey(gone[lost])
        assert not transfer.introduced(said.order)
        assert transfer.together is (lost != "all left")

    run(main())
    assert ends(story, "sales") == ["started", "accepted", "failed"]


@pytest.mark.parametrize("introduction", ["", "Here you are."])
def test_who_helps_after_all_is_there_though_sinch_had_refused_to_dial(introduction: str) -> None:
    """It dialled all the same; whether they are introduced makes no difference."""
    story = Story(Dialler(refuses=True))

    async def main() -> None:
        transfer = story.transfer
        await transfer.dial("desk")
        leg = story.dialler.dialled[0].leg
        came = CallerMoved(stay=True, helps=True, introduction=introduction, leg=leg)
        said = transfer.obey(came)
        assert transfer.together
        assert transfer.under_way is bool(introduction)
        if said is not None and said.order is not None:
            assert transfer.introduced(said.order)
            transfer.obey(said.order)
        assert not transfer.under_way
        for late in (came, replace(came, leg="")):
            assert transfer.obey(late) is None

    run(main())
    assert story.lines == ["started", "failed", "accepted", "done"]
    assert [line["status"] for line in story.notes.of("party")] == ["joined"]


@pytest.mark.parametrize("told", ["before", "after"])
def test_who_was_refused_and_comes_as_another_is_asked_for_has_the_caller(told: str) -> None:
    """The record has an end for the other, nobody rings any more, and the agent is not in doubt."""
    story = Story(Dialler(refuses=True), replace(SCRIPT, warm={}))

    def answered(_handover: Handover) -> None:
        if told == "before":
            move(story.transfer, first())
        raise HasAnsweredError("somebody who was called before has just answered")

    def first() -> CallerMoved:
        return CallerMoved(stay=True, leg=story.dialler.dialled[0].leg)

    async def main() -> None:
        transfer = story.transfer
        await transfer.dial("sales")
        story.dialler.meanwhile = answered
        assert await transfer.dial("desk") is None
        assert not transfer.under_way
        if told == "after":
            move(transfer, first())
        assert transfer.together
        assert not transfer.under_way

    run(main())
    assert ends(story, "desk") == ["started", "failed"]
    assert ends(story, "sales") == ["started", "failed", "done"]


@pytest.mark.parametrize("told", [CallerNotMoved(why="busy"), CallerMoved(stay=True, helps=True)])
def test_a_model_is_not_told_that_somebody_rings_who_does_not_any_more(told: Order) -> None:
    """Sinch may tell what became of it before it has answered our request."""
    story = Story()

    def fast(handover: Handover) -> None:
        assert isinstance(told, CallerNotMoved | CallerMoved)
        story.transfer.obey(replace(told, leg=handover.leg))

    async def main() -> None:
        story.dialler.meanwhile = fast
        await story.transfer.dial("desk")

    run(main())
    (said,) = story.told
    assert said.startswith(("desk does not take the caller", "desk is on the line now"))


def test_a_model_is_told_that_somebody_is_asked_before_anything_is_known() -> None:
    """Also if they have picked up by then."""
    story = Story()

    def fast(handover: Handover) -> None:
        story.transfer.obey(CalleeBriefed(leg=handover.leg))

    async def main() -> None:
        story.dialler.meanwhile = fast
        await story.transfer.dial("desk")

    run(main())
    (said,) = story.told
    assert said.startswith("desk is being called, and asked")


def test_what_an_operator_wanted_and_was_refused_is_not_done_later() -> None:
    """They are dialled next as the agent file says, and by the agent."""
    story = Story()

    async def main() -> None:
        transfer = await helped(story)
        wish = TransferCaller(to="desk", announcement="", warm=WarmTransfer(briefing="Mine."))
        transfer.obey(wish)
        assert await transfer.dial("desk") is not None
        transfer.obey(ReturnToCaller(by="service"))
        await transfer.dial("desk")

    run(main())
    assert [one.warm for one in story.dialler.dialled] == [WARM, WARM]


def test_who_helps_is_not_dialled_again_by_another_name() -> None:
    """An operator names a number, the agent file a name: it is one phone."""
    story = Story()

    async def main() -> None:
        transfer = await helped(story)
        number = SCRIPT.numbers["desk"]
        transfer.obey(TransferCaller(to=number, announcement=""))
        assert await transfer.dial(number) is not None
        assert len(story.dialler.dialled) == 1

    run(main())


def test_a_model_is_told_where_nobody_can_be_dialled_at_all() -> None:
    """On a line that is none of Sinch's, say: else it would wait for whoever it has asked for."""
    story = Story()

    async def main() -> None:
        transfer = CallTransfer(None, SCRIPT, story.history)
        told = await transfer.dial("sales")
        assert told is not None
        assert told.text == "It failed."

    run(main())
    assert story.told == [
        "sales was not dialled, and cannot be reached now: this call cannot be passed on"
    ]
    assert story.lines == ["started", "failed"]


def test_to_ask_whether_an_order_counts_changes_nothing() -> None:
    """Who has left beside others is on record once it is obeyed, and once."""
    story = Story(script=replace(SCRIPT, warm={"desk": WARM, "sales": WARM}))

    async def main() -> None:
        transfer = await helped(story)
        await transfer.dial("sales")
        transfer.obey(CallerMoved(stay=True, helps=True, leg=story.dialler.dialled[1].leg))
        gone = ReturnToCaller(by="service", leg=story.dialler.dialled[0].leg)
        for _ in range(2):
            assert not transfer.knows(gone)
        assert [line["status"] for line in story.notes.of("party")] == ["joined", "joined"]
        for _ in range(2):
            assert transfer.obey(gone) is None

    run(main())
    assert [line["status"] for line in story.notes.of("party")][2:] == ["left"]
