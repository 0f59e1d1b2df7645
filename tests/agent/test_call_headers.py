"""Headers of a call: the same names everywhere, as they were sent, and never ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import call_headers
from agent.call_headers import CallHeaders, of_call
from agent.personas import loader
from agent.personas.routing import fits
from agent.personas.script import SAMPLE, Details
from agent.server.admission import Admission, Caller
from agent.server.providers import warm_expected
from agent.settings import Settings
from agent.settings.sinch import Route
from agent.sinch import callbacks
from agent.stream.connect import parse, read_connect
from tests.agent.personas.inline import agents_in
from tests.agent.sinch.scripted import Story, tell

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


class Spy:
    """Providers that note which sentences are prepared."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    async def warm(self) -> None: ...

    async def prepare(self, sentences: list[str], *_: object) -> None:
        self.sentences = list(sentences)


def greetings(folder: Path, greeting: str, headers: object, version: str = "v1") -> list[str]:
    """Return how a caller is greeted who brings ``headers``: as prepared, and as spoken."""
    found: list[str] = []
    front = json.dumps({"greeting": greeting}, ensure_ascii=False)
    (folder / "reception.md").write_text(f"---\n{front}\n---\nBe brief.\n")
    ice: Mapping[str, Any] = {
        "event": "ice",
        "callid": "phone",
        "cli": "",
        "to": {"type": "did", "endpoint": "12025550199"},
        "callHeaders": headers,
    }
    incoming = {"callId": "phone", "sessionId": "s", "callHeaders": headers}
    body = ice if version == "v1" else {"event": "call.incoming", "call": incoming}

    async def call(story: Story) -> None:
        answer = await story.call_control.answer(callbacks.parse(json.dumps(body).encode()))
        spy = Spy()
        await warm_expected(spy, agents_in(folder), 8000, story.calls.expected[0])  # type: ignore[arg-type]
        found.append(spy.sentences[0])
        stream = str(answer).partition("wss://agent.example.com/stream/")[2]
        back = _call_headers_of(answer)
        message = parse(json.dumps({"command": "connect", "callId": "leg", "callHeaders": back}))
        assert message is not None
        settings = Settings()
        admission = Admission(
            server=settings.server,
            open_to_loopback=False,
            agents=agents_in(folder),
            usual="reception",
            tokens=story.tokens,
            call_control=story.call_control,
        )
        caller = Caller(query={}, path_token=stream.partition("'")[0], remote="", proxied=False)
        admitted = await admission.admit(caller, read_connect(message, None))
        found.append(admitted.script.own_sentences[0])
        assert admitted.headers["caller"] == ""
        assert admitted.headers["agent"] == "reception"
        assert "token" not in admitted.headers

    tell(folder, "v1" if version == "v1" else "v2", call)
    return found


def _call_headers_of(svaml: object) -> dict[str, str]:
    """Return the headers that a stream is given, as the platform gives them back."""
    match svaml:
        case {"callHeaders": list(pairs)}:
            return {pair["key"]: pair["value"] for pair in pairs}
        case dict():
            inner = [_call_headers_of(each) for each in svaml.values()]
        case list():
            inner = [_call_headers_of(each) for each in svaml]
        case _:
            return {}
    return next((one for one in inner if one), {})


