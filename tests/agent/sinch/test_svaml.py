"""Everything we may tell Sinch follows its documents, whatever the call brings along."""

from __future__ import annotations

import copy
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sinch.domains.voice.models.v2.svaml.shared.svaml_input import SvamlInput

from agent.settings.sinch import SinchSettings
from agent.sinch.api import menus, v1, v2
from agent.sinch.api.svaml import Stream, Svaml
from agent.sinch.legs.leg_kinds import PartyLeg
from tests.agent.sinch import schemas

STREAM = Stream(
    endpoint="wss://agent.example.com/stream/abc.def",
    rate=16000,
    max_seconds=3600,
    headers={"caller": "+15550000001", "bad\nname": "bad\x00value ü", "long": "x" * 300},
)
ANNOUNCER = SinchSettings().announcer
NUMBER, OURS, SIP = "+15550000001", "+12025550100", "sip:desk@example.com"


def dial(to: str) -> Svaml:
    return v2.dial_leg(to, OURS, "d" + 24 * "0", ring=30, max_seconds=3600)


PARTIES = [
    PartyLeg(name=f"p{n}" + 23 * "0", of="d1", to=to, ring_seconds=20 + n)
    for n, to in enumerate((NUMBER, SIP))
]

TOLD: list[tuple[str, Any]] = [
    ("v1_ice", v1.connect_stream(STREAM)),
    ("v1_ice", v1.connect_conference("c1")),
    ("v1_ice", v1.say_and_hang_up("Sorry. " * 200, ANNOUNCER, answer=True)),
    ("v1_ice", v1.dial_and_detect(NUMBER, OURS, 3600, wait_for_beep=True)),
    ("v1_ace", v1.say_and_hang_up("Sorry.", ANNOUNCER, answer=False)),
    ("v1_ace", v1.continue_call()),
    ("v1_ace", v1.hang_up()),
    ("v1_ace", v1.connect_conference("c1")),
    ("v1_ace", v1.say_first("Welcome. " * 200, ANNOUNCER, v1.continue_call())),
    ("v1_ace", v1.say_first("Welcome.", ANNOUNCER, v1.connect_conference("c1"))),
    ("v1_patch", v1.hang_up()),
    (
        "v1_callout",
        v1.conference_callout(NUMBER, OURS, "c", custom="x", max_seconds=9, dtmf="ww1#"),
    ),
    ("v1_callout", v1.conference_callout("user:ann", OURS, "c", custom="x", max_seconds=9)),
    ("v1_callout", v1.conference_callout(SIP, OURS, "c", custom="x", max_seconds=9)),
    (
        "v1_callout",
        v1.custom_callout(
            v1.connect_stream(STREAM), ace=v1.connect_conference("c"), custom="x", max_seconds=9
        ),
    ),
    (
        "v1_callout",
        v1.custom_callout(v1.hang_up(), ace=None, custom="x", max_seconds=9),
    ),
    ("v1_ice", v1.connect_sip(SIP, OURS, 3600)),
    ("v1_ace", menus.v1_menu("t" + 24 * "0", "A caller. " * 200, ANNOUNCER)),
    ("v1_pie", menus.v1_menu("t" + 24 * "0", "A caller. To take the call, press 1.", ANNOUNCER)),
    ("v1_pie", v1.connect_conference("c1")),
    ("v1_pie", v1.hang_up()),
    ("v2_reply", menus.v2_menu("A caller. " * 200, ANNOUNCER, "https://agent.example.com/sinch")),
    ("v2_reply", v2.answer_and_bridge(STREAM, 30, "https://agent.example.com/sinch")),
    ("v2_reply", v2.bridge_with_stream(STREAM, 30, "d1")),
    ("v2_reply", v2.say_and_hang_up("Sorry. " * 200, ANNOUNCER, answer=True)),
    ("v2_reply", v2.hang_up()),
    ("v2_reply", v2.hang_up("stream", "t1")),
    ("v2_reply", v2.no_commands()),
    ("v2_reply", v2.detect_machine()),
    ("v2_reply", v2.join_bridge()),
    ("v2_reply", v2.bridge_line(STREAM, 30, ["p1", "p2"])),
    ("v2_reply", v2.say_first("Welcome. " * 200, ANNOUNCER, v2.join_bridge())),
    ("v2_reply", v2.say_first("Welcome.", ANNOUNCER, v2.bridge_line(STREAM, 30, ["p1", "p2"]))),
    ("v2_call", v2.dial_legs(PARTIES, OURS, max_seconds=3600)),
    ("v2_call", dial(NUMBER)),
    ("v2_patch", dial(SIP)),
    ("v2_patch", v2.hang_up()),
]


@pytest.mark.parametrize(("schema", "body"), TOLD)
def test_what_we_say_follows_the_documents(schema: str, body: Any) -> None:
    """Each form of each answer and request."""
    schemas.check(schema, body)


