"""When a call is recorded: consent first, pause, resume and stop, by word, key and operator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.call.call import Call
from agent.call.orders import CallerMoved, ControlRecording, Order, ReturnToCaller
from agent.records.access_log import AccessLog, RecordAccess, holder_of
from agent.records.events import JournalLine
from agent.records.recordings.audio_log import ENDING, read_log
from agent.records.recordings.encoding import finish
from agent.records.recordings.recording_files import RecordingWriter
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.server.call_recording import CallRecording, recording_of
from agent.settings.database import DatabaseUrl
from agent.settings.recording import RecordingSettings
from agent.store.store import opened
from pipelines.conversation import Brief, Message, ToolCall
from pipelines.listening.dtmf import tones
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece, ProviderError, Speech
from pipelines.reply.playout import PAUSE
from tests.agent.conversation import LOUD, RATE, SCRIPT, Caller, Talk, talk, voice
from tests.agent.loopback import command, dialled, running
from tests.agent.records.test_recording_files import AtOnce, write
from tests.agent.sinch.stories import TOKEN

CONSENT = "This call is recorded. Press nine to decline."


def recorded(
    folder: Path,
    caller: Caller | str,
    *,
    consent: str = "",
    llm: Any = None,
    tts: Any = None,
    said: str = "hello",
    made: Callable[[Call, CallRecording], object] = lambda _call, _recording: None,
    **settings: Any,
) -> Talk:
    """Hold a call that is recorded."""
    writer = RecordingWriter(folder, NoSeal(), limit_mb=1000, min_free_mb=0, threads=AtOnce())
    given = RecordingSettings(calls="on", consent=consent, **settings)
    recording, script = recording_of(given, writer, SCRIPT, "r1", RATE)
    assert recording is not None
    return talk(
        caller,
        voice([said], ["Good day."], llm=llm, tts=tts),
        script=script,
        recording=recording,
        made=lambda call: made(call, recording),
    )


def lines(talked: Talk) -> list[str]:
    return [line["status"] for line in talked.notes.of("recording")]


def part(folder: Path) -> Path:
    return folder / f"r1.flac{ENDING}"


def test_without_a_consent_sentence_it_begins_with_the_answer(tmp_path: Path) -> None:
    """And ends with the call, as long as that."""
    talked = recorded(tmp_path, "........................+++++.............................")
    started, stopped = talked.notes.of("recording")
    assert (started["began"], started["file"]) == (0.0, "r1.flac")
    done = finish(part(tmp_path), tmp_path / "r1.flac", NoSeal(), lambda _: True)
    assert done.seconds == pytest.approx(stopped["seconds"], abs=0.001)
    assert done.seconds == pytest.approx(5.8, abs=0.1)


def test_nothing_is_recorded_before_the_caller_has_heard_that_it_will_be(tmp_path: Path) -> None:
    """In full; the greeting follows at once, and is in it."""
    talked = recorded(tmp_path, "." * 100, consent=CONSENT)
    consent, greeting = talked.notes.of("agent")[:2]
    assert consent["text"] == CONSENT
    assert greeting["text"] == SCRIPT.greeting
    (started, _) = talked.notes.of("recording")
    said = 0.3 * len(CONSENT.split()) + PAUSE  # between its two sentences
    assert said <= started["began"] <= said + 0.05
    assert greeting["at"] - started["at"] <= 0.02
    with part(tmp_path).open("rb") as file:
        head, blocks = read_log(file)
    assert head.begin == round(started["began"] * RATE)
    assert min(block.start for block in blocks) >= head.begin


@pytest.mark.parametrize(
    ("said", "last"), [("I want a cake", "Good day."), ("hello", SCRIPT.greeting)]
)
def test_what_the_caller_says_over_it_does_not_cut_it_off_and_is_answered(
    tmp_path: Path, said: str, last: str
) -> None:
    """It takes the place of the greeting, as it may interrupt it; a greeting does neither."""
    talked = recorded(tmp_path, "......++++++++......" + "." * 80, consent=CONSENT, said=said)
    texts = [line["text"] for line in talked.notes.of("agent")]
    assert (texts[0], texts[-1]) == (CONSENT, last)
    assert [line["text"] for line in talked.notes.of("caller")] == [said]
    assert lines(talked) == ["started", "stopped"]


@pytest.mark.parametrize("seconds", [0, 1, 2])
def test_a_caller_who_hangs_up_before_is_not_recorded(tmp_path: Path, seconds: int) -> None:
    """Nothing of the call is on the disk."""
    talked = recorded(tmp_path, "." + "." * 10 * seconds, consent=CONSENT)
    assert lines(talked) == []
    assert not list(tmp_path.iterdir())


class Mute(scripted.Synthesizer):
    """A voice that cannot say that."""

    def __init__(self) -> None:
        super().__init__(scripted.SynthesizerOptions())

    async def speak(self, text: str, rate: int = RATE) -> AsyncGenerator[Speech, None]:
        if text in CONSENT:
            raise ProviderError("tts", "by chance")
        async with aclosing(super().speak(text, rate)) as pieces:
            async for piece in pieces:
                yield piece


def test_where_it_cannot_be_spoken_nothing_is_recorded(tmp_path: Path) -> None:
    """An apology is no consent, be it the last words of the call or not."""
    talked = recorded(tmp_path, "." * 120, consent=CONSENT, tts=Mute())
    assert talked.notes.of("failed")
    assert lines(talked) == []
    assert not list(tmp_path.iterdir())


def pressed(*keys: tuple[int, str], frames: int) -> list[bytes]:
    """Frames of silence, with keys that begin at some of them."""
    given = [bytes(len(LOUD))] * frames
    for first, key in keys:
        pcm = tones(key, RATE)
        for n, at in enumerate(range(0, len(pcm), len(LOUD))):
            given[first + n] = pcm[at : at + len(LOUD)].ljust(len(LOUD), b"\0")
    return given


class Presses(Caller):
    """A caller who presses keys."""

    def __init__(self, *keys: tuple[int, str], frames: int = 400) -> None:
        super().__init__("." * (frames // 5))
        self._frames = iter(pressed(*keys, frames=frames))

    async def receive(self) -> str | bytes | None:
        return next(self._frames, None) if await super().receive() is not None else None


def test_a_key_pauses_it_and_lets_it_go_on(tmp_path: Path) -> None:
    """The agent is not told of that key, but of the others."""
    caller = Presses((100, "*"), (130, "5"), (200, "*"))
    talked = recorded(tmp_path, caller, pause_key="*")
    assert lines(talked) == ["started", "paused", "resumed", "stopped"]
    paused, resumed = (line["at"] for line in talked.notes.of("recording")[1:3])
    assert [line["text"] for line in talked.notes.of("caller")] == ["Keypad: 5"]
    with part(tmp_path).open("rb") as file:
        blocks = read_log(file)[1]
    within = [b for b in blocks if paused * RATE <= b.start < resumed * RATE and b.length]
    assert not within
    assert any(b.start >= resumed * RATE for b in blocks if b.side == "caller")


@pytest.mark.parametrize("delete", [True, False])
def test_a_caller_who_declines_by_key_is_recorded_no_more(tmp_path: Path, delete: bool) -> None:
    """What was recorded goes, unless it is to be kept."""
    talked = recorded(tmp_path, Presses((100, "9")), stop_key="9", delete_declined=delete)
    stopped = talked.notes.of("recording")[-1]
    assert (stopped["status"], stopped["by"]) == ("stopped", "keys")
    assert stopped.get("deleted", False) == delete
    assert part(tmp_path).exists() != delete
    assert len(talked.notes.of("recording")) == 2


def test_a_caller_who_declines_while_they_are_told_is_not_recorded(tmp_path: Path) -> None:
    """Though they hear it to its end."""
    talked = recorded(tmp_path, Presses((20, "9")), consent=CONSENT, stop_key="9")
    assert lines(talked) == ["stopped"]
    assert not list(tmp_path.iterdir())


class Pauses(scripted.LanguageModel):
    """Asks for a tool before it answers."""

    def __init__(self, *names: str) -> None:
        super().__init__(scripted.LanguageModelOptions())
        self._names = names
        self.offered: set[str] = set()

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.offered = {spec.name for spec in brief.tools}
        if conversation[-1].results:
            yield conversation[-1].results[-1].text
        else:
            for name in self._names:
                yield ToolCall(name, {})


@pytest.mark.parametrize(
    ("tool", "statuses", "said"),
    [
        ("pause_recording", ["started", "paused", "stopped"], "paused"),
        ("stop_recording", ["started", "stopped"], "stopped for good"),
        ("resume_recording", ["started", "stopped"], "is being recorded"),
    ],
)
def test_the_model_does_so_at_the_word_of_the_caller(
    tmp_path: Path, tool: str, statuses: list[str], said: str
) -> None:
    """It is told what is so now."""
    llm = Pauses(tool)
    talked = recorded(tmp_path, "." * 30 + "+++++" + "." * 60, llm=llm)
    assert lines(talked) == statuses
    assert said in talked.notes.of("agent")[-1]["text"]
    assert llm.offered >= {"pause_recording", "resume_recording", "stop_recording"}


def test_a_call_that_is_not_recorded_has_no_such_tools(tmp_path: Path) -> None:
    """Nor is anything said of it."""
    llm = Pauses()
    script = replace(SCRIPT, recording_consent="")
    talk("." * 30 + "+++++" + "." * 60, voice(["hello"], llm=llm), script=script)
    assert not {name for name in llm.offered if "recording" in name}


def test_whoever_the_caller_is_passed_on_to_is_not_recorded(tmp_path: Path) -> None:
    """They were told nothing. An operator pauses and resumes before."""

    def made(call: Call, recording: CallRecording) -> None:
        loop = asyncio.get_running_loop()
        for at, order in (
            (2.0, ControlRecording(action="pause")),
            (3.0, ControlRecording(action="resume")),
            (4.0, CallerMoved(stay=True)),
        ):
            loop.call_later(at, call.obey, order)
            loop.call_later(at, recording.obey, order)

    talked = recorded(tmp_path, "." * 80, made=made)
    assert lines(talked) == ["started", "paused", "resumed", "stopped"]
    assert talked.notes.of("recording")[-1]["seconds"] == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize(
    ("calls", "record", "wanted"),
    [
        ("off", None, False),
        ("off", True, True),
        ("off", False, False),
        ("on", None, True),
        ("on", False, False),
        ("never", True, False),
    ],
)
def test_setting_and_agent_say_whether(
    tmp_path: Path, calls: Any, record: bool | None, wanted: bool
) -> None:
    """A message for an answering machine is never recorded."""
    writer = RecordingWriter(tmp_path, NoSeal(), limit_mb=1, min_free_mb=0)
    settings = RecordingSettings(calls=calls, consent="Ours.")
    script = replace(SCRIPT, record=record, recording_consent="Theirs.")
    recording, said = recording_of(settings, writer, script, "r1", RATE)
    assert (recording is not None) == wanted
    assert said.recording_consent == ("Theirs." if wanted else "")
    message = replace(script, hang_up_after_greeting=True)
    assert recording_of(settings, writer, message, "r1", RATE)[0] is None


# Over a real socket


def record_of(name: str, file: str) -> list[JournalLine]:
    """The lines of a call with a recording."""
    call = {"id": name, "call_id": f"sinch-{name}", "agent": "reception"}
    known = {"status": "stored", "file": file, "began": 0.5, "seconds": 6.0}
    given: list[tuple[str, dict[str, Any]]] = [("call", call), ("recording", known)]
    return [
        JournalLine(journal=name, line=n, kind=kind, at=None, fields=fields)
        for n, (kind, fields) in enumerate(given)
    ]


async def looked(folder: Path) -> list[RecordAccess]:
    """Return who has looked at the first record."""
    async with opened(DatabaseUrl(f"sqlite:///{folder}/voice-agent.db")) as store:
        return await AccessLog(store.database, "").of("a")


def test_an_operator_hears_pauses_and_stops_recordings(tmp_path: Path) -> None:
    """With the token alone; by range, too."""
    folder = tmp_path / "recordings"
    write(folder / f"a.flac{ENDING}", NoSeal())

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/voice-agent.db")) as store:
            stored = StoredRecords(store.database, NoSeal())
            await stored.add(record_of("a", "a.flac") + record_of("b", "b.flac"))
        async with (
            running(
                tmp_path,
                operator={"token": TOKEN},
                server={"open_to_loopback": True},
                recording={"calls": "on", "folder": folder, "min_free_mb": 0},
            ) as server,
            aiohttp.ClientSession(headers={"authorization": f"Bearer {TOKEN}"}) as http,
        ):
            base = server.url.replace("ws://", "http://").rpartition("/")[0]

            async def get(name: str, **headers: str) -> tuple[int, bytes, Any]:
                url = f"{base}/calls/{name}/recording"
                async with http.get(url, headers=headers) as answer:
                    return answer.status, await answer.read(), answer.headers

            for _ in range(100):  # it is finished, as what another process has left
                status, whole, headers = await get("sinch-a")
                if status == 200:
                    break
                await asyncio.sleep(0.05)
            assert headers["content-type"] == "audio/flac"
            assert whole[:4] == b"fLaC"
            assert int(headers["content-length"]) == len(whole)
            status, piece, headers = await get("a", range="bytes=4-9")
            assert (status, piece) == (206, whole[4:10])
            assert headers["content-range"] == f"bytes 4-9/{len(whole)}"
            assert (await get("a", range="bytes=99999999-"))[0] == 416
            assert (await get("a", authorization="Bearer wrong"))[0] == 401
            status, body, _ = await get("b")
            assert (status, b"deleted" in body) == (404, True)
            assert (await get("nobody"))[0] == 404
            await control(http, base, server.url)

    async def control(http: aiohttp.ClientSession, base: str, url: str) -> None:
        async with dialled(url) as socket:
            await socket.send_json({"command": "connect", "callId": "live"})
            assert await command(socket) == "answer"
            for _ in range(10):
                await socket.send_bytes(bytes(320))
            for name, action, status in (
                ("live", "pause", 202),
                ("live", "resume", 202),
                ("live", "erase", 400),
                ("another", "pause", 404),
                ("live", "stop", 202),
            ):
                path = f"{base}/calls/{name}/recording"
                async with http.post(path, json={"action": action}) as answer:
                    assert answer.status == status, action
        await http.get(f"{base}/calls", raise_for_status=True)
        await http.get(f"{base}/calls/a", raise_for_status=True)

    asyncio.run(main())
    noted = asyncio.run(looked(tmp_path))
    assert {one.what for one in noted} == {"play", "list", "show"}
    assert {one.who for one in noted} == {holder_of(TOKEN)}
    (transcript,) = (tmp_path / "transcripts").glob("*live.jsonl")
    statuses = [line for line in transcript.read_text().splitlines() if '"recording"' in line]
    assert len(statuses) == 4
    assert len(list(folder.glob("*.flac"))) == 2


@pytest.mark.parametrize(
    ("by_hand", "statuses"),
    [
        (False, ["started", "paused", "resumed", "stopped"]),
        (True, ["started", "paused", "stopped"]),
    ],
)
def test_it_pauses_while_the_caller_is_taken_over(
    tmp_path: Path, by_hand: bool, statuses: list[str]
) -> None:
    """Who takes them over was told nothing; what an operator has paused stays paused."""

    def made(call: Call, recording: CallRecording) -> None:
        orders: list[tuple[float, Order]] = [
            (2.0, CallerMoved(stay=True, returns=True)),
            (2.1, CallerMoved(stay=True, returns=True)),  # it may come twice
            (4.0, ReturnToCaller(by="operator")),
        ]
        if by_hand:
            orders.append((1.5, ControlRecording(action="pause")))
        for at, order in orders:
            for told in (call.obey, recording.obey):
                asyncio.get_running_loop().call_later(at, told, order)

    talked = recorded(tmp_path, "." * 60, made=made)
    assert lines(talked) == statuses
