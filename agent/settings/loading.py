"""Where settings come from, and how they are read."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import load_dotenv
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableVariableError

from agent.settings.errors import SettingsError, explain, unknown
from agent.settings.tree import FILE, PREFIX, Settings


def load(
    file: Path | None = None, overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """Read the settings from every source.

    Variables in ``.env`` join the environment, where they do not hide those that are there: a
    provider's own, such as OPENAI_API_KEY, can stand in the same file.

    Args:
        file: Instead of ``voice-agent.toml``; must exist.
        overrides: From the command line, nested as the tree is.

    Raises:
        SettingsError: If anything is wrong: a line for each mistake, which names the setting, what
            was given and what is allowed.
    """
    if file is not None and not file.is_file():
        raise SettingsError(f"{file}: no such file")
    try:
        load_dotenv(".env")
    except UnicodeDecodeError:
        raise SettingsError(".env: not UTF-8") from None

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=file or FILE)

    try:
        values: dict[str, Any] = dict(overrides or {})
        settings = FromFile(**values)
    except ValidationError as error:
        raise SettingsError(explain(error, Settings)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file or FILE}: not TOML: {error}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file or FILE}: not UTF-8") from None
    except UnreadableVariableError as error:
        raise SettingsError(str(error)) from None
    _refuse_unknown_variables()
    return settings


def _refuse_unknown_variables() -> None:
    """Refuse what pydantic-settings passes over: a variable whose first part is no section."""
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX):
            name = variable[len(PREFIX) :].lower().split("__")[0]
            if name not in Settings.model_fields:
                raise SettingsError(unknown(variable, Settings, (name,), ""))
