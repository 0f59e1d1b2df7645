"""The settings of Sinch's side: accounts, addresses, routing, calls of ours."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from agent import phone_numbers
from agent.settings.dialling import DiallingSettings
from agent.sinch_limits import MAX_SAY, V1_REGIONS, V2_REGIONS
from pipelines.settings import Section


def _secret(value: SecretStr) -> SecretStr:
    try:
        base64.b64decode(value.get_secret_value(), validate=True)
    except ValueError:  # characters that are not ASCII, or not base64
        raise ValueError("not base64, as Sinch's dashboard shows it") from None
    return value


def _number(value: str) -> str:
    return phone_numbers.number(value) if value else value


Secret = Annotated[SecretStr, AfterValidator(_secret)]


class Route(Section):
    """A rule of routing: what it does not name may be anything."""

    agent: str
    called: str = ""
    """A number in E.164 or a SIP address; with ``*`` at its end, all that begin so."""

    caller: str = ""
    """The same."""

    headers: dict[str, str] = Field({})
    """Call headers that there have to be; names in any case, values as above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """The platform's own voice, for what cannot be said by ours."""

    locale: str
    """Version 1."""

    voice_name: str
    """Version 2."""


class SinchSettings(Section):
    """Sinch's Voice API."""

    api: Literal["v1", "v2"] = Field(
        "v1",
        description="Version of the Voice API that our own requests use; callbacks of either are "
        "answered, if its credentials are here.",
    )
    application_key: str = Field("", description="Version 1: the application's key.")
    application_secret: Secret | None = Field(
        None, description="Version 1: its secret, in base64 as the dashboard shows it."
    )
    project_id: str = Field("", description="Version 2: the project.")
    service_id: str = Field("", description="Version 2: the service.")
    service_secret: Secret | None = Field(
        None, description="Version 2: the service's secret, in base64; it signs the callbacks."
    )
    access_key: str = Field("", description="Version 2: id of the project's access key.")
    access_secret: SecretStr | None = Field(None, description="Version 2: the access key's secret.")
    region: str = Field(
        "",
        description="Where the API is asked: `euc1`, `use1`, `sae1`, `apse1`, `apse2` (version 1) "
        "or `us1`, `br1`, `eu1`, `sg1`, `au1` (version 2). Unset: the nearest; a conference of "
        "version 1 wants one.",
    )
    api_url: str = Field(
        "",
        pattern="^(https?://[^@?#]+)?$",
        description="Instead of Sinch's servers: a stand-in. Without user, password and query.",
    )
    public_url: str = Field(
        "",
        pattern="^(https?://[^?#]+)?$",
        description="Where the platform reaches this service, such as https://agent.example.com. "
        "With it and credentials, callbacks are answered and each stream needs a one-use token.",
    )
    callback_path: str = Field(
        "/sinch", pattern=r"^/[\w/-]*$", description="Path of the callback endpoint."
    )
    window: float = Field(
        300.0, ge=10, le=3600, description="Seconds that a callback's clock may differ from ours."
    )
    token_lifetime: float = Field(
        120.0,
        ge=1,
        le=3600,
        description="Seconds from the callback until the stream has to come; 60 is the longest "
        "that version 2 rings.",
    )
    routes: tuple[Route, ...] = Field(
        (),
        description="Rules, the first that fits wins: `agent`, and of `called`, `caller` and "
        "`headers` those that matter; `*` at the end of a value is anything. Then come the "
        "`numbers` in agent files.",
    )
    refuse_unrouted: bool = Field(
        default=False,
        description="Whether a call that no rule fits is refused; otherwise `agent` answers it.",
    )
    refusal: str = Field(
        "Sorry, this number is not in service. Goodbye.",
        min_length=1,
        max_length=MAX_SAY,
        description="What the platform says to a call that is refused.",
    )
    sorry: str = Field(
        "Sorry, we cannot take your call right now. Please try again later.",
        min_length=1,
        max_length=MAX_SAY,
        description="What the platform says when something is wrong here.",
    )
    announcer_locale: str = Field("en-US", description="In this voice, version 1.")
    announcer_voice: str = Field("Jenny", description="In this voice, version 2.")
    caller_id: Annotated[str, AfterValidator(_number)] = Field(
        "", description="Number of yours that our calls show, in E.164."
    )
    country: str = Field(
        "",
        pattern="^([A-Z]{2})?$",
        description="Where numbers without + are dialled, such as US. Unset: they are refused.",
    )
    dialling: DiallingSettings = DiallingSettings()
    ring_seconds: int = Field(
        30, ge=1, le=60, description="Seconds that a phone of ours rings; version 2 allows 60."
    )
    conference: bool = Field(
        default=False,
        description="Version 1: whether incoming calls are conferences, so that the caller can be "
        "passed on; it costs a second leg, and a moment more until the greeting.",
    )

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        halves = (
            ("application_key", "application_secret"),
            ("service_id", "service_secret"),
            ("access_key", "access_secret"),
        )
        mistakes = [
            f"{name} and {secret} go together"
            for name, secret in halves
            if bool(getattr(self, name)) != bool(getattr(self, secret))
        ]
        if self.dialling.users and self.api == "v2":
            mistakes.append("dialling.users: version 2 calls no In-App users")
        regions = V1_REGIONS if self.api == "v1" else V2_REGIONS
        if self.region and self.region not in regions:
            mistakes.append(f"region: version {self.api[1]} has {', '.join(regions)}")
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self

    @property
    def takes_callbacks(self) -> bool:
        """Whether there is all that it takes to answer callbacks."""
        signed = self.application_secret is not None or self.service_secret is not None
        return bool(self.public_url) and signed

    @property
    def callback_url(self) -> str:
        """Where the platform finds the callback endpoint."""
        return self.public_url.rstrip("/") + self.callback_path

    def stream_url(self, path: str) -> str:
        """Return where the platform finds the stream endpoint, which is at ``path`` here."""
        url = urlsplit(self.public_url)
        scheme = "wss" if url.scheme == "https" else "ws"
        return f"{scheme}://{url.netloc}{url.path.rstrip('/')}{path}"

    @property
    def announcer(self) -> Announcer:
        """The platform's voice."""
        return Announcer(locale=self.announcer_locale, voice_name=self.announcer_voice)
