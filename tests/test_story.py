"""The whole story as a user has it: `voice-agent serve`, `voice-agent call`, the real local models.

Callers are recorded human speech at 8 kHz, or the local voice asking what no recording asks. What
the agent said is known by transcribing its audio back.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from standardwebhooks import Webhook

from agent.cli import main
from agent.records.recordings.stereo import read
from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.providers import moonshine
from tests.agent.process.serving import AT_LEISURE, ROOT, SERVE_AT_ANY_LOAD
from tests.journals import records_of
from tests.patience import PATIENCE

RECORDINGS = Path(__file__).parent / "recordings"
SECRET = "whsec_c3Rvcmllcy1hcmUtdG9sZC1pbi1vcmRlci1vbmNlLi4="
COMMAND = [sys.executable, "-m", "agent.cli"]


@dataclass
class Service:
    """A running `voice-agent serve`."""

    url: str
    process: subprocess.Popen[str]
    transcripts: Path
    log: Path

    def transcript(self) -> list[dict[str, Any]]:
        """Return the lines of the latest transcript."""
        # What came after a call, such as of its recording, is in a file of its own.
        return [one for one in records_of(self.transcripts) if one[0]["kind"] == "call"][-1]


def start(folder: Path, **environment: str) -> Service:
    """Start the service on a free port, as it comes but for the settings in the environment.

    It takes every call, and says nothing because something is late: the machine may be busy.
    """
    ours = {"VOICE_AGENT_SERVER__PORT": "0", "VOICE_AGENT_RECORDS__KEEP_FILES": "true"}
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            SERVE_AT_ANY_LOAD,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | AT_LEISURE | ours | environment,
        )
    assert process.stdout is not None
    url = process.stdout.readline().rpartition(" ")[2].strip()
    assert url.startswith("ws://"), log.read_text()
    return Service(url, process, folder / "transcripts", log)


def stop(service: Service) -> int:
    """Ask the service to stop; return its exit status."""
    service.process.send_signal(signal.SIGTERM)
    try:
        return service.process.wait(PATIENCE)
    finally:
        service.process.kill()
        assert service.process.stdout is not None
        service.process.stdout.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = start(tmp_path_factory.mktemp("service"))
    yield running
    assert stop(running) == 0


def call(url: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run `voice-agent call --json --transcribe`; return its status, report and error."""
    done = subprocess.run(
        [*COMMAND, "call", url, "--json", "--transcribe", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return done.returncode, report, done.stderr


def test_a_question_is_answered_from_the_agent_file(service: Service, tmp_path: Path) -> None:
    """The audio that the caller hears, transcribed back, is the answer that stands in the file."""
    saved = tmp_path / "call.wav"
    question = "What time do you open on Sunday?"
    status, report, error = call(service.url, "--say", question, "--save", str(saved))
    assert status == 0, error
    greeting, answer = report["agent_said"]
    assert "automated assistant" in greeting.lower()
    words = answer.lower()
    assert "sunday" in words
    assert "ten" in words or "10" in words
    (exchange,) = report["exchanges"]
    assert exchange["response"] > 0.3  # and less than the caller waits for
    assert report["gaps"] == 0
    assert report["unknown"] == 0
    with wave.open(str(saved)) as file:
        assert file.getnchannels() == 2
        assert file.getnframes() / file.getframerate() == pytest.approx(report["seconds"], abs=0.1)
    pieces = ("understood", "heard", "timing")
    kinds = [
        (line["kind"], line.get("cut_off"))
        for line in service.transcript()
        if line["kind"] not in pieces
    ]
    expected = [("call", None), ("agent", False), ("caller", None), ("agent", False)]
    assert kinds == [*expected, *[("usage", None)] * 3, ("ended", None)]


def test_a_human_goodbye_ends_the_call(service: Service) -> None:
    """A recorded person says it; the agent answers in kind, is heard out, and hangs up."""
    wav = str(RECORDINGS / "goodbye.wav")
    status, report, error = call(service.url, "--wav", wav)
    assert status == 0, error
    assert report["ended_by"] == "agent"
    # The local model hears it as "bye-bye" at times.
    assert "bye" in report["agent_said"][-1].lower()
    lines = service.transcript()
    assert [line["text"] for line in lines if line["kind"] == "caller"] == ["Goodbye."]
    assert lines[-1]["reason"] == "the agent hung up"


@pytest.mark.parametrize("rate", ["16000", "44100"])
def test_a_human_voice_is_heard_at_other_rates(service: Service, rate: str) -> None:
    """Thanks are understood, and answered."""
    wav = str(RECORDINGS / "thank-you.wav")
    status, report, error = call(service.url, "--wav", wav, "--rate", rate)
    assert status == 0, error
    assert "welcome" in report["agent_said"][-1].lower()


def test_a_human_who_talks_over_the_greeting_stops_it(service: Service) -> None:
    """`clear` follows the onset of speech; the transcript has only what was heard."""
    wav = str(RECORDINGS / "did-not-understand.wav")
    status, report, error = call(service.url, "--wav", wav, "--interrupt-after", "1.5")
    assert status == 0, error
    (exchange,) = report["exchanges"]
    assert exchange["clear"] is not None
    greeting = next(line for line in service.transcript() if line["kind"] == "agent")
    assert greeting["cut_off"]
    assert greeting["text"].startswith("Hello")
    assert len(greeting["text"].split()) < 8


def test_a_recording_is_what_both_sides_heard_when_they_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Sample by sample what the far end has, and within 100 ms where the transcript says.

    The caller talks over the greeting. What the agent says in the recording, between the times of
    the transcript, is transcribed back. A webhook tells of the call, and commands of its record.
    """
    with webhooks() as (told, address):
        hook = f'[webhooks.crm]\nurl = "{address}"\nsecret = "{SECRET}"\nconversation = true\n'
        (tmp_path / "voice-agent.toml").write_text(hook)
        running = start(tmp_path, VOICE_AGENT_RECORDING__CALLS="on")
        try:
            wav, saved = str(RECORDINGS / "did-not-understand.wav"), tmp_path / "far.wav"
            given = ("--wav", wav, "--interrupt-after", "1.5", "--save", str(saved))
            assert call(running.url, *given)[0] == 0
            lines = running.transcript()
            message = told.get(timeout=PATIENCE)
        finally:
            assert stop(running) == 0  # which finishes the recording
    assert message["type"] == "call.ended"
    assert message["data"]["id"] == lines[0]["id"]
    assert "understand" in str(message["data"]["conversation"]).lower()
    (file,) = (tmp_path / "recordings").iterdir()
    (stopped,) = (line for line in lines if line.get("status") == "stopped")
    assert file.name == stopped["file"]
    recorded, far = read(file), read(saved)
    rate = recorded.agent.rate
    for side in ("caller", "agent"):
        ours, theirs = (np.frombuffer(getattr(a, side).pcm, "<i2") for a in (recorded, far))
        loudest = int(np.convolve(ours.astype(float) ** 2, np.ones(rate), "valid").argmax())
        piece = ours[loudest : loudest + rate]
        found = theirs.tobytes().find(piece.tobytes())
        assert found >= 0, side
        assert abs(found / 2 - loudest) / rate <= 0.1, side
    agent = np.frombuffer(recorded.agent.pcm, "<i2")
    greeting, answer = (line for line in lines if line["kind"] == "agent")
    caller = next(line for line in lines if line["kind"] == "caller")
    assert greeting["cut_off"]
    assert heard_in(agent[: round(caller["at"] * rate) + rate // 2], rate).startswith("hello")
    begins = round((answer["at"] - 0.1) * rate)
    # A slow machine has it go on once, until it is known that the caller has said something.
    stopped_at = max(caller["at"] + 0.5, greeting["until"] + 0.1)
    between = agent[round(stopped_at * rate) : begins]
    assert not np.abs(between.astype(int)).max(initial=0) > 500, "it is silent until then"
    said = re.findall(r"[a-z]+", answer["text"].lower())
    heard = re.findall(r"[a-z]+", heard_in(agent[begins:], rate))
    assert len(set(said) & set(heard)) > len(set(said)) / 2
    monkeypatch.chdir(tmp_path)
    the_record_is_found_heard_exported_and_erased(tmp_path, lines[0]["id"], capfd)


def the_record_is_found_heard_exported_and_erased(
    folder: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the service stopped, by its commands: until nothing is left of it."""

    def calls(*arguments: str) -> str:
        capfd.readouterr()
        assert main(["calls", *arguments]) == 0
        return capfd.readouterr().out

    assert name in calls("list")
    assert name in calls("search", "understand")
    assert "talked over" in calls("show", name[:-4])
    calls("play", name[:-4], "--output", "heard.flac")
    assert (folder / "heard.flac").read_bytes()[:4] == b"fLaC"
    assert json.loads(calls("export", name))["id"] == name
    assert "Erased 1 calls" in calls("erase", name[:-4], "--yes")
    assert calls("list") == ""
    assert list((folder / "recordings").iterdir()) == []
    assert list((folder / "transcripts").rglob("*.jsonl")) == []


@contextmanager
def webhooks() -> Iterator[tuple[queue.Queue[dict[str, Any]], str]]:
    """Take webhooks on loopback; yields what was told and the address."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.put(Webhook(SECRET).verify(body, dict(self.headers)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told, f"http://127.0.0.1:{server.server_port}/calls"
        finally:
            server.shutdown()
            thread.join()


def heard_in(samples: np.ndarray, rate: int) -> str:
    """Transcribe by the local model, in lower case."""
    audio = at_rate([Audio(samples.tobytes(), rate)], SPEECH_RATE)

    async def speech() -> AsyncIterator[Audio]:
        yield audio

    async def main() -> str:
        ears = moonshine.Transcriber(moonshine.Transcriber.Options())
        await ears.start()
        try:
            return await ears.transcribe(speech())
        finally:
            await ears.aclose()

    return asyncio.run(main()).lower()


def test_no_words_reach_the_log(service: Service) -> None:
    """After all these calls: neither the caller's, nor the agent's, nor the prompt's."""
    log = service.log.read_text().lower()
    assert "call answered" in log
    for word in ("sunday", "goodbye", "welcome", "linden", "automated"):
        assert word not in log


def test_a_killed_service_has_written_what_was_said(tmp_path: Path) -> None:
    """SIGKILL in the middle of a call loses no line of what was already heard."""
    running = start(tmp_path)
    wav = str(RECORDINGS / "hello.wav")
    caller = subprocess.Popen(
        [*COMMAND, "call", running.url, "--wav", wav, "--wav", wav],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert caller.stdout is not None
        for line in caller.stdout:
            if "after the caller" in line:
                break
        time.sleep(0.5)
        running.process.kill()
        running.process.wait(PATIENCE)
        assert caller.wait(30) == 1  # the second turn is never answered
        kept = [line["kind"] for line in running.transcript()]
        assert [kind for kind in kept if kind in ("call", "agent", "caller")][:3] == [
            *("call", "agent", "caller"),
        ]
    finally:
        caller.kill()
        caller.wait(PATIENCE)
        assert caller.stdout is not None
        caller.stdout.close()
        assert running.process.stdout is not None
        running.process.stdout.close()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["ws://127.0.0.1:9/stream"], 1, "cannot connect"),
        (["ws://127.0.0.1:9/stream", "--wav", "nowhere.wav"], 2, "'nowhere.wav': no such file"),
        (["ws://127.0.0.1:9/stream", "--wav", __file__], 2, "test_story.py: no WAV"),
    ],
    ids=["no server", "no file", "no wav"],
)
def test_a_call_that_cannot_be_placed_is_one_line(
    arguments: list[str], status: int, message: str
) -> None:
    """And a status that a script can see."""
    done = subprocess.run(
        [*COMMAND, "call", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == status
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_in_use_is_one_line(service: Service, tmp_path: Path) -> None:
    """The start stops, and says which address."""
    port = service.url.rpartition(":")[2].partition("/")[0]
    done = subprocess.run(
        [*COMMAND, "serve", "--port", port],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert port in done.stderr.splitlines()[-1]
