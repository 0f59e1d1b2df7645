"""The settings, and the options of providers, as Markdown: for the docs and the command line."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from agent.settings.providers import StageSettings
from agent.settings.tree import Settings
from pipelines.providers import PROVIDERS, find


def table(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield name, default and description of every setting below ``model``."""
    for name, described in model.model_fields.items():
        kind = described.annotation
        default = described.get_default(call_default_factory=False)
        if isinstance(kind, type) and issubclass(kind, StageSettings):
            names = ", ".join(f"`{known}`" for known in PROVIDERS[name])  # type: ignore[index]
            who = f"{names} or `package.module:Class`."
            yield f"{prefix}{name}.provider", default.provider, who
            for option in ("options", "fallback"):
                field = kind.model_fields[option]
                text = (field.description or "").format(stage=name)
                yield f"{prefix}{name}.{option}", str(field.get_default()), text
            for limit, field in kind.model_fields.items():
                if limit not in StageSettings.model_fields:
                    text = field.description or ""
                    yield f"{prefix}{name}.{limit}", str(field.get_default()), text
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from table(kind, f"{prefix}{name}.")
        else:
            shown = "" if default in (None, PydanticUndefined) else str(default)
            yield prefix + name, shown, described.description or ""


def settings_table() -> str:
    """Return every setting, as a table."""
    lines = ["| setting | default | unit, meaning, reason |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {_code(default)} | {text} |" for name, default, text in table()]
    return "\n".join(lines) + "\n"


def provider_tables() -> str:
    """Return the options of every provider, a table each."""
    lines: list[str] = []
    for stage, providers in PROVIDERS.items():
        for name in providers:
            options = find(stage, name).Options.model_fields
            lines += ["", f'`{stage}.provider = "{name}"`, under `{stage}.options`:', ""]
            lines += ["| option | default | unit, meaning, reason |", "| --- | --- | --- |"]
            lines += [
                f"| `{option}` | {_code(str(field.get_default()))} | {field.description} |"
                for option, field in options.items()
            ]
            if not options:
                lines[-2:] = ["(none)"]
    return "\n".join(lines) + "\n"


def _code(value: str) -> str:
    return f"`{value}`" if value else ""
