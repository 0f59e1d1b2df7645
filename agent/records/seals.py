"""How what is stored is kept from eyes that have no key: as it is, or sealed."""

from __future__ import annotations

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
