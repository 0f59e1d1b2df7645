"""``voice-agent bench``: how many calls a stream server carries."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from agent.cli.options import Commands, address, fail, name_and_value, seconds, whole

if TYPE_CHECKING:
    from agent.bench.report import Judged

MOST_CALLS = 2000
"""At once: more need more than one process of callers."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    bench = commands.add_parser(
        "bench",
        help="measure how many calls a stream server carries",
        description="Hold more and more calls at once, with recorded speech, against providers of "
        "fixed latency, and print what callers hear and what a call costs. Without --url a service "
        "of its own is started and measured.",
    )
    _add_server(bench)
    _add_load(bench)
    bench.set_defaults(run=run)


def _add_server(bench: argparse.ArgumentParser) -> None:
    """Add what says who is measured, and against whom."""
    bench.add_argument(
        "--url", type=address("ws", "wss"), help="a stream endpoint that runs already"
    )
    bench.add_argument(
        "--pid", type=whole(1, 1 << 30), help="its process, whose CPU and memory are measured"
    )
    bench.add_argument(
        "--headers", action="append", type=name_and_value, default=[], metavar="K=V",
        help="a call header",
    )  # fmt: skip
    bench.add_argument("--core", type=cores, metavar="N", help="of the service; also 0,2 or 0-3")
    bench.add_argument(
        "--generator-core", type=cores, metavar="N", help="of the callers and the providers"
    )
    bench.add_argument(
        "--turn-model", choices=("none", "smart-turn"), default="none",
        help="of its own service: a fixed silence and no drafts (none), or as by default",
    )  # fmt: skip
    bench.add_argument(
        "--silence", type=seconds(10), default=0.5, metavar="S",
        help="seconds that end a turn, and are no overhead (0.5)",
    )  # fmt: skip
    bench.add_argument(
        "--providers-take", type=seconds(60), metavar="S",
        help="seconds of the providers, which are none either (0.567, as ours)",
    )  # fmt: skip
    bench.add_argument(
        "--providers-only", action="store_true",
        help="start the providers alone, and print the settings for them",
    )  # fmt: skip
    bench.add_argument(
        "--providers-port", type=whole(0, 65535), default=0, metavar="PORT",
        help="where they listen (a free one)",
    )  # fmt: skip


def _add_load(bench: argparse.ArgumentParser) -> None:
    """Add what says how much is asked for, and what is printed."""
    bench.add_argument(
        "--calls", type=levels, default=[1, 10, 20], metavar="N,N",
        help="calls at once, level by level (1,10,20); one call is always the first",
    )  # fmt: skip
    bench.add_argument(
        "--seconds", type=seconds(36_000), default=60.0, metavar="S",
        help="for which each level is measured (60)",
    )  # fmt: skip
    bench.add_argument(
        "--require", type=whole(1, MOST_CALLS), metavar="N",
        help="end with status 1 if that many calls do not hold",
    )  # fmt: skip
    bench.add_argument(
        "--seed", type=whole(0, 1 << 30), default=1, metavar="N", help="of who says what (1)"
    )
    bench.add_argument("--json", action="store_true", help="print all of it as JSON")


def levels(given: str) -> list[int]:
    """Return numbers of calls, rising.

    Raises:
        argparse.ArgumentTypeError: If one is no such number.
    """
    return sorted({whole(1, MOST_CALLS)(one) for one in given.split(",")})


def cores(given: str) -> list[int]:
    """Return the cores in ``0``, ``0,2`` or ``0-3``.

    Raises:
        argparse.ArgumentTypeError: If it is none of that.
    """
    found: set[int] = set()
    for part in given.split(","):
        first, dash, last = part.partition("-")
        low = whole(0, 4095)(first)
        found |= set(range(low, (whole(low, 4095)(last) if dash else low) + 1))
    return sorted(found)


