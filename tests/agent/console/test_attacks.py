"""Who tries to see, hear or do what is not theirs, and whether it is known who did what."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from agent.console.hidden_numbers import HiddenNumbers
from agent.console.live.lines import call_as_shown, line_as_shown
from agent.console.sign_in import passwords
from agent.console.visitor import Role, Visitor
from agent.server import connections
from agent.server.live.feed import CallFeed
from agent.server.live.happenings import CallFacts, LastWords
from agent.settings.console import ConsoleUser
from tests.agent.console.pushed import Pushed, calling
from tests.agent.console.visiting import HASH, PASSWORD, USERS, Looker, looker
from tests.agent.loopback import declined, running

pytestmark = pytest.mark.usefixtures("nothing_left")

NUMBER, OURS, PASSED_ON = "+4915112345678", "+12025550123", "+442079460123"
FACTS = CallFacts(name="c1", agent="reception", record="r1", caller=NUMBER, called=OURS)
LUKE = Visitor(name="luke", role=Role.LOOK)


@pytest.mark.parametrize(
    "written",
    [
        "+4915112345678", "4915112345678", "+49 151 12345678", "0151 / 1234-5678",
        "(0151) 12345678",
        "+49 (151) 123 456 78", "015112345678", "+1 (202) 555-0123", "202-555-0123", "555 0123",
    ],
)  # fmt: skip
def test_a_number_is_hidden_however_it_is_written(written: str) -> None:
    """As people say it, and programs: of the parties, in words and in data."""
    hidden = HiddenNumbers(LUKE, (NUMBER, OURS))
    for hide in (hidden.said, hidden.written):
        digits = "".join(char for char in hide(f"Call {written} now.") if char.isdigit())
        assert len(digits.removeprefix("0")) == 2, hide(written)
    assert hidden.said("Order 4711-0815 of 2026-11-26.") == "Order 4711-0815 of 2026-11-26."


def test_what_is_pushed_stays_json_when_a_number_is_hidden() -> None:
    """A tool gives numbers of JSON as well as texts, however deep, and names of fields."""
    for value in (4915112345678, 442079460123, "+44 20 7946 0123", {"+442079460123": [NUMBER]}):
        fields = {"name": "look_up", "arguments": {"who": value}, "result": [value], "seconds": 0.2}
        line = line_as_shown("tool", fields, FACTS, LUKE)
        shown = json.loads(line)
        assert shown["seconds"] == 0.2
        digits = "".join(char for char in line if char.isdigit())
        assert not any(one[3:] in digits for one in (NUMBER, PASSED_ON))
    said = {"text": "I pass you on to 020 7946 0123."}
    assert "7946" not in line_as_shown("agent", said, FACTS, LUKE, [PASSED_ON])
    whole = line_as_shown("agent", said, FACTS, Visitor(name="lisa", role=Role.LISTEN))
    assert "7946" in whole


def test_no_words_are_listed_of_a_call_whose_record_is_not_known() -> None:
    """Nobody could be noted for having seen them."""
    feed = CallFeed(CallFacts(name="c1", agent="reception"))
    feed.said = LastWords("caller", "my secret")
    assert call_as_shown(feed, LUKE)["said"] is None


def test_what_operators_do_is_in_the_log(tmp_path: Path) -> None:
    """With who, and never what was said or dialled."""

    async def main() -> None:
        sections: dict[str, Any] = {"console": {"users": USERS}}
        async with running(tmp_path, **sections) as server, looker(server) as otto:
            await otto.sign_in("otto")
            async with calling(server.url):
                with capture_logs() as logs:
                    for what, body in (("hang-up", {"goodbye": True}),):
                        done = await otto.send("POST", f"/console/live/c1/{what}", json=body)
                        assert done.status == 202, done.text
                    assert (await otto.send("POST", "/console/phone")).status == 200
            acts = [one for one in logs if one["event"] == "done by the console"]
            assert [(one["what"], one["call_id"], one["who"]) for one in acts] == [
                ("hang up", "c1", "otto")
            ]
            (phone,) = (one for one in logs if one["event"] == "a browser may call")
            assert phone["who"] == "otto"
            assert "phone." not in str(logs)

    asyncio.run(main())


async def _signed_out(server: Any, path: str, who: str) -> bytes:
    """Look at what is pushed, sign out in another tab; return what came before it was cut off."""
    async with looker(server) as one, looker(server) as tab:
        await one.sign_in(who)
        tab.http.cookie_jar.update_cookies({c.key: c.value for c in one.http.cookie_jar})
        async with one.http.get(one.base + path) as answer:
            assert answer.status == 200
            await answer.content.read(1)
            assert (await tab.send("POST", "/console/sign-out")).status == 303
            async with asyncio.timeout(10):
                return await _rest(answer)


async def _rest(answer: Any) -> bytes:
    came = b""
    try:
        async for piece in answer.content.iter_any():
            came += piece
    except (OSError, aiohttp.ClientPayloadError):  # it was aborted
        return came
    return came


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/console/events", "luke"),
        ("/console/live/c1/events", "luke"),
        ("/console/live/c1/audio", "lisa"),
    ],
)
def test_the_real_streams_end_with_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, who: str
) -> None:
    """List, lines and audio of a call that goes on: none of them is pushed to who has left."""
    monkeypatch.setattr("agent.console.sign_in.guard.LOOK_EVERY", 0.05)

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server, calling(server.url):
            with capture_logs() as logs:
                await _signed_out(server, path, who)
            assert any(one["event"].startswith("cut off") for one in logs)

    asyncio.run(main())


def test_what_lasts_is_not_taken_for_a_slow_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events go on, whatever a request may take."""
    monkeypatch.setattr(connections, "REQUEST_WITHIN", 0.05)
    monkeypatch.setattr(connections, "LOOK_EVERY", 0.02)
    monkeypatch.setattr("agent.console.live.event_stream.BEAT_EVERY", 0.1)

    async def main() -> None:
        async with running(tmp_path) as server, looker(server) as one:
            answer = await one.http.get(one.base + "/console/events")
            async with answer:
                page = Pushed(answer)
                await page.until("calls")
                await asyncio.sleep(0.4)
                async with calling(server.url):
                    await page.until("call", name="c1")

    asyncio.run(main())


