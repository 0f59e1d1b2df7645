"""Secrets: where a provider's key is looked for."""

from __future__ import annotations

from pydantic import SecretStr

from pipelines.environment import from_environment
from pipelines.providers.contracts import ProviderError, Stage


def find_key(stage: Stage, given: SecretStr | None, variable: str) -> str:
    """Return the key of a provider.

    Args:
        stage: Who wants it.
        given: From the options; it wins.
        variable: Name of the environment variable that has it. With ``_FILE`` behind it, the name
            of the variable that has the path of a file with it, as container platforms do it.

    Raises:
        ProviderError: If there is none, or its file cannot be read; names the variable.
    """
    if given is not None:
        return given.get_secret_value()
    try:
        if key := from_environment(variable):
            return key
    except ValueError as error:
        raise ProviderError(stage, str(error), retryable=False) from None
    raise ProviderError(
        stage, f"set {variable} in the environment, or {variable}_FILE, or api_key", retryable=False
    )