def run(options: argparse.Namespace) -> int:
    """Measure; return the exit status."""
    from agent import logs
    from agent.bench.children import ChildError
    from agent.bench.line import CallNotAnsweredError
    from agent.bench.processes import NoCoreError

    logs.configure("error", "auto")
    work = _serve_providers(options) if options.providers_only else _bench(options)
    try:
        return _run(work)
    except (ChildError, CallNotAnsweredError, NoCoreError) as error:
        return fail(error)


def _run(work: Coroutine[Any, Any, int]) -> int:
    """Run it on the leanest event loop that there is; SIGTERM ends it as Ctrl-C does."""
    from agent.server.event_loop import loop_factory

    # A shell that starts it in the background has SIGINT ignored: SIGTERM would be, too.
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with asyncio.Runner(loop_factory=loop_factory(None)) as runner:
            return runner.run(work)
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)


async def _serve_providers(options: argparse.Namespace) -> int:
    from agent.bench import children
    from agent.bench.providers import running

    async with running(options.providers_port) as base_url:
        if options.json:
            settings = children.provider_settings(base_url)
            print(json.dumps({"base_url": base_url, "settings": settings}), flush=True)
        else:
            print("\n".join(children.provider_lines(base_url)), flush=True)
        await asyncio.Event().wait()
    return 0


async def _bench(options: argparse.Namespace) -> int:
    from agent.bench import children, level, providers
    from agent.bench.line import Target
    from agent.bench.processes import use_of
    from agent.bench.report import Judged, as_json, highest, lines
    from agent.bench.verdict import figures, why_not
    from agent.server.load.machine import FILES_BESIDES, raise_file_limit

    raise_file_limit(MOST_CALLS + FILES_BESIDES)
    counts = sorted({1, *options.calls, options.require or 1})
    say = _quiet if options.json else _say
    async with AsyncExitStack() as stack:
        of_service, of_generator = _places(options, say)
        url, pid, providers_pid = options.url, options.pid, None
        if url is None:
            started = await stack.enter_async_context(children.providers(of_generator))
            providers_pid = started.pid
            base_url = json.loads(started.says)["base_url"]
            served = await stack.enter_async_context(
                children.service(base_url, counts[-1], options.turn_model, of_service)
            )
            url, pid = served.says.rpartition(" ")[2], served.pid
        if pid is not None and use_of([pid]) is None:
            say(f"CPU and memory are not measured: /proc does not tell of a process {pid}")
        bench = level.Bench(
            target=Target(url=url, headers=dict(options.headers)),
            seconds=options.seconds,
            seed=options.seed,
            server=pid,
            providers=providers_pid,
        )
        take = providers.FIXED if options.providers_take is None else options.providers_take
        fixed = options.silence + take + 0.020
        judged: list[Judged] = []
        await level.try_out(bench)
        for count in counts:
            measured = await level.run(bench, count)
            found = figures(measured, fixed)
            one = judged[0].figures if judged else found
            judged.append(
                Judged(level=measured, figures=found, reasons=why_not(found, one, measured))
            )
            for line in lines(judged[-1]):
                say(line)
    most = highest(judged)
    say(f"highest level that holds: {most or 'none'}")
    if options.json:
        print(json.dumps(as_json(judged, seed=options.seed, fixed=fixed), indent=1))
    return int(options.require is not None and most < options.require)


def _say(line: str) -> None:
    print(line, flush=True)


def _quiet(_line: str) -> None:
    """Say nothing: what is for machines is printed at the end."""


def _places(options: argparse.Namespace, say: Callable[[str], None]) -> tuple[list[int], list[int]]:
    """Return the cores of the service, and of the generator; pin this process to the latter.

    Raises:
        NoCoreError: If there is no such core.
    """
    from agent.bench.processes import checked, cores_here, pin

    checked([*(options.core or ()), *(options.generator_core or ())])
    here = cores_here()
    service = options.core or ([] if options.url else here[:1])
    rest = [one for one in here if one not in service]
    generator = options.generator_core or ([] if options.url else rest[:1] or here[:1])
    if len(here) == 1 or set(generator) & set(service):
        say("ONE CORE FOR ALL: what the callers cost is mixed into every figure")
    pin(generator)
    return service, generator
