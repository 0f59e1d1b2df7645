"""Which seal is used, and whether it is the one that records were sealed with before."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from agent.records.seals import KeySeal, NoSeal, Seal, proof
from agent.settings.errors import SettingsError
from agent.settings.privacy import PrivacySettings
from agent.settings.sealing_keys import SealingKey
from agent.store.engine import Database
from agent.store.record_tables import seal_keys


def seal_of(settings: PrivacySettings) -> Seal:
    """Return the seal of these settings; none if there are no keys.

    Raises:
        SettingsError: If keys are wrong, or the extra is not installed.
    """
    keys = settings.sealing_keys()
    return KeySeal(keys) if keys else NoSeal()


async def take_up(database: Database, keys: Sequence[SealingKey]) -> None:
    """Have the first key be known as one that seals, before anything is sealed with it.

    Raises:
        SettingsError: If a key is missing that records may be sealed with, or is another than the
            one of that name: what would be written now could not be read together with them.
        StoreError: If the database fails.
    """
    if mistake := await database.write(lambda c: _take_up(c, keys)):
        raise SettingsError(mistake)


async def give_up(database: Database, name: str) -> bool:
    """Forget a key that is lost, with what it has sealed; return whether it was known.

    Raises:
        StoreError: If the database fails.
    """
    gone = delete(seal_keys).where(seal_keys.c.name == name)
    return await database.write(lambda c: c.execute(gone).rowcount > 0)


def _take_up(connection: Connection, keys: Sequence[SealingKey]) -> str:
    proofs = {key.name: proof(key) for key in keys}
    for name, known in connection.execute(select(seal_keys.c.name, seal_keys.c.proof)):
        if name not in proofs:
            return (
                f"privacy.keys: the key {name!r} is missing, and records are sealed with it; write "
                "it behind the first key, or none of them can be read (docs/privacy.md)"
            )
        if proofs[name] != known:
            return f"privacy.keys: the key {name!r} is another than the one records are sealed with"
    if keys:
        row = {"name": keys[0].name, "proof": proofs[keys[0].name]}
        # SQLite has the same words for this.
        connection.execute(insert(seal_keys).values(row).on_conflict_do_nothing())
    return ""
