"""`voice-agent sinch` and `voice-agent dial` as a user has them, with the real local models."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.settings.sinch import SinchSettings
from agent.simulator.sinch.stand_in import StandIn
from agent.sinch.api.setup import SetupError, setup, verify
from tests.agent.process.serving import AT_LEISURE, ROOT, SERVE_AT_ANY_LOAD
from tests.agent.sinch import schemas
from tests.agent.sinch.credentials import V1, V2
from tests.agent.sinch.stories import TOKEN, Story, free_port, tell
from tests.journals import records_of
from tests.patience import PATIENCE

COMMAND = [sys.executable, "-m", "agent.cli"]
PHONE = "+12025550123"
pytestmark = pytest.mark.timeout(400)  # models of this machine, which others may keep busy

AGENT = """---
greeting: Hello {{name}}, this is the bakery.
goodbye: Goodbye now.
variables: {name: there}
transfers:
  - {name: baker, to: "+12025550199", ask: Can I talk to a person?, announcement: One moment.}
facts: [On Sunday we open at ten in the morning.]
questions:
  - {ask: What time do you open on Sunday?, answer: On Sunday we open at ten in the morning.}
---
Be kind.
"""

BAKER = "+12025550199"
ASKING = AGENT.replace("announcement: One moment.", "announcement: One moment., warm: true")


@dataclass
class Desk:
    """A folder with a configuration, and the service running in it."""

    folder: Path
    port: int
    rest: int
    process: subprocess.Popen[str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def records(self) -> list[list[dict[str, Any]]]:
        """Return the lines of each transcript, oldest first."""
        return records_of(self.folder / "transcripts")

    def record_after(self, known: int) -> list[dict[str, Any]]:
        """Return the one record beyond those ``known``, once the platform has had its word.

        It is written a moment after the platform was answered: see `CallEndings._close_record`.
        """
        until = time.monotonic() + PATIENCE
        while not (
            (found := self.records()[known:])
            and any(line["kind"] == "platform" for line in found[0])
        ):
            assert time.monotonic() < until, found
            time.sleep(0.05)
        (record,) = found
        return record

    def lines_after(self, known: int, what: str) -> list[dict[str, Any]]:
        """Return all lines beyond those ``known`` records, once a leg that was ``what`` is over."""
        until = time.monotonic() + PATIENCE
        while True:
            found = [line for record in self.records()[known:] for line in record]
            if any(line.get("what") == what and "result" in line for line in found):
                return found
            assert time.monotonic() < until, found
            time.sleep(0.05)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    port, rest = free_port(), free_port()
    (folder / "prompts").mkdir()
    (folder / "prompts" / "reception.md").write_text(AGENT)
    (folder / "voice-agent.toml").write_text(
        f"""
        [server]
        port = {port}
        [records]
        keep_files = true
        [log]
        level = "debug"
        [operator]
        token = "{TOKEN}"
        [sinch]
        application_key = "{V1.key_id}"
        application_secret = "{V1.secret}"
        project_id = "project"
        service_id = "{V2.key_id}"
        service_secret = "{V2.secret}"
        access_key = "access"
        access_secret = "secret"
        public_url = "http://127.0.0.1:{port}"
        api_url = "http://127.0.0.1:{rest}"
        caller_id = "+12025550100"
        """
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            SERVE_AT_ANY_LOAD,
            cwd=folder,
            env=os.environ | AT_LEISURE | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("listening"), (folder / "log").read_text()
    yield Desk(folder, port, rest, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    process.stdout.close()


def test_the_running_server_is_verified(desk: Desk) -> None:
    """Every sample callback of both versions is answered as it should be; a slow one is said so."""
    done = desk.run("sinch", "verify")
    right = re.findall("as it should be|right, but slower", done.stdout)
    assert len(right) == len(done.stdout.splitlines()) == 16, done.stdout
    assert done.returncode == ("right, but slower" in right)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_somebody_calls(desk: Desk, version: str) -> None:
    """They ask and are answered; the record ends with our end of it, then the platform's."""
    known = len(desk.records())
    done = desk.run(
        "sinch", "stand-in", "--port", str(desk.rest), "--call", "+15550100", "--api", version,
        "--say", "What time do you open on Sunday?", "--say", "Goodbye.",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cuts in" not in done.stdout
    record = desk.record_after(known)
    said = " ".join(line["text"] for line in record if line["kind"] == "agent")
    assert "Hello there, this is the bakery." in said
    assert "On Sunday we open at ten in the morning." in said
    kinds = [line["kind"] for line in record]
    assert (kinds.count("ended"), kinds.count("platform")) == (1, 1)
    assert kinds.index("ended") < kinds.index("platform") == len(kinds) - 1


def test_we_dial_and_talk(desk: Desk) -> None:
    """`dial --wait` tells how it goes; the record has the variables' greeting and the price."""
    standin = subprocess.Popen(
        [*COMMAND, "sinch", "stand-in", "--port", str(desk.rest), "--phone", PHONE],
        cwd=desk.folder,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert standin.stdout is not None
        assert standin.stdout.readline().startswith("Sinch's API is at")
        known = len(desk.records())
        done = desk.run("dial", PHONE, "--var", "name=Ann", "--wait")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].endswith("ended (ANSWERED, CALLERHANGUP)")
        record = desk.record_after(known)
        said = [line["text"] for line in record if line["kind"] == "agent"]
        assert said == ["Hello Ann, this is the bakery."]
        (platform,) = [line for line in record if line["kind"] == "platform"]
        assert (platform["result"], platform["currency"]) == ("ANSWERED", "EUR")
        wrong = desk.run("dial", PHONE, "--agent", "nobody")
        assert wrong.returncode == 1
        assert "agents: reception" in wrong.stderr
    finally:
        standin.kill()
        standin.wait(PATIENCE)
        assert standin.stdout is not None
        standin.stdout.close()


@pytest.mark.parametrize(
    ("given", "told"), [(["1"], "accepted"), (["7", "1"], "accepted"), (["2"], "declined")]
)
def test_phones_of_the_stand_in_are_asked_whether_they_take_a_call(
    desk: Desk, given: list[str], told: str
) -> None:
    """`--at-menu` says what they answer, each time that they are asked."""
    (desk.folder / "prompts" / "asking.md").write_text(ASKING)
    command = ["sinch", "stand-in", "--port", str(desk.rest), "--phone", PHONE, "--phone", BAKER]
    answers = [
        *(word for one in given for word in ("--at-menu", one)),
        "--say",
        "Can I talk to a person?",
        "--say",
        "Thank you, I will wait.",
    ]
    known = len(desk.records())
    standin = subprocess.Popen(
        [*COMMAND, *command, *answers],
        cwd=desk.folder,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert standin.stdout is not None
        assert standin.stdout.readline().startswith("Sinch's API is at")
        done = desk.run("dial", PHONE, "--agent", "asking")
        assert done.returncode == 0, done.stderr
        # Two of the stand-in who are left to each other do not hang up; the agent's leg is over.
        lines = desk.lines_after(known, "stream")
        statuses = [line["status"] for line in lines if line["kind"] == "transfer"]
        assert statuses[:3] == ["started", "briefed", told]
        (leg,) = [line for line in lines if line.get("what") == "transfer" and "to" in line]
        assert leg["to"] == BAKER
    finally:
        standin.kill()
        standin.wait(PATIENCE)
        assert standin.stdout is not None
        standin.stdout.close()


def test_no_secret_and_no_number_is_in_the_log(desk: Desk) -> None:
    """Of all that this file did to the service; nor a token, nor a word.

    Nor is one in what aiohttp logs of requests that it cannot read; each line is one of ours.
    """
    for wrong in (
        f"GET /stream/{TOKEN} HTTP/9.9",
        f"GET /stream/{TOKEN}\xff HTTP/1.1",
        f"GET /calls HTTP/1.1\r\nAuthorization Bearer {TOKEN}",
        f"POST /sinch HTTP/1.1\r\nHost: x\r\nContent-Length: {TOKEN}",
        f"POST /sinch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{TOKEN}",
        "POST /sinch HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n"
        + TOKEN,
    ):
        with socket.create_connection(("127.0.0.1", desk.port), timeout=PATIENCE) as client:
            client.sendall(f"{wrong}\r\n\r\n".encode("latin-1"))
            assert b" 400 " in client.recv(100)
    until = time.monotonic() + PATIENCE  # a thread writes the log
    while '"aiohttp.server"' not in (log := (desk.folder / "log").read_text()):
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    assert "aiohttp.server" in {json.loads(line).get("library") for line in log.splitlines()}
    for hidden in (
        V1.secret,
        V2.secret,
        TOKEN,
        PHONE,
        PHONE[1:],
        "12025550199",
        "bakery",
        "/stream/",
    ):
        assert hidden not in log, hidden


def ready(version: str, url: str, **more: str) -> SinchSettings:
    account = {
        "api": version,
        "application_key": V1.key_id,
        "application_secret": V1.secret,
        "project_id": "project",
        "service_id": V2.key_id,
        "service_secret": V2.secret,
        "access_key": "access",
        "access_secret": "secret",
        "api_url": url,
        "public_url": "https://agent.example.com/voice",
    }
    return SinchSettings.model_validate(account | more)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_setting_up_is_one_command(version: str) -> None:
    """Credentials are tried, callbacks come here, and what is left is said."""

    async def story() -> None:
        standin = StandIn("", v1=V1, v2=V2, check=schemas.check)
        async with standin.running() as url:
            told: list[str] = []
            await setup(ready(version, url), told.append)
            assert standin.configured == {version: "https://agent.example.com/voice/sinch"}
            assert told[0].startswith("credentials: accepted")
            assert "left to do by hand:" in told
            if version == "v1":
                assert "number: +15550100" in told
            standin.failures.append(("GET", 401, {"errorCode": 40100, "message": "No."}, {}))
            with pytest.raises(SetupError, match=r"No\. \(HTTP 401, code 40100\)"):
                await setup(ready(version, url), told.append)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"public_url": ""}, "give --public-url"),
        ({"application_key": "", "application_secret": None}, "set sinch.application_key"),
    ],
)
def test_setting_up_without_what_it_takes_says_what(given: dict[str, Any], said: str) -> None:
    """Before anything is asked of Sinch."""
    with pytest.raises(SetupError, match=said):
        asyncio.run(setup(ready("v1", "http://127.0.0.1:9", **given), print))


