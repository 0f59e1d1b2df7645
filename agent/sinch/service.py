"""Everything of Sinch's side, put together from the settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from agent.personas.routing import Routing
from agent.settings import SettingsError
from agent.settings.sinch import SinchSettings
from agent.sinch import account
from agent.sinch.call_control import Board, CallControl, StreamTarget
from agent.sinch.rest import VoiceV1, VoiceV2
from agent.sinch.signing import Verifier, decoded_secret
from agent.sinch.tokens import Tokens
from agent.sinch.versions import actions
from agent.sinch.webhook import Webhook
from agent.store.folder import FolderStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SinchService:
    """What answers Sinch and asks it."""

    endpoint: Webhook
    call_control: CallControl
    tokens: Tokens
    store: FolderStore
    api: VoiceV1 | VoiceV2 | None


def sinch_service(
    settings: SinchSettings, stream: StreamTarget, routing: Routing, state: Path, board: Board
) -> SinchService:
    """Build it.

    Args:
        settings: Of Sinch's side; they are enough for callbacks.
        stream: Where calls are connected to.
        routing: Which agent answers.
        state: Folder that the processes of one service share.
        board: The calls of this process.

    Raises:
        SettingsError: If the folder that processes share cannot be written.
    """
    try:
        store = FolderStore(state)
    except OSError as error:
        raise SettingsError(f"state = {str(state)!r}: {error.strerror}") from None
    signers = account.signers(settings)
    # The same in each process that has the same secrets; of no use for anything else.
    secrets = b"".join(decoded_secret(signer.secret) for signer in signers)
    tokens = Tokens(hashlib.sha256(secrets).digest(), store)
    api = account.client(settings)
    call_control = CallControl(
        settings=settings,
        stream=stream,
        routing=routing,
        tokens=tokens,
        store=store,
        actions=actions(api),
        board=board,
    )
    verifier = Verifier(signers, settings.window)
    endpoint = Webhook(call_control, verifier, store, settings.callback_url)
    return SinchService(
        endpoint=endpoint, call_control=call_control, tokens=tokens, store=store, api=api
    )
