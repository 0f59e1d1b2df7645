"""How what is stored is kept from eyes that have no key: as it is, or sealed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class Seal(Protocol):
    """Hides what is stored, and shows it again. Safe to use in several threads."""

    def hide(self, text: str) -> str:
        """Return what is stored for ``text``."""
        ...

    def show(self, stored: str) -> str:
        """Return the text that was stored.

        Raises:
            SealError: If there is no key for it, or it was changed.
        """
        ...

    def look_up(self, value: str) -> str:
        """Return what a number or a word is found by: equal for equal values, 64 characters."""
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


class SealError(Exception):
    """What is stored cannot be shown."""


class NoSeal:
    """Everything is stored as it is."""

    def hide(self, text: str) -> str:
        """Return ``text``."""
        return text

    def show(self, stored: str) -> str:
        """Return ``stored``."""
        return stored

    def look_up(self, value: str) -> str:
        """Return the first 64 characters of ``value``."""
        return value[:64]

    def hide_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``blocks``."""
        yield from blocks

    def show_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``blocks``."""
        yield from blocks
