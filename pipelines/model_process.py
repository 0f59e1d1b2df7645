"""A model in a process of its own: it can hold neither the interpreter nor the core of the calls.

The process is less urgent than the calls, and ends when its input does: also if whoever started it
was killed. It is asked by a thread, which waits for it without the interpreter's lock; a loop in
virtual time knows of that as of any other work in threads. Which way of running a model costs calls
least: ``python -m tests.benchmarks.models_beside_calls``.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import structlog

from pipelines.child_process import ChildProcess
from pipelines.onnx import ORT_ERRORS
from pipelines.workers import NICE, OvertakenError, WorkerThreads

log = structlog.get_logger()

Ask = Callable[[bytes], float]
"""Audio at the rate of speech to a probability; takes a core for a while."""

MOST_WAITING = 5
"""Questions that wait at the most. With 20 to 60 ms for each, the last is answered in the silence
that would have ended the turn without an answer."""

ANSWER_WITHIN = 20.0
"""Seconds for an answer, or for the model to be loaded on a busy machine. A process that takes
longer is stuck."""

AGAIN_AFTER = 5.0
"""Seconds from a start to the next, if the process has died before it answered anything: what kills
each would keep a core busy with loading."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""For numpy in the process: its threads would wait for each other by keeping the cores busy, which
made a spectrogram take 20 ms of them in place of 5."""

GIVEN = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR")
"""Variables that the process is given: what Python, libraries and systems need to start."""

GIVEN_BEGINNINGS = ("LC_", "LD_", "DYLD_", "MALLOC_", "PYTHON")
"""Beginnings of the names of others. The rest is not for whoever reads the environment of a model:
it is where the keys of providers are."""

_FAILURES: tuple[type[Exception], ...] = (*ORT_ERRORS, OSError)


class NotAnsweredError(Exception):
    """There is no answer: the message says why, in words that are fit for a log."""


class ModelProcess:
    """One model, asked one question at a time. Use it from one event loop; close it in the end.

    A process that dies costs the question that it was asked. The next takes its place at once.

    Args:
        name: Of the model, for the log and the list of processes.
        load: Makes, in the process, what answers there; a function of a module, as are the
            ``arguments`` that it is given things that can be pickled. It says what is wrong with
            them by LookupError, as the answers may do.
    """

    def __init__(self, name: str, load: Callable[..., Ask], *arguments: object) -> None:
        self.workers = WorkerThreads(1, name, most_waiting=MOST_WAITING)
        """The thread that waits for the process: its wait is that of the questions."""

        self._name = name
        self._load = (load, arguments)
        self._process: _Process | None = None
        self._started_at = 0.0
        self._closed = False

    async def start(self) -> None:
        """Start the process, and wait until its model is loaded.

        Raises:
            LookupError: As ``load`` does.
            NotAnsweredError: If it cannot be loaded for another reason.
        """
        await asyncio.to_thread(self._start)  # as urgent as what waits for it

    async def ask(self, pcm: bytes) -> float:
        """Return what the model answers. Cancelling is safe: what still waits is not asked then.

        Raises:
            LookupError: As the model does.
            NotAnsweredError: If the process is not started, has died, or is busy with newer
                questions.
        """
        if self._closed or not self._started_at:
            raise NotAnsweredError("not started")
        try:
            return await self.workers.run(self._ask, pcm)
        except OvertakenError:
            raise NotAnsweredError("newer questions came first") from None

    async def aclose(self) -> None:
        """End process and thread. A question under way is not answered."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()
        await self.workers.aclose()
        if self._process is not None:
            self._process.end()

    def _start(self) -> None:
        process = self._begin()
        try:
            process.ready()
        except _DiedError:
            self._process = None
            process.end()
            raise NotAnsweredError("its process has died") from None
        except (LookupError, NotAnsweredError):
            self._process = None
            process.end()
            raise

    def _ask(self, pcm: bytes) -> float:
        process = self._process
        if process is None:
            if time.monotonic() - self._started_at < AGAIN_AFTER:
                raise NotAnsweredError("its process has died")
            process = self._begin()
        try:
            return process.ask(pcm)
        except _DiedError:
            self._process = None
            status = process.end()
            if not self._closed:
                log.warning("the process of a model died", model=self._name, status=status)
                if process.proven:
                    self._begin()
            raise NotAnsweredError("its process has died") from None

    def _begin(self) -> _Process:
        if self._closed:
            raise NotAnsweredError("closed")
        self._started_at = time.monotonic()
        self._process = process = _Process(self._name, self._load)
        process.load()
        return process


