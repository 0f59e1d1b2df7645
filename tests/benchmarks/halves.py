"""Which half of the recordings and texts is for choosing by, and which for reporting.

One rule for all benchmarks: what is chosen by one of them is never reported by another.
"""

from __future__ import annotations

import hashlib


def is_for_choosing(name: str) -> bool:
    """Return whether what has this name may be chosen by; the other half is only reported on.

    Args:
        name: Of a recording, its path in the package, without extension; of a text, itself.
    """
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 0
