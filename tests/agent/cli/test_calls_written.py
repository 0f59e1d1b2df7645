"""What ``voice-agent calls show`` makes of lines and of what a call has cost, in words."""

from __future__ import annotations

from agent.cli.calls.terminal import Terminal
from agent.cli.calls.written import WrittenConversation, ending
from agent.records.events import CallRecord, Disclosed, RecordedEvent
from agent.records.happenings import happening
from agent.records.legs import TOLD

PLAIN = Terminal(colours=False, columns=None, blocks=True)

ANN, BEN = "+12025550123", "+12025550124"


def leg(what: str, **more: object) -> dict[str, object]:
    cost = {"result": "ANSWERED", "seconds": 6.0, "amount": 0.01, "currency": "EUR"}
    return {"leg": what, "what": what, **cost, **more}


def told(data: dict[str, object], disclosed: Disclosed | None = None) -> list[str]:
    """Return what is printed of a call that is over, below its outcome."""
    record = CallRecord(
        number=1, id="r1", started=0.0, ended=14.0, direction="incoming", agent="reception",
        outcome="caller hung up", data=data, disclosed=disclosed,
    )  # fmt: skip
    return [line.strip() for line in ending(record, PLAIN)][1:]


def test_each_is_told_of_who_heard_that_a_machine_talks() -> None:
    """The first by the agent; the others alone, as far as the platform tells."""
    legs: list[dict[str, object]] = [
        {"leg": "p1", "what": "party", "to": ANN, "disclosed": "yes"},
        {"leg": "t1", "what": "transfer", "to": BEN, "disclosed": "asked"},
        {"leg": "p2", "what": "party", "to": BEN},
    ]
    said = "told that a machine talks"
    assert told({"legs": legs}, "cut-off") == [
        f"{said}, by the agent: not to its end",
        f"{said}, on the line {ANN}: yes",
        f"{said}, passed on to {BEN}: {TOLD['asked']}",
    ]
    assert told({"discloses": True}, "no") == [f"{said}, by the agent: no"]
    assert told({}, "no") == []  # its file does not have it say so
    event = RecordedEvent(id=1, kind="leg", at=7.0, fields=legs[0])
    (line,) = WrittenConversation(PLAIN).told(event)
    assert line.endswith(f"leg of the call: on the line {ANN}, {said}: yes")
    dialled = RecordedEvent(id=1, kind="leg", at=7.0, fields=legs[2])
    assert list(WrittenConversation(PLAIN).told(dialled)) == []


def test_each_leg_is_told_in_words() -> None:
    """Those of a call are named as in the console; the one phone of a call needs no name."""
    phone = {"seconds": 14.0, "amount": 0.02, "currency": "EUR"}
    legs = [leg("party", to=ANN), leg("transfer", to=BEN), leg("stream")]

    assert told({"platform": phone}) == ["telephone line: 14 s, 0.0200 EUR"]
    assert told({"platform": phone, "legs": legs}) == [
        "telephone line: the phone: 14 s, 0.0200 EUR",
        f"telephone line: on the line {ANN}: 6 s, 0.0100 EUR",
        f"telephone line: passed on to {BEN}: 6 s, 0.0100 EUR",
        "telephone line: the agent: 6 s, 0.0100 EUR",
        "all telephone lines together: 0.0500 EUR",
    ]
    missed = {"result": "BUSY", "seconds": 0.0}
    nobody = [leg("party", to=ANN) | missed, {"leg": "p2", "what": "party", "to": BEN}]
    assert told({"platform": {"leg": "p2", **missed}, "legs": nobody}) == [
        f"telephone line: on the line {BEN}: BUSY, 0 s",
        f"telephone line: on the line {ANN}: BUSY, 0 s, 0.0100 EUR",
    ]
    event = RecordedEvent(id=1, kind="leg", at=None, fields=legs[1])
    assert happening(event).startswith(f"leg of the call: passed on to {BEN}: ANSWERED, 6.0 s")
    event = RecordedEvent(id=1, kind="leg", at=None, fields=leg("transfer"))
    assert happening(event).startswith("leg of the call: passed on: ANSWERED")


def test_what_was_said_to_others_is_marked() -> None:
    """So that it is seen why nothing answered it."""

    def told(**fields: str) -> str:
        event = RecordedEvent(id=1, kind="caller", at=6.0, fields={"text": "Wait, Ben.", **fields})
        return "\n".join(WrittenConversation(PLAIN).told(event))

    assert "(to others on the line, not answered)" in told(to="others")
    by = told(to="others", told_by="another name")
    assert "(to others on the line, not answered, told by another name)" in by
    assert "(to the agent, told by model)" in told(to="agent", told_by="model")
    assert "to others" not in told(to="agent")


def test_no_time_is_told_that_was_not_added() -> None:
    """What rounds to nothing is nothing."""
    decided = {"by": "text", "silence": 0.5, "extra": 0.001, "late": 0.12}
    lines = [("caller", 6.0, {"turn": 2, "text": "Hello?", "decided": decided})]
    written = WrittenConversation(PLAIN)
    events = [
        RecordedEvent(id=place, kind=kind, at=at, fields=fields)
        for place, (kind, at, fields) in enumerate(lines)
    ]
    told = "\n".join(line for event in events for line in written.told(event))
    assert "after 0.50 s of silence, 0.12 s of it for the words" in told
    assert "pauses" not in told
