"""``voice-agent evaluate``: put an agent into many situations."""

from __future__ import annotations

import argparse
import asyncio
import json

from agent.cli.options import USAGE, Commands, a_file, add_stream_options, address, fail, whole

MOST_AT_ONCE = 1000
"""Calls: more than one machine can place."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    evaluate = commands.add_parser(
        "evaluate",
        help="put an agent into many situations, and measure its turn-taking",
        description="Place scripted calls to any server that speaks the stream channel.",
    )
    evaluate.add_argument(
        "url", type=address("ws", "wss"), help="the stream endpoint, ws:// or wss://"
    )
    evaluate.add_argument(
        "--scenarios", type=a_file, metavar="FILE", help="situations (YAML) instead of the shipped"
    )
    evaluate.add_argument(
        "--only", metavar="WORD", help="situations of this kind, or with this in their name"
    )
    evaluate.add_argument(
        "--at-once", type=whole(1, MOST_AT_ONCE), default=4, metavar="N", help="calls (4)"
    )
    add_stream_options(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print everything, for scripts")
    evaluate.set_defaults(run=run)


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
        return fail(error, USAGE)
    if options.only:
        situations = [s for s in situations if options.only == s.kind or options.only in s.name]
    if not situations:
        return fail(ValueError(f"--only {options.only}: no such situation"), USAGE)

    if options.line != "clear":
        from agent.simulator.line import on_line

        situations = [
            situation.model_copy(update={"plan": on_line(situation.plan, options.line)})
            for situation in situations
        ]

    def tell(outcome: evaluate.Outcome) -> None:
        if not options.json:
            print(f"{outcome.kind:11s}  {outcome.name:26s} {outcome.verdict}", flush=True)

    outcomes = asyncio.run(
        evaluate.run(
            options.url,
            situations,
            at_once=options.at_once,
            headers=dict(options.headers),
            tell=tell,
        )
    )
    if options.json:
        print(json.dumps(evaluate.as_json(masked(options.url), outcomes)))
    else:
        print(f"\n{evaluate.table(outcomes)}")
    return 1 if any(outcome.failed for outcome in outcomes) else 0
