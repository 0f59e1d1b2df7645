"""Everything of Sinch's side, put together from the settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from agent.settings import Settings, SettingsError
from agent.sinch.exchange import Board, Exchange
from agent.sinch.rest import VoiceV1, VoiceV2
from agent.sinch.signing import Verifier, decoded_secret
from agent.sinch.tokens import Tokens
from agent.sinch.versions import actions
from agent.sinch.webhook import CallbackEndpoint
from agent.store.folder import SharedState


@dataclass(frozen=True, slots=True, kw_only=True)
class SinchSide:
    """What answers Sinch and asks it."""

    endpoint: CallbackEndpoint
    exchange: Exchange
    tokens: Tokens
    shared: SharedState
    api: VoiceV1 | VoiceV2 | None


def sinch_side(settings: Settings, board: Board) -> SinchSide:
    """Build it.

    Raises:
        SettingsError: If the folder that processes share cannot be written.
    """
    sinch = settings.sinch
    try:
        shared = SharedState(settings.state)
    except OSError as error:
        raise SettingsError(f"state = {str(settings.state)!r}: {error.strerror}") from None
    signers = sinch.signers
    # The same in each process that has the same secrets; of no use for anything else.
    secrets = b"".join(decoded_secret(signer.secret) for signer in signers)
    tokens = Tokens(hashlib.sha256(secrets).digest(), shared)
    api = sinch.client()
    exchange = Exchange(
        settings=settings.exchange_settings(),
        routing=settings.routing(),
        tokens=tokens,
        shared=shared,
        actions=actions(api),
        board=board,
    )
    verifier = Verifier(signers, sinch.window)
    endpoint = CallbackEndpoint(exchange, verifier, shared, sinch.callback_url)
    return SinchSide(endpoint=endpoint, exchange=exchange, tokens=tokens, shared=shared, api=api)
