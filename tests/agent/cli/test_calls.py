"""``voice-agent calls``: records as a person reads them, and as a program does."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import time
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli import main
from agent.cli.calls import showing
from agent.cli.calls.terminal import Terminal, clock, harmless, table, width, wrapped
from agent.cli.calls.waterfall import waterfall
from agent.cli.calls.written import WrittenConversation
from agent.records.events import JournalLine, RecordedEvent
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.engine import SqlDatabase
from agent.store.store import opened
from tests.databases import FILE, alter

PLAIN = Terminal(colours=False, columns=None, blocks=True)

FIRST, SECOND = "20261126T100000.123-ab12cd34", "20261126T110000.000-ff00aa11"

Lines = list[tuple[str, float | None, dict[str, Any]]]

CALLS: Mapping[str, Lines] = {
    FIRST: [
        (
            "call",
            None,
            {
                "call_id": "sinch-1",
                "direction": "incoming",
                "caller": "+12025550123",
                "called": "+12025550199",
                "agent": "reception",
                "agent_version": "0f3a9b2c4d5e6f",
                "language": "en-US",
                "lineup": {"stt": ["deepgram"], "llm": ["openai", "lookup"]},
                "started": "2026-11-26T10:00:00.123+00:00",
            },
        ),
        ("heard", 0.1, {"turn": 1, "text": "Hello."}),
        ("agent", 0.1, {"turn": 1, "text": "Hello. How can I help?", "cut_off": False}),
        (
            "caller",
            6.8,
            {"turn": 2, "text": "When do you open?", "decided": {"by": "turn model"}},
        ),
        ("timing", 8.8, {"turn": 2, "speech_end": 8.0, "decided": 8.3, "heard": 8.5}),
        (
            "tool",
            8.2,
            {
                "name": "hours",
                "arguments": {"day": "Sunday"},
                "status": "done",
                "seconds": 0.12,
                "result": "10 to 20",
            },
        ),
        (
            "failover",
            8.3,
            {"stage": "llm", "provider": "openai", "to": "lookup", "error": "timeout"},
        ),
        ("held", 10.2, {"turn": 2}),
        ("barge_in", 10.7, {"by": "words"}),
        (
            "agent",
            8.5,
            {"turn": 2, "text": "At ten", "cut_off": True, "unheard": "in the morning."},
        ),
        ("caller", 10.3, {"turn": 3, "text": "\x1b[31mThanks\x07\r\n \u202e\x9bevil 予約"}),
        ("surprise", 11.0, {"a": 1}),
        ("usage", None, {"stage": "llm", "provider": "openai", "cost": 0.0007, "currency": "USD"}),
        ("ended", 15.0, {"reason": "the caller hung up", "hung_up_by": "caller"}),
        (
            "platform",
            15.1,
            {"result": "ANSWERED", "seconds": 15, "amount": "0.013", "currency": "USD"},
        ),
    ],
    SECOND: [
        (
            "call",
            None,
            {
                "call_id": "sinch-2",
                "dialled": "d-17",
                "direction": "outgoing",
                "caller": "+12025550199",
                "called": "sip:予約@example.com",
                "agent": "reminder",
                "language": "de",
                "started": "2026-11-26T11:00:00+00:00",
            },
        ),
        ("heard", 0.1, {"turn": 1, "text": "Guten Tag."}),
        ("heard", 3.1, {"turn": 1, "text": "Sie haben morgen"}),
        ("disclosed", 0.1, {"turn": 1, "text": "Guten", "cut_off": True}),
        ("ended", 4.1, {"reason": "interrupted"}),
    ],
}

SHOWN = """\
20261126T100000.123-ab12cd34
incoming call, 2026-11-26 10:00:00 to 10:00:15
  caller         +12025550123
  called         +12025550199
  agent          reception (version 0f3a9b2c4d5e)
  platform's id  sinch-1
  language       en-US
  line-up        stt deepgram, llm openai or lookup

    0:00  agent   Hello. How can I help?
    0:06  caller  When do you open?
                  (end of turn by turn model)
                  answered after 0.50 s
                    decided         +0.30 s  ████████████████████████
                    heard           +0.50 s                          ████████████████
    0:08  ·       tool hours({"day": "Sunday"}) done in 0.12 s: 10 to 20
    0:08  ·       llm: openai failed (timeout); lookup took over
    0:08  agent   At ten
                  (cut off; not heard: in the morning.)
    0:10  ·       stopped, because the caller began to speak
    0:10  caller  \\x1b[31mThanks\\x07 \\u202e\\x9bevil 予約
    0:10  ·       talked over, the reply was dropped: these words want an answer
    0:11  ·       surprise: a 1
    0:15  ·       the call ended: the caller hung up (hung up by caller)
    0:15  ·       the platform says: ANSWERED, 15 s, 0.013 USD

caller hung up after 0:15
  llm  openai: cost 0.0007, currency USD
  all providers together: 0.0007 USD
"""


def journal(name: str, lines: Lines, start: int = 0) -> list[JournalLine]:
    return [
        JournalLine(journal=name, line=start + n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two calls in its database."""
    folder = tmp_path_factory.mktemp("calls")

    async def fill() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{folder}/voice-agent.db")) as store:
            stored = StoredRecords(store.database, NoSeal())
            for name, lines in CALLS.items():
                await stored.add(journal(name, lines))

    asyncio.run(fill())
    (folder / "voice-agent.toml").write_text(f'database = "sqlite:///{folder}/voice-agent.db"\n')
    return folder


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """That folder is where we are, and it is in England, in winter."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TZ", "UTC")
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    time.tzset()
    yield folder
    monkeypatch.undo()
    time.tzset()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return the status of a command below `calls`, and what it prints on both streams."""
    try:
        status = main(["calls", *arguments])
    except SystemExit as exit_:
        status = int(str(exit_.code))
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.mark.parametrize("started", [-62135647200.0, 1e15])
def test_a_row_of_any_time_is_listed_and_shown(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], started: float
) -> None:
    """One that a version before has stored holds up no other."""
    for name in ("voice-agent.db", "voice-agent.toml"):
        shutil.copy(here / name, tmp_path)
    (tmp_path / "voice-agent.toml").write_text(f'database = "sqlite:///{tmp_path}/{FILE}"\n')
    alter(tmp_path, f"UPDATE call_records SET started = {started} WHERE id = '{FIRST}'")  # noqa: S608 - ours
    config = ("--config", str(tmp_path / "voice-agent.toml"))
    status, out, _ = run(capsys, "list", *config)
    assert (status, len(out.splitlines())) == (0, 3)
    for command in ("list", "show"):
        names = (FIRST,) if command == "show" else ()
        for how in ((), ("--json",)):
            assert run(capsys, command, *names, *how, *config)[0] == 0
    assert run(capsys, "export", FIRST, *config)[0] == 0


