"""What records are called: a name of ours, whatever the platform calls the call."""

from __future__ import annotations

import secrets
from datetime import datetime


def new_id(at: datetime) -> str:
    """Return a name that no other record has; those of later calls come later in its order.

    It is a UUID of version 7 (RFC 9562, section 5.7), without hyphens: 32 hexadecimal digits, of
    which the first 12 are the milliseconds.

    Args:
        at: When the call was answered; with its time zone.
    """
    value = (int(at.timestamp() * 1000) << 80) | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return f"{value & ~(0x3 << 62) | 0x2 << 62:032x}"
