"""Settings in environment variables and in ``.env``: ``VOICE_AGENT_SERVER__PORT=9000``."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from agent.settings.allowed import Kind, allowed, at
from agent.settings.errors import is_secret, named, printable, renamed, unknown
from agent.settings.origins import Origins
from agent.settings.providers import StageSettings
from agent.settings.tree import PREFIX, Settings
from agent.text_files import UnreadableTextError, read_text
from pipelines.environment import strange_character

DOT_ENV = Path(".env")

_SERVICE = re.compile(
    r"""VOICE_AGENT(_[A-Z0-9_]+)?_(
    SERVICE_HOST | SERVICE_PORT(_[A-Z0-9_]+)?  # Kubernetes, of a Service
    # Kubernetes, and Docker's links
    | PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|ADDR|PORT|(PORT_)?(START|END)))?
    )""",
    re.VERBOSE,
)
"""Variables that Kubernetes puts into every container for a Service whose name begins like us."""

_LINKED = re.compile(r"VOICE_AGENT(_[A-Z0-9_]+)?_(PORT|NAME)")
"""The same, if the value is an address, or the path of a link of Docker's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable that is set, to something."""

    name: str
    value: str
    where: str
    """For mistakes: its name, behind the file and line that it stands in."""


def take(origins: Origins) -> list[str]:
    """Put what is set by variables into ``origins``: the environment over ``.env``.

    Variables of others in ``.env``, such as OPENAI_API_KEY, are put into the environment, if they
    are not there. One that is empty, or blank, counts as not set, in both.

    Returns:
        A line for each that is no setting, or has a value that cannot be read.
    """
    mistakes: list[str] = []
    in_file: dict[str, Variable] = {}
    for variable in _dot_env(mistakes):
        if is_ours(variable.name):
            in_file[variable.name.upper()] = variable
        elif not os.environ.get(variable.name):
            os.environ[variable.name] = variable.value
    ours = [
        name for name in sorted(os.environ) if is_ours(name) and not _is_blank(os.environ[name])
    ]
    in_environment = {
        name.upper(): Variable(name=name, value=os.environ[name], where=printable(name))
        for name in ours
    }
    both = (in_file | in_environment).values()
    # Who does a stage comes first: it tells which options there are.
    for variable in sorted(both, key=lambda one: not one.name.upper().endswith("__PROVIDER")):
        if not _is_blank(variable.value) and not injected(variable.name, variable.value):
            mistakes += _take_one(variable, origins)
    return mistakes


def _is_blank(value: str) -> bool:
    return value.strip() in ("", '""', "''")  # as Docker reads NAME="" of a file


def is_ours(name: str) -> bool:
    """Return whether a variable begins as settings do."""
    return name.upper().startswith(PREFIX)


def injected(name: str, value: str) -> bool:
    """Return whether Kubernetes or Docker has set a variable, for a service of our name."""
    name, value = name.upper(), value.strip()
    if re.match("VOICE_AGENT(?!_MCP)(_[A-Z0-9]+)*_ENV_", name):  # of a container, linked by Docker
        return True
    if _SERVICE.fullmatch(name):
        return "__" not in name
    linked = re.match(r"(tcp|udp|sctp)://|/", value)
    return bool(linked and _LINKED.fullmatch(name) and "__" not in name)


def _dot_env(mistakes: list[str]) -> Iterator[Variable]:
    """Yield the variables of ``.env``, the last of each name."""
    try:
        text = read_text(DOT_ENV)
    except FileNotFoundError:
        return
    except UnreadableTextError as error:
        if not (DOT_ENV / "pyvenv.cfg").exists():  # a virtual environment of that name
            mistakes.append(f"{DOT_ENV}: {error}")
        return
    yield from _bindings(text, mistakes)


def _bindings(text: str, mistakes: list[str]) -> Iterator[Variable]:
    lines: dict[str, int] = {}
    readable: list[str] = []
    for binding in parse_stream(io.StringIO(text)):
        source, name = binding.original.string, binding.key
        line = binding.original.line + len(source) - len(source.lstrip("\n"))
        if binding.error or (name is not None and binding.value is None):
            mistakes.append(f"{DOT_ENV}, line {line}: {_unreadable(source)}")
        elif name is not None and (strange := strange_character(name)):
            what = f"there is a character in the name that is not seen or not meant ({strange})"
            mistakes.append(f"{DOT_ENV}, line {line}: {printable(name)}: {what}; type it anew")
        elif name is not None:
            if name in lines and is_ours(name):
                mistakes.append(f"{DOT_ENV}, line {line}: {name} is in line {lines[name]}, too")
            lines[name] = line
            readable.append(source)
    for name, value in dotenv_values(stream=io.StringIO("".join(readable))).items():
        where = f"{DOT_ENV}, line {lines[name]}: {name}"
        yield Variable(name=name, value=value or "", where=where)


