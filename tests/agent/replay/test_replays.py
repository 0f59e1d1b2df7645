"""Whole replays in virtual time: the same each time, and better or worse where something is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.records.recordings.stereo import StereoAudio
from agent.replay.batch import ReplayPace, ReplayResults
from agent.replay.comparison import (
    Difference,
    as_json,
    difference_as_json,
    over_all,
    plain_words,
    to_listen_to,
)
from agent.replay.side_by_side import cells, conversation, over_all_calls, wrapped
from agent.settings import Settings, SettingsError
from pipelines.audio import Audio, at_rate
from pipelines.conversation import ToolSpec
from pipelines.tools.tool import Tool
from tests.agent.replay.recorded import RATE, put, replayed, settings, silence, sound_of, tone
from tests.recordings import load

WORDS = ["seven", "no", "saturday", "thank-you", "try-again", "one-moment"]


def llm(delay: float, *lines: str) -> dict[str, Any]:
    options = {"lines": lines or ("It is this one.", "Good."), "delay": delay}
    return {"provider": "scripted", "options": options}


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six calls that an agent has held whose model takes a second: recordings and records."""
    folder = tmp_path_factory.mktemp("held")
    for number, word in enumerate(WORDS):
        put(folder / "sounds", f"call{number}", sound_of([word], greeting=0.5))
    results = replayed(folder / "sounds", folder / "calls", settings(folder, llm=llm(1.0)))
    assert not results.failed
    return folder / "calls"


