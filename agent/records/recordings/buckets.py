"""Where recordings are moved: a bucket at Amazon (or what speaks like it), Google or Azure.

Everything here waits for a network: use a thread. Keys come from the environment, by the names that
the tools of each cloud have for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agent.settings.errors import SettingsError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig  # an extra

URL = re.compile(r"(?:s3|gs|az)://.+")

ANSWERED_WITHIN = timedelta(seconds=30)
"""For a request, a part of a large file included."""

CONNECTED_WITHIN = timedelta(seconds=5)

RETRIED_FOR = timedelta(seconds=10)
"""That a request which failed is tried again at once; what fails for longer is tried later."""

TRIED = ".voice-agent-can-write"
"""Name of the object by which a bucket is tried out."""

READ_AT_ONCE = 1_000_000
"""Bytes."""


class BucketError(Exception):
    """The bucket does not do what it was asked for. The message names no key and no signature."""


class Bucket:
    """A bucket, or a part of it.

    Args:
        url: ``s3://BUCKET/PREFIX``, ``gs://…`` or ``az://…``.

    Raises:
        SettingsError: If the extra is not installed, or the environment lacks what is needed.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        try:
            from obstore import exceptions, store  # noqa: PLC0415 - an extra
        except ImportError:
            raise SettingsError(
                'recording.store needs obstore: pip install "sinch-voice-agent[storage]"'
            ) from None
        options: ClientConfig = {
            "timeout": ANSWERED_WITHIN,
            "connect_timeout": CONNECTED_WITHIN,
            "allow_http": True,  # if the environment names an address that has it
        }
        retries: RetryConfig = {"max_retries": 3, "retry_timeout": RETRIED_FOR}
        try:
            self._store: ObjectStore = store.from_url(
                self.url, client_options=options, retry_config=retries
            )
        except exceptions.BaseError as error:
            raise SettingsError(f"recording.store = {url!r}: {_first_line(error)}") from None

    def address(self, name: str) -> str:
        """Return where the object ``name`` is, for people and for records."""
        return f"{self.url}/{name}"

    def put(self, name: str, path: Path, content_type: str) -> None:
        """Store a file; return once all of it is known to be there.

        Raises:
            BucketError: If it is not.
            OSError: If the file cannot be read.
        """
        import obstore  # noqa: PLC0415 - an extra

        size = path.stat().st_size
        with _told_apart():
            obstore.put(self._store, name, path, attributes={"Content-Type": content_type})
        if (stored := self.size(name)) != size:
            raise BucketError(f"of {size} bytes, {stored or 0} are there")

    def try_out(self) -> None:
        """Write an object of a byte, and delete it.

        Raises:
            BucketError: If that cannot be done.
        """
        import obstore  # noqa: PLC0415 - an extra

        with _told_apart():
            obstore.put(self._store, TRIED, b".")
        self.delete((TRIED,))

    def size(self, name: str) -> int | None:
        """Return the bytes of an object; None if there is none.

        Raises:
            BucketError: If it cannot be found out.
        """
        import obstore  # noqa: PLC0415 - an extra
        from obstore.exceptions import NotFoundError  # noqa: PLC0415 - an extra

        with _told_apart():
            try:
                return obstore.head(self._store, name)["size"]
            except (NotFoundError, FileNotFoundError):
                return None

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes of an object from ``start`` up to ``end``.

        Raises:
            BucketError: If it cannot be read.
        """
        import obstore  # noqa: PLC0415 - an extra

        for at in range(start, end, READ_AT_ONCE):
            with _told_apart():
                until = min(at + READ_AT_ONCE, end)
                piece = obstore.get_range(self._store, name, start=at, end=until)
            yield bytes(piece)

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; those that are not there are no mistake.

        Raises:
            BucketError: If one is still there, or may be.
        """
        import obstore  # noqa: PLC0415 - an extra
        from obstore.exceptions import NotFoundError  # noqa: PLC0415 - an extra

        for name in names:
            with _told_apart():
                try:
                    obstore.delete(self._store, name)
                except (NotFoundError, FileNotFoundError):
                    continue


@contextmanager
def _told_apart() -> Iterator[None]:
    from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra

    try:
        yield
    except (BaseError, FileNotFoundError) as error:  # the second: no such bucket
        raise BucketError(_first_line(error)) from None


def _first_line(error: Exception) -> str:
    """Return what an error says first; what follows quotes requests, with all that is in them."""
    return str(error).strip().split("\n", 1)[0][:200]
