"""``voice-agent evaluate``: put an agent into many situations."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.options import (
    FAILED,
    USAGE,
    Commands,
    a_file,
    add_stream_options,
    address,
    fail,
    new_file,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.simulator.evaluation.judging import Outcome
    from agent.simulator.evaluation.results import Result
    from agent.simulator.scenarios import Situation

MOST_AT_ONCE = 1000
"""Calls: more than one machine can place."""

MOST_REPEATS = 1000

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    evaluate = commands.add_parser(
        "evaluate",
        help="put an agent into many situations, and measure its turn-taking",
        description="Place scripted calls to any server that speaks the stream channel.",
    )
    evaluate.add_argument(
        "url",
        nargs="?",
        type=address("ws", "wss"),
        help="the stream endpoint, ws:// or wss://",
    )
    evaluate.add_argument(
        "--scenarios", type=a_file, metavar="FILE", help="situations (YAML) instead of the shipped"
    )
    evaluate.add_argument(
        "--only", metavar="WORD", help="situations of this kind, or with this in their name"
    )
    evaluate.add_argument(
        "--repeat",
        type=whole(1, MOST_REPEATS),
        default=1,
        metavar="N",
        help="each situation so many times, in an order of its own each round (1)",
    )
    evaluate.add_argument(
        "--at-once", type=whole(1, MOST_AT_ONCE), default=4, metavar="N", help="calls (4)"
    )
    add_stream_options(evaluate)
    evaluate.add_argument(
        "--save", type=new_file, metavar="FILE", help="keep everything, for a comparison (JSON)"
    )
    evaluate.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("A.json", "B.json"),
        help="call nobody, but say what differs between two kept results",
    )
    evaluate.add_argument("--json", action="store_true", help="print everything, for scripts")
    evaluate.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Place the calls and print what came of them; return the exit status."""
    from agent import logs

    logs.configure("error", "auto")
    if options.compare:
        return _compare(options)
    if options.url is None:
        return fail(
            ValueError("name the stream endpoint, such as ws://127.0.0.1:8080/stream"), USAGE
        )
    return _evaluate(options)


def _compare(options: argparse.Namespace) -> int:
    from agent.simulator.evaluation import compare, results

    if options.url is not None:
        return fail(ValueError("--compare calls nobody: name no stream endpoint"), USAGE)
    try:
        a, b = map(results.read, options.compare)
        differences = compare.compared(a, b)
    except results.ResultError as error:
        return fail(error, USAGE)
    if options.json:
        print(json.dumps(compare.as_json(differences)))
    else:
        print(compare.table(a, b, differences))
    worse = any(one.verdict == compare.WORSE for one in differences)
    return FAILED if worse or not differences else 0


def _evaluate(options: argparse.Namespace) -> int:
    from agent.simulator import scenarios
    from agent.simulator.evaluation import results
    from agent.simulator.stream_caller import CallFailedError
    from pipelines.masking import masked

    try:
        situations = _chosen(options)
    except (scenarios.ScenarioError, CallFailedError) as error:
        return fail(error, USAGE)
    if not situations:
        return fail(ValueError(f"--only {options.only}: no such situation"), USAGE)
    outcomes: list[Outcome] = []
    stopped = False
    try:
        asyncio.run(_tried(options, situations, outcomes))
    except CallFailedError as error:
        return fail(error)
    except KeyboardInterrupt:
        stopped = True
    result = results.Result(
        url=masked(options.url),
        line=options.line,
        rate=options.rate,
        repeats=options.repeat,
        outcomes=sorted(outcomes, key=_in_the_order_of(situations)),
        whole=not stopped,
    )
    _print(options, result)
    if options.save:
        try:
            options.save.write_text(json.dumps(results.as_json(result)) + "\n")
        except OSError as error:
            return fail(ValueError(f"--save {options.save}: {error.strerror}"))
    if stopped:
        return INTERRUPTED
    return FAILED if any(outcome.failed for outcome in outcomes) else 0


def _chosen(options: argparse.Namespace) -> list[Situation]:
    from agent.simulator import scenarios

    found = scenarios.load(options.scenarios or scenarios.DEFAULT, options.rate)
    if not options.only:
        return found
    return [one for one in found if options.only == one.kind or options.only in one.name]


async def _tried(
    options: argparse.Namespace, situations: Sequence[Situation], outcomes: list[Outcome]
) -> None:
    """Place the calls; add what comes of each to ``outcomes``, as it is known."""
    from agent.simulator.evaluation import evaluate
    from agent.simulator.evaluation.references import references
    from agent.simulator.plan import Plan

    def on_line(plan: Plan) -> Plan:
        if options.line == "clean":
            return plan
        from agent.simulator import line

        return line.on_line(plan, options.line)

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if not options.json:
            print(f"{outcome.kind:11s}  {outcome.tried.name:34s} {outcome.verdict}", flush=True)

    how = evaluate.Evaluation(
        headers=dict(options.headers),
        at_once=options.at_once,
        repeats=options.repeat,
        on_line=on_line,
    )
    known = await references(options.url, situations, how.headers)
    await evaluate.run(options.url, situations, known, how, tell)


def _in_the_order_of(situations: Sequence[Situation]) -> Any:  # noqa: ANN401 - a key to sort by
    places = {situation.name: at for at, situation in enumerate(situations)}
    return lambda outcome: (places[outcome.tried.name], outcome.tried.repeat)


def _print(options: argparse.Namespace, result: Result) -> None:
    from agent.simulator.evaluation import results

    if options.json:
        print(json.dumps(results.as_json(result)))
    elif not result.outcomes:
        print("\nstopped before anything was measured")
    else:
        print("" if result.whole else "\nstopped: this is what was measured until then")
        print(results.table(result))
