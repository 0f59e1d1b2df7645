"""The supervisor of several workers: it listens, and sees to it that somebody answers.

It holds the port and the processes, and nothing of a call. A worker is started as this process was
(a fresh interpreter, the same options), and has from it what a worker needs besides: the settings
that were read here, so that all have the same; the listening sockets; a lifeline. One that ends is
replaced. SIGHUP starts new workers with new settings, and as they take calls the old ones leave.
SIGTERM and SIGINT are handed on: see `stopping`.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from agent.server.service_manager import living, notify
from agent.server.stopping import GONE_WITHIN
from agent.server.workers.board import ROWS, Board
from agent.server.workers.inheritance import LEAVE, READY, Inheritance
from agent.settings.errors import SettingsError
from pipelines.background import BackgroundTasks
from pipelines.backoff import longer
from pipelines.clock import now

log = structlog.get_logger()

QUIET_FOR = 60.0
"""Seconds since another has ended after which the end of a worker is a mishap: it is replaced at
once."""

AGAIN_FIRST, AGAIN_LONGEST = 1.0, 30.0
"""Seconds until it is replaced otherwise: twice as long each time."""

READY_WITHIN = 300.0
"""Seconds for a worker to take calls; one that hangs is killed, for new settings wait for it.
Models load within a minute on a busy machine."""

KILLED_AFTER = GONE_WITHIN + 2.0
"""Seconds after which workers that were told to end at once are killed."""

TERMINAL = Path("/dev/tty")
"""What can be opened while there is a terminal that the process belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlan:
    """Which workers there are to be."""

    workers: int
    command: Sequence[str]
    """Starts one; what it inherits is put behind ``--as-worker``."""

    environment: Mapping[str, str]
    given: bytes
    """Read from its stdin: the settings. They may hold secrets, which a command line shows."""


@dataclass(eq=False, slots=True, kw_only=True)
class _Running:
    """A worker that was started."""

    slot: int
    plan: WorkerPlan
    process: Process
    lifeline: socket.socket
    on_trial: bool
    """Whether it shows if its plan is any good: it is not replaced if it does not start."""

    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it takes calls, or has ended."""

    ready: bool = False
    outdated: bool = False
    """Whether others are to take its place."""

    leaving: bool = False

    def signal(self, number: int) -> None:
        """Send a signal, if it is still there."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def leave(self) -> None:
        """Have it take no more calls, and end once those that it has are over."""
        self.leaving = True
        with suppress(OSError):  # it has ended
            self.lifeline.send(LEAVE)


