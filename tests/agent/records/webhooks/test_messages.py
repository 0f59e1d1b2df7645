"""What is told of a call, and who is: made of lines and settings, without a database."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from agent.records.events import CallRecord, RecordedEvent
from agent.records.webhooks.endpoints import endpoints
from agent.records.webhooks.messages import event_of, message, message_id
from agent.server.checks import everything, needed
from agent.settings import Settings, SettingsError, load
from agent.settings.webhooks import WebhookSettings
from tests.agent.records.webhooks.receiver import ALL, SECRET

pytestmark = pytest.mark.usefixtures("tmp_path")  # they write files where they are

RECORD = CallRecord(
    number=1,
    id="a",
    started=1795687200.0,
    ended=None,
    direction="incoming",
    agent="reception",
    outcome="stopped",
    data={"agent": "reception", "caller": "+1555\ud83d", "headers": {"token": "x"}},
)


@pytest.mark.parametrize(
    ("kind", "fields", "event"),
    [
        ("call", {"agent": "reception"}, "call.started"),
        ("call", {"call_id": "x"}, None),  # nobody has answered it
        ("ended", {"reason": "interrupted"}, "call.ended"),
        ("platform", {"result": "BUSY"}, "call.settled"),
        ("transfer", {"status": "started"}, None),
        ("transfer", {"status": "done"}, "call.transferred"),
        ("recording", {"status": "started"}, None),
        ("recording", {"status": "stored"}, "call.recorded"),
        ("recording", {"status": ["stored"]}, None),
        ("summary", {}, "call.summarized"),
        ("summary", {"status": "done"}, "call.summarized"),
        ("caller", {"text": "Hello"}, None),
        ("call.ended", {}, None),
    ],
)
def test_some_lines_are_told(kind: str, fields: dict[str, Any], event: str | None) -> None:
    """By their kind, and how what they tell of went."""
    assert event_of(kind, fields) == event


@pytest.mark.parametrize("event", ALL)
@pytest.mark.parametrize("said", [None, []])
def test_any_line_makes_a_message(event: Any, said: list[RecordedEvent] | None) -> None:
    """Whatever is in it: it is JSON in UTF-8, in the form of the specification."""
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    fields = {"fields": deep, "seconds": float("nan"), "text": "\ud83d", "reason": ["x"]}
    line = RecordedEvent(id=1, kind="ended", at=None, fields=fields)
    read = json.loads(message(event, RECORD, line, said).decode())
    assert list(read) == ["type", "timestamp", "data"]
    assert (read["type"], read["timestamp"]) == (event, "2026-11-26T10:00:00.000Z")
    assert read["data"]["caller"] == "+1555\ufffd"
    assert "headers" not in read["data"]


def test_what_comes_after_the_call_has_its_own_time() -> None:
    """A line has none on the call's clock then."""
    for at, came, when in (
        (None, 1795687260.0, "10:01:00.000"),
        (5.5, 1795687260.0, "10:00:05.500"),
    ):
        line = RecordedEvent(id=1, kind="recording", at=at, fields={})
        read = json.loads(message("call.recorded", RECORD, line, None, came))
        assert read["timestamp"] == f"2026-11-26T{when}Z"


def test_a_message_is_known_by_whom_it_is_to_and_what_it_tells() -> None:
    """The same each time; another for another endpoint, journal or line. No dot is in it."""
    names = {message_id(*one) for one in (("crm", "a", 1), ("crm", "a", 2), ("crm", "b", 1))}
    names |= {message_id("crm", "a", 1), message_id("other", "a.\ud83d", 1)}
    assert len(names) == 4
    assert not [name for name in names if "." in name]


def settings(**given: Any) -> dict[str, WebhookSettings]:
    return {"crm": WebhookSettings(**{"url": "http://127.0.0.1/", "secret": SECRET, **given})}