def some(held: Path, folder: Path, calls: int) -> Path:
    """Return a folder with the first of them."""
    folder.mkdir()
    for path in held.glob(f"call[0-{calls - 1}].*"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def by_figure(results: ReplayResults) -> dict[str, Difference]:
    return {one.figure.name: one for one in over_all(results.calls)}


def test_a_replay_is_the_same_each_time(held: Path, tmp_path: Path) -> None:
    """Its record and its recording, byte for byte; and so is what was found."""
    given, calls = settings(tmp_path, llm=llm(0.3)), some(held, tmp_path / "in", 2)
    first = replayed(calls, tmp_path / "first", given)
    second = replayed(calls, tmp_path / "second", given)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert len(names) == 4
    for name in names:
        one, other = (tmp_path / folder / name for folder in ("first", "second"))
        assert one.read_bytes() == other.read_bytes(), name
    assert [one.now for one in first.calls] == [one.now for one in second.calls]
    together = replayed(calls, tmp_path / "third", given, ReplayPace(at_once=2))
    assert [one.now["response"] for one in together.calls] == pytest.approx(
        [one.now["response"] for one in first.calls], abs=0.021
    )


def test_the_same_configuration_shows_no_difference(held: Path, tmp_path: Path) -> None:
    """Of a frame; nothing is to be listened to."""
    results = replayed(held, tmp_path / "now", settings(tmp_path, llm=llm(1.0)))
    found = by_figure(results)
    assert found["response"].n == 6
    assert found["response"].value == pytest.approx(0.0, abs=0.021)
    shown = {one.verdict for one in found.values() if one.figure.judged}
    assert shown == {"no difference shown", "too few calls to tell"}
    assert (found["response"].same, found["response"].verdict) == (6, "no difference shown")
    assert to_listen_to(results.calls) == []
    assert all(one.words_changed == 0 for one in results.calls)


def test_a_faster_provider_shows_as_better(held: Path, tmp_path: Path) -> None:
    """By what it is faster, with an interval without 0 in it."""
    found = by_figure(replayed(held, tmp_path / "fast", settings(tmp_path, llm=llm(0.6))))
    response = found["response"]
    assert response.interval is not None
    assert response.interval[1] < 0
    assert response.value == pytest.approx(-0.4, abs=0.05)
    assert (response.verdict, response.fewer, response.more) == ("better", 6, 0)


def test_of_few_calls_there_is_no_number(held: Path, tmp_path: Path) -> None:
    """But how many got worse, and how many calls are needed; and which to listen to."""
    few = some(held, tmp_path / "few", 2)
    results = replayed(few, tmp_path / "now", settings(tmp_path, llm=llm(1.6)))
    response = by_figure(results)["response"]
    assert (response.n, response.value, response.interval, response.more) == (2, None, None, 2)
    assert "too few calls for a number (n=2, 6 are needed)" in over_all_calls(results.calls)
    assert difference_as_json(response)["verdict"] == "too few calls to tell"
    worst = to_listen_to(results.calls)
    assert len(worst) == 2
    assert "answers came 0.6" in worst[0].reasons[0].text


def test_what_was_heard_otherwise_shows(held: Path, tmp_path: Path) -> None:
    """A change of speech-to-text, in words of the caller."""
    other = {"provider": "scripted", "options": {"lines": ["What was it?", "I see."]}}
    calls = some(held, tmp_path / "in", 1)
    results = replayed(calls, tmp_path / "now", settings(tmp_path, llm=llm(1.0), stt=other))
    assert {one.words_changed for one in results.calls} == {1}
    assert "1 of the caller's 3 words were heard otherwise" in results.calls[0].reasons[0].text
    assert plain_words("What, WAS-it?") == ["what", "wasit"]


def test_a_lost_reply_is_the_first_to_be_listened_to(tmp_path: Path) -> None:
    """Whatever else there is."""
    put(tmp_path / "in", "a", sound_of(["seven"]), [{"kind": "agent", "at": 0.0, "text": "Hi."}])
    broken = {"provider": "scripted", "options": {"fault": "fails"}}
    results = replayed(tmp_path / "in", tmp_path / "out", settings(tmp_path, llm=broken))
    (call,) = results.calls
    assert "replies lost: " in call.reasons[0].text
    assert call.hear_now == str(tmp_path / "out" / "a.flac.flac")
    assert f"now:  {call.hear_now}" in over_all_calls(results.calls)


# Who speaks over whom


def spoken_over(folder: Path, words: str, after: float) -> None:
    """Put a call into a folder in which a caller speaks over the agent, so long after it began."""
    speech = load(words).pcm
    left = silence(after) + speech + silence(4.0)
    right = (tone(after + 0.3) + silence(1.5 + len(speech) / 2 / RATE) + tone(1.0)).ljust(
        len(left), b"\0"
    )
    put(
        folder, "over", StereoAudio(caller=Audio(left, RATE), agent=Audio(right[: len(left)], RATE))
    )


LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."


def greets(folder: Path, given: Settings, greeting: str) -> Settings:
    agent = folder / "prompts" / "it.md"
    agent.write_text(agent.read_text().replace("Hello there.", greeting))
    return given


@pytest.mark.parametrize(("greeting", "at"), [(LONG, 2.0), ("One two.", 0.9)])
def test_who_spoke_over_the_agent_does_so_now(greeting: str, at: float, tmp_path: Path) -> None:
    """So long after the new reply began; if that is over by then, soon after its end."""
    spoken_over(tmp_path / "in", "which-folder", 2.0)
    given = greets(tmp_path, settings(tmp_path), greeting)
    (call,) = replayed(tmp_path / "in", tmp_path / "out", given).calls
    (said,) = [one for turn in call.turns_now for one in turn.lines if one.who == "caller"]
    assert said.at == pytest.approx(at, abs=0.25)
    assert call.now["interrupted"] == int(greeting == LONG)
    assert call.now["cut_ins"] == 0


def test_an_agent_that_takes_a_pause_for_the_end_has_cut_in(tmp_path: Path) -> None:
    """The caller goes on as they did; it is the first reason to listen to the call."""
    speech = load("seven").pcm
    left = silence(1.6) + speech + silence(1.2) + speech
    right = tone(1.0) + silence(0.6 + 1.2 + 2 * len(speech) / 2 / RATE + 0.8) + tone(1.0)
    left = left.ljust(len(right) + 8000, b"\0")
    sound = StereoAudio(caller=Audio(left, RATE), agent=Audio(right.ljust(len(left), b"\0"), RATE))
    put(tmp_path / "in", "pause", sound, [{"kind": "agent", "at": 0.0, "text": "Hello."}])
    hasty = settings(tmp_path, vad={"end_after": 0.3})
    (call,) = replayed(tmp_path / "in", tmp_path / "out", hasty).calls
    assert (call.then["cut_ins"], call.now["cut_ins"]) == (0, 1)
    assert call.reasons[0].text == "cut into the caller: 1 more"


# What does not happen


def test_nothing_is_among_real_records(held: Path, tmp_path: Path) -> None:
    """No transcript, no phrase, no database: all of it is in the folder that was named."""
    replayed(some(held, tmp_path / "in", 1), tmp_path / "out", settings(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"prompts", "in", "out"}
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "out").iterdir()} == {0}
    first = json.loads((tmp_path / "out" / "call0.flac.flac.jsonl").read_text().partition("\n")[0])
    assert first["replay_of"] == "call0.flac.flac"
    assert first["call_id"].startswith("replay-")


