"""How what is stored is kept from eyes that have no key: as it is, or sealed.

Sealed is AES-256-GCM, by keys that have names. A text is ``sealed:NAME:`` and, in base64, a random
nonce of 12 bytes and what AES-GCM made of it. A file begins with a line that names the key, then a
salt, of which a key of that file alone is derived; then blocks, each with its number and whether it
is the last in its nonce, so that none can be moved, left out or cut off unseen (the STREAM
construction: https://eprint.iacr.org/2015/189).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from agent.settings.errors import SettingsError
from agent.settings.sealing_keys import SealingKey
from agent.store.errors import UnreadableRowError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # an extra

MARK = "sealed:"
"""Begins a sealed text; what else is stored is JSON, and does not begin so."""

FILE_MARK = b"sealed file 1 "
"""Begins a sealed file, before the name of the key and the end of the line."""

NONCE, TAG, SALT = 12, 16, 16
"""Bytes."""

BLOCK = 65_536
"""Bytes of a file that are sealed at once: memory for whoever reads, and 16 more each on disk."""

LONGEST_HEAD = 64
"""Bytes of the line that a sealed file begins with."""


class Seal(Protocol):
    """Hides what is stored, and shows it again. Safe to use in several threads."""

    def hide(self, text: str, place: str = "") -> str:
        """Return what is stored for ``text``.

        Args:
            text: What to hide.
            place: Where it is stored, if it may not be moved elsewhere unseen.
        """
        ...

    def show(self, stored: str, place: str = "") -> str:
        """Return the text that was stored; one that was stored as it is, as it is.

        Raises:
            SealError: If there is no key for it, or it was changed, or hidden at another place.
        """
        ...

    def look_up(self, value: str) -> str:
        """Return what a number or a word is stored by, to be found: 64 characters at the most."""
        ...

    def look_ups(self, value: str) -> tuple[str, ...]:
        """Return all that it may be stored by: by an older key, or from before there was one."""
        ...

    def hide_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what is stored for a file of these blocks, of whatever sizes."""
        ...

    def show_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a file that was stored; one that was stored as it is, as it is.

        Raises:
            SealError: If there is no key for it, or it was changed or cut off. What was yielded
                before was right.
        """
        ...


class SealError(UnreadableRowError):
    """What is stored cannot be shown. The message names the key that is wanted, if that is why."""


class NoSeal:
    """Everything is stored as it is."""

    def hide(self, text: str, place: str = "") -> str:
        """Return ``text``."""
        del place
        return text

    def show(self, stored: str, place: str = "") -> str:
        """Return ``stored``.

        Raises:
            SealError: If it is sealed.
        """
        del place
        if stored.startswith(MARK):
            raise _missing(stored.split(":", 2)[1])
        return stored

    def look_up(self, value: str) -> str:
        """Return the first 64 characters of ``value``."""
        return value[:64]

    def look_ups(self, value: str) -> tuple[str, ...]:
        """Return the same, alone."""
        return (value[:64],)

    def hide_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``blocks``."""
        yield from blocks

    def show_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``blocks``.

        Raises:
            SealError: If they are sealed.
        """
        name, rest = _head(iter(blocks))
        if name is not None:
            raise _missing(name)
        yield from rest


class KeySeal:
    """Seals with the first of its keys, and opens with each.

    What a value is looked up by is a digest that nobody can make without the key: numbers are too
    few for any other.

    Args:
        keys: At least one.

    Raises:
        SettingsError: If the extra is not installed.
    """

    def __init__(self, keys: Sequence[SealingKey]) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - an extra
                AESGCM,
            )
        except ImportError:
            raise SettingsError(
                'privacy.keys needs cryptography: pip install "sinch-voice-agent[encryption]"'
            ) from None
        self._new = AESGCM
        self._keys = {key.name: key for key in keys}
        self._texts: dict[str, AESGCM] = {key.name: AESGCM(derived(key, b"texts")) for key in keys}
        self._look_ups = [derived(key, b"look-ups") for key in keys]
        self.first = keys[0].name
        """Name of the key that seals."""

    def hide(self, text: str, place: str = "") -> str:
        """See :class:`Seal`."""
        nonce = os.urandom(NONCE)
        given = _bytes(text)
        sealed = self._texts[self.first].encrypt(
            nonce, given, place.encode("utf-8", "surrogatepass")
        )
        return f"{MARK}{self.first}:{base64.b64encode(nonce + sealed).decode()}"

    def show(self, stored: str, place: str = "") -> str:
        """See :class:`Seal`."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

        if not stored.startswith(MARK):
            return stored
        _, name, sealed = stored.split(":", 2) if stored.count(":") > 1 else ("", "", "")
        if name not in self._texts:
            raise _missing(name)
        try:
            given = base64.b64decode(sealed, validate=True)
            text = self._texts[name].decrypt(given[:NONCE], given[NONCE:], _bytes(place))
        except (InvalidTag, binascii.Error, ValueError):
            raise _changed(name) from None
        return text.decode("utf-8", "surrogatepass")

    def look_up(self, value: str) -> str:
        """See :class:`Seal`; nothing is found by nothing."""
        return _digest(self._look_ups[0], value) if value else ""

    def look_ups(self, value: str) -> tuple[str, ...]:
        """See :class:`Seal`."""
        return (*(_digest(key, value) for key in self._look_ups), value[:64])

    def hide_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """See :class:`Seal`."""
        salt = os.urandom(SALT)
        cipher = self._new(derived(self._keys[self.first], b"file" + salt))
        yield FILE_MARK + self.first.encode() + b"\n" + salt
        for number, (block, last) in enumerate(_blocks(blocks, BLOCK)):
            yield cipher.encrypt(_nonce(number, last=last), block, None)

    def show_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """See :class:`Seal`."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

        name, rest = _head(iter(blocks))
        if name is None:
            yield from rest
            return
        if name not in self._keys:
            raise _missing(name)
        salt, rest = _taken(rest, SALT)
        cipher = self._new(derived(self._keys[name], b"file" + salt))
        for number, (block, last) in enumerate(_blocks(rest, BLOCK + TAG)):
            try:
                yield cipher.decrypt(_nonce(number, last=last), block, None)
            except (InvalidTag, ValueError):
                raise _changed(name) from None


def derived(key: SealingKey, purpose: bytes) -> bytes:
    """Return a key of 32 bytes for one purpose: HMAC of random bytes is as good as HKDF's."""
    return hmac.digest(key.secret, purpose, "sha256")