def test_secrets_are_filled_in_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several while one is replaced; of the environment, or of a file."""
    monkeypatch.setenv("NEW", SECRET.replace("A", "B", 1))
    Path("old").write_text(SECRET + "\n")
    monkeypatch.setenv("OLD_FILE", "old")
    (one,) = endpoints(settings(secret="${NEW} ${OLD}", headers={"X-Key": "k ${OLD}"})).values()
    assert len(one.keys) == 2
    assert one.headers == {"X-Key": f"k {SECRET}"}
    assert "whsec" not in repr(one)
    assert "127.0.0.1" not in repr(one)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"secret": "${NO_SUCH}"},
            "webhooks.crm.secret: NO_SUCH: set it in the environment, or NO_SUCH_FILE",
        ),
        ({"secret": "hunter2"}, "webhooks.crm.secret: a secret is whsec_ and then 24 to 64"),
        ({"headers": {"webhook-id": "x"}}, "webhooks.crm.headers.webhook-id: this is sent by"),
        ({"headers": {"Host": "x"}}, "webhooks.crm.headers.Host: this is sent by"),
        ({"headers": {"a b": "x"}}, "webhooks.crm.headers: there is one whose name is none"),
        ({"headers": {"X": "a\r\nB: c"}}, "webhooks.crm.headers.X: a character that is not seen"),
    ],
)
def test_what_cannot_be_sent_is_told_before(given: dict[str, Any], why: str) -> None:
    """By its setting; a secret is not quoted."""
    with pytest.raises(ValueError, match=r"^webhooks\.crm") as caught:
        endpoints(settings(**given))
    assert str(caught.value).startswith(why)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'url = "ftp://x/"\nsecret = "x"',
        'url = "https://user:word@x/"\nsecret = "x"',
        'url = "https://x/"',
        'url = "https://x/"\nsecret = "x"\nevents = ["call.begun"]',
        'url = "https://x/"\nsecret = "x"\nevents = []',
        'url = "https://x/"\nsecret = "x"\nevent = ["call.ended"]',
    ],
)
def test_a_mistake_in_the_settings_stops_the_start(text: str) -> None:
    """In a line that names the endpoint, and no password."""
    Path("voice-agent.toml").write_text(f"[webhooks.crm]\n{text}\n")
    with pytest.raises(SettingsError, match=r"webhooks\.crm") as caught:
        load()
    assert "word@" not in str(caught.value)


def test_a_check_finds_what_is_wrong_with_an_endpoint() -> None:
    """Before a start, and at the start; that numbers travel in clear is a warning."""
    wrong = Settings(webhooks=settings(secret="whsec_short"))
    for look in (needed, everything):
        lines = [one.line for one in look(wrong) if one.place.startswith("webhooks")]
        assert lines == [f"webhooks.crm.secret: {BITS}"]
    plain = Settings(webhooks=settings(url="http://example.org/?token=hidden"))
    found = [one for one in everything(plain) if one.place.startswith("webhooks")]
    assert [(one.severity, one.place) for one in found] == [("warning", "webhooks.crm.url")]
    assert "hidden" not in found[0].line
    assert not [one for one in needed(plain) if one.place.startswith("webhooks")]
    assert "hidden" not in plain.effective()
    assert SECRET not in plain.effective()


BITS = "a secret is whsec_ and then 24 to 64 random bytes in base64"


def test_a_name_that_cannot_be_shown_is_none() -> None:
    """It stands in the log, in metrics and in the database."""
    Path("voice-agent.toml").write_text(
        f'[webhooks."a b"]\nurl = "https://x/"\nsecret = "{SECRET}"\n'
    )
    with pytest.raises(SettingsError):
        load()


def test_of_a_call_that_nobody_answered_the_platforms_word_is_told() -> None:
    """With its own name of the call, which stands in that line alone."""
    fields = {"call_id": "5f1c", "result": "NOANSWER", "reason": "TIMEOUT"}
    record = dataclasses.replace(RECORD, data={"platform": fields}, agent="")
    line = RecordedEvent(id=1, kind="platform", at=None, fields=fields)
    read = json.loads(message("call.settled", record, line, None))
    assert read["data"] == {
        "id": "a", "call_id": "5f1c", "started": "2026-11-26T10:00:00.000Z",
        "result": "NOANSWER", "reason": "TIMEOUT", "amount": None, "currency": "",
        "complete": True, "legs": [{"result": "NOANSWER", "reason": "TIMEOUT"}],
    }  # fmt: skip
