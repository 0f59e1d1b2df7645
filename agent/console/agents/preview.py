"""Drafts of agent files, looked at in a process that is started when somebody writes one."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from agent.personas.drafts import SampleCall
from agent.personas.loader import version_of
from pipelines.child_process import ChildProcess

WITHIN = 15.0
"""Seconds for an answer: the process itself ends after 2 of the processor's, and has to start."""

MOST_WAITING = 8
"""Drafts that wait for their turn; 30 ms each, as a rule."""

REMEMBERED = 500
"""Files of which is remembered what they are, for the list."""


class DraftRefusedError(Exception):
    """A draft cannot be looked at: it takes too long, or too much. The message says so."""


class AgentPreview:
    """Says what drafts are, one after the other. Close it in the end."""

    def __init__(self) -> None:
        self._process = _DraftProcess()
        self._threads = ThreadPoolExecutor(1, "drafts")
        self._waiting = 0
        self._known: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    async def looked_at(self, text: str, call: SampleCall, trusted: str = "") -> Mapping[str, Any]:
        """Return what a draft is, as :class:`~agent.personas.drafts.Draft` has it.

        Cancelling is safe.

        Args:
            text: Of an agent file.
            call: To fill it in for.
            trusted: The version that answers now: the Python functions that it names may be named.

        Raises:
            DraftRefusedError: If it takes too long, or too much; or nobody can look at it now.
        """
        if self._waiting >= MOST_WAITING:
            raise DraftRefusedError("others are being checked: try again in a moment")
        question = {"text": text, "call": asdict(call), "trusted": trusted}
        loop = asyncio.get_running_loop()
        asking = loop.run_in_executor(self._threads, self._process.ask, question)
        self._waiting += 1
        asking.add_done_callback(self._done)
        await asyncio.wait([asking], timeout=WITHIN * 2)
        found = asking.result() if asking.done() else None
        if found is None:
            raise DraftRefusedError("it takes too long, or too much memory, to be filled in")
        return found

    def _done(self, _asking: asyncio.Future[Any]) -> None:
        self._waiting -= 1

    async def known(self, text: str) -> Mapping[str, Any]:
        """Return what a file is that answers; what it gives in a call is of no interest.

        Raises:
            DraftRefusedError: As :meth:`looked_at`.
        """
        version = version_of(text)
        if version not in self._known:
            found = await self.looked_at(text, SampleCall(), text)
            self._known[version] = {k: v for k, v in found.items() if k not in ("prompt", "said")}
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[version]

    async def aclose(self) -> None:
        """End the process."""
        self._process.close()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._process.let_go)
        await loop.run_in_executor(None, self._threads.shutdown)


class _DraftProcess:
    """The process. Used by one thread, which it blocks; closed by any."""

    def __init__(self) -> None:
        self._process: ChildProcess | None = None
        self._closed = False

    def ask(self, question: Mapping[str, object]) -> Mapping[str, Any] | None:
        """Return the answer; None if there is none."""
        if self._process is not None and self._process.gone:
            self.let_go()  # it has ended, since nobody asked for long
        answer = self._answer(json.dumps(question).encode() + b"\n")
        if not answer:
            return None
        found: Mapping[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End it, whatever it is in; whoever asks has no answer."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()

    def let_go(self) -> None:
        """Let go of what is left of a process."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _answer(self, line: bytes) -> bytes:
        if self._closed:
            return b""
        process = self._process = self._process or _started()
        answer = b""
        try:
            with process.killed_after(WITHIN):
                process.questions.write(line)
                process.questions.flush()
                answer = process.answers.readline()
        except BrokenPipeError:
            answer = b""
        finally:
            if not answer.endswith(b"\n"):
                self.let_go()
        return answer if answer.endswith(b"\n") else b""


def _started() -> ChildProcess:
    """Start the process; what a module prints that a draft names is for nobody."""
    return ChildProcess("agent.personas.drafts", quiet=True)
