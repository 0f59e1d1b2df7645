"""``voice-agent init``: write a small agent, and settings for it."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.options import USAGE, Commands, fail

if TYPE_CHECKING:
    from agent.cli.starter import Options
    from pipelines.providers.contracts import Stage

LOCAL: Mapping[Stage, str] = {"stt": "moonshine", "llm": "lookup", "tts": "piper"}
"""Who does a stage unless another is chosen; none wants a key."""

LONGEST_NAME = 100


class _NotToBeDoneError(Exception):
    """What was asked for cannot be written; a line for each reason."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    init = commands.add_parser(
        "init",
        help="write a small agent, and settings for it",
        description="Write voice-agent.toml and prompts/NAME.md. Nothing is overwritten.",
    )
    init.add_argument(
        "folder", type=Path, nargs="?", default=Path(), metavar="FOLDER", help="where to (here)"
    )
    for stage, does in (("stt", "hears"), ("llm", "thinks"), ("tts", "speaks")):
        init.add_argument(
            f"--{stage}", metavar="PROVIDER", help=f"who {does} ({LOCAL[_stage(stage)]}, local)"
        )
    init.add_argument(
        "--provider", metavar="PROVIDER", help="who does all stages that they can, such as openai"
    )
    init.add_argument("--language", default="en", metavar="TAG", help="such as de or en-GB (en)")
    init.add_argument(
        "--name",
        type=_name,
        help='whom the agent answers for, such as "Ann\'s Bakery"; the file is called so, too',
    )
    init.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the files, and say what to do next; return the exit status."""
    from agent.cli import starter

    try:
        tag = _tag(options.language)
        providers = _providers(options, tag.partition("-")[0])
    except _NotToBeDoneError as error:
        return fail(error, USAGE)
    keys = {stage: _key(stage, *chosen) for stage, chosen in providers.items()}
    name = starter.file_name(options.name) if options.name else "reception"
    folder: Path = options.folder
    if folder.exists() and not folder.is_dir():
        return fail(_NotToBeDoneError(f"{folder} is a file: name a folder"))
    files = {
        folder / "voice-agent.toml": starter.settings_file(name, providers, keys),
        folder / "prompts" / f"{name}.md": starter.agent_file(options.name or "", tag),
    }
    if there := [path for path in files if os.path.lexists(path)]:
        lines = (f"{path} is there already, and is left as it is" for path in there)
        return fail(_NotToBeDoneError("\n".join(lines)))
    try:
        _write(files)
    except OSError as error:
        return fail(_NotToBeDoneError(f"{error.filename or folder}: {error.strerror}"))
    _tell(folder, list(files), sorted({key for key in keys.values() if key}))
    return 0


def _stage(text: str) -> Stage:
    return next(stage for stage in LOCAL if stage == text)


def _name(given: str) -> str:
    name = " ".join(given.split())
    wrong = not name or len(name) > LONGEST_NAME or not name.isprintable()
    if wrong or any(sign in "{}" for sign in name):  # which templates are made of
        message = f"{given!r}: up to {LONGEST_NAME} characters, without braces"
        raise argparse.ArgumentTypeError(message)
    return name


def _tag(given: str) -> str:
    """Return the tag of a language that there are texts in, as an agent file has it."""
    from agent.cli.starter import TEXTS
    from agent.personas.front_matter import TAG

    primary, sign, region = given.replace("_", "-").partition("-")
    tag = primary.lower() + sign + region
    if primary.lower() not in TEXTS or not TAG.fullmatch(tag):
        known = ", ".join(TEXTS)
        raise _NotToBeDoneError(
            f"--language {given!r}: one of {known}, which may have a region, as en-GB; "
            "for another, take en and translate what was written"
        )
    return tag


def _providers(options: argparse.Namespace, language: str) -> dict[Stage, tuple[str, Options]]:
    """Return who does each stage, and what they are told to have the language."""
    from agent.cli.starter import options_for
    from pipelines.providers import PROVIDERS

    mistakes: list[str] = []
    found: dict[Stage, tuple[str, Options]] = {}
    whole = options.provider
    if whole is not None and not any(whole in table for table in PROVIDERS.values()):
        every = {name for table in PROVIDERS.values() for name in table}
        mistakes.append(f"--provider {whole!r}: {_known(whole, every)}")
    for stage, table in PROVIDERS.items():
        by_whole = whole if whole in table else None
        name = getattr(options, stage) or by_whole or LOCAL[stage]
        if name not in table:
            mistakes.append(f"--{stage} {name!r}: {_known(name, table)}")
        elif (told := options_for(stage, name, language)) is None:
            able = [one for one in table if options_for(stage, one, language) is not None]
            mistakes.append(
                f"--language {language}: {name} has English only; choose --{stage} of "
                + ", ".join(one for one in able if one != "scripted")
            )
        else:
            found[stage] = (name, told)
    if mistakes:
        raise _NotToBeDoneError("\n".join(mistakes))
    return found


def _known(given: str, names: Mapping[str, str] | set[str]) -> str:
    from agent.settings.allowed import did_you_mean, nearest

    known = sorted(set(names) - {"scripted"})
    return f"no such provider; there are {', '.join(known)}{did_you_mean(nearest(given, known))}"


def _key(stage: Stage, name: str, told: Options) -> str:
    """Return the variable that a provider's key is taken from; ``""`` if it wants none."""
    from pipelines.providers import find
    from pipelines.providers.key_variables import key_variable

    if name == LOCAL[stage]:
        return ""  # what it needs besides may not be installed
    provider = find(stage, name)
    return key_variable(provider, provider.Options.model_validate(told))


def _write(files: Mapping[Path, str]) -> None:
    """Write all files or none.

    Raises:
        OSError: If one cannot be written, or is there by now.
    """
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                written.append(path)
                file.write(text)
    except OSError:
        for path in written:
            path.unlink()
        raise


def _tell(folder: Path, files: list[Path], keys: list[str]) -> None:
    from agent.cli.serve import program

    for path in files:
        print(f"wrote {path}")
    for key in keys:
        if os.environ.get(key) or os.environ.get(f"{key}_FILE"):
            print(f"{key} is set")
        else:
            print(f"set {key}, in the environment or as a line {key}=... in {folder / '.env'}")
    there = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    here = program()
    if there and not Path(here).is_absolute() and "/" in here:
        here = str(Path(here).absolute())
    print(f"next: {there}{here} check, then {here} serve")
