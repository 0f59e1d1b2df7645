"""Whoever says that they want no more calls: it is kept, put on record, and confirmed aloud."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from agent.call.call import Call
from agent.call.opting_out import KEPT_WITHIN, OptingOut, no_more_calls
from agent.store.errors import StoreError
from pipelines.conversation import Brief, Message, ToolCall
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece
from tests.agent.conversation import SCRIPT, Talk, talk, voice


class Obliging(scripted.LanguageModel):
    """Uses the tool, and says what it gave."""

    def __init__(self) -> None:
        super().__init__(scripted.LanguageModelOptions())

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        assert "no_more_calls" in {spec.name for spec in brief.tools}
        if conversation[-1].results:
            yield conversation[-1].results[-1].text
        else:
            yield ToolCall("no_more_calls", {})


def opting_out(new: bool | None) -> tuple[Talk, list[dict[str, object]]]:
    """Have somebody say so; keeping it fails if ``new`` is None."""
    noted: list[dict[str, object]] = []

    async def keep(how: str) -> bool:
        assert how == "model"
        if new is None:
            raise StoreError("it is away")
        return new

    def note(kind: str, **fields: object) -> None:
        noted.append({"kind": kind, **fields})

    said = "." * 30 + "+" * 10 + "." * 120
    tools = (no_more_calls(keep, note),)
    return talk(said, voice(["Take me off your list."], llm=Obliging()), tools=tools), noted


@pytest.mark.parametrize(("new", "more"), [(True, {}), (False, {"known": True})])
def test_it_is_kept_and_confirmed(new: bool, more: dict[str, object]) -> None:
    """Once is enough; to say it again does no harm."""
    done, noted = opting_out(new)
    assert noted == [{"kind": "opt_out", "by": "model", **more}]
    assert "no agent of ours will call them again" in done.notes.of("agent")[-1]["text"]
    assert done.notes.of("tool")[0]["status"] == "done"


def test_what_could_not_be_kept_is_not_promised() -> None:
    """The database is away: the model is told so."""
    done, noted = opting_out(None)
    assert noted == []
    assert done.notes.of("tool")[0]["status"] == "failed"
    assert "It could not be kept." in done.notes.of("agent")[-1]["text"]


DONE = "Nobody calls you again. Goodbye."
BY_KEY = replace(
    SCRIPT,
    greeting="Hello. Your table is booked for tonight, at eight, for two. Press nine to be let be.",
    disclosure="I am a machine that books tables.",
    outgoing=True,
    opt_out_key="9",
    opted_out=DONE,
)


def pressing(
    at: float, keys: str, new: bool | None = True, *, takes: float = 0.1, lasts: int = 200
) -> tuple[Talk, list[str]]:
    """Have somebody press them then; keeping it takes that long, and fails if ``new`` is None."""
    kept: list[str] = []
    by_key: list[OptingOut] = []

    async def keep(how: str) -> bool:
        assert how == "keys"
        await asyncio.sleep(takes)
        if new is None:
            raise StoreError("it is away")
        kept.append("kept")
        return new

    def made(call: Call) -> None:
        by_key.append(OptingOut(keep, call.history, call.obey, BY_KEY))
        asyncio.get_running_loop().call_later(at, call._press, keys)

    def over(_at: float) -> None:
        closing.append(asyncio.ensure_future(by_key[0].aclose()))

    closing: list[asyncio.Future[None]] = []
    lines = voice(replies=["Which table?"])
    script = "." * lasts
    leaves = 2 if lasts * 0.1 < at + min(takes, KEPT_WITHIN) else 1
    done = talk(script, lines, script=BY_KEY, made=made, gone=over, leaves=leaves)
    return done, kept


@pytest.mark.parametrize(
    ("at", "before"),
    [(0.5, [BY_KEY.disclosure]), (4.5, [BY_KEY.disclosure]), (19.0, None)],
    ids=["over the disclosure", "over the greeting", "afterwards"],
)
def test_a_key_is_kept_confirmed_and_hung_up(at: float, before: list[str] | None) -> None:
    """At once over a greeting; a disclosure is heard to its end first. No model is asked."""
    done, kept = pressing(at, "9", lasts=300)
    heard = [line for line in done.notes.of("agent") if not line["cut_off"]]
    assert heard[-1]["text"] == DONE
    assert before is None or [line["text"] for line in heard[:-1]] == before
    assert kept == ["kept"]
    assert [(line["by"], "known" in line) for line in done.notes.of("opt_out")] == [("keys", False)]
    assert done.ending == "the agent hung up"
    assert ("assistant", "Which table?") not in done.lines


def test_pressed_twice_it_is_kept_once() -> None:
    """And other keys are the agent's as ever."""
    done, kept = pressing(19.0, "99", lasts=300)
    assert kept == ["kept"]
    assert len(done.notes.of("opt_out")) == 1
    other, kept = pressing(19.0, "5", lasts=300)
    assert kept == []
    assert ("user", "Keypad: 5") in other.lines


def test_who_presses_it_and_hangs_up_has_opted_out() -> None:
    """The call is over before it is kept."""
    done, kept = pressing(1.5, "9", takes=1.0, lasts=20)
    assert done.ending == "the caller hung up"
    assert kept == ["kept"]


@pytest.mark.parametrize("takes", [0.1, 60.0], ids=["it fails", "it hangs"])
def test_a_key_promises_nothing_that_was_not_kept(takes: float) -> None:
    """The agent says goodbye, and the record tells that it could not be kept."""
    done, kept = pressing(12.0, "9", None, takes=takes, lasts=300)
    assert kept == []
    assert [line["failed"] for line in done.notes.of("opt_out")] == [True]
    assert DONE not in [line["text"] for line in done.notes.of("agent")]
    assert done.notes.of("agent")[-1]["text"] == SCRIPT.brief.goodbye
