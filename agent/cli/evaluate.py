"""``voice-agent evaluate``: put an agent into many situations."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from agent.cli.options import Commands, add_stream_options, fail, name_and_value


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    evaluate = commands.add_parser(
        "evaluate",
        help="put an agent into many situations, and measure its turn-taking",
        description="Place scripted calls to any server that speaks the stream channel.",
    )
    evaluate.add_argument("url", help="the stream endpoint, ws:// or wss://")
    evaluate.add_argument(
        "--scenarios", type=Path, metavar="FILE", help="situations (YAML) instead of the shipped"
    )
    evaluate.add_argument(
        "--only", metavar="WORD", help="situations of this kind, or with this in their name"
    )
    evaluate.add_argument("--at-once", type=_positive, default=4, metavar="N", help="calls (4)")
    add_stream_options(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print everything, for scripts")
    evaluate.set_defaults(run=run)


def _positive(given: str) -> int:
    number = int(given)
    if number < 1:
        raise ValueError
    return number


def run(options: argparse.Namespace) -> int:
    """Place the calls and print what came of them; return the exit status."""
    from agent import logs
    from agent.simulator import evaluate, scenarios
    from agent.simulator.stream_caller import CallFailedError
    from pipelines.masking import masked

    logs.configure("error", "auto")
    try:
        situations = scenarios.load(options.scenarios or scenarios.DEFAULT, options.rate)
    except (scenarios.ScenarioError, CallFailedError) as error:
        return fail(error)
    if options.only:
        situations = [s for s in situations if options.only == s.kind or options.only in s.name]
    if not situations:
        return fail(ValueError(f"--only {options.only}: no such situation"))

    if options.line != "clear":
        from agent.simulator.line import on_line

        situations = [
            situation.model_copy(update={"plan": on_line(situation.plan, options.line)})
            for situation in situations
        ]

    def tell(outcome: evaluate.Outcome) -> None:
        if not options.json:
            print(f"{outcome.kind:11s}  {outcome.name:26s} {outcome.verdict}", flush=True)

    headers = dict(name_and_value(given) for given in options.headers)
    outcomes = asyncio.run(
        evaluate.run(options.url, situations, at_once=options.at_once, headers=headers, tell=tell)
    )
    if options.json:
        print(json.dumps(evaluate.as_json(masked(options.url), outcomes)))
    else:
        print(f"\n{evaluate.table(outcomes)}")
    return 1 if any(outcome.failed for outcome in outcomes) else 0
