"""What answers Sinch and asks it, put together from the settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from agent.settings import Settings, SettingsError
from agent.sinch.call_control import CallControl
from agent.sinch.contracts import LocalCalls
from agent.sinch.directory import CallDirectory
from agent.sinch.signing import Verifier, decoded_secret
from agent.sinch.tokens import Tokens
from agent.sinch.v1 import VoiceV1
from agent.sinch.v2 import VoiceV2
from agent.sinch.versions import actions
from agent.sinch.webhook import Webhook
from agent.store.folder import FolderStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SinchService:
    """The parts that the server has to do with."""

    webhook: Webhook
    call_control: CallControl
    tokens: Tokens
    directory: CallDirectory
    api: VoiceV1 | VoiceV2 | None


def sinch_service(settings: Settings, calls: LocalCalls) -> SinchService:
    """Build it for the calls of this process.

    Raises:
        SettingsError: If the folder that processes share cannot be written.
    """
    sinch = settings.sinch
    try:
        store = FolderStore(settings.state)
    except OSError as error:
        raise SettingsError(f"state = {str(settings.state)!r}: {error.strerror}") from None
    signers = sinch.signers
    # The same in each process that has the same secrets; of no use for anything else.
    secrets = b"".join(decoded_secret(signer.secret) for signer in signers)
    tokens = Tokens(hashlib.sha256(secrets).digest(), store)
    api, directory = sinch.client(), CallDirectory(store)
    call_control = CallControl(
        settings=settings.call_control_settings(),
        routing=settings.routing(),
        tokens=tokens,
        directory=directory,
        actions=actions(api),
        calls=calls,
    )
    verifier = Verifier(signers, sinch.window)
    webhook = Webhook(call_control, verifier, store, sinch.callback_url)
    return SinchService(
        webhook=webhook, call_control=call_control, tokens=tokens, directory=directory, api=api
    )
