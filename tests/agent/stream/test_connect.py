"""What `connect` says, cleaned where it comes in."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from agent.call_headers import MAX_VALUE
from agent.stream.connect import MAX_TEXT, parse, read_connect

halves = st.text(st.characters() | st.sampled_from("\ud83d\ude00\x00\n"))


@given(halves, halves, st.dictionaries(halves, halves, max_size=4), st.booleans())
def test_whatever_is_given_can_be_written_and_sent(
    call_id: str, application: str, headers: dict[str, str], listed: bool
) -> None:
    """Ids are one line; headers may be several, but hold no half of a character."""
    given_headers = (
        [{"key": key, "value": value} for key, value in headers.items()] if listed else headers
    )
    command = {"command": "connect", "callId": call_id, "applicationKey": application}
    message = parse(json.dumps({**command, "callHeaders": given_headers}))
    assert message is not None
    connect = read_connect(message, None)
    assert connect.call_id.isprintable()
    assert connect.application_id.isprintable()
    for text in (connect.call_id, *connect.headers, *connect.headers.values()):
        text.encode()
        assert "\0" not in text


def test_what_is_given_is_bounded() -> None:
    """Whoever sends a megabyte fills no record with it."""
    long = "x" * 100_000
    headers = {**{f"h{number}": long for number in range(100)}, long: "a"}
    message = parse(json.dumps({"command": "connect", "callid": long, "headers": headers}))
    assert message is not None
    connect = read_connect(message, None)
    assert len(connect.call_id) == MAX_TEXT
    assert len(connect.headers) <= 64
    assert all(len(k) <= MAX_TEXT and len(v) <= MAX_VALUE for k, v in connect.headers.items())
