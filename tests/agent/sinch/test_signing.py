"""Signatures, against every example that Sinch publishes and against its own package."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sinch.core.clients.sinch_client_sync import SinchClient

from agent.sinch.api.signing import Credentials, SignatureError, Verifier, decoded_secret
from agent.sinch.callbacks import IncomingCall, parse

V1 = Credentials(
    scheme="application",
    key_id="669E367E-6BBA-48AB-AF15-266871C28135",
    secret="BeIukql3pTKJ8RGL5zo0DA==",
)
V2 = Credentials(
    scheme="service",
    key_id="a74b1566-0f18-4f8e-9c23-8e6b5df8fd3e",
    secret="F5wrP9SKYU6w8sbZXkp7GA==",
)
ACE = (
    b'{"event":"ace","callid":"822aa4b7-05b4-4d83-87c7-1f835ee0b6f6_257",'
    b'"timestamp":"2014-09-24T10:59:41Z","version":1}'
)
INCOMING = b'{"event":"call.incoming","call":{"callId":"01AN4Z07BY79KA1307SR9X4MV3"}}'
VERIFICATION = b'{"identity": {"type": "number", "endpoint": "+46700000000"}, "method": "sms"}'
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("credentials", "path", "content_type", "timestamp", "body", "signature"),
    [
        (
            V1,
            "/sinch/callback/ace",
            "application/json",
            "2014-09-24T10:59:41Z",
            ACE,
            "Tg6fMyo8mj9pYfWQ9ssbx3Tc1BNC87IEygAfLbJqZb4=",
        ),
        (
            V2,
            "/voice-webhooks",
            "application/json; charset=utf-8",
            "2026-04-01T12:00:00.0000000Z",
            INCOMING,
            "EWFtVTrykdhMTdyYSbn40GBJpf5UBeggO9T99sdwLyY=",
        ),
        (
            V1,
            "/verification/v1/verifications",
            "application/json",
            "2014-06-04T13:41:58Z",
            VERIFICATION,
            "h6rXrFayOoggyHW4ymnLlfSDkZZPg6j98lHzvOXVjvw=",
        ),
    ],
    ids=["v1 callback", "v2 callback", "v1 request"],
)
def test_the_published_examples(
    credentials: Credentials,
    path: str,
    content_type: str,
    timestamp: str,
    body: bytes,
    signature: str,
) -> None:
    """Each is reproduced, and verified at its own time."""
    assert signature == credentials.sign(
        method="POST", path=path, content_type=content_type, timestamp=timestamp, body=body
    )
    headers = {
        "Authorization": f"{credentials.scheme} {credentials.key_id}:{signature}",
        "X-Timestamp": timestamp,
        "Content-Type": content_type,
    }
    found = Verifier([credentials]).verify(
        method="POST",
        paths=["/elsewhere", path],
        headers=headers,
        body=body,
        now=datetime.fromisoformat(timestamp),
    )
    assert found == signature


def signed(credentials: Credentials = V2, *, at: datetime = NOW) -> dict[str, str]:
    return credentials.headers(method="POST", path="/sinch", body=INCOMING, now=at)


def verify(headers: dict[str, str], **changes: Any) -> str:
    given: dict[str, Any] = {
        "method": "POST",
        "paths": ["/sinch"],
        "headers": headers,
        "body": INCOMING,
        "now": NOW,
    }
    return Verifier([V1, V2]).verify(**(given | changes))


@pytest.mark.parametrize("credentials", [V1, V2])
def test_our_own_signatures_are_taken(credentials: Credentials) -> None:
    """By us, and by what Sinch's own package checks version 2 with."""
    headers = signed(credentials)
    assert verify(headers)
    official = SinchClient().voice.v2.sinch_events.validate_authentication_header(
        "POST", "/sinch", headers, INCOMING, credentials.key_id, credentials.secret
    )
    assert official == (credentials is V2)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": INCOMING + b" "}, "does not match"),
        ({"paths": ["/other"]}, "does not match"),
        ({"method": "PUT"}, "does not match"),
        ({"now": NOW + timedelta(seconds=301)}, "too old"),
        ({"now": NOW - timedelta(seconds=301)}, "from the future"),
    ],
)
def test_what_was_changed_is_refused(changes: dict[str, Any], reason: str) -> None:
    """Body, path, method, or a time too far from ours."""
    with pytest.raises(SignatureError, match=reason):
        verify(signed(), **changes)


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("authorization", "", "not signed"),
        ("authorization", "service", "not signed"),
        ("authorization", "Bearer abc:def", "not configured"),
        ("authorization", f"Basic {V2.key_id}:{V2.secret}", "not configured"),
        ("authorization", "service another:abc", "another service"),
        ("authorization", f"application {V2.key_id}:abc", "another application"),
        ("authorization", f"service {V2.key_id}:\u00e4\ud7ff", "does not match"),
        ("x-timestamp", "", "x-timestamp"),
        ("x-timestamp", "yesterday", "x-timestamp"),
        ("content-type", "text/plain", "does not match"),
    ],
)
def test_what_is_not_signed_by_sinch_is_refused(header: str, value: str, reason: str) -> None:
    """The reason is for our log and quotes nothing of the request."""
    with pytest.raises(SignatureError, match=reason) as caught:
        verify(signed() | {header: value})
    assert V2.secret not in str(caught.value)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize("timestamp", ["2026-11-24T12:00:00", "2026-11-24T13:00:00.1234567+01:00"])
