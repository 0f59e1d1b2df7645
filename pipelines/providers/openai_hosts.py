"""Who speaks OpenAI's HTTP interface, and which key belongs to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipelines.providers.contracts import Stage
from pipelines.providers.transport.keys import find_key

OPENAI_URL = "https://api.openai.com/v1"

OPENAI, AZURE = "api.openai.com", "openai.azure.com"

KEYS: Mapping[str, str] = {
    OPENAI: "OPENAI_API_KEY",
    AZURE: "AZURE_OPENAI_API_KEY",
    "api.groq.com": "GROQ_API_KEY",
    "api.together.ai": "TOGETHER_API_KEY",
    "api.together.xyz": "TOGETHER_API_KEY",
    "openrouter.ai": "OPENROUTER_API_KEY",
}
"""Environment variable of the key, by host: the name that the service's own documentation uses."""

API_KEY = "Key. Unset: from the environment variable that key_variable names."

KEY_VARIABLE = (
    "Environment variable that has the key; with _FILE behind it, of a file that has it. Unset: "
    "OPENAI_API_KEY, AZURE_OPENAI_API_KEY, GROQ_API_KEY, TOGETHER_API_KEY or OPENROUTER_API_KEY, "
    "whichever belongs to the host of base_url; at any other host no key, so that none ever "
    "reaches a server that it is not for."
)
"""Descriptions of two options that all adapters of this interface have."""


class Account(Protocol):
    """Whom to ask, and as whom: what the options of all such adapters have."""

    @property
    def base_url(self) -> str:
        """Return the server's URL."""
        ...

    @property
    def api_key(self) -> SecretStr | None:
        """Return the key, if it is given."""
        ...

    @property
    def key_variable(self) -> str | None:
        """Return the name of the environment variable that has it, if that is given."""
        ...


def is_at(url: str, domain: str) -> bool:
    """Return whether the server is of that domain."""
    host = urlsplit(url).hostname or ""
    return host == domain or host.endswith(f".{domain}")


def host_key(stage: Stage, account: Account) -> str | None:
    """Return the key to send; None if the server needs none.

    Raises:
        ProviderError: If it needs one, and there is none.
    """
    names = [name for domain, name in KEYS.items() if is_at(account.base_url, domain)]
    variable = account.key_variable or next(iter(names), None)
    if variable is None and account.api_key is None:
        return None
    return find_key(stage, account.api_key, variable or "")


def auth_headers(stage: Stage, account: Account) -> dict[str, str]:
    """Return the headers that hold the key; none if the server needs none.

    Raises:
        ProviderError: If it needs a key, and there is none.
    """
    key = host_key(stage, account)
    return {} if key is None else {"Authorization": f"Bearer {key}"}
