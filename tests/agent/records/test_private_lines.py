"""Lines of a call as they are written: nothing that was to go is ever in one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.records.lines import read
from agent.records.private_lines import WAITS, PrivateLines, Silence
from agent.records.seals import KeySeal
from agent.records.writer import RecordWriter
from agent.settings.privacy import Redacted
from tests.agent.records.test_seals import NEW

ALL = get_args(Redacted)
Told = tuple[str, str]


def written(told: Iterable[Told], lines: PrivateLines | None = None) -> list[list[Told]]:
    """Return what each line that is told has had written, and at last what the end has."""
    lines = lines or PrivateLines(ALL)
    lines.take("call", {"id": "a", "language": "en", "caller": "+12025550199"})
    given = []
    for at, (kind, text) in enumerate(told):
        ready = lines.take(kind, {"at": float(at), "text": text})
        given.append([(kind, fields["text"]) for kind, fields in ready])
    return [*given, [(kind, fields["text"]) for kind, fields in lines.rest()]]


CARD = "[card number]"


def test_a_number_in_two_turns_is_taken_out_of_both() -> None:
    """And out of what the agent repeated between; lines without digits of it do not wait."""
    assert written(
        [
            ("caller", "It's four one one one, one one one one"),
            ("heard", "Four one one one, one one one one, go on."),
            ("filler", "One moment."),
            ("caller", "well, one one one one, one one one one"),
            ("agent", "Thank you, the one ending in 1111."),
        ]
    ) == [
        [],
        [],
        [("filler", "One moment.")],
        [("caller", f"It's {CARD}"), ("heard", "[number], go on."), ("caller", f"well, {CARD}")],
        [("agent", "Thank you, the one ending in 1111.")],
        [],
    ]


def test_what_was_understood_is_written_only_if_nothing_of_it_may_go_on() -> None:
    """The rest of a number, or of an address, is still to come: the line of the whole tells it."""
    assert written(
        [
            ("understood", "It's four one one one"),
            ("understood", "My mail is john dot smith"),
            ("understood", "My mail is john dot smith at gmail dot com."),
            ("caller", "It's four one one one, one one one one"),
            ("understood", "well, one one one one, one one one one"),
            ("backchannel", "one one one one"),
            ("caller", "well, one one one one, one one one one"),
            ("understood", "A table for two."),
        ]
    ) == [
        *([], []),
        [("understood", "My mail is [e-mail address].")],
        *([], [], []),
        [("caller", f"It's {CARD}"), ("caller", f"well, {CARD}")],
        [("understood", "A table for two.")],
        [],
    ]


def test_what_was_understood_in_the_middle_of_a_turn_is_not_written() -> None:
    """Where something is taken out: what follows may show that it was to go. Otherwise it is."""
    fields = {
        "at": 1.0,
        "text": "I am four one one one, hold on, let me have a look",
        "so_far": True,
    }
    assert PrivateLines(ALL).take("understood", fields) == []
    assert PrivateLines().take("understood", fields) == [("understood", fields)]


@pytest.mark.parametrize(
    ("turns", "label"),
    [
        (["4111", "1111", "and 1111", "1111, that's it"], CARD),
        (["Keypad: 4111", "Keypad: 111111111111#"], CARD),
        (
            ["D E eight nine three seven oh four", "oh oh four four oh five three two oh one three",
             "oh oh oh"],
            "[account number]",
        ),
        (["it's john dot smith", "at gmail dot com"], "[e-mail address]"),
        (["my number is 202 555", "0123"], "[phone number]"),
        (["my social is 536", "90 4399"], "[identity number]"),
    ],
)  # fmt: skip
def test_so_is_anything_else_in_any_number_of_turns(turns: list[str], label: str) -> None:
    """Spoken, typed, spelled."""
    told = [(kind, text) for turn in turns for kind, text in (("caller", turn), ("agent", "Yes?"))]
    lines = [text for ready in written(told) for kind, text in ready if kind == "caller"]
    assert len(lines) == len(turns)
    assert all(label in text for text in lines), lines
    assert not any(char.isdigit() for text in lines for char in text)


def test_what_is_no_number_is_written_as_it_was_said() -> None:
    """With the caller's next turn, in its order, or at the end of the call."""
    assert written(
        [
            ("caller", "My order is 4711 2233"),
            ("agent", "Which one?"),
            ("caller", "The blue one"),
            ("caller", "number 815 4711"),
        ]
    ) == [
        [],
        [("agent", "Which one?")],
        [("caller", "My order is 4711 2233"), ("caller", "The blue one")],
        [],
        [("caller", "number 815 4711")],
    ]


