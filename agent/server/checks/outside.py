"""Whether what others run takes what we have for it: a bucket, webhooks. Each is really asked."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

from agent.records.recordings.buckets import Bucket, BucketError
from agent.records.webhooks.delivery import ping, send
from agent.records.webhooks.endpoints import Endpoint, endpoints
from agent.server.checks.finding import Finding
from agent.settings import Settings, SettingsError


def outside(settings: Settings) -> Iterator[Finding]:
    """Write something tiny to the bucket and delete it; send each webhook a ``ping``.

    What cannot be made of the settings is let be: it is told without asking anybody.
    """
    if store := settings.recording.store:
        try:
            Bucket(store).try_out()
        except SettingsError:
            return
        except BucketError as error:
            yield Finding(place="recording.store", given=repr(store), message=str(error))
    try:
        wanted = endpoints(settings.webhooks)
    except ValueError:
        return
    for name, why in asyncio.run(_pinged(list(wanted.values()))).items():
        yield Finding(place=f"webhooks.{name}.url", message=why)


async def _pinged(wanted: list[Endpoint]) -> dict[str, str]:
    """Return why endpoints took nothing, by their names; those that did are left out."""
    failed = {}
    for one in wanted:
        if (why := await send(one, f"msg_{uuid.uuid4().hex}", ping())) is not None:
            failed[one.name] = why.why
    return failed