@pytest.mark.parametrize("last", ["x:" + "9" * 5000, "x:" + "9" * 30, "x:\u0663", ":1", "x:-1"])
def test_an_event_that_there_never_was(tmp_path: Path, last: str) -> None:
    """A browser may say that it was told anything: it is told all."""

    async def main() -> None:
        async with running(tmp_path) as server, looker(server) as one, calling(server.url):
            headers = {"last-event-id": last}
            address = one.base + "/console/live/c1/events"
            async with one.http.get(address, headers=headers) as answer:
                assert answer.status == 200
                assert "text" not in (await Pushed(answer).until("line", kind="call"))

    asyncio.run(main())


def test_who_may_not_call_by_the_phone_cannot_by_a_websocket(tmp_path: Path) -> None:
    """A page of ours brings a ticket; a script in it, typed by whoever only listens, has none."""

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server, looker(server) as lisa:
            await lisa.sign_in("lisa")
            assert (await lisa.send("POST", "/console/phone")).status == 403
            assert await declined(server.url, origin=lisa.base) == 403
            assert await declined(server.url) == 101  # a program of this machine

    asyncio.run(main())


def test_passwords_stand_back_from_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that checks one leaves the cores to calls; no other does."""
    found: list[int] = []
    mine = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, mine)

    class Checker:
        def verify(self, _known: str, _password: str) -> bool:
            found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return True

    monkeypatch.setattr(passwords, "_CHECKER", Checker())

    async def main() -> None:
        users = {"ann": ConsoleUser(password=HASH)}
        checked = passwords.Passwords(users)
        assert await checked.right("ann", PASSWORD)
        await checked.aclose()

    asyncio.run(main())
    assert found == [passwords.NICE]
    assert os.getpriority(os.PRIO_PROCESS, mine) == before


async def _status(one: Looker, words: str) -> int:
    return (await one.get(f"/console/calls?q={words}")).status


def test_nobody_finds_a_number_out_by_searching(tmp_path: Path) -> None:
    """Digit by digit, by who may not see numbers; words and short numbers are found."""

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server:
            async with looker(server) as luke:
                await luke.sign_in("luke")
                for words in ("20255*", "202+555+01*", '"2-0-2-5-5"', "x+%2B49151"):
                    assert await _status(luke, words) == 400, words
                for words in ("2026", "zanzibar", "room+101"):
                    assert await _status(luke, words) == 200, words
            async with looker(server) as lisa:
                await lisa.sign_in("lisa")
                assert await _status(lisa, "20255*") == 200

    asyncio.run(main())
