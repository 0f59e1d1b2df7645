"""What a worker has from its supervisor, and what they say to each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

READY, LEAVE = b"r", b"l"
"""What is said on the lifeline: by the worker, that it takes calls now; by the supervisor, that it
is to leave. Its end is the end of the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inheritance:
    """What stands on the command line of a worker; no secrets, which anybody could see there."""

    slot: int
    workers: int
    folder: str
    lifeline: int
    """A descriptor, as :attr:`sockets` are."""

    sockets: Sequence[int]
    """That are listened on."""

    def text(self) -> str:
        """Return it as one word."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def of(cls, text: str) -> Inheritance:
        """Return what :meth:`text` has made."""
        return cls(**json.loads(text))
