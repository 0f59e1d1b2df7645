"""This Python once more, beside the calls: for work that would hold the interpreter, or never end.

It answers on its standard output what it is asked on its standard input, and ends when that does:
also if whoever started it was killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Timer
from typing import IO

if sys.platform == "win32":
    _LESS_URGENT = subprocess.BELOW_NORMAL_PRIORITY_CLASS
else:
    _LESS_URGENT = 0  # there the process sees to it itself, once it has started


class ChildProcess:
    """One process, from start to end. Used by one thread, which it blocks; killed by any.

    Args:
        module: That it runs, with the modules that this process finds.
        arguments: On its command line, for the list of processes; no secrets.
        environment: All variables that it has; None if it has those of this process.
        quiet: Whether what it writes to its standard error goes nowhere.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> None:
        given = os.environ if environment is None else environment
        self._popen = subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            env={**given, "PYTHONPATH": os.pathsep.join(sys.path)},
            creationflags=_LESS_URGENT,
        )
        assert self._popen.stdin is not None  # noqa: S101 - both are pipes
        assert self._popen.stdout is not None  # noqa: S101
        self.questions: IO[bytes] = self._popen.stdin
        """To be flushed after each. Raises BrokenPipeError if the process is gone."""

        self.answers: IO[bytes] = self._popen.stdout
        """At their end if the process is gone."""

    @property
    def gone(self) -> bool:
        """Whether it has ended; :meth:`end` lets go of what is left."""
        return self._popen.poll() is not None

    @contextmanager
    def killed_after(self, seconds: float) -> Iterator[None]:
        """Kill it if the block takes longer: a stopped one takes no long question, either."""
        stuck = Timer(seconds, self._popen.kill)
        stuck.start()
        try:
            yield
        finally:
            stuck.cancel()
            stuck.join()

    def kill(self) -> None:
        """End it, whatever it does; whoever waits for an answer has none. Call :meth:`end`, too."""
        self._popen.kill()

    def end(self) -> int:
        """End it, and let go of what is left; return its exit status."""
        self._popen.kill()
        self._popen.communicate()
        return self._popen.returncode
