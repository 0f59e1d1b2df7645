"""Who we are to Sinch: what signs, and the clients of its API, as the settings have them."""

from __future__ import annotations

from pydantic import SecretStr

from agent.settings.sinch import SinchSettings
from agent.sinch.api.rest import Basic
from agent.sinch.api.signing import Credentials, Scheme
from agent.sinch.api.v1_requests import VoiceV1
from agent.sinch.api.v2_requests import VoiceV2


def signers(settings: SinchSettings) -> list[Credentials]:
    """Return who may sign callbacks: one of each version that there are credentials for."""
    found: list[Credentials] = []
    if settings.application_secret is not None:
        found.append(_application(settings, settings.application_secret))
    if settings.service_secret is not None:
        found.append(_credentials("service", settings.service_id, settings.service_secret))
    return found


def client(settings: SinchSettings) -> VoiceV1 | VoiceV2 | None:
    """Return a client of the version in use, to be closed; None without credentials for it."""
    if settings.api == "v1":
        if settings.application_secret is None:
            return None
        application = _application(settings, settings.application_secret)
        return VoiceV1(application, settings.region, settings.api_url)
    if settings.access_secret is None or not settings.project_id or not settings.service_id:
        return None
    access = Basic(name=settings.access_key, password=settings.access_secret.get_secret_value())
    return VoiceV2(
        access, settings.project_id, settings.service_id, settings.region, settings.api_url
    )


def _application(settings: SinchSettings, secret: SecretStr) -> Credentials:
    return _credentials("application", settings.application_key, secret)


def _credentials(scheme: Scheme, key_id: str, secret: SecretStr) -> Credentials:
    return Credentials(scheme=scheme, key_id=key_id, secret=secret.get_secret_value())