def test_verify_finds_what_is_wrong(tmp_path: Path) -> None:
    """A server with another secret, and none at all."""

    async def story(s: Story) -> None:
        told: list[str] = []
        other = ready("v1", s.base, application_secret=V2.secret)
        assert not await verify(other, f"{s.base}/sinch", told.append)
        assert "HTTP 401, not 200" in told[0]
        assert not await verify(other, "http://127.0.0.1:9/sinch", told.append)
        assert "no answer" in told[-1]

    tell(tmp_path, "v1", story)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dial", PHONE], "set operator.token"),
        (["sinch", "setup"], "give --public-url"),
        (["sinch", "verify"], "no credentials"),
        (["sinch", "stand-in"], "set public_url and the credentials"),
    ],
)
def test_a_command_without_settings_is_one_line(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    """That says what to set; and a status that a script can see."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"application_key": "k"}, "application_key and application_secret go together"),
        ({"application_key": "k", "application_secret": "x!"}, "not base64"),
        ({"region": "us1"}, "region: version 1 has euc1"),
        ({"public_url": "agent.example.com"}, "should match pattern"),
        ({"caller_id": "me"}, "not a telephone number"),
        ({"routes": [{"caller": "+1*"}]}, "agent"),
    ],
)
def test_a_mistake_in_the_settings_is_found_at_the_start(
    section: dict[str, Any], said: str
) -> None:
    """Not in the first call."""
    with pytest.raises(ValueError, match=re.escape(said)):
        Settings.model_validate({"sinch": section})