RAN: list[Mapping[str, Any]] = []


async def book(arguments: Mapping[str, Any], _about: object) -> str:
    RAN.append(arguments)
    return "booked for real"


TOOL = Tool(spec=ToolSpec(name="book", description="", parameters={"type": "object"}), run=book)


@pytest.mark.parametrize(
    ("recorded", "real", "told"),
    [(True, False, "booked then"), (False, False, "this tool was not run"), (True, True, "real")],
)
def test_tools_run_only_when_they_are_to(
    recorded: bool, real: bool, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise they give what was recorded, or a stand-in that says so."""
    RAN.clear()
    (tmp_path / "booking.py").write_text(
        "from tests.agent.replay.test_replays import RAN\n"
        'async def book() -> str:\n    """Book."""\n    RAN.append({})\n    return "for real"\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    given = settings(tmp_path, llm=llm(0.1, "One moment. [book]", "It is done."))
    agent = tmp_path / "prompts" / "it.md"
    agent.write_text(
        agent.read_text().replace("transfers:", "tools:\n  - python: booking:book\ntransfers:")
    )
    ran = {"kind": "tool", "at": 1.0, "name": "book", "arguments": {}, "result": "booked then"}
    events = [{**ran, "status": "done", "seconds": 0.1}] if recorded else []
    put(tmp_path / "in", "a", sound_of(["seven"]), [{"kind": "agent", "at": 0.0}, *events])
    results = replayed(tmp_path / "in", tmp_path / "out", given, tools=real)
    assert results.failed == []
    assert len(RAN) == int(real)
    assert results.calls[0].stood_in == int(not recorded)
    assert told in (tmp_path / "out" / "a.flac.jsonl").read_text()


@pytest.mark.parametrize(
    ("recorded", "ended"), [("done", "passed on"), ("failed", "the caller hung up"), (None, "on")]
)
def test_a_transfer_dials_nobody(recorded: str | None, ended: str, tmp_path: Path) -> None:
    """It ends as the recorded one did, after as long; where none was, it is taken."""
    events: list[dict[str, Any]] = [{"kind": "agent", "at": 0.0, "text": "Hi."}]
    if recorded is not None:
        events.append({"kind": "transfer", "at": 3.0, "to": "office", "status": "started"})
        events.append({"kind": "transfer", "at": 4.0, "to": "office", "status": recorded})
    put(tmp_path / "in", "a", sound_of(["seven"], answers=4.0), events)
    given = settings(tmp_path, llm=llm(0.1, "I connect you. [transfer office]"))
    (call,) = replayed(tmp_path / "in", tmp_path / "out", given).calls
    assert ended in call.ended_now
    assert "+12025550100" not in (tmp_path / "out" / "a.flac.jsonl").read_text()


def test_each_transfer_ends_as_that_one_did(tmp_path: Path) -> None:
    """The second that the agent makes as the second of the recorded call."""
    events: list[dict[str, Any]] = [{"kind": "agent", "at": 0.0, "text": "Hi."}]
    for at, status, more in ((3.0, "failed", {"why": "busy"}), (12.0, "done", {})):
        events.append({"kind": "transfer", "at": at, "to": "office", "status": "started"})
        over = {"kind": "transfer", "at": at + 1, "to": "office", "status": status, **more}
        events.append(over)
    put(tmp_path / "in", "a", sound_of(["seven", "seven"], answers=4.0), events)
    said = {"lines": ["The office, please.", "Please call the office again."]}
    stt = {"provider": "scripted", "options": said}
    given = settings(tmp_path, stt=stt, llm=llm(0.1, *["I connect you. [transfer office]"] * 2))
    (call,) = replayed(tmp_path / "in", tmp_path / "out", given).calls
    assert "passed on" in call.ended_now
    lines = (tmp_path / "out" / "a.flac.jsonl").read_text().splitlines()
    steps = [one for one in map(json.loads, lines) if one["kind"] == "transfer"]
    told = [(one["status"], one.get("why")) for one in steps]
    assert told == [("started", None), ("failed", "busy"), ("started", None), ("done", None)]


# What cannot be replayed


def test_each_that_cannot_be_replayed_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    """In one line each, without a traceback."""
    folder, good = tmp_path / "in", sound_of(["seven"])
    put(folder, "b-good", good, [])
    cut = put(folder, "c-cut", good)
    cut.write_bytes(cut.read_bytes()[:40])
    (folder / "d-none.wav").write_bytes(b"hello")
    (folder / "e-empty.flac").write_bytes(b"")
    put(
        folder,
        "f-silent",
        StereoAudio(caller=Audio(bytes(len(good.agent.pcm)), RATE), agent=good.agent),
    )
    put(folder, "g-agent", good, [], agent="gone")
    put(folder, "h-name", good, [], agent="../../etc/passwd")
    results = replayed(folder, tmp_path / "out", settings(tmp_path))
    assert [one.name for one in results.calls] == ["b-good.flac"]
    why = dict(results.failed)
    assert "no recording, or one that is cut off" in why["c-cut.flac"]
    assert "no recording, or one that is cut off" in why["d-none.wav"]
    assert "no recording, or one that is cut off" in why["e-empty.flac"]
    assert why["f-silent.flac"] == "no voice of a caller is in its recording"
    assert "gone.md" in why["g-agent.flac"]
    assert "a name is" in why["h-name.flac"]
    assert not [text for text in why.values() if "\n" in text]


def test_what_is_not_as_it_was_is_noted(tmp_path: Path) -> None:
    """Another rate, one channel, stretches that were paused, lines that cannot be read."""
    folder, sound = tmp_path / "in", sound_of(["seven"])
    other = StereoAudio(caller=at_rate([sound.caller], 22050), agent=at_rate([sound.agent], 22050))
    put(folder, "rate", other, [{"kind": "agent", "at": 0.0}])
    put(folder, "mono", StereoAudio(caller=sound.caller, agent=sound.caller))
    paused = [
        {"kind": "recording", "at": 0.0, "status": "started", "began": 0.0},
        {"kind": "recording", "at": 1.0, "status": "paused"},
        {"kind": "recording", "at": 2.5, "status": "resumed"},
        {"kind": "recording", "at": 3.5, "status": "paused"},
    ]
    path = put(folder, "pauses", sound, paused).with_suffix(".jsonl")
    path.write_text(path.read_text() + '{"kind": "agen\n[]\n')
    results = replayed(folder, tmp_path / "out", settings(tmp_path))
    notes = {one.name: " / ".join(one.notes) for one in results.calls}
    assert "recorded at 22050 Hz, replayed at 8000 Hz" in notes["rate.flac"]
    assert "a record of an older version" in notes["rate.flac"]
    assert "one channel" in notes["mono.flac"]
    assert "no record" in notes["mono.flac"]
    assert "not replayed: 1.0 to 2.5 s" in notes["pauses.flac"]
    assert "not replayed: from 3.5 s on" in notes["pauses.flac"]
    assert "2 lines of its record cannot be read" in notes["pauses.flac"]


def test_a_recording_may_begin_after_the_answer(tmp_path: Path) -> None:
    """Behind a consent: it is put where it was on the call's clock."""
    sound = sound_of(["seven"])
    late = StereoAudio(
        caller=Audio(sound.caller.pcm[16000:], RATE), agent=Audio(sound.agent.pcm[16000:], RATE)
    )
    began = {"kind": "recording", "at": 1.0, "status": "started", "began": 1.0}
    put(tmp_path / "whole", "a", sound, [])
    put(tmp_path / "late", "a", late, [began])
    whole, cut = (
        replayed(tmp_path / name, tmp_path / "out", settings(tmp_path), timeline=True).calls[0]
        for name in ("whole", "late")
    )
    assert cut.then["response"] == pytest.approx(whole.then["response"], abs=0.021)
    assert cut.now["response"] == pytest.approx(whole.now["response"], abs=0.021)


def test_a_bug_in_one_replay_ends_that_one(tmp_path: Path) -> None:
    """The others go on."""
    given = settings(tmp_path, llm={"provider": "tests.agent.replay.broken:LanguageModel"})
    agent = (tmp_path / "prompts" / "it.md").read_text()
    (tmp_path / "prompts" / "broken.md").write_text(agent.replace("Be brief.", "Break."))
    put(tmp_path / "in", "a", sound_of(["seven"]), [], agent="broken")
    put(tmp_path / "in", "b", sound_of(["seven"]), [])
    results = replayed(tmp_path / "in", tmp_path / "out", given)
    assert results.failed == [("a.flac", "a bug: ExceptionGroup")]
    assert [one.name for one in results.calls] == ["b.flac"]


def test_providers_that_cannot_start_end_all(tmp_path: Path) -> None:
    """In one line: it would be the same for each call."""
    put(tmp_path / "in", "a", sound_of(["seven"]), [])
    given = settings(tmp_path, llm={"provider": "tests.agent.replay.broken:NeverStarted"})
    with pytest.raises(SettingsError, match="no key"):
        replayed(tmp_path / "in", tmp_path / "out", given)


def test_providers_over_the_network_have_the_time_they_need(tmp_path: Path) -> None:
    """No deadline is jumped over while they are asked; and the report says so."""
    put(tmp_path / "in", "a", sound_of(["seven"]), [])
    given = settings(tmp_path, llm={"provider": "tests.agent.replay.broken:OverTheNetwork"})
    (call,) = replayed(tmp_path / "in", tmp_path / "out", given).calls
    assert call.real_time
    assert (call.now["failures"], call.now["missed"]) == (0, 0)


# As it is read


def test_both_are_read_side_by_side(held: Path, tmp_path: Path) -> None:
    """In the width of the terminal, with what a terminal would obey taken out."""
    evil = "\x1b[2J" + 30 * "long " + "営業時間は十時からです"
    given = settings(tmp_path, llm=llm(0.2, evil))
    (call,) = replayed(some(held, tmp_path / "in", 1), tmp_path / "out", given).calls
    for width in (60, 100, 173):
        text = conversation(call, width)
        table = [line for line in text.splitlines() if " | " in line]
        assert max(cells(line) for line in table) <= width
        assert "\x1b" not in text
        assert re.search(r"response time +\d\.\d\d s -> \d\.\d\d s", text)
    assert json.loads(json.dumps(as_json(call)))["turns"][1]["now"]["response"] is not None


def test_lines_are_as_wide_as_they_may_be() -> None:
    """Wide characters are two cells, and one that is too long is cut."""
    assert wrapped("a bb ccc", 4) == ["a bb", "ccc"]
    assert wrapped("", 4) == [""]
    assert all(cells(line) <= 6 for line in wrapped("営業時間は十時 " + 20 * "x" + " y", 6))