@pytest.mark.usefixtures("here")
def test_calls_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The latest first, in columns, with the median of the answer times; or as JSON."""
    status, out, _ = run(capsys, "list")
    assert status == 0
    assert out.splitlines()[1:] == [
        "2026-11-26 11:00:00    0:04  to    sip:予約@example.com  reminder   interrupted     "
        f"         {SECOND}",
        "2026-11-26 10:00:00    0:15  from  +12025550123          reception  caller hung up  "
        f" 0.50 s  {FIRST}",
    ]
    _, out, _ = run(capsys, "list", "--json", "--limit", "1")
    (one,) = [json.loads(line) for line in out.splitlines()]
    assert (one["id"], one["seconds"], one["answer_time"]) == (SECOND, 4.1, None)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--caller", "001 (202) 555-0123"], [FIRST]),
        (["--called", "sip:予約@example.com"], [SECOND]),
        (["--number", "+1 (202) 555-0123"], [FIRST]),
        (["--number", "sip:予約@example.com"], [SECOND]),
        (["--agent", "reminder", "--direction", "outgoing"], [SECOND]),
        (["--outcome", "interrupted", "--agent", "reception"], []),
        (["--disclosed", "no"], [FIRST]),
        (["--disclosed", "cut-off"], [SECOND]),
        (["--disclosed", "yes", "--agent", "reception"], []),
        (["--since", "2026-11-26T10:30", "--before", "2026-11-27"], [SECOND]),
        (["--before", "2026-11-26T11:30+01:00"], [FIRST]),
        (["--since", "500w", "--before", "400w"], []),
    ],
)
def test_calls_are_filtered(
    options: list[str], found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By all that is given, as people write it."""
    status, out, err = run(capsys, "list", "--json", *options)
    assert [json.loads(line)["id"] for line in out.splitlines()] == found
    assert (status, "no such calls" in err) == (0, not found)


@pytest.mark.usefixtures("here")
def test_calls_are_searched(capsys: pytest.CaptureFixture[str]) -> None:
    """With the line in which it stands; of a reply that broke off, too."""
    _, out, _ = run(capsys, "search", "opens", "helping")
    assert FIRST in out
    assert "\n      0:00 agent: Hello. How can I help?\n" in out
    _, out, _ = run(capsys, "search", "--json", "sie haben")
    assert json.loads(out)["found"] == {
        "kind": "agent",
        "at": 0.1,
        "text": "Guten Tag. Sie haben morgen",
        "language": "de",
    }
    assert run(capsys, "search", "haben sie")[1] == ""
    assert run(capsys, "search", "...") == (2, "", "voice-agent: there is no word in it\n")