def _environment() -> dict[str, str]:
    """Return of our environment what the process needs, and no secret."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in GIVEN or name.upper().startswith(GIVEN_BEGINNINGS)
    }


class _DiedError(Exception):
    """The process is gone, or was stuck and is now."""


class _Process:
    """One process, from start to end. Used by one thread, which it blocks; killed by any."""

    def __init__(self, name: str, load: tuple[Callable[..., Ask], tuple[object, ...]]) -> None:
        given = _environment() | ONE_THREAD
        self._child = ChildProcess("pipelines.model_process", name, environment=given)
        self._load: object = load
        self._sent = self._ready = False
        self.proven = False
        """Whether it has answered anything."""

    def load(self) -> None:
        """Have the model loaded, without waiting for it."""
        if not self._sent:
            self._sent = True
            self._send(self._load)

    def ready(self) -> None:
        """Wait until the model is loaded; at once if it was before.

        Raises:
            LookupError: As what loads it does.
            NotAnsweredError: If it cannot be loaded for another reason.
            _DiedError: If the process does.
        """
        if not self._ready:
            with self._child.killed_after(ANSWER_WITHIN):
                self.load()
                self._receive()
            self._ready = True

    def ask(self, pcm: bytes) -> float:
        """Return what the model answers. Raises as :meth:`ready` does."""
        self.ready()
        with self._child.killed_after(ANSWER_WITHIN):
            self._send(pcm)
            answer = float(self._receive())
        self.proven = True
        return answer

    def kill(self) -> None:
        """End it, whatever it does."""
        self._child.kill()

    def end(self) -> int:
        """End it, and let go of what is left; return its exit status."""
        return self._child.end()

    def _send(self, message: object) -> None:
        try:
            pickle.dump(message, self._child.questions)
            self._child.questions.flush()
        except OSError:
            raise _DiedError from None

    def _receive(self) -> Any:  # noqa: ANN401 - None once it is loaded, or a number
        try:
            answer, mistake, failure = pickle.load(self._child.answers)  # noqa: S301 - of our own
        except (OSError, EOFError, pickle.UnpicklingError):
            raise _DiedError from None
        if mistake:
            raise LookupError(mistake)
        if failure:
            raise NotAnsweredError(failure)
        return answer


def main() -> None:
    """Load what the first message says, and answer the others, until there are no more.

    Each answer is three: what was asked for; a mistake in what was given, in words; and the name of
    what went wrong otherwise. Errors of neither kind are bugs, and end the process.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # meant for all of a service, which may drain
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    ask: Ask | None = None
    while (question := _next(questions)) is not None:
        answer, mistake, failure = None, "", ""
        try:
            if ask is None:
                ask = _loaded(*question)
            else:
                answer = ask(question)
        except LookupError as error:
            mistake = str(error.args[0])
        except _FAILURES as error:
            failure = type(error).__name__
        pickle.dump((answer, mistake, failure), answers)
        answers.flush()


def _next(questions: BinaryIO) -> Any:  # noqa: ANN401 - what to load, then audio
    try:
        return pickle.load(questions)  # noqa: S301 - of who has started this
    except EOFError:
        return None


def _loaded(load: Callable[..., Ask], arguments: tuple[object, ...]) -> Ask:
    """Load the model; from then on calls are more urgent."""
    ask = load(*arguments)
    if sys.platform != "win32":
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    return ask


if __name__ == "__main__":
    main()