HELLO = "Hello {{ headers.name or 'nobody' }}."


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("greeting", "headers", "said"),
    [
        (HELLO, [{"key": "name", "value": "Ann"}], "Hello Ann."),
        (HELLO, [{"key": "Name", "value": "Ann"}], "Hello Ann."),
        ("Hello {{ headers.NAME }}.", [{"key": "name", "value": "Ann"}], "Hello Ann."),
        ("Hello {{ headers['X-Name'] }}.", [{"key": "x-name", "value": "Ann"}], "Hello Ann."),
        ("Hello {{ headers['first name'] }}.", {"First Name": "Ann"}, "Hello Ann."),
        ("Hello {{ headers['a.b'] }}.", {"a.b": "Ann"}, "Hello Ann."),
        ("Hello {{ headers['größe'] }}.", {"Größe": "Ann"}, "Hello Ann."),
        ("Hello {{ headers.values }}.", {"values": "Ann"}, "Hello Ann."),
        ("Hello {{ headers['items'] }}.", {"items": "Ann"}, "Hello Ann."),
        (HELLO, {"name": "Zoë Ōno"}, "Hello Zoë Ōno."),
        (HELLO, {"name": "A" * 300}, f"Hello {'A' * 200}."),
        (HELLO, {**{f"h{n}": "x" for n in range(30)}, "name": "Ann"}, "Hello Ann."),
        (HELLO, [{"key": "Name", "value": ""}, {"key": "name", "value": "Ann"}], "Hello Ann."),
        (HELLO, [{"key": "Name", "value": "Ann"}, {"key": "name", "value": "Bob"}], "Hello Ann."),
        (HELLO, {"name": 7}, "Hello seven."),
        (HELLO, {"name": True}, "Hello true."),
        (HELLO, {"name": ["Ann", "Bob"]}, "Hello Ann, Bob."),
        (HELLO, {"name": None}, "Hello nobody."),
        (HELLO, {"name": {"a": 1}}, "Hello nobody."),
        (HELLO, {"x-name": "Ann"}, "Hello nobody."),
        (HELLO, "name=Ann", "Hello nobody."),
        (HELLO, {"name": "{{ call_id }}"}, "Hello call id."),
        ("It is {{ time and 'now' }}.", {"time": "", "Date": "1"}, "It is now."),
        ("Hello {{ caller or 'you' }}.", {"caller": "+15550000009", "Caller": "x"}, "Hello you."),
        ("Hello {{ headers.caller or 'you' }}.", {" CALLER ": "x"}, "Hello you."),
        ("Hello {{ headers.token or 'you' }}.", {"token": "x", "to\u212aen": "x"}, "Hello you."),
    ],
)
def test_a_greeting_is_prepared_as_it_is_spoken(
    tmp_path: Path, version: str, greeting: str, headers: object, said: str
) -> None:
    """By the names that the headers were sent with, whatever of them the stream can carry."""
    assert greetings(tmp_path, greeting, headers, version) == [said, said]


@given(VALUES)
def test_anything_can_be_headers(given_headers: object) -> None:
    """What is none is left out; what is left is text, bounded, in a list or an object alike."""
    headers = call_headers.read(given_headers)
    assert len(headers) <= call_headers.MOST
    for name, value in headers.items():
        assert name.isprintable()
        assert 0 < len(name) <= call_headers.MAX_NAME
        assert len(value) <= call_headers.MAX_VALUE
        assert headers[f" {name} "] == value
        assert headers[name.upper()] == value or not name.isascii()


@given(st.dictionaries(st.text(), st.text()), st.sampled_from(call_headers.OURS))
def test_nobody_has_ours(others: dict[str, str], name: str) -> None:
    """However they are written: what we give under our names is what is found there."""
    given_headers = {**others, name.upper(): "theirs", f" {name.title()} ": "theirs"}
    headers = of_call("reception", "", "+12025550199", given_headers)
    assert (headers["agent"], headers["caller"]) == ("reception", "")
    assert headers["called"] == "+12025550199"
    assert "token" not in headers


@pytest.mark.parametrize("wanted", ["X-Tier", "x-tier", "X-TIER"])
@pytest.mark.parametrize("sent", ["X-Tier", "x-tier"])
def test_routes_know_the_same_names(wanted: str, sent: str) -> None:
    """As they were sent, in any case."""
    route = Route(agent="vip", headers={wanted: "gold"})
    assert fits(route, "", "", {sent: "Gold"})
    assert fits(route, "", "", CallHeaders([(sent, "Gold")]))
    assert not fits(route, "", "", {f"x-{sent}": "Gold"})


def test_headers_are_names_and_values_in_a_template() -> None:
    """As they were sent; what a stranger wrote is no markup."""
    text = (
        '---\ngreeting: "{% for k, v in headers.items() %}{{ k }}={{ v }};{% endfor %}'
        "{{ headers | length }}{{ 'x-a' in headers }}{{ headers.get('no', 'none') }}.\"\n---\nB."
    )
    about = Details(now=SAMPLE.now, headers={"X-A": "<b>1</b>", "b": "2"})
    assert loader.parse(text).render(about).greeting == "X-A=b 1 /b;b=2;2Truenone."


def test_what_is_kept_of_headers_is_neither_ours_nor_secret() -> None:
    """By their names, in any case; ours have fields of their own on the record."""
    secret = ["Authorization", "X-API-Key", "session-cookie", "myToken", "db_password"]
    given = [*((name, "s3cret") for name in (*secret, "agent", "Caller")), ("crm", "42")]
    assert CallHeaders(given).lasting == {"crm": "42"}
