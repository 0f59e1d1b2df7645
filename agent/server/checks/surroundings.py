"""Whether the machine gives what the service wants: folders, the database, a port."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from agent.records.journals.record_files import JOURNALS
from agent.server.checks.finding import Finding
from agent.server.health import ANSWERED_WITHIN, Found, look_at_folder, look_within
from agent.server.workers.listening import HERE
from agent.settings import Settings
from agent.settings.server import ServerSettings
from agent.store.checking import writable
from agent.store.errors import StoreError

ASKED_FOR = 2.0
"""Seconds for a service that runs here to answer."""


def looks(settings: Settings) -> dict[str, Callable[[], Found]]:
    """Return what looks at each folder of the settings, by the name of its setting."""
    recordings: dict[str, Callable[[], Found]] = {}
    if settings.recording.calls != "never":
        recordings["recording.folder"] = partial(look_at_folder, settings.recording.folder, "kept")
    return {
        # Journals lie in a folder of their own below it, which may be another disk.
        "transcripts": partial(look_at_folder, settings.transcripts / JOURNALS, "written"),
        **recordings,
        "prompts": partial(look_at_folder, settings.prompts, "read"),
        "phrases": partial(look_at_folder, settings.phrases, "kept"),
    }


def folders(settings: Settings) -> Iterator[Finding]:
    """Look whether each folder can be read or written, and has room."""
    for name, look in looks(settings).items():
        found, given = look_within(name, look, ANSWERED_WITHIN), repr(str(_value(settings, name)))
        if found.error:
            yield Finding(place=name, given=given, message=found.error)
        if found.warning:
            yield Finding(severity="warning", place=name, given=given, message=found.warning)


def _value(settings: Settings, name: str) -> object:
    """Return what a setting is, by its name with dots."""
    return reduce(getattr, name.split("."), settings)


def database(settings: Settings) -> Iterator[Finding]:
    """Look whether the database answers, can be written, and is of this version."""
    given = repr(str(settings.database))
    try:
        state = asyncio.run(writable(settings.database))
    except StoreError as error:
        yield Finding(place="database", given=given, message=str(error))
        return
    if state == "later":
        why = "its tables are of a later version, and left as they are; `voice-agent db check`"
        yield Finding(severity="warning", place="database", given=given, message=why)


def port(server: ServerSettings) -> Iterator[Finding]:
    """Look whether the address can be listened on, unless a service of ours already does."""
    given = repr(server.host)
    try:
        found = socket.getaddrinfo(
            server.host or None, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError):
        why = "no such host; take an address of this machine, such as 127.0.0.1 or 0.0.0.0"
        yield Finding(place="server.host", given=given, message=why)
        return
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
                trial.listen(1)
        except OSError as error:
            finding = _not_bound(error, server)
            if finding is not None:
                yield finding
            return


def _not_bound(error: OSError, server: ServerSettings) -> Finding | None:
    given = repr(server.port)
    match error.errno:
        case errno.EADDRINUSE:
            if running_providers(server) is not None:
                return None
            why = "address already in use by another program; end that, or take another port"
            return Finding(place="server.port", given=given, message=why)
        case errno.EACCES | errno.EPERM:
            why = "this user may not listen there; take one from 1024 on, behind a proxy"
            return Finding(place="server.port", given=given, message=why)
        case errno.EADDRNOTAVAIL:
            why = "not an address of this machine; 0.0.0.0 is every one of them"
            return Finding(place="server.host", given=repr(server.host), message=why)
        case errno.EAFNOSUPPORT:
            return None  # the other family serves
        case _:
            why = f"cannot be listened on: {error.strerror}"
            return Finding(place="server.port", given=given, message=why)


def running_providers(server: ServerSettings) -> Sequence[dict[str, Any]] | None:
    """Return how the providers of the service on this machine are; None if there is none."""
    host = HERE.get(server.host, server.host)
    host = f"[{host}]" if ":" in host else host
    try:
        try:
            answer = urlopen(f"http://{host}:{server.port}/health", timeout=ASKED_FOR)
        except HTTPError as unwell:  # 503, with the same body
            answer = unwell
        with answer:
            found: Sequence[dict[str, Any]] = json.load(answer)["providers"]
            [(one["stage"], one["provider"], one["status"]) for one in found]
            return found
    except (OSError, ValueError, KeyError, TypeError):
        return None
