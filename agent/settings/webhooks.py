"""Webhooks: what systems of the user's are told of calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from agent.urls import Url
from pipelines.settings import Section

WebhookEvent = Literal[
    "call.started",
    "call.ended",
    "call.settled",
    "call.transferred",
    "call.recorded",
    "call.summarized",
]
"""What is told; ``call.settled`` is the platform's own word on a call: its result and its price."""

WebhookName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""What an endpoint is called, in the log, in metrics and in the database."""


class WebhookSettings(Section):
    """An endpoint that is told of calls."""

    url: Url = Field(repr=False, description="Address. Redirects are not followed.")
    secret: SecretStr = Field(
        description="What requests are signed by: `whsec_` and 24 to 64 bytes in base64; several "
        "with spaces between them, while one is being replaced. `${NAME}` is the environment "
        "variable NAME, or the content of the file that NAME_FILE names.",
    )
    events: tuple[WebhookEvent, ...] = Field(
        ("call.ended",), min_length=1, description="What it is told."
    )
    conversation: bool = Field(
        default=False,
        description="Whether it is told what was said, too: all turns with `call.ended`, text and "
        "fields with `call.summarized`. Unset: times, numbers and outcomes alone leave the house.",
    )
    headers: dict[str, SecretStr] = Field(
        {}, description="Sent with each request; `${NAME}` as in `secret`."
    )
