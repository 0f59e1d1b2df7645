"""What is watched while an adapter is put to a check: what it prints, logs and leaves behind."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from types import AsyncGeneratorType
from typing import Any

import structlog

from tests.open_things import open_files, running_threads
from tests.own_time import OwnTimeLoop

from .bench import SECRETS


@contextmanager
def watched() -> Iterator[asyncio.Runner]:
    """Run a check; check that no secret is printed or logged meanwhile, and that nothing is left.

    Left may be: an async generator to the garbage collector, an error to nobody, a thread, a file.
    """
    out, logged = io.StringIO(), io.StringIO()
    abandoned: list[str] = []
    before = running_threads(), open_files()
    gc.freeze()  # what is there now is not looked through twice a check: it is not what that leaves
    with redirect_stderr(out), redirect_stdout(out), _logs_in(logged):
        with asyncio.Runner(loop_factory=partial(_telling_loop, abandoned)) as runner:
            yield runner
            gc.collect()
        gc.collect()
    shown = (out.getvalue() + logged.getvalue()).lower()
    for secret in SECRETS:
        assert secret.lower() not in shown, f"{secret} is logged or printed"
    assert "never retrieved" not in shown, shown
    assert "unclosed" not in shown, shown
    assert not abandoned, f"left to the garbage collector: {abandoned}"
    assert running_threads() <= before[0], f"threads left: {running_threads() - before[0]}"
    assert len(open_files()) <= len(before[1]), f"open: {sorted(open_files())}"


@contextmanager
def _logs_in(stream: io.StringIO) -> Iterator[None]:
    """Write all logs to ``stream``, structlog's at any level, others from INFO on."""
    config = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        structlog.configure(**config)


def _telling_loop(abandoned: list[str]) -> asyncio.AbstractEventLoop:
    """Return a loop that notes which async generators are left to the garbage collector.

    Not those of installed packages: the SDKs leave some. Its clock stands still while others have
    the core, so that no deadline of an adapter's is over for that.
    """
    loop = OwnTimeLoop()
    finalize = loop._asyncgen_finalizer_hook  # type: ignore[attr-defined]

    def note(generator: AsyncGeneratorType[Any, Any]) -> None:
        if "site-packages" not in generator.ag_code.co_filename:
            abandoned.append(generator.__qualname__)
        finalize(generator)

    loop._asyncgen_finalizer_hook = note  # type: ignore[attr-defined]
    return loop
