"""Idempotency keys of calls that we place: the same key is the same call, in whichever process."""

from __future__ import annotations

from agent.store.claims import StoredClaims


class DialKeys:
    """Keys, and the call that each stands for, for a day.

    Every method raises StoreError if the database fails.

    Args:
        claims: Shared by all processes.
    """

    def __init__(self, claims: StoredClaims) -> None:
        self._claims = claims

    async def first_to_dial(self, key: str, name: str) -> bool:
        """Return whether this key is new; then it stands for the call ``name``."""
        return await self._claims.claim(f"dial key {key}", {"id": name}) is None

    async def call_of(self, key: str) -> str:
        """Return the name of the call that a key stands for; ``""`` if it is new."""
        known = await self._claims.find(f"dial key {key}")
        value = known.value if known is not None else None
        return str(value.get("id", "")) if value is not None else ""

    async def forget(self, key: str) -> None:
        """Let the next dial with this key be the first."""
        await self._claims.release(f"dial key {key}")
