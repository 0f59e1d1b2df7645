"""How the records of calls are kept."""

from __future__ import annotations

from pydantic import Field

from pipelines.settings import Section


class RecordSettings(Section):
    """Journals on the disk of a machine, and their way into the database."""

    keep_files: bool = Field(
        default=False,
        description="Whether the transcript of a call stays in `transcripts` as a file, once it is "
        "in the database, for as long as the shortest of what `privacy` keeps records, words and "
        "numbers.",
    )
    spool_limit: int = Field(
        1_000_000_000,
        ge=1_000_000,
        description="Bytes of journals on this machine that are not in the database yet. Beyond, "
        "lines are dropped and counted. A call has some 10 kB: a day without a database is borne "
        "at a call a second.",
    )