def test_a_line_waits_for_a_minute_at_the_most() -> None:
    """Then it is written with the next line of any kind."""
    lines = PrivateLines(ALL)
    lines.take("call", {"id": "a", "language": "en"})
    assert lines.take("caller", {"at": 10.0, "text": "It's 4711 2233"}) == []
    assert len(lines.take("held", {"at": 10.0 + WAITS})) == 1
    ready = lines.take("resumed", {"at": 11.0 + WAITS})
    assert [kind for kind, _ in ready] == ["caller", "resumed"]


def test_few_turns_wait_at_all() -> None:
    """Times, guests and prices are written at once."""
    for text in ("A table for 4 at 7", "At half past eight", "Two, please", "Nine o'clock then"):
        assert written([("caller", text)])[0] == [("caller", text)]


def test_every_field_of_every_line_is_looked_at() -> None:
    """Arguments and results, by the names of their fields too; headers, summary, the unheard."""
    lines = PrivateLines(ALL)
    number = "4111111111111111"
    arguments = {"a": [{"card": int(number)}], "phone": "4155550132"}
    result = {"phone": "4155550132", "order": "4155550133"}
    told: list[tuple[str, dict[str, Any]]] = [
        ("call", {"id": number, "caller": "+12025550199", "headers": {"x": number}}),
        ("agent", {"at": 1.0, "text": "Hello.", "unheard": f"It is {number}."}),
        ("tool", {"name": "pay", "arguments": arguments}),
        ("tool", {"name": "look", "result": json.dumps(result)}),
        ("summary", {"text": f"Paid with {number}.", "fields": {"mail": "a@example.com"}}),
        ("some later kind", {"note": {number: [number]}}),
    ]  # fmt: skip
    ready = [line for kind, fields in told for line in lines.take(kind, fields)]
    assert len(ready) == len(told)
    assert ready[0][1] == {"id": number, "caller": "+12025550199", "headers": {"x": CARD}}
    assert ready[1][1]["unheard"] == f"It is {CARD}."
    assert ready[2][1]["arguments"] == {"a": [{"card": CARD}], "phone": "[phone number]"}
    assert json.loads(ready[3][1]["result"])["order"] == "4155550133"
    assert number not in json.dumps(ready[1:])
    assert "a@example.com" not in json.dumps(ready)


def test_the_same_stretch_of_the_recording_is_told() -> None:
    """Where the words are in the turn, with a margin; both speakers."""
    told: list[Silence] = []
    lines = PrivateLines(("card",), silence=told.append)
    lines.take("call", {"id": "a", "language": "en"})
    text = "Well, as I said before, my card number is 4111 1111 1111 1111"
    lines.take("caller", {"at": 10.0, "until": 22.0, "text": text})
    lines.take("agent", {"at": 23.0, "until": 25.0, "text": "Nothing to hide."})
    (one,) = told
    assert one.who == "caller"
    assert 10.0 < one.start < 14.0
    assert one.end >= 22.0


def test_lines_are_sealed_but_for_what_happened_and_when(tmp_path: Path) -> None:
    """A journal can be closed and loaded by its times; words cannot be read in its bytes."""
    seal = KeySeal([NEW])
    writer = RecordWriter(tmp_path, seal=seal, privacy=lambda: PrivateLines(("card",)))
    record = writer.begin("abc", datetime(2026, 11, 26, tzinfo=UTC))
    record.add("call", id="r", agent="reception", caller="+12025550123", started="2026-11-26")
    record.add("caller", at=1.0, turn=1, text="zanzibar 4111 1111 1111 1111")
    record.add("ended", at=2.0, reason="the caller hung up")

    import asyncio  # noqa: PLC0415

    async def close() -> None:
        await record.aclose()
        await writer.aclose()

    asyncio.run(close())
    (path,) = tmp_path.glob("*.jsonl")
    text = path.read_text()
    assert "zanzibar" not in text
    assert "12025550123" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(one["kind"], one.get("at")) for one in lines] == [
        ("call", None), ("caller", 1.0), ("ended", 2.0),
    ]  # fmt: skip
    shown = read(seal, text.splitlines()[1].encode())
    assert shown == ("caller", 1.0, {"turn": 1, "text": f"zanzibar {CARD}"})
