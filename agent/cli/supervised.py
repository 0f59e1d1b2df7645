"""``voice-agent serve --workers``: what the supervisor of several workers is given."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import structlog

from agent.settings import Settings, SettingsError, load
from agent.settings.origins import Origins

if sys.platform != "win32":
    import fcntl

log = structlog.get_logger()

WORKER_BYTES = 512 * 1024 * 1024
"""Memory that a worker may want: 90 MB to begin with (55 where no model runs on this machine, 460
where all do), and a megabyte a call."""

LONGEST = 60
"""Bytes of the folder that ours is made in: the path of a socket has 104 on macOS, 108 on Linux."""

FOLDER = "voice-agent-"
"""How the names begin of folders for what workers tell each other."""


class Supervised:
    """Reads the settings, now and at each SIGHUP, and runs the supervisor.

    Args:
        options: Of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._config: Path | None = options.config
        given = {"host": options.host, "port": options.port, "workers": options.workers}
        self._given = {name: value for name, value in given.items() if value is not None}
        self._environment = dict(os.environ)

    def load(self) -> Settings:
        """Return the settings as they are now.

        Raises:
            SettingsError: If there is a mistake in them.
        """
        # What an earlier reading has taken from .env would hide what stands there now.
        os.environ.clear()
        os.environ.update(self._environment)
        settings = load(self._config, {"server": self._given})
        if settings.server.workers != 1 and sys.platform == "win32":
            raise SettingsError("server.workers: more than 1 need Linux or macOS")
        return settings

    def serve(self, settings: Settings, ready: Callable[[str], None]) -> int:
        """Run the supervisor until a signal ends it; return the exit status.

        Raises:
            OSError: If the address cannot be listened on.
        """
        from agent.server.workers.listening import listening
        from agent.server.workers.supervisor import Supervisor, WorkerPlan

        def plan(settings: Settings) -> WorkerPlan:
            environment = dict(os.environ)
            environment.pop("NOTIFY_SOCKET", None)  # the supervisor tells how the service is
            return WorkerPlan(
                workers=count(settings.server.workers),
                # As this process was started, with the interpreter's own options.
                command=[sys.executable, *sys.orig_argv[1:]],
                environment=environment,
                given=_text(settings).encode(),
            )

        def again() -> WorkerPlan:
            new = self.load()
            if (new.server.host, new.server.port) != (settings.server.host, settings.server.port):
                log.warning("server.host and server.port stay as they are until a restart")
            return plan(new)

        with ExitStack() as stack:
            sockets = listening(settings.server.host, settings.server.port)
            for one in sockets:
                stack.enter_context(one)
            host, port, *_ = sockets[0].getsockname()
            shown = f"[{host}]" if ":" in host else host
            url = f"ws://{shown}:{port}{settings.server.path}"
            supervisor = Supervisor(plan(settings), sockets, stack.enter_context(_folder()), again)
            return asyncio.run(supervisor.run(lambda: ready(url)))


def given_settings(stdin: IO[bytes]) -> Settings:
    """Return the settings that a worker has from its supervisor."""
    given: dict[str, Any] = json.load(stdin)
    return Settings.of(
        Origins(
            values=given["values"],
            places={tuple(place): where for place, where in given["places"]},
            file=Path(given["file"]) if given["file"] is not None else None,
        )
    )


def _text(settings: Settings) -> str:
    origins = settings.origins
    file = str(origins.file) if origins.file is not None else None
    places = [[list(place), where] for place, where in origins.places.items()]
    return json.dumps({"values": origins.values, "places": places, "file": file})


def count(workers: int | str) -> int:
    """Return how many workers a setting means on this machine."""
    from agent.server.load.machine import cores, memory

    if isinstance(workers, int):
        return workers
    return max(1, min(int(cores()), memory() // WORKER_BYTES))


def sweep(above: Path) -> None:
    """Remove folders that supervisors have left who were killed, once their workers have ended."""
    from agent.server.workers.board import NAME, Board

    for folder in above.glob(f"{FOLDER}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another's
            continue
        try:
            if (folder / NAME).is_file() and os.fstat(descriptor).st_uid == os.getuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not any(_lives(row.pid) for row in Board(folder).used().values()):
                    shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError) as error:  # a supervisor holds it; a board of another kind
            log.debug("a folder is not removed", error=type(error).__name__)
        finally:
            os.close(descriptor)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder for what workers tell each other, which is gone in the end.

    It is where a service manager has one for us, or in that of temporary files; there it is locked,
    which keeps systemd-tmpfiles(8) from taking it for left over. It is not in XDG_RUNTIME_DIR,
    which is gone once its user has logged out, though the service goes on.
    """
    given = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    above = [one for one in (given, tempfile.gettempdir(), "/tmp") if one]  # noqa: S108 - 0700
    fit = (one for one in above if len(os.fsencode(one)) <= LONGEST and os.access(one, os.W_OK))
    where = next(fit, None)
    sweep(Path(where or tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=FOLDER, dir=where) as name:
        descriptor = os.open(name, os.O_RDONLY)
        try:
            if sys.platform != "win32":
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(descriptor)