def _unreadable(statement: str) -> str:
    """Say what is wrong with a statement of ``.env``. Nothing of it is quoted but a name."""
    name, _, value = statement.strip().partition("\n")[0].partition("=")
    if value.strip()[:1] in ("'", '"'):
        return f"{name.strip()[:60]}: close the quotation marks; only a comment stands behind them"
    return "write NAME=value"


def take_named(given: Iterable[tuple[str, str]], origins: Origins) -> list[str]:
    """Put settings that are given by their dotted names into ``origins``, over what is there.

    An option of a provider may be named beside it: ``llm.model`` is ``llm.options.model``. Where
    another provider is named than before, the options of the one before are dropped.

    Args:
        given: Names and values, as text; a list or section is JSON.
        origins: Added to.

    Returns:
        A line for each that is no setting, or has a value that cannot be read.
    """
    mistakes: list[str] = []
    for name, value in sorted(given, key=lambda one: not one[0].endswith(".provider")):
        parts = name.strip().split(".")
        stage = Settings.model_fields.get(parts[0]) if len(parts) == 2 else None
        if stage is not None and isinstance(stage.default, StageSettings):
            if parts[1] == "provider":
                _leave_options(parts[0], stage.default.provider, value, origins)
            elif parts[1] not in type(stage.default).model_fields:
                parts.insert(1, "options")
        variable = Variable(
            name=variable_of(".".join(parts)), value=value, where=f"--set {printable(name)}"
        )
        mistakes += _take_one(variable, origins, spelling=str)
    return mistakes


def _leave_options(stage: str, usual: str, provider: str, origins: Origins) -> None:
    section = origins.values.get(stage)
    if isinstance(section, dict) and section.get("provider", usual) != provider:
        section.pop("options", None)


def _take_one(
    variable: Variable, origins: Origins, spelling: Callable[[str], str] | None = None
) -> Iterator[str]:
    spelling = spelling or variable_of
    parts = variable.name[len(PREFIX) :].replace(".", "__").lower().split("__")
    if now := renamed(".".join(parts)):
        yield f"{variable.where}: {'.'.join(parts)}: is called {now} now"
        return
    kind = Kind(Settings)
    for number, part in enumerate(parts):
        if kind.model is not None:
            inner = at(kind.model, (part,))
            if inner is None or "." in variable.name:
                yield f"{variable.where}: {unknown(parts, number, Settings, spelling, origins)}"
                return
            kind = inner
        elif kind.is_section:
            kind = kind.item
        elif kind.plain is not Any:
            above = ".".join(parts[:number])
            how = f": set {spelling(above)} to all of it, as JSON" if kind.is_list else ""
            yield f"{variable.where}: {above} has no parts{how}"
            return
    value, wrong = _read(kind, variable.value.strip())
    if wrong:
        dotted = ".".join(parts)
        given = named(dotted, variable.value.strip(), secret=is_secret(dotted, kind))
        yield f"{variable.where}: {given}: {wrong}"
    else:
        origins.put(tuple(parts), value, variable.where)


def variable_of(setting: str) -> str:
    """Return the variable of a setting, by its dotted name."""
    return PREFIX + setting.replace(".", "__").upper()


def _read(kind: Kind, text: str) -> tuple[object, str]:
    """Return what a variable's text says, and why it cannot be read; ``""`` if it can."""
    if not (kind.is_list or kind.is_section):
        if kind.plain is Any and text[:1] in ("[", "{"):  # of a provider: it knows its options
            value, wrong = _json(text)
            return (text if wrong else value), ""
        return text, ""
    value, wrong = _json(text)
    expected: type = list if kind.is_list else dict
    if not wrong and isinstance(value, expected):
        return value, ""
    if kind.is_list:
        return None, f"must be {allowed(kind)}, as JSON{_example(kind, text)}"
    if kind.model is not None:
        return None, "must be a section, as JSON; or set its parts, with __ between the names"
    return None, f'must be {allowed(kind)}, as JSON, such as {{"name": "value"}}'


def _json(text: str) -> tuple[object, str]:
    try:
        return json.loads(text), ""
    except (ValueError, RecursionError):
        return None, "not JSON"


def _example(kind: Kind, text: str) -> str:
    """Return what was probably meant, if that is not secret."""
    if kind.item.is_secret or not kind.item.is_text:
        return ', such as ["...", "..."]' if kind.item.is_text else ', such as [{"...": "..."}]'
    words = [word.strip(" \"'[]") for word in re.split(r"[,;]", text)]
    return f", such as {json.dumps([word for word in words if word][:3])}"
