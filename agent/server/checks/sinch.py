"""Whether the settings of Sinch's side fit each other, and Sinch could reach us by them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from agent.server.checks.finding import Finding
from agent.settings import Settings
from agent.settings.sinch import SinchSettings
from agent.urls import LOOPBACK

PRIVATE_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain")
"""Last labels of names that no public resolver has (RFC 6762, appendix G, and 8375)."""

SAMPLES = ("example", "invalid", "test", "example.com", "example.net", "example.org")
"""Names that nobody can have (RFC 2606)."""


def sinch(settings: Settings) -> Iterator[Finding]:
    """Look at credentials, addresses, and what is set for nothing."""
    ours = settings.sinch
    signed = ours.application_secret is not None or ours.service_secret is not None
    if ours.public_url:
        yield from _public_url(ours)
    if signed:
        yield from _own_requests(settings)
    if not ours.takes_callbacks:
        yield from _without_callbacks(settings, signed=signed)


def _without_callbacks(settings: Settings, *, signed: bool) -> Iterator[Finding]:
    """Look what is set for nothing, as long as no callback of Sinch's is answered."""
    if settings.sinch.public_url:
        yield _warning(
            "sinch.public_url",
            "without credentials no callback is answered; set application_key and "
            "application_secret (version 1), or service_id and service_secret (version 2)",
        )
    elif signed:
        why = "not set: no callback is answered; say where Sinch reaches us"
        yield _warning("sinch.public_url", why)
    if settings.operator.token is not None and not signed:
        why = "nobody can be called without credentials of Sinch's"
        yield _warning("operator.token", why)
    if settings.sinch.routes:
        why = "not used: they are for callbacks, which want public_url and credentials"
        yield _warning("sinch.routes", why)
    if settings.server.host not in LOOPBACK and settings.server.token is None:
        why = "not set: other machines are refused; `openssl rand -hex 24` makes one"
        yield _warning("server.token", why)


def _warning(place: str, message: str) -> Finding:
    return Finding(severity="warning", place=place, message=message)


def _own_requests(settings: Settings) -> Iterator[Finding]:
    """Look whether we could ask Sinch for anything: to dial, to pass on, to hang up."""
    ours = settings.sinch
    version_1 = ours.application_secret is not None
    version_2 = ours.access_secret is not None and bool(ours.project_id and ours.service_id)
    if ours.api == "v1" and not version_1:
        message = "there are credentials of version 2 only"
        message += '; set api = "v2"' if version_2 else "; set application_key and its secret"
        yield Finding(place="sinch.api", given="'v1'", message=message)
    elif ours.api == "v2" and not version_2:
        wanted = ("project_id", "service_id", "access_key", "access_secret")
        lacking = [name for name in wanted if not getattr(ours, name)]
        message = f"set {', '.join(lacking)}: without, nobody is called, passed on or hung up"
        yield Finding(place="sinch.api", given="'v2'", message=message)
    if ours.conference and ours.api == "v1" and not ours.region:
        yield Finding(
            place="sinch.region", message="a conference of version 1 wants one; euc1, say"
        )
    if settings.operator.token is not None and not ours.caller_id:
        yield _warning("sinch.caller_id", "not set: set the number of yours that our calls show")


def _public_url(ours: SinchSettings) -> Iterator[Finding]:
    tried_out = urlsplit(ours.api_url).hostname in LOOPBACK
    place, url = "sinch.public_url", ours.public_url
    try:
        parts = urlsplit(url)
        host, right = parts.hostname or "", parts.port != 0
    except ValueError:
        host, right = "", False
    if not host or not right or " " in url or not url.isprintable():
        yield Finding(place=place, message="no address, such as https://agent.example.com")
        return
    if parts.username is not None:
        yield Finding(place=place, message="leave out user and password: Sinch does not send them")
    if not tried_out and (why := unreachable(host)):
        yield Finding(place=place, message=f"{why}; Sinch has to reach it: a tunnel gives a name")
    if not tried_out and parts.scheme != "https":
        yield Finding(place=place, message="https:// is wanted: audio and tokens go by it")
    if parts.path.rstrip("/").endswith(ours.callback_path):
        yield Finding(
            place=place,
            message=f"leave out {ours.callback_path}: sinch.callback_path is put behind it, and "
            f"callbacks would have to come to {parts.path.rstrip('/')}{ours.callback_path}",
        )


def unreachable(host: str) -> str:
    """Say why nobody outside can reach a host; ``""`` if nothing tells that."""
    try:
        address = ip_address(host)
    except ValueError:
        labels = host.rstrip(".").lower().split(".")
        if labels[-1] in SAMPLES or ".".join(labels[-2:]) in SAMPLES:
            return "a sample of documentation, not a name of yours"
        if len(labels) == 1 or labels[-1] in PRIVATE_NAMES:
            return "a name of this machine or network alone"
        return ""
    return "" if address.is_global else "an address of this machine or network alone"
