"""The endpoints of the settings, made of what is set there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from agent.settings.webhooks import WebhookEvent, WebhookSettings
from pipelines.environment import filled_in, strange_character
from pipelines.tools.http import signing_keys

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""The name of a header, by RFC 9110."""

OURS = ("content-length", "content-type", "host", "transfer-encoding", "user-agent")
"""Headers that we send; and all that begin with ``webhook-``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where messages go. Its secrets are not in its ``repr``."""

    name: str
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    events: frozenset[WebhookEvent]
    conversation: bool
    headers: Mapping[str, str] = field(repr=False)


def endpoints(settings: Mapping[str, WebhookSettings]) -> dict[str, Endpoint]:
    """Return the endpoints of the settings, by name.

    Raises:
        ValueError: In one line, if a secret is none, or a variable or its file is missing. No
            secret is quoted.
    """
    return {name: _endpoint(name, one) for name, one in settings.items()}


def _endpoint(name: str, one: WebhookSettings) -> Endpoint:
    secret = _filled_in(f"webhooks.{name}.secret", one.secret)
    try:
        keys = signing_keys(secret)
    except ValueError as error:
        raise ValueError(f"webhooks.{name}.secret: {error}") from None
    headers = {}
    for key, value in one.headers.items():
        place = f"webhooks.{name}.headers.{key}"
        if not _TOKEN.fullmatch(key):
            raise ValueError(f"webhooks.{name}.headers: there is one whose name is none")
        if key.lower() in OURS or key.lower().startswith("webhook-"):
            raise ValueError(f"{place}: this is sent by the service itself")
        headers[key] = _filled_in(place, value)
        if strange := strange_character(headers[key]):
            raise ValueError(f"{place}: a character that is not seen or not meant ({strange})")
    return Endpoint(
        name=name,
        url=one.url,
        keys=keys,
        events=frozenset(one.events),
        conversation=one.conversation,
        headers=headers,
    )


def _filled_in(place: str, value: SecretStr) -> str:
    try:
        return filled_in(value.get_secret_value())
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