def test_every_spelling_of_a_time_is_read(timestamp: str) -> None:
    """Seven digits of a second, a zone, or none, which is UTC."""
    signature = V1.sign(
        method="POST", path="/sinch", content_type="", timestamp=timestamp, body=INCOMING
    )
    headers = {"authorization": f"Application {V1.key_id}:{signature}", "x-timestamp": timestamp}
    assert verify(headers) == signature


_HEADER = st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))
_TIME = st.builds(
    lambda at, zone: f"{at.isoformat()}{zone}",
    st.datetimes() | st.just(NOW.replace(tzinfo=None)),
    st.sampled_from(["", "Z", "+14:00", "-23:59", "+23:59:59.999999"]),
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "authorization": _HEADER
            | _HEADER.map(f"application {V1.key_id}:{{}}".format)
            | _HEADER.map(f"Service {V2.key_id}:{{}}".format),
            "x-timestamp": _HEADER | _TIME,
            "content-type": _HEADER,
        },
    ),
    st.binary(),
)
def test_anything_is_refused_with_one_kind_of_error(headers: dict[str, str], body: bytes) -> None:
    """Whatever stands in the headers, be it UTF-8 or not, and in the body."""
    with pytest.raises(SignatureError):
        verify(headers, body=body)


@given(st.binary(max_size=20), st.binary())
def test_a_header_is_signed_as_it_came(raw: bytes, body: bytes) -> None:
    """Bytes that are no UTF-8 are no reason to refuse what is signed rightly."""
    content_type = raw.decode("utf-8", "surrogateescape")
    stamp = NOW.isoformat()
    signature = V1.sign(
        method="POST", path="/sinch", content_type=content_type, timestamp=stamp, body=body
    )
    headers = {
        "authorization": f"application {V1.key_id}:{signature}",
        "x-timestamp": stamp,
        "content-type": content_type,
    }
    assert verify(headers, body=body) == signature


@pytest.mark.parametrize("secret", ["not base64!", "app-secret", "abc"])
def test_a_secret_has_to_be_base64(secret: str) -> None:
    """A wrong one is found when the settings are read, and not quoted."""
    with pytest.raises(ValueError, match="base64") as caught:
        decoded_secret(secret)
    assert secret not in str(caught.value)


def test_what_sinchs_package_makes_of_a_callback_is_what_we_make_of_it() -> None:
    """Its model of version 2's events takes what our stand-in sends."""
    body = {
        "event": "call.incoming",
        "call": {
            "callId": "01AN4Z07BY79KA1307SR9X4MV3",
            "projectId": "p",
            "serviceId": "s",
            "sessionId": "x",
            "startTime": "2026-04-01T12:00:00Z",
            "callType": "PHONE",
            "direction": "INBOUND",
            "callResult": "INITIATED",
            "originationType": "PHONE",
            "callRate": {"currencyCode": "EUR", "amount": "0.0060"},
            "callResourceUrl": "https://voice.api.sinch.com/v2/projects/p/calls/01",
            "from": {"type": "PHONE", "phone": {"number": "+15551234567"}},
            "to": {"type": "PHONE", "phone": {"number": "+15557654321"}},
        },
    }
    event = SinchClient().voice.v2.sinch_events.parse_event(json.dumps(body))
    ours = parse(json.dumps(body).encode())
    assert isinstance(ours, IncomingCall)
    assert ours.leg.call_id == event.call.call_id
    assert ours.leg.session_id == event.call.session_id
    assert ours.caller == event.call.from_.phone.number
    assert ours.called == event.call.to.phone.number
