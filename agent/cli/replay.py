"""``voice-agent replay``: recorded callers, answered by the present configuration."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.calls.filters import add_filters, add_limit, add_words, given_filters, wanted_records
from agent.cli.options import (
    FAILED,
    USAGE,
    Commands,
    add_config,
    fail,
    name_and_value,
    seconds,
    whole,
)

if TYPE_CHECKING:
    from agent.replay.batch import ReplayResults
    from agent.replay.comparison import ComparedCall
    from agent.replay.held_call import ReplaySettings
    from agent.replay.sources import RecordedSource
    from agent.settings import Settings

MOST_AT_ONCE = 100

USUAL_LIMIT = 50
"""Calls: of so few an interval says something, and the embedded models take some minutes."""

LONGEST_WORK = 60.0
"""Seconds."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "replay",
        help="have recorded callers answered by the present configuration, and compare",
        description="Run recorded callers' audio through the present configuration, offline and "
        "faster than real time, and show both conversations side by side with their differences.",
    )
    command.add_argument("ids", nargs="*", metavar="ID", help="calls, by id")
    add_config(command)
    command.add_argument(
        "--agent", default="", metavar="NAME", help="who answers: a name, or FILE.md"
    )
    command.add_argument(
        "--set",
        dest="named",
        action="append",
        type=name_and_value,
        default=[],
        metavar="NAME=VALUE",
        help="another setting, such as llm.model=NAME or turns.model=none",
    )
    _add_filters(command)
    command.add_argument("--output", type=Path, metavar="FOLDER", help="for what comes of it")
    command.add_argument(
        "--timeline", action="store_true", help="callers speak when they did, whatever is answered"
    )
    command.add_argument("--tools", action="store_true", help="run tools for real")
    command.add_argument("--real-time", action="store_true", help="as slow as on the telephone")
    command.add_argument(
        "--work-takes",
        type=seconds(LONGEST_WORK),
        metavar="S",
        help="count each piece of work of a local model as S seconds: the same on any machine",
    )
    command.add_argument(
        "--at-once", type=whole(1, MOST_AT_ONCE), default=1, metavar="N", help="calls at once (1)"
    )
    command.add_argument("--json", action="store_true", help="print everything, for scripts")
    command.set_defaults(run=run)


def _add_filters(command: argparse.ArgumentParser) -> None:
    add_filters(command, agent="--agent-was")
    add_words(command)
    add_limit(command, USUAL_LIMIT)
    command.add_argument(
        "--folder", type=Path, help="recordings in a folder, with NAME.jsonl beside each, if known"
    )
    command.add_argument(
        "--recordings",
        type=Path,
        metavar="FOLDER",
        help="where recordings of calls are, instead of recording.folder; what is not there is "
        "fetched from the bucket",
    )


def run(options: argparse.Namespace) -> int:
    """Replay and compare; return the exit status: 1 if a call could not be replayed."""
    from agent import logs
    from agent.private_files import make_private_folder
    from agent.records.seals import SealError
    from agent.records.search.search_words import QuestionError
    from agent.replay.batch import ReplayPace, replay_all
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    logs.configure("error", "auto")
    if usage := _mistake(options):
        return fail(ValueError(usage), USAGE)
    try:
        sources, how = _prepared(options)
        if not sources:
            return fail(ValueError("there are no such calls"))
        make_private_folder(how.output)
        results = replay_all(
            sources,
            how,
            ReplayPace(
                at_once=options.at_once,
                real_time=options.real_time,
                work_takes=options.work_takes,
            ),
            lambda one: _tell(one, silent=options.json),
        )
    except QuestionError as error:
        return fail(error, USAGE)
    except (SettingsError, StoreError, SealError, OSError) as error:
        return fail(error)
    _print(results, how, as_json=options.json)
    return FAILED if results.failed else 0


def _mistake(options: argparse.Namespace) -> str:
    given = bool(given_filters(options))
    if sum((bool(options.ids), given, options.folder is not None)) != 1:
        return "replay: name calls, or filter them (--since 7d), or give a --folder"
    if options.real_time and options.work_takes is not None:
        return "--work-takes: not with --real-time"
    return ""


