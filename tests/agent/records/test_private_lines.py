"""Lines of a call as they are written: nothing that was to go is ever in one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.records.journals.lines import read
from agent.records.journals.writer import RecordWriter
from agent.records.private_lines import WAITS, PrivateLines
from agent.records.recordings.silences import Silence
from agent.records.seals import KeySeal
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
            ("agent", "Four one one one, one one one one, go on."),
            ("filler", "One moment."),
            ("caller", "well, one one one one, one one one one"),
            ("agent", "Thank you, the one ending in 1111."),
        ]
    ) == [
        [],
        [],
        [],
        [("filler", "One moment.")],
        [
            ("caller", f"It's {CARD}"),
            ("heard", f"{CARD}, go on."),
            ("agent", f"{CARD}, go on."),
            ("caller", f"well, {CARD}"),
        ],
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


def heard(at: float, text: str, **more: object) -> tuple[str, dict[str, Any]]:
    """Return a part of what is heard, of 0.8 s."""
    return "heard", {"turn": 2, "at": at, "until": at + 0.8, "text": text, **more}


MORE = {"more": True}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (  # a sentence in parts is one line, at once when it is over
            [heard(1, "Your card is 4111", **MORE), heard(2, "1111 1111", **MORE),
             heard(3, "1111, right?")],
            ["Your card is [card number], right?"],
        ),
        (  # sentences of nothing but digits are read together, whatever is between
            [heard(1, "It is four."), heard(2, "One one one."), ("held", {"at": 2.5}),
             ("filler", {"turn": 2, "text": "One moment."}), ("resumed", {"at": 2.9}),
             heard(3, "One one one one."), heard(4, "One one one one one one one one. Thanks.")],
            ["It is [card number]. Thanks."],
        ),
        (  # others stay as they are
            [heard(1, "A table for two."), heard(2, "At eight", **MORE), heard(3, "tonight.")],
            ["A table for two.", "At eight tonight."],
        ),
        (  # a number that was broken off, told by how it would have gone on
            [heard(1, "It is 4111 1111", **MORE),
             ("agent", {"turn": 2, "at": 1.0, "text": "It is 4111 1111", "cut_off": True,
                        "unheard": "1111 1111. Is it?"})],
            ["It is [card number]", "It is [card number]", "[card number]. Is it?"],
        ),
    ],
)  # fmt: skip
def test_what_is_heard_in_parts_is_read_together(
    parts: list[tuple[str, dict[str, Any]]], expected: list[str]
) -> None:
    """No part of a number that the agent reads back is written, however it is divided."""
    lines = PrivateLines(ALL)
    lines.take("call", {"id": "a", "language": "en"})
    ready = [line for kind, fields in parts for line in lines.take(kind, fields)]
    ready += lines.take("ended", {"at": 9.0})
    spoken = [fields for kind, fields in ready if kind in ("heard", "agent")]
    texts = [one[name] for one in spoken for name in ("text", "unheard") if name in one]
    assert texts == expected
    assert ready[-1][0] == "ended"
    assert lines.rest() == []


def test_without_redaction_no_part_waits() -> None:
    """Each is on the disk while the next is spoken."""
    lines = PrivateLines()
    for kind, fields in (heard(1, "Your card is 4111", **MORE), heard(2, "1111.")):
        assert lines.take(kind, fields) == [(kind, fields)]


def test_a_sentence_in_parts_is_silenced_by_its_parts() -> None:
    """Where each was heard is known, so a hold costs nothing; the whole reply adds nothing."""
    told: list[Silence] = []
    lines = PrivateLines(("card",), silence=told.append)
    for kind, fields in (
        heard(1, "Well, as I said before, it is", **MORE),
        heard(10, "4111 1111 1111", **MORE),
        heard(20, "1111."),
        ("agent", {"turn": 2, "at": 1.0, "until": 20.8, "text": "Well, 4111 1111 1111 1111."}),
    ):
        lines.take(kind, fields)
    sure = [one for one in told if one.sure]
    assert [(round(one.start), round(one.end)) for one in sure] == [(9, 12), (19, 22)]


def test_what_waits_is_told_to_be_silenced_before_it_is_written() -> None:
    """If the process is killed then, no beginning of a number is left in the recording."""
    told: list[Silence] = []
    lines = PrivateLines(("card",), silence=told.append)
    lines.take("caller", {"at": 5.0, "until": 7.0, "text": "It's 4111 1111"})
    lines.take(*heard(8, "4111 1111", **MORE))
    assert [(one.who, round(one.start), round(one.end), one.sure) for one in told] == [
        ("caller", 4, 8, False), ("agent", 7, 10, False),
    ]  # fmt: skip


def test_a_line_that_comes_after_its_call_is_redacted_by_what_it_is_about(tmp_path: Path) -> None:
    """The summary, in any language; and what is known of a call that has no record."""

    async def late() -> None:
        writer = RecordWriter(tmp_path, privacy=lambda _: PrivateLines(ALL))
        fields = {"card": 4111111111111111, "notes": ["quatre un un un un un un un un un un un "
                  "un un un un"]}  # fmt: skip
        writer.add_later("summary", "", {"text": "Paid by 4111 1111 1111 1111.", "fields": fields})
        about = {"caller": "+12025550123", "language": "en", "headers": {"x": "4111111111111111"}}
        writer.platform_line("abc", {"result": "ANSWERED"}, about)
        await writer.aclose()

    asyncio.run(late())
    text = "".join(path.read_text() for path in tmp_path.glob("*.jsonl"))
    assert text.count(CARD) == 4
    assert "4111" not in text
    assert "un un" not in text
    assert "+12025550123" in text


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
    writer = RecordWriter(tmp_path, seal=seal, privacy=lambda _: PrivateLines(("card",)))
    record = writer.begin("abc", datetime(2026, 11, 26, tzinfo=UTC))
    record.add("call", id="r", agent="reception", caller="+12025550123", started="2026-11-26")
    record.add("caller", at=1.0, turn=1, text="zanzibar 4111 1111 1111 1111")
    record.add("ended", at=2.0, reason="the caller hung up")

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


def test_a_label_says_nothing_of_the_numbers_behind_it() -> None:
    """A text that is read again after its code was taken out keeps its other numbers."""
    lines = PrivateLines(("card",))
    lines.take("caller", {"text": "my card is 4111 1111 1111 1111", "at": 1.0})
    said = "Thanks, code 737. The code for pickup is 4711 at 10:45, that is 450 euros."
    [(_, fields)] = lines.take("agent", {"text": said, "at": 5.0})
    assert fields["text"] == said.replace("737", "[security code]")
