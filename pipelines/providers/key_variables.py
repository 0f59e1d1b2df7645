"""Which environment variable has the key of a provider, before anything of it is started."""

from __future__ import annotations

import sys
from typing import Any

from pipelines.providers.openai_hosts import KEYS, is_at


def key_variable(provider: Any, options: Any) -> str:  # noqa: ANN401 - of any stage
    """Return the name of the variable; ``""`` if no key is wanted.

    Args:
        provider: The class.
        options: Its validated ones, which may say whose server it is.
    """
    if "api_key" not in type(options).model_fields:
        return ""
    if "key_variable" in type(options).model_fields:
        at_host = (name for host, name in KEYS.items() if is_at(options.base_url, host))
        return options.key_variable or next(at_host, "")
    module = sys.modules[provider.__module__]
    return str(getattr(module, "KEY", ""))


def is_own_server(options: Any) -> bool:  # noqa: ANN401
    """Return whether the server is none of those whose keys we know: its key may be any word."""
    if "key_variable" not in type(options).model_fields:
        return False
    return not any(is_at(options.base_url, host) for host in KEYS)
