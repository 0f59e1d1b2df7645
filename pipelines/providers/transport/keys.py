"""Secrets: where a provider's key is looked for."""

from __future__ import annotations

from pydantic import SecretStr

from pipelines.environment import from_environment, plain_key
from pipelines.providers.contracts import ProviderError, Stage


def find_key(stage: Stage, given: SecretStr | None, variable: str) -> str:
    """Return the key of a provider.

    Args:
        stage: Who wants it.
        given: From the options; it wins.
        variable: Name of the environment variable that has it. With ``_FILE`` behind it, the name
            of the variable that has the path of a file with it, as container platforms do it.

    Raises:
        ProviderError: If there is none, if its file cannot be read, or if there is a character in
            it that no key has; names the variable.
    """
    name = f"{stage}.options.api_key" if given is not None else variable
    try:
        key = given.get_secret_value() if given is not None else from_environment(variable)
    except ValueError as error:
        raise ProviderError(stage, str(error), retryable=False) from None
    try:
        key = plain_key(key)
    except ValueError as error:
        raise ProviderError(stage, f"{name}: {error}", retryable=False) from None
    if key:
        return key
    if given is not None:
        raise ProviderError(stage, f"{name}: there is nothing in it", retryable=False)
    raise ProviderError(
        stage, f"set {variable} in the environment, or {variable}_FILE, or api_key", retryable=False
    )
