"""What may be asked of the list of who wants no more calls, over REST: the shapes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from agent.store.opt_outs import MOST_LISTED


class OptOutRequest(BaseModel):
    """Somebody who wants no more calls."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="OptOutRequest")

    number: str = Field(
        max_length=300,
        description="Number, as people write it, SIP address, or `user:` and the id of an In-App "
        "user.",
    )


class OptOutsQuery(BaseModel):
    """Which of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="OptOutsQuery")

    limit: int = Field(100, ge=1, le=MOST_LISTED, description="How many, the latest first.")
    skip: int = Field(0, ge=0, le=2**31, description="How many of the latest are left out.")
