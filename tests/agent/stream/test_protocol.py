"""The stream channel, without a network."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sinch_limits import DEFAULT_RATE, RATES
from agent.stream.connect import Connect, ProtocolError
from agent.stream.protocol import CallerAudio, Ignored, StreamProtocol, StreamState

V1 = {
    "command": "connect",
    "CallId": "c1",
    "ApplicationId": "a1",
    "Headers": {"Header1": "Value1", "ApplicationId": "h1"},
}
V2 = {
    "command": "connect",
    "version": 1,
    "callId": "c1",
    "applicationKey": "a1",
    "codec": "PCM",
    "sampleRate": 16000,
    "callHeaders": {"Header1": "Value1"},
}
TUTORIAL = {
    "command": "connect",
    "callId": "c1",
    "applicationId": "a1",
    "headers": {"Header1": "Value1"},
}
RELAY = {
    "command": "connect",
    "callId": "c1",
    "serviceId": "a1",
    "callHeaders": {"Header1": "Value1"},
}


def connect(message: object, requested_rate: int | None = None) -> Connect:
    event = StreamProtocol(requested_rate).receive(json.dumps(message))
    assert isinstance(event, Connect)
    return event


@pytest.mark.parametrize(
    "message", [V1, V2, TUTORIAL, RELAY], ids=["v1", "v2", "tutorial", "relay"]
)
@pytest.mark.parametrize("case", [str, str.upper, str.lower], ids=["as is", "upper", "lower"])
@pytest.mark.parametrize("as_list", [False, True], ids=["object", "list"])
def test_every_published_connect_is_understood(message: Any, case: Any, as_list: bool) -> None:
    """Ids and headers are found under every published name, in any case, headers in both forms."""
    changed = {case(key): value for key, value in message.items()}
    for key, value in changed.items():
        if isinstance(value, dict) and as_list:
            changed[key] = [{"key": k, "value": v} for k, v in value.items()]
    got = connect(changed)
    assert (got.call_id, got.application_id) == ("c1", "a1")
    assert got.headers["header1"] == "Value1"


@pytest.mark.parametrize(
    ("given_rate", "requested", "expected"),
    [
        (None, None, DEFAULT_RATE),
        (None, 24000, 24000),
        (16000, 24000, 16000),
        ("48000", None, 48000),
        (44100.0, None, 44100),
    ],
)
def test_the_rate_is_connects_else_ours_else_the_default(
    given_rate: object, requested: int | None, expected: int
) -> None:
    """What `connect` says wins; a platform that says nothing uses what it was asked for."""
    assert connect(TUTORIAL | {"sampleRate": given_rate}, requested).rate == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"codec": "OPUS"},
        {"sampleRate": 11025},
        {"sampleRate": "fast"},
        {"sampleRate": True},
        {"sampleRate": [8000]},
        {"sampleRate": 0},
    ],
    ids=str,
)
def test_what_cannot_be_carried_is_rejected(wrong: dict[str, object]) -> None:
    """A codec or rate that we cannot serve raises, and the call can then be rejected."""
    protocol = StreamProtocol()
    with pytest.raises(ProtocolError):
        protocol.receive(json.dumps(V2 | wrong))
    assert json.loads(protocol.reject()) == {"command": "reject"}


def test_a_connect_in_a_binary_message_counts() -> None:
    """Before the answer a binary message that looks like JSON is read as such."""
    assert isinstance(StreamProtocol().receive(json.dumps(V2).encode()), Connect)


def test_nothing_is_said_before_the_answer() -> None:
    """Neither heartbeat nor clear can come first, and the call is answered or refused once."""
    protocol = StreamProtocol()
    for too_early in (protocol.heartbeat, protocol.clear, protocol.answer):
        with pytest.raises(RuntimeError):
            too_early()
    protocol.receive(json.dumps(V2))
    for too_early in (protocol.heartbeat, protocol.clear):
        with pytest.raises(RuntimeError):
            too_early()
    assert json.loads(protocol.answer()) == {"command": "answer"}
    for too_late in (protocol.answer, protocol.busy, protocol.reject):
        with pytest.raises(RuntimeError):
            too_late()
    assert json.loads(protocol.heartbeat()) == {"command": "heartbeat"}
    assert json.loads(protocol.clear()) == {"command": "clear"}


def test_oddities_are_ignored_with_a_reason() -> None:
    """Bad JSON, unknown commands, a second connect and early audio do no harm."""
    protocol = StreamProtocol()
    assert protocol.receive("{not json") == Ignored("not a command")
    assert protocol.receive("[" * 100_000) == Ignored("not a command")
    assert protocol.receive(b"\x00\x01") == Ignored("audio before the answer")
    protocol.receive(json.dumps(V2))
    assert protocol.receive(json.dumps(V2)) == Ignored("connect came again")
    assert protocol.receive('{"command": "dtmf"}') == Ignored("unknown command")
    protocol.answer()
    assert protocol.receive(b"\x00") == CallerAudio(b"\x00")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from(
    ["command", "callId", "CallId", "headers", "callHeaders", "sampleRate", "codec", "version"]
)
commands = st.dictionaries(names | st.text(), json_values, max_size=8).map(
    lambda message: json.dumps({"command": "connect"} | message)
)


@given(st.lists(st.text() | st.binary() | commands, max_size=5))
def test_no_input_raises_anything_but_its_own_error(messages: list[str | bytes]) -> None:
    """Whatever comes in, the state stays one from which the call can go on or be refused."""
    protocol = StreamProtocol()
    for message in messages:
        try:
            event = protocol.receive(message)
        except ProtocolError:
            assert protocol.state is StreamState.CONNECTED
            protocol.reject()
            return
        if isinstance(event, Connect):
            assert event.rate in RATES
            assert all(isinstance(v, str) for v in [event.call_id, *event.headers.values()])
            protocol.answer()
