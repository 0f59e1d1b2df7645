"""Where settings come from, and how they are read: all that is wrong is told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.settings import toml_file, variables
from agent.settings.errors import SettingsError, explain
from agent.settings.origins import Origins
from agent.settings.providers import STAGES, mistakes_in
from agent.settings.tree import FILE, Settings
from agent.text_files import UnreadableTextError, read_text


def load(
    file: Path | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    named: Iterable[tuple[str, str]] = (),
) -> Settings:
    """Read the settings from every source.

    Variables of others in ``.env``, such as OPENAI_API_KEY, join the environment, where they do not
    hide those that are set.

    Args:
        file: Instead of ``voice-agent.toml``; must exist.
        overrides: From the command line, nested as the tree is.
        named: The same by their dotted names, as text: ``("llm.provider", "scripted")``.

    Raises:
        SettingsError: If anything is wrong: a line for each mistake of all sources, which names
            where it stands, the setting, what was given and what is allowed. Its ``origins`` have
            the settings that could be read.
    """
    origins = Origins(file=file)
    mistakes = _take_file(file, origins)
    whole = not mistakes
    mistakes += variables.take(origins)
    for name, given in (overrides or {}).items():
        origins.put((name,), given, "command line")
    mistakes += variables.take_named(named, origins)
    try:
        settings = Settings.of(origins)
    except ValidationError as invalid:
        mistakes += explain(invalid, Settings, "", origins, whole=whole)
    else:
        if not mistakes:
            return settings
    for stage in STAGES:
        default = Settings.model_fields[stage].default.provider
        mistakes += mistakes_in(stage, default, origins)
    error = SettingsError("\n".join(sorted(dict.fromkeys(mistakes), key=_line)))
    error.origins = origins
    raise error


_LINE = re.compile(r"([^:]*), line (\d+):")


def _line(mistake: str) -> tuple[str, int]:
    """Return the order of mistakes: as they stand in a file, the others behind them."""
    found = _LINE.match(mistake)
    return (found[1], int(found[2])) if found else ("\uffff", 0)


def _take_file(file: Path | None, origins: Origins) -> list[str]:
    try:
        text = read_text(file or FILE)
    except FileNotFoundError:
        return [f"{file}: no such file"] if file is not None else []
    except UnreadableTextError as error:
        return [f"{file or FILE}: {error}"]
    return toml_file.take(text, str(file or FILE), origins)
