"""Whether only those see the console who may."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from ipaddress import ip_network

from agent.server.checks.finding import Finding
from agent.settings import Settings

WAYS = (
    "console.password (`voice-agent console password`), console.users, console.oidc or "
    "console.proxy"
)


def forbidden(settings: Settings) -> Iterator[Finding]:
    """Look for what would let strangers in, or nobody: with it the service does not start."""
    console = settings.console
    if console.enabled and not settings.shows_console:
        why = f"others could reach the pages, and nobody signs in; set {WAYS}"
        yield Finding(place="console.enabled", given="True", message=why)
    if console.oidc.is_set and find_spec("joserfc") is None:
        why = 'signing in by a provider needs joserfc: pip install "sinch-voice-agent[oidc]"'
        yield Finding(place="console.oidc.issuer", message=why)
    trusted = [ip_network(one) for one in settings.server.trusted_proxies]
    for one in map(ip_network, console.proxy.addresses):
        if not any(one.version == by.version and one.subnet_of(by) for by in trusted):  # type: ignore[arg-type]
            why = "not in server.trusted_proxies: name it there, too"
            yield Finding(place="console.proxy.addresses", given=repr(str(one)), message=why)


def doubtful(settings: Settings) -> Iterator[Finding]:
    """Look for what is probably not meant."""
    console = settings.console
    url = console.public_url or settings.sinch.public_url
    if settings.shows_console and url.startswith("http:") and not settings.in_development:
        why = "without https:// whoever is on the way reads passwords and what was said"
        place = "console.public_url" if console.public_url else "sinch.public_url"
        yield Finding(severity="warning", place=place, message=why)
    wide = [one for one in console.proxy.addresses if ip_network(one).prefixlen == 0]
    if wide:
        why = "that is everybody: whoever reaches the service says who they are"
        yield Finding(
            severity="warning", place="console.proxy.addresses", given=repr(wide[0]), message=why
        )