def proof(key: SealingKey) -> str:
    """Return what tells a key from another of its name, and gives nothing else away."""
    return derived(key, b"proof").hex()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # half a character too: tools give them


def _digest(key: bytes, value: str) -> str:
    return hmac.new(key, _bytes(value), hashlib.sha256).hexdigest()


def _missing(name: str) -> SealError:
    return SealError(f"it is sealed with the key {_shown(name)!r}, which is not among privacy.keys")


def _changed(name: str) -> SealError:
    return SealError(
        f"it was changed since it was sealed, or the key {_shown(name)!r} is another of that name"
    )


def _shown(name: str) -> str:
    return name[:16] if name.isascii() and name.isprintable() else "?"


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE - 1, "big") + bytes([last])


def _head(blocks: Iterator[bytes]) -> tuple[str | None, Iterator[bytes]]:
    """Return the name of the key of a file, None if it is not sealed, and the rest of the file."""
    begun, rest = _taken(blocks, LONGEST_HEAD)
    if not begun.startswith(FILE_MARK):
        return None, _with(begun, rest)
    name, _, behind = begun.removeprefix(FILE_MARK).partition(b"\n")
    return name.decode("ascii", "replace"), _with(behind, rest)


def _taken(blocks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, fewer only if there are no more, and what follows."""
    taken = b""
    while len(taken) < size and (block := next(blocks, None)) is not None:
        taken += block
    return taken[:size], _with(taken[size:], blocks)


def _with(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from blocks


def _blocks(given: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks of ``size`` bytes, and whether it is the last, which may be shorter or empty."""
    waiting = bytearray()
    for piece in given:
        waiting += piece
        while len(waiting) > size:
            yield bytes(waiting[:size]), False
            del waiting[:size]
    yield bytes(waiting), True
