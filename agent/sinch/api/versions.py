"""The versions of the Voice API that there are."""

from __future__ import annotations

from collections.abc import Mapping

from agent.sinch.api.v1 import V1Actions, V1Answers
from agent.sinch.api.v1_requests import VoiceV1
from agent.sinch.api.v2 import V2Actions, V2Answers
from agent.sinch.api.v2_requests import VoiceV2
from agent.sinch.callbacks import Version
from agent.sinch.contracts import Actions, CallbackAnswers

ANSWERS: Mapping[Version, CallbackAnswers] = {"v1": V1Answers(), "v2": V2Answers()}


def actions(api: VoiceV1 | VoiceV2 | None, locale: str) -> Actions | None:
    """Return what an account allows; None without one. ``locale`` is of the platform's voice."""
    match api:
        case VoiceV1():
            return V1Actions(api, locale)
        case VoiceV2():
            return V2Actions(api)
    return None
