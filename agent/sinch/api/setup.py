"""Setting up an account, and looking whether a running server answers as Sinch wants it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from agent.settings import SettingsError
from agent.settings.sinch import SinchSettings
from agent.sinch.api import account
from agent.sinch.api.rest import SinchError
from agent.sinch.api.signing import Credentials
from agent.sinch.api.v1_requests import VoiceV1
from agent.sinch.api.v2_requests import VoiceV2
from pipelines.masking import masked

Tell = Callable[[str], None]

FAST_ENOUGH = 200
"""Milliseconds that an answer to a callback may take here; the platform waits 5 s (version 2)."""


class SetupError(Exception):
    """It could not be set up; one line for each thing to mend."""


async def setup(settings: SinchSettings, tell: Tell) -> None:
    """Check the credentials, set where callbacks go, and say what is left to do by hand.

    Raises:
        SetupError: If the credentials are refused, or there are none.
    """
    if not settings.public_url:
        raise SetupError("give --public-url, or set sinch.public_url")
    if not settings.public_url.startswith("https://"):
        tell("warning: Sinch needs https:// and wss://, this address has neither")
    api = account.client(settings)
    if api is None:
        needed = {
            "v1": "sinch.application_key and sinch.application_secret",
            "v2": "sinch.project_id, service_id, service_secret, access_key and access_secret",
        }
        raise SetupError(f"for version {settings.api[1]} of the API set {needed[settings.api]}")
    try:
        if isinstance(api, VoiceV1):
            await _setup_v1(api, settings, tell)
        else:
            await _setup_v2(api, settings, tell)
    except SinchError as error:
        raise SetupError(str(error)) from None
    finally:
        await api.aclose()
    tell(f"then: voice-agent serve; voice-agent sinch verify --url {masked(settings.callback_url)}")


async def _setup_v1(api: VoiceV1, settings: SinchSettings, tell: Tell) -> None:
    url, key = settings.callback_url, settings.application_key
    numbers = await api.get_numbers()
    tell("credentials: accepted")
    await api.update_callbacks(url)
    now = (await api.get_callbacks()).get("primary")
    if now != url:
        raise SetupError(f"Sinch keeps another callback address: {masked(str(now))}")
    tell(f"callbacks go to {masked(url)}")
    ours = [n for n in numbers if str(n.get("applicationkey", "")).lower() == key.lower()]
    for number in ours:
        tell(f"number: {number.get('number')}")
    tell("left to do by hand:")
    if not ours:
        tell("- assign a number to the application, in the dashboard")
    tell("- ask Sinch to switch connectStream on for the application (closed beta)")


async def _setup_v2(api: VoiceV2, settings: SinchSettings, tell: Tell) -> None:
    url = settings.callback_url
    service = await api.get_service()
    tell(f"credentials: accepted, service {service.get('name')!r}")
    await api.update_service(url)
    behavior = (await api.get_service()).get("callBehavior", {})
    if behavior.get("webhook", {}).get("url") != url:
        raise SetupError("Sinch keeps another webhook address")
    tell(f"webhooks go to {masked(url)}")
    tell("left to do by hand:")
    tell("- give a number to the service, in the dashboard; version 2's voice API lists none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A callback to send, and what has to come back."""

    name: str
    body: bytes
    status: int
    routes: bool = False
    """Whether the answer has to connect a stream, or refuse the call in words."""

    signed: bool = True
    age: float = 0.0
    """Seconds."""

    flawed: bool = False
    """Whether the signature is of another body."""


async def verify(settings: SinchSettings, url: str, tell: Tell) -> bool:
    """Send signed sample callbacks to a running server; return whether every answer was right.

    Nothing is left behind but a call that never comes.

    Raises:
        SettingsError: If there are no credentials to sign with.
    """
    signers = account.signers(settings)
    if not signers:
        raise SettingsError("sinch: no credentials to sign with")
    right = True
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for signer in signers:
            for probe in _probes(signer):
                fault, took = await _send(session, url, signer, probe)
                right = right and not fault
                version = {"application": "v1", "service": "v2"}[signer.scheme]
                tell(f"{version}  {probe.name:34s} {took:5.0f} ms  {fault or 'as it should be'}")
    return right


def _probes(signer: Credentials) -> Iterator[Probe]:
    """Yield what to send in the name of ``signer``."""
    incoming, other = _samples(signer)
    yield Probe(name="an incoming call", body=incoming, status=200, routes=True)
    yield Probe(name="the same call, sent again", body=incoming, status=200, routes=True)
    yield Probe(name="an event that we do not know", body=other, status=200)
    yield Probe(name="not signed", body=incoming, status=401, signed=False)
    yield Probe(name="signed for another body", body=incoming, status=401, flawed=True)
    yield Probe(name="an hour old", body=incoming, status=401, age=3600)
    yield Probe(name="not JSON", body=b"ice", status=400)
    yield Probe(name="much too long", body=incoming + b" " * 100_000, status=413)


def _samples(signer: Credentials) -> tuple[bytes, bytes]:
    call_id, now = f"verify-{uuid.uuid4()}", datetime.now(UTC).isoformat()
    if signer.scheme == "application":
        common = {"callid": call_id, "version": 1, "timestamp": now}
        to = {"type": "did", "endpoint": "+15550100"}
        incoming: dict[str, Any] = {"event": "ice", "cli": "15550000001", "to": to} | common
        return json.dumps(incoming).encode(), json.dumps({"event": "future"} | common).encode()
    call = {
        "callId": call_id,
        "sessionId": call_id,
        "startTime": now,
        "from": {"type": "PHONE", "phone": {"number": "+15550000001"}},
        "to": {"type": "PHONE", "phone": {"number": "+15550100"}},
    }
    events = ("call.incoming", "call.future")
    first, second = (json.dumps({"event": event, "call": call}).encode() for event in events)
    return first, second


async def _send(
    session: aiohttp.ClientSession, url: str, signer: Credentials, probe: Probe
) -> tuple[str, float]:
    """Return what is wrong with the answer, ``""`` if nothing, and the milliseconds it took."""
    at = datetime.now(UTC) - timedelta(seconds=probe.age)
    signed_body = b"{}" if probe.flawed else probe.body
    headers = signer.headers(
        method="POST", path=urlsplit(url).path or "/", body=signed_body, now=at
    )
    if not probe.signed:
        del headers["authorization"]
    began = time.perf_counter()
    try:
        async with session.post(url, data=probe.body, headers=headers) as response:
            text = await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no answer: {type(error).__name__}", 1000 * (time.perf_counter() - began)
    took = 1000 * (time.perf_counter() - began)
    if response.status != probe.status:
        return f"HTTP {response.status}, not {probe.status}", took
    if probe.routes and not _routes(text):
        return "the answer connects no stream, and does not refuse the call", took
    if took > FAST_ENOUGH:
        return f"right, but slower than {FAST_ENOUGH} ms", took
    return "", took


def _routes(text: str) -> bool:
    """Return whether this is SVAML that connects a stream or says why not."""
    known = ('"connectStream"', '"connectConf"', '"STREAM"', '"say"', '"SAY"')
    try:
        body = json.loads(text)
    except ValueError:
        return False
    has_form = isinstance(body, dict) and ("action" in body or "commands" in body)
    return has_form and any(word in text for word in known)