def test_nothing_that_we_say_is_left_out() -> None:
    """Whatever builds SVAML is checked above, in one form at least."""
    source = Path(__file__).read_text()
    told = {
        f"{module.__name__.rpartition('.')[2]}.{name}("
        for module in (menus, v1, v2)
        for name, built in vars(module).items()
        if inspect.isfunction(built) and built.__module__ == module.__name__ and name[0] != "_"
    }
    assert told
    assert {name for name in told if name not in source} == set()


def plain(value: Any) -> Any:
    """Return what a model of Sinch's package holds, as JSON; what was not given is left out."""
    return value.model_dump(mode="json", by_alias=True, exclude_unset=True)


@pytest.mark.parametrize(("schema", "body"), [told for told in TOLD if told[0][:2] == "v2"])
def test_sinchs_own_package_reads_it_the_same(schema: str, body: Any) -> None:
    """Its models of version 2 take every command of ours, know each field, and change nothing.

    It renames one command: `webhook` on the wire is `customEvent` there.
    """
    renamed = json.loads(json.dumps(body).replace('"webhook"', '"customEvent"'))
    assert plain(SvamlInput.model_validate(renamed)) == body


def objects(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, dict) else []) + [o for v in inner for o in objects(v)]


@pytest.mark.parametrize(("schema", "body"), TOLD)
def test_the_schemas_notice_a_mistake(schema: str, body: Any) -> None:
    """A field too many, wherever it is, is refused: the check can fail."""
    for number in range(len(objects(body))):
        wrong = copy.deepcopy(body)
        objects(wrong)[number]["surprise"] = 1
        with pytest.raises(AssertionError):
            schemas.check(schema, wrong)


def test_hang_up_is_mutual_in_version_2() -> None:
    """Whichever leg goes, and however the stream does not come about."""
    told = v2.answer_and_bridge(STREAM, 30, "https://a/b")
    dialled = told["commands"][-1]
    assert {"command": "hangup", "callName": "stream"} in told["events"]["onHangup"]
    for event in ("onHangup", "onBusy", "onReject", "onTimeout", "onFailure"):
        assert dialled["events"][event] == [{"command": "hangup", "callName": told["callName"]}]


def test_all_of_a_line_go_with_its_stream_in_version_2() -> None:
    """However it does not come about, or ends: no process of ours has to be alive for it."""
    dialled = v2.bridge_line(STREAM, 30, ["p1", "p2"])["commands"][-1]
    both = [{"command": "hangup", "callName": name} for name in ("p1", "p2")]
    for event in ("onHangup", "onBusy", "onReject", "onTimeout", "onFailure"):
        assert dialled["events"][event] == both


def test_each_of_a_line_rings_for_its_own_time_in_version_2() -> None:
    """They are dialled by one request, in one session."""
    told = v2.dial_legs(PARTIES, OURS, max_seconds=3600)["commands"]
    assert [one["dialTimeoutDurationSeconds"] for one in told] == [20, 21]


@given(st.dictionaries(st.text(), st.text(), max_size=20))
def test_any_headers_fit(headers: dict[str, str]) -> None:
    """Of whatever the caller's own call brought along."""
    stream = Stream(endpoint="wss://a/b", rate=8000, max_seconds=60, headers=headers)
    schemas.check("v2_reply", v2.answer_and_bridge(stream, 30, "https://a/b"))
    schemas.check("v1_ice", v1.connect_stream(stream))


def test_the_published_examples_follow_the_schemas() -> None:
    """Those of the connectStream page and of the version 2 tutorial."""
    v1 = {
        "action": {
            "name": "connectStream",
            "destination": {
                "type": "Websocket",
                "endpoint": "wss://yourcompany.com/websocket-server",
            },
            "streamingOptions": {"version": 1, "sampleRate": 44100},
            "maxDuration": 3000,
            "callHeaders": [{"key": "foo", "value": "bar"}, {"key": "baz", "value": "qux"}],
        }
    }
    schemas.check("v1_ice", v1)
    stream = {
        "endpoint": "wss://host/path",
        "streamOptions": {"version": 1, "codec": "PCM", "sampleRate": 8000},
        "callHeaders": [{"key": "X-Call-From", "value": "+1..."}],
    }
    v2 = {
        "callName": "inbound",
        "commands": [
            {"command": "answer"},
            {"command": "bridgeCall", "bridgeName": "stream-bridge"},
            {
                "command": "dial",
                "callName": "stream-leg",
                "to": {"type": "STREAM", "stream": stream},
                "dialTimeoutDurationSeconds": 10,
                "maxCallDurationSeconds": 3600,
                "events": {
                    "onAnswer": [{"command": "bridgeCall", "bridgeName": "stream-bridge"}],
                    "onHangup": [{"command": "hangup", "callName": "inbound"}],
                },
            },
        ],
        "events": {"onHangup": [{"command": "hangup", "callName": "stream-leg"}]},
    }
    schemas.check("v2_reply", v2)