def _prepared(options: argparse.Namespace) -> tuple[list[RecordedSource], ReplaySettings]:
    """Return what to replay, and how.

    Raises:
        SettingsError: If a setting is wrong.
        StoreError: If the database fails.
        OSError: If a folder cannot be read.
    """
    from agent.replay.held_call import ReplaySettings
    from agent.replay.sources import in_folder
    from agent.settings import SettingsError, load
    from pipelines.listening.detectors import detectors
    from pipelines.turn_taking.turn_models import check_turn_model

    settings = load(options.config, named=options.named)
    settings.providers()
    try:
        new_detector = detectors(settings.vad)
    except LookupError as error:
        raise SettingsError(f"vad: {error.args[0]}") from None
    try:
        check_turn_model(settings.turns)
    except LookupError as error:
        raise SettingsError(f"turns.model: {error.args[0]}") from None
    if options.folder is not None:
        sources = in_folder(options.folder)[: options.limit]
    else:
        sources = asyncio.run(_from_database(options))
    output = options.output or Path(tempfile.mkdtemp(prefix="voice-agent-replay-"))
    how = ReplaySettings(
        settings=settings,
        new_detector=new_detector,
        output=output,
        agent=options.agent,
        tools=options.tools,
        timeline=options.timeline,
    )
    return sources, how


async def _from_database(options: argparse.Namespace) -> list[RecordedSource]:
    from agent.cli.calls.database import opened_records
    from agent.records.recordings.kept import Recordings
    from agent.replay.sources import by_filter, by_ids

    async with opened_records(options) as opened:
        kept = opened.settings.recording
        folder = options.recordings or kept.folder
        recordings = Recordings(folder, opened.seal, kept.store)
        if options.ids:
            named = await by_ids(opened.records, options.ids, recordings)
            await opened.looked("replay", [one.record for one in named if one.record])
            return named
        wanted = wanted_records(options, opened.settings)
        found = await by_filter(opened.records, wanted, options.limit, recordings)
        await opened.looked("replay", [one.record for one in found if one.record])
        return found


def _tell(one: ComparedCall | tuple[str, str], *, silent: bool) -> None:
    from agent.replay.side_by_side import conversation

    if isinstance(one, tuple):
        name, why = one
        fail(ValueError(f"{name}: {why}"))
    elif not silent:
        print(conversation(one, shutil.get_terminal_size((100, 24)).columns), flush=True)


def _print(results: ReplayResults, how: ReplaySettings, *, as_json: bool) -> None:
    from agent.replay import comparison
    from agent.replay.side_by_side import over_all_calls

    if as_json:
        found = {
            "lineup": _lineup(how.settings),
            "figures": [
                {"name": one.name, "label": one.label, "unit": one.unit, "judged": one.judged}
                for one in comparison.FIGURES
            ],
            "calls": [comparison.as_json(one) for one in results.calls],
            "differences": [
                comparison.difference_as_json(one) for one in comparison.over_all(results.calls)
            ],
            "listen": [one.name for one in comparison.to_listen_to(results.calls)],
            "not_replayed": [{"call": name, "why": why} for name, why in results.failed],
            "seconds": round(results.seconds, 3),
            "took": round(results.took, 3),
            "output": str(how.output),
        }
        print(json.dumps(found))
        return
    if results.calls:
        print(over_all_calls(results.calls))
        print()
    speed = results.seconds / max(results.took, 0.001)
    lineup = ", ".join(
        f"{stage} {' + '.join(names)}" for stage, names in _lineup(how.settings).items()
    )
    agent = f" and agent {how.agent}" if how.agent else ""
    print(
        f"calls replayed: {len(results.calls)}, not replayed: {len(results.failed)}; "
        f"with {lineup}{agent}"
    )
    print(
        f"{results.seconds:.1f} s of conversation took {results.took:.1f} s: "
        f"{speed:.1f} times as fast as it was held"
    )
    if any(one.real_time for one in results.calls):
        print("in real time: providers were asked over the network, or it was wished for")
    print(f"records and recordings of the replay: {how.output}")


def _lineup(settings: Settings) -> dict[str, list[str]]:
    return {stage: [one.name for one in chosen] for stage, chosen in settings.providers().items()}
