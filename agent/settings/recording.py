"""Which calls are recorded, how, and where recordings are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipelines.settings import Section


def _bucket(url: str) -> str:
    if url and not re.fullmatch(r"(s3|gs|az)://[A-Za-z0-9._-]+(/[A-Za-z0-9._/-]*)?", url):
        raise ValueError("s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX")
    return url.rstrip("/")


class RecordingSettings(Section):
    """Which calls are recorded, how, and where recordings are kept."""

    calls: Literal["off", "on", "never"] = Field(
        "off",
        description="`on`: all calls, but for agents whose file says `record: false`. `off`: none, "
        "but for agents whose file says `record: true`. `never`: none, whatever a file says.",
    )
    consent: str = Field(
        "",
        max_length=1000,
        description="What callers are told first, unless the agent's file has a "
        "`recording_consent` of its own; the recording begins once it was heard in full. Empty: it "
        "begins with the answer, which many countries forbid.",
    )
    format: Literal["flac", "opus"] = Field(
        "flac",
        description="`flac` loses nothing and costs next to nothing to make; `opus` takes a "
        "quarter of the space or less, for fifty times the work, after the call.",
    )
    folder: Path = Field(
        Path("recordings"),
        description="Folder of recordings, one file a call.",
    )
    limit_mb: float = Field(
        20_000.0,
        gt=0,
        description="Megabytes that the folder may hold; beyond it calls go on unrecorded. 20 GB "
        "are some 500 hours of telephone speech as FLAC.",
    )
    min_free_mb: float = Field(
        1_000.0,
        ge=0,
        description="Megabytes of the disk that are left free: with less, calls go on unrecorded, "
        "so that the rest of the machine, the database first, has room.",
    )
    pause_key: str = Field(
        "",
        pattern=r"^[0-9*#]?$",
        description="Key of the telephone that pauses the recording, and lets it go on; the agent "
        "is not told of it. Unset: none, since menus use all of them.",
    )
    stop_key: str = Field(
        "",
        pattern=r"^[0-9*#]?$",
        description="Key by which a caller declines to be recorded, from the consent sentence on.",
    )
    delete_declined: bool = Field(
        default=True,
        description="Whether what was recorded is deleted when the caller declines, by key or by "
        "word: without their consent there is mostly no right to keep it.",
    )
    store: Annotated[str, AfterValidator(_bucket)] = Field(
        "",
        description="Where recordings are moved after the call: `s3://BUCKET/PREFIX`, `gs://…` or "
        "`az://…`. Keys come from the environment, as the cloud's own tools read them. Unset: "
        "they stay in the folder.",
    )
