"""``voice-agent talk``: talk to the agent, by the browser or by this machine's microphone."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import urllib.error
import urllib.request
import uuid
import webbrowser
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from agent.cli.options import Commands, add_config, address, fail, line_rate, name_and_value
from agent.sinch_limits import DEFAULT_RATE, RATES

if TYPE_CHECKING:
    import aiohttp

    from agent.simulator.spoken_call import SpokenCall

ANSWERS_WITHIN = 3.0
"""Seconds for a service that runs here to say that it lives."""

CAPTION_WITHIN = 30.0
"""Seconds for the next event of the call; a comment comes every ten."""


class TalkError(Exception):
    """There is nothing to talk to; the message says what to do."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    talk = commands.add_parser(
        "talk",
        help="talk to the agent in the browser, or by this machine's microphone",
        description="Open the browser phone of a service that runs. With --terminal, talk by this "
        "machine's own microphone and loudspeaker (headphones, since nothing takes the echo away).",
    )
    talk.add_argument(
        "url",
        nargs="?",
        type=address("http", "https"),
        metavar="URL",
        help="of the service, http:// or https://; unset: by the settings, on this machine",
    )
    add_config(talk)
    talk.add_argument("--agent", default="", metavar="NAME", help="whom to talk to")
    talk.add_argument("--no-open", action="store_true", help="print the address, open nothing")
    talk.add_argument("--terminal", action="store_true", help="talk here, without a browser")
    talk.add_argument(
        "--rate",
        type=line_rate,
        default=DEFAULT_RATE,
        metavar="HZ",
        help=f"with --terminal, sample rate: {', '.join(map(str, RATES))} ({DEFAULT_RATE})",
    )
    talk.add_argument(
        "--headers",
        action="append",
        type=name_and_value,
        default=[],
        metavar="K=V",
        help="with --terminal, a call header, such as token=SERVER_TOKEN",
    )
    talk.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Open the phone, or hold a call; return the exit status."""
    from agent import logs
    from agent.settings import SettingsError, load
    from agent.simulator.stream_caller import CallFailedError

    logs.configure("error", "auto")
    try:
        settings = load(options.config)
        base = (options.url or _here(settings.server.host, settings.server.port)).rstrip("/")
        _look(base, page=not options.terminal)
        if options.terminal:
            stream = f"{base.replace('http', 'ws', 1)}{settings.server.path}"
            return asyncio.run(_talk(base, stream, options))
    except (SettingsError, TalkError, CallFailedError) as error:
        return fail(error)
    page = f"{base}/?agent={quote(options.agent)}" if options.agent else f"{base}/"
    opened = not options.no_open and webbrowser.open(page)
    print(f"{'opened' if opened else 'open'} {page}")
    return 0


def _here(host: str, port: int) -> str:
    """Return where this machine finds its own service.

    Raises:
        TalkError: If that is not known.
    """
    from agent.server.workers.listening import HERE

    if not port:
        raise TalkError("server.port is 0, any free one: give the address that serve has printed")
    host = HERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _look(base: str, *, page: bool) -> None:
    """See to it that there is something to talk to.

    Raises:
        TalkError: If not.
    """
    from agent.cli.serve import program

    # Without a word of the address but its host: it may have a password.
    place = urlsplit(base).netloc.rpartition("@")[2]
    try:
        with urllib.request.urlopen(f"{base}/live", timeout=ANSWERS_WITHIN):  # noqa: S310 - as given
            pass
        if page:
            with urllib.request.urlopen(f"{base}/", timeout=ANSWERS_WITHIN):  # noqa: S310 - the same
                pass
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise TalkError(f"there is no browser phone at {place}: see console.enabled") from None
        if error.code not in (401, 403):  # whoever may, signs in there
            raise TalkError(f"{place} answers {error.code}") from None
    except (OSError, ValueError):
        raise TalkError(f"nothing answers at {place}: start it: {program()} serve") from None


async def _talk(base: str, stream: str, options: argparse.Namespace) -> int:
    from agent.simulator.plan import Plan
    from agent.simulator.sound_card import sound_card
    from agent.simulator.spoken_call import SpokenCall
    from pipelines.background import BackgroundTasks

    headers = dict(options.headers) | ({"agent": options.agent} if options.agent else {})
    plan = Plan(turns=[], rate=options.rate, headers={"caller": "terminal", **headers})
    call_id = f"terminal-{uuid.uuid4()}"
    background = BackgroundTasks()
    with sound_card(plan.rate) as card:
        call = SpokenCall(card, plan, lambda line: print(line, flush=True))
        print("calling; keys of the telephone and Enter press them, Ctrl-C hangs up", flush=True)
        _press_what_is_typed(call)
        background.start(_print_captions(base, call_id), "captions")
        try:
            await call.hold(stream, call_id)
        finally:
            await background.aclose()
    return 0


def _press_what_is_typed(call: SpokenCall) -> None:
    """Press the keys of each line that is typed. Nobody waits for the thread that reads them."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            with suppress(RuntimeError):  # the call is over
                loop.call_soon_threadsafe(press, line.strip())

    def press(keys: str) -> None:
        try:
            call.press(keys)
        except ValueError as error:
            print(f"{error}", file=sys.stderr)

    threading.Thread(target=read, name="keys", daemon=True).start()


async def _print_captions(base: str, call_id: str) -> None:
    """Print what both say, as the console of the service tells it; where it does not, say so."""
    import aiohttp

    path = f"{base}/console/live/{quote(call_id, safe='')}/events"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=3.0, sock_read=CAPTION_WITHIN)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(path) as response:
            if response.status != 200:
                print("(no captions: the console does not let this terminal in)", flush=True)
                return
            async for line in _lines(response.content):
                if caption := _caption(line):
                    print(caption, flush=True)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        print("(the captions broke off; the call goes on)", flush=True)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[Mapping[str, Any]]:
    """Yield what the ``line`` events of the call say."""
    kind = ""
    async for raw in content:
        name, _, value = raw.decode("utf-8", "replace").rstrip("\r\n").partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data" and kind == "line":
            yield json.loads(value)


def _caption(line: Mapping[str, Any]) -> str:
    """Return what a person is shown of a line of the record; ``""`` if that is nothing."""
    from agent.cli.calls.terminal import harmless

    text = harmless(line.get("text", ""))
    match line.get("kind"):
        case "caller":
            return f"  you    {text}"
        case "agent":
            return f"  agent  {text}" + (" (cut off)" if line.get("cut_off") else "")
        case "timing" if isinstance(line.get("speech_end"), float) and "heard" in line:
            return f"         answered after {line['heard'] - line['speech_end']:.2f} s"
    return ""
