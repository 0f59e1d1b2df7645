"""Secrets in the environment, or in files that it names, as container platforms give them."""

from __future__ import annotations

import os
from pathlib import Path


def from_environment(variable: str) -> str:
    """Return a secret: of ``variable``, or of the file whose path is in ``variable_FILE``.

    Returns:
        ``""`` if there is neither.

    Raises:
        ValueError: If the file cannot be read; names the variable.
    """
    if secret := os.environ.get(variable, "").strip():
        return secret
    path = os.environ.get(f"{variable}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the file that {variable}_FILE names cannot be read: {type(error).__name__}"
        raise ValueError(message) from None


def required_from_environment(variable: str) -> str:
    """Return a secret as :func:`from_environment` does.

    Raises:
        ValueError: If there is none, or its file cannot be read; says how to set it.
    """
    if secret := from_environment(variable):
        return secret
    raise ValueError(f"set it in the environment, or {variable}_FILE")