@pytest.mark.usefixtures("here")
def test_a_call_is_shown_as_a_person_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    """By its id, its beginning, the platform's and ours; nothing of it controls a terminal."""
    for name in (FIRST, FIRST[:12], "sinch-1"):
        assert run(capsys, "show", name) == (0, SHOWN, "")
    _, out, _ = run(capsys, "show", "d-17")
    assert "    0:00  agent   Guten Tag. Sie haben morgen\n                  (cut off)\n" in out
    _, out, _ = run(capsys, "show", "--json", FIRST)
    assert [one["text"] for one in json.loads(out)["conversation"]][1::2] == [
        "When do you open?",
        "\x1b[31mThanks\x07\r\n \u202e\x9bevil 予約",
    ]
    for name, said in (("2026", "several calls begin so"), ("2", "several"), ("x", "no such call")):
        status, out, err = run(capsys, "show", name)
        assert (status, out, said in err) == (1, "", True)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "options",
    [
        ["list", "--since", "soon"],
        ["list", "--outcome", "gone"],
        ["list", "--limit", "0"],
        ["search"],
        ["show"],
        ["search", "x" * 1001],
    ],
)
def test_what_makes_no_sense_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line."""
    status, out, err = run(capsys, *options)
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_without_tables_it_says_what_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the service has never run."""
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, "list")
    assert (status, "voice-agent db upgrade" in err) == (1, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("here")
def test_a_live_call_is_followed_to_its_end(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sentence by sentence as they are heard, none told twice; the newest unless one is named."""
    name = "20261126T120000.000-00000000"
    call = {"call_id": "sinch-3", "agent": "reception", "started": "2026-11-26T12:00:00+00:00"}
    begun: Lines = [("call", None, call), ("heard", 0.1, {"turn": 1, "text": "One."})]
    rest: Lines = [
        ("heard", 0.6, {"turn": 1, "text": "And", "more": True}),
        ("heard", 1.0, {"turn": 1, "text": "two."}),
        ("agent", 0.1, {"turn": 1, "text": "One. And two.", "cut_off": True}),
        ("ended", 2.0, {"reason": "the agent hung up"}),
        ("platform", 2.0, {"result": "ANSWERED"}),
    ]

    async def story() -> None:
        database = SqlDatabase(DatabaseUrl(f"sqlite:///{folder}/voice-agent.db"))
        stored = StoredRecords(database, NoSeal())
        await stored.add(journal(name, begun))
        options = argparse.Namespace(id=None, json=False, config=None)
        following = asyncio.create_task(showing._print_live(options))
        said = ""
        while "One." not in said:
            await asyncio.sleep(0.02)
            said += capsys.readouterr().out
        assert not following.done()
        await stored.add(journal(name, rest, start=2))
        await asyncio.wait_for(following, 10)
        said += capsys.readouterr().out
        await database.aclose()
        assert said.splitlines()[-7:] == [
            "    0:00  agent   One.",
            "    0:00  agent   And two.",
            "                  (cut off)",
            "    0:02  ·       the call ended: the agent hung up",
            "    0:02  ·       the platform says: ANSWERED",
            "",
            "agent hung up after 0:02",
        ]

    asyncio.run(story())


@given(st.text())
def test_nothing_that_was_said_controls_a_terminal(said: str) -> None:
    """Whatever it is; and it is as wide as it says."""
    shown = harmless(said)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    shown.encode()
    for line in wrapped(shown, 10):
        assert width(line) <= 10
    assert "".join(wrapped(shown, 10)).replace(" ", "") == shown.replace(" ", "")


@given(
    st.sampled_from(
        ["timing", "tool", "caller", "agent", "heard", "ended", "platform", "failover"]
    ),
    st.dictionaries(
        st.sampled_from(["text", "speech_end", "heard", "decided", "seconds", "arguments", "turn"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
    ),
)
def test_a_line_of_any_content_is_told(kind: str, fields: dict[str, Any]) -> None:
    """Those of another version, or of a provider that says odd things."""
    event = RecordedEvent(id=1, kind=kind, at=1.0, fields=fields)
    for line in WrittenConversation(PLAIN).told(event):
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in line)


def test_columns_are_as_wide_as_they_look() -> None:
    """A Chinese character takes two, an accent none."""
    assert width("予約") == 4
    assert width("e\u0301") == 1
    assert table([["予", "x"], ["abc", "y"]]) == ["予   x", "abc  y"]
    assert [clock(one) for one in (None, 0.9, 61, 3723.4, -1.5)] == [
        "",
        "0:00",
        "1:01",
        "1:02:03",
        "-0:01",
    ]


def test_the_waterfall_of_a_draft_begins_before_the_end_of_the_turn() -> None:
    """Each step is a bar behind the one that it waits for; where they end is where it was heard."""
    draft = {"speech_end": 8.0, "transcript": 8.2, "first_token": 8.3, "decided": 8.4, "heard": 8.5}
    assert list(waterfall(draft, PLAIN)) == [
        "decided         +0.40 s  " + "█" * 32,
        "transcript      +0.20 s  " + "█" * 16,
        "first token     +0.30 s  " + " " * 15 + "█" * 8,
        "heard           +0.50 s  " + " " * 32 + "█" * 8,
    ]
    assert list(waterfall({"heard": 1.0}, PLAIN)) == []
