"""What answers Sinch and asks it, put together from the settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from agent.personas.routing import Routing
from agent.settings.sinch import SinchSettings
from agent.sinch.api import account
from agent.sinch.api.signing import Verifier, decoded_secret
from agent.sinch.api.v1_requests import VoiceV1
from agent.sinch.api.v2_requests import VoiceV2
from agent.sinch.api.versions import actions
from agent.sinch.call_control import CallControl
from agent.sinch.contracts import LocalCalls, StreamTarget
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.tokens import StreamTokens
from agent.sinch.webhook import Webhook
from agent.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SinchService:
    """The parts that the server has to do with."""

    webhook: Webhook
    call_control: CallControl
    tokens: StreamTokens
    api: VoiceV1 | VoiceV2 | None


def sinch_service(
    settings: SinchSettings,
    stream: StreamTarget,
    routing: Routing,
    store: Store,
    processes: OtherProcesses,
    calls: LocalCalls,
) -> SinchService:
    """Build it.

    Args:
        settings: The section ``sinch``; it is enough for callbacks.
        stream: Where calls are connected to.
        routing: Which agent answers.
        store: What the processes of one service share.
        processes: The others.
        calls: Those of this process.
    """
    signers = account.signers(settings)
    # The same in each process that has the same secrets; of no use for anything else.
    secrets = b"".join(decoded_secret(signer.secret) for signer in signers)
    tokens = StreamTokens(hashlib.sha256(secrets).digest(), store.claims)
    api = account.client(settings)
    call_control = CallControl(
        settings=settings,
        stream=stream,
        routing=routing,
        tokens=tokens,
        directory=CallDirectory(store),
        processes=processes,
        actions=actions(api, settings.announcer.locale),
        calls=calls,
    )
    verifier = Verifier(signers, settings.window)
    webhook = Webhook(call_control, verifier, store.claims, settings.callback_url)
    return SinchService(webhook=webhook, call_control=call_control, tokens=tokens, api=api)
