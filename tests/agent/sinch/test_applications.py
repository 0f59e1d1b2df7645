"""Calls of an application that is not ours: carried if they are trusted, and noticed."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from agent.settings.sinch import SinchSettings
from agent.sinch import callbacks
from agent.sinch.applications import MOST_NOTICED, Applications
from agent.stream.connect import parse, read_connect
from tests.agent.sinch.credentials import V1, V2

OURS = SinchSettings(
    application_key=V1.key_id,
    application_secret=V1.secret,
    service_id=V2.key_id,
    service_secret=V2.secret,
)


@pytest.mark.parametrize(
    "field", ["applicationKey", "AppKey", "appkey", "ApplicationId", "applicationId", "serviceId"]
)
@pytest.mark.parametrize(
    ("given", "other"),
    [
        (V1.key_id, ""),
        (V1.key_id.lower(), ""),
        (V1.key_id.upper(), ""),
        (V2.key_id, ""),
        ("somebody", "somebody"),
        ("", ""),
        (None, ""),
    ],
)
def test_whose_a_stream_is_is_known_by_any_name(field: str, given: str | None, other: str) -> None:
    """That the platform has given it, in any case."""
    message = parse(json.dumps({"command": "connect", "CallId": "c", field: given}))
    assert message is not None
    assert Applications(OURS).other(read_connect(message, None).application_id) == other


@pytest.mark.parametrize("field", ["applicationKey", "applicationkey", "AppKey"])
def test_whose_a_callback_is_is_known(field: str) -> None:
    """Of version 1 by its application, of version 2 by its service."""
    ice = callbacks.parse(json.dumps({"event": "ice", "callid": "c", field: "x"}).encode())
    call = {"callId": "c", "serviceId": "x"}
    incoming = callbacks.parse(json.dumps({"event": "call.incoming", "call": call}).encode())
    for callback in (ice, incoming):
        assert isinstance(callback, callbacks.IncomingCall)
        assert callback.application == "x"


def test_the_first_of_each_is_logged() -> None:
    """Once in a process, and no more than so many; nothing while we have none of our own."""
    applications = Applications(OURS)
    with capture_logs() as logs:
        for n in range(2 * MOST_NOTICED):
            assert applications.other(f"other-{n}")
            assert applications.other(f"other-{n}")
        assert Applications(SinchSettings()).other("somebody") == ""
    assert len(logs) == MOST_NOTICED
    assert logs[0]["application"] == "other-0"
