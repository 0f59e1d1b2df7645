"""A summary of a call that goes on, for whoever is asked to take its caller.

It is made while their phone rings: off the path of the call, within a deadline, by whichever model
can. Where it is late or nobody can write, what the agent file has stands in its place.
"""

from __future__ import annotations

import asyncio

import structlog

from agent.call.transfer import Handover
from pipelines.providers.contracts import LanguageModel, ProviderError
from pipelines.stages.forms import FormFiller
from pipelines.stages.pool import ProviderPool
from pipelines.tools.forms import Form

log = structlog.get_logger()

SUMMARY_WITHIN = 10.0
"""Seconds. A phone rings for five or more before it is picked up; what comes later is not heard."""

MOST_SHOWN = 12_000
"""Characters of a conversation that are shown, its beginning and its end: a model that reads more
than some 3,000 tokens is late."""

MOST_WRITTEN = 300
"""Characters: 20 seconds of speech, as long as anybody listens before they say yes."""

_FORM = Form(
    {
        "type": "object",
        "properties": {
            "summary": {
                "type": "string",
                "minLength": 1,
                "maxLength": MOST_WRITTEN,
                "description": "For a colleague who is about to take over: who the caller is, as "
                "far as they said, what they want, and what was done about it. Two short sentences "
                "to be read out, without greeting, markup, lists and phone numbers.",
            }
        },
    }
)


async def summary_of(handover: Handover, models: ProviderPool[LanguageModel]) -> str:
    """Return what a call was about so far; ``""`` if nobody has written it in time.

    Cancelling is safe: the request ends.

    Args:
        handover: With what was said.
        models: Who may be asked.
    """
    if not handover.said:
        return ""
    filler = FormFiller(models, MOST_SHOWN)
    try:
        async with asyncio.timeout(SUMMARY_WITHIN):
            filled = await filler.fill(_FORM, handover.said, handover.language, handover.usage)
    except (ProviderError, TimeoutError) as error:
        log.info("a briefing has no summary", error=type(error).__name__)
        return ""
    return str(filled.fields.get("summary", ""))