class Supervisor:
    """Starts workers, and replaces them.

    Args:
        plan: The first one.
        sockets: That they listen on.
        folder: For what they tell each other; there is no board in it yet.
        again: Returns the plan of new settings; may raise SettingsError.
    """

    def __init__(
        self,
        plan: WorkerPlan,
        sockets: Sequence[socket.socket],
        folder: Path,
        again: Callable[[], WorkerPlan],
    ) -> None:
        self._plan = plan
        self._sockets = sockets
        self._folder = folder
        self._again = again
        self._board = Board.make(folder)
        self._slots: set[int] = set()
        self._workers: list[_Running] = []
        self._background = BackgroundTasks()
        self._reloading = asyncio.Lock()
        self._reload_waits = False
        self._stopping = False
        self._over = asyncio.Event()
        self._status = 0
        self._wait = 0.0
        self._ended_at = -QUIET_FOR

    async def run(self, ready: Callable[[], None]) -> int:
        """Have workers answer until a signal comes, and all have ended; return the exit status.

        Args:
            ready: Called once all take calls.
        """
        async with living(0.0):
            with _signals(self._stop, self._reload):
                self._background.start(self._begin(ready), "starting workers")
                await self._over.wait()
                await self._background.aclose()
        return self._status

    # Starting them

    async def _begin(self, ready: Callable[[], None]) -> None:
        if await self._change(self._plan):
            if not self._stopping:
                log.info("workers take calls", workers=len(self._serving))
                notify("READY=1")
                ready()
        elif not self._stopping:
            self._status = 1
            self._stop()

    async def _change(self, plan: WorkerPlan) -> bool:
        """Start the workers of a plan, which take the place of others; return whether one could be.

        The first is started alone: it makes the database ready, and says once what is wrong. Any
        other that does not start is tried again later.
        """
        try:
            first = await self._start(plan, on_trial=True)
        except OSError as error:
            log.warning("no worker can be started", error=error.strerror)
            return False
        await first.settled.wait()
        if not first.ready:
            return False
        for worker in self._workers:
            worker.outdated = worker is not first
        self._plan = plan
        self._retire()
        others = [
            self._background.start(self._add(plan), "starting a worker")
            for _ in range(plan.workers - 1)
        ]
        if others:
            await asyncio.wait(others)
        for worker in list(self._workers):
            await worker.settled.wait()
        return True

    async def _add(self, plan: WorkerPlan) -> None:
        """Start one worker more, sooner or later, as long as the plan is in force."""
        while True:
            if self._wait:
                serving = len(self._serving)
                log.error("workers end: the next has to wait", seconds=self._wait, serving=serving)
                await asyncio.sleep(self._wait)
            if self._stopping or plan is not self._plan:
                return
            try:
                await self._start(plan, on_trial=False)
            except OSError as error:
                log.warning("a worker cannot be started", error=error.strerror)
                self._note_end()
            else:
                return

    async def _start(self, plan: WorkerPlan, *, on_trial: bool) -> _Running:
        """Start a worker.

        Raises:
            OSError: If there can be no more processes.
        """
        slot = next((one for one in range(ROWS) if one not in self._slots), None)
        if slot is None:
            raise OSError(errno.EAGAIN, "too many workers still drain")
        self._slots.add(slot)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - its signature
        sockets = [one.fileno() for one in self._sockets]
        inherited = Inheritance(
            slot=slot,
            workers=plan.workers,
            folder=str(self._folder),
            lifeline=theirs.fileno(),
            sockets=sockets,
        )
        try:
            with closing(theirs):
                process = await asyncio.create_subprocess_exec(
                    *(*plan.command, "--as-worker", inherited.text()),
                    env=plan.environment,
                    stdin=PIPE,
                    pass_fds=(theirs.fileno(), *sockets),
                    start_new_session=True,  # Ctrl-C is for the supervisor, who hands it on
                )
        except OSError:
            ours.close()
            self._slots.discard(slot)
            raise
        worker = _Running(slot=slot, plan=plan, process=process, lifeline=ours, on_trial=on_trial)
        self._workers.append(worker)
        self._background.start(self._tend(worker), "tending a worker")
        if self._stopping:  # meanwhile
            worker.signal(signal.SIGTERM)
        return worker

    # Seeing to them

    @property
    def _serving(self) -> list[_Running]:
        return [one for one in self._workers if one.ready and not one.leaving]

    async def _tend(self, worker: _Running) -> None:
        """See to a worker until it has ended, and to what is left of it."""
        self._background.start(self._hear(worker), "hearing a worker")
        if worker.process.stdin is not None:
            worker.process.stdin.write(worker.plan.given)
            worker.process.stdin.close()
        status = await worker.process.wait()
        self._forget(worker)
        if self._stopping or worker.leaving:
            return
        what = "a worker has ended" if worker.ready else "a worker did not start"
        log.error(what, slot=worker.slot, pid=worker.process.pid, status=status)
        if worker.plan is self._plan and (worker.ready or not worker.on_trial):
            self._note_end()
            await self._add(worker.plan)

    def _forget(self, worker: _Running) -> None:
        self._board[worker.slot].empty()
        for left in self._folder.glob(f"*-{worker.slot}.sock"):
            left.unlink(missing_ok=True)
        worker.lifeline.close()
        self._workers.remove(worker)
        self._slots.discard(worker.slot)
        worker.settled.set()
        if self._stopping and not self._slots:
            self._over.set()

    def _note_end(self) -> None:
        """Decide how long the next start has to wait."""
        quiet = now() - self._ended_at > QUIET_FOR
        first, longest = AGAIN_FIRST, AGAIN_LONGEST
        self._wait = 0.0 if quiet else longer(self._wait, first=first, longest=longest)
        self._ended_at = now()

    async def _hear(self, worker: _Running) -> None:
        """Note when a worker takes calls."""
        try:
            async with asyncio.timeout(READY_WITHIN):
                said = await asyncio.get_running_loop().sock_recv(worker.lifeline, 1)
        except TimeoutError:
            log.warning("a worker hangs: it is killed", slot=worker.slot, seconds=READY_WITHIN)
            worker.signal(signal.SIGKILL)
            return
        except OSError:  # it has ended
            return
        if said == READY:
            worker.ready = True
            worker.settled.set()
            self._retire()

    def _retire(self) -> None:
        """Have outdated workers leave, as many as there are others for."""
        old = [one for one in self._serving if one.outdated]
        for worker in old[: max(0, len(self._serving) - self._plan.workers)]:
            worker.leave()

    # Signals

    def _reload(self) -> None:
        if not (self._stopping or self._reload_waits):  # one that waits takes what is new then
            self._reload_waits = True
            self._background.start(self._take_settings(), "taking new settings")

    async def _take_settings(self) -> None:
        async with self._reloading:
            self._reload_waits = False
            if self._stopping:
                return
            notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            try:
                plan = self._again()
                if await self._change(plan):
                    log.info("workers with the new settings take calls", workers=plan.workers)
                elif not self._stopping:
                    log.error("no worker starts with the new settings: the old workers go on")
            except SettingsError as error:
                log.warning("the settings have a mistake: the old workers go on", error=str(error))
            if not self._stopping:
                notify("READY=1")

    def _stop(self, *, at_once: bool = False) -> None:
        """Have all workers drain, or end if they do so already."""
        if not self._stopping:
            self._stopping = True
            notify("STOPPING=1")
        for worker in self._workers:
            worker.signal(signal.SIGTERM)
        if at_once:
            self._background.start_later(KILLED_AFTER, self._kill, "killing what is left")
        if not self._slots:
            self._over.set()

    async def _kill(self) -> None:
        for worker in self._workers:
            log.error("a worker does not end: it is killed", slot=worker.slot)
            worker.signal(signal.SIGKILL)


@contextmanager
def _signals(stop: Callable[..., None], reload: Callable[[], None]) -> Iterator[None]:
    """Take signals until the block is left."""
    loop, had_terminal, signalled = asyncio.get_running_loop(), _has_terminal(), []

    def end() -> None:
        signalled.append(True)
        stop(at_once=len(signalled) > 1)

    def hang_up() -> None:
        # A service manager wants new workers. Of a terminal that is gone it means the end.
        if had_terminal and not _has_terminal():
            end()
        else:
            reload()

    taken = {signal.SIGTERM: end, signal.SIGINT: end}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup(1)
        taken[signal.SIGHUP] = hang_up
    for number, take in taken.items():
        loop.add_signal_handler(number, take)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)


def _has_terminal() -> bool:
    try:
        TERMINAL.open("rb", buffering=0).close()
    except OSError:
        return False
    return True
