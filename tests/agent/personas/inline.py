"""Agent files in this very thread, for stories in virtual time: nobody waits for anything."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, TypeVar

from agent.personas.folder import AgentFolder

T = TypeVar("T")


class InlineThreads(Executor):
    """Does the work before it returns."""

    def submit(self, work: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(work(*arguments, **named))
        return done


def agents_in(folder: Path) -> AgentFolder:
    """Return the agents of ``folder``."""
    return AgentFolder(folder, InlineThreads())
