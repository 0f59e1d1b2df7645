"""``python -m tests.benchmarks.console_load [PAIRS]``: what 50 calls on the page cost these calls.

A service in a process of its own, with providers of fixed latency, holds 50 calls at once, placed
by the platform stand-in; a real Chromium, niced as somebody else's machine would be, has
``/console`` open, or an empty page. Both take turns, in pairs whose order is drawn anew. Printed
are, of the calls, how long callers waited; of the service, its CPU and how late its event loop was;
of the page, what its scripts and its drawing take; and the ratios with and without, with 95 %
intervals over the pairs.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
from playwright.async_api import CDPSession, Page, async_playwright
from scipy.stats import t as student

from agent.simulator.plan import Plan
from pipelines.providers import scripted
from tests.agent.conversation import voice
from tests.agent.loopback import running
from tests.benchmarks.__main__ import (
    FIRST_AUDIO,
    FIRST_TOKEN,
    REPLY,
    STT,
    TOKENS_A_SECOND,
    hold,
    turn,
)

CALLS = 50
TURNS = ("hello", "thank-you", "one-moment")
"""What each caller says."""

NICENESS = 10

TOKEN = "of-this-benchmark"
"""What calls bring: few from one address are let in without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """50 calls, from the first to the last."""

    waited: float
    """Milliseconds from the end of speech to the answer, median."""

    waited_95: float
    cpu: float
    """Seconds of the service's CPU."""

    lag: float
    """Milliseconds that its event loop was late, on average."""

    seconds: float
    script: float = 0.0
    """Milliseconds a second that the page runs scripts."""

    drawing: float = 0.0
    """Milliseconds a second that it computes styles and layouts."""


async def serve(folder: Path) -> None:
    """Serve calls until the process is ended; print the address where the log is not."""
    providers = voice(
        stt=scripted.Transcriber(
            scripted.TranscriberOptions(lines=("What time do you open on Sunday?",), delay=STT)
        ),
        llm=scripted.LanguageModel(
            scripted.LanguageModelOptions(
                lines=(REPLY,), delay=FIRST_TOKEN, words_per_second=TOKENS_A_SECOND
            )
        ),
        tts=scripted.Synthesizer(scripted.SynthesizerOptions(delay=FIRST_AUDIO)),
    )
    server = {"max_calls": 2 * CALLS, "token": TOKEN}
    async with running(folder, providers, server=server, turns={"model": "none"}) as one:
        print(one.url, file=sys.stderr, flush=True)
        await asyncio.Event().wait()


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """Serve in a process; yield the address of its stream endpoint, and its id."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.console_load", "serve", folder],
            stdout=subprocess.DEVNULL,  # its log
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            yield process.stderr.readline().strip(), process.pid
        finally:
            process.kill()
            process.wait()


def cpu_seconds(process: int) -> float:
    """Return the CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def loop_lag(base: str) -> tuple[float, float]:
    """Return the seconds that the service's loop was late, and how often that was looked at."""
    async with aiohttp.ClientSession() as session, session.get(f"{base}/metrics") as answer:
        text = await answer.text()
    name = "voice_agent_loop_lag_seconds"
    found = dict(re.findall(rf"^{name}_(sum|count) (\S+)$", text, re.MULTILINE))
    return float(found["sum"]), float(found["count"])


async def page_costs(inside: CDPSession) -> dict[str, float]:
    """Return the seconds that the page has spent, by what on."""
    found = await inside.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in found["metrics"]}


async def phase(url: str, process: int, page: Page, inside: CDPSession, path: str) -> Phase:
    """Hold the calls while the page shows ``path``."""
    base = url.replace("ws:", "http:").removesuffix("/stream")
    await page.goto(base + path if path else "about:blank")
    if path:
        await page.locator("#none").wait_for(state="visible")
    costs, cpu, lag = await page_costs(inside), cpu_seconds(process), await loop_lag(base)
    began = time.perf_counter()
    plan = Plan(turns=[turn(name) for name in TURNS])
    calls = await hold(f"{url}/{TOKEN}", [plan] * CALLS, CALLS)
    seconds = time.perf_counter() - began
    spent = {name: now - costs[name] for name, now in (await page_costs(inside)).items()}
    late = [now - before for now, before in zip(await loop_lag(base), lag, strict=True)]
    waited = [1000 * e.response for one in calls for e in one.report.exchanges if e.response]
    drawing = spent["LayoutDuration"] + spent["RecalcStyleDuration"]
    return Phase(
        waited=float(np.median(waited)),
        waited_95=float(np.percentile(waited, 95)),
        cpu=cpu_seconds(process) - cpu,
        lag=1000 * late[0] / late[1],
        seconds=seconds,
        script=1000 * spent["ScriptDuration"] / seconds,
        drawing=1000 * drawing / seconds,
    )


def ratio(what: str, shown: Sequence[float], hidden: Sequence[float]) -> None:
    """Print how much more of it there is with the page than without, by pairs."""
    logs = np.log(np.array(shown) / np.array(hidden))
    middle = logs.mean()
    half = student.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    low, high = np.exp(middle - half), np.exp(middle + half)
    print(
        f"{what:32} without {np.median(hidden):8.2f}  with {np.median(shown):8.2f}  "
        f"ratio {np.exp(middle):.3f} ({low:.3f} to {high:.3f})"
    )


async def measure(pairs: int) -> None:
    """Print all."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder:
        niced = Path(folder) / "niced"
        niced.write_text(f'#!/bin/sh\nexec nice -n {NICENESS} {chromium} "$@"\n')
        niced.chmod(0o755)
        with served() as (url, process):
            async with async_playwright() as playwright:
                alone = ["--no-sandbox"] if os.geteuid() == 0 else []
                browser = await playwright.chromium.launch(executable_path=niced, args=alone)
                page = await browser.new_page()
                inside = await page.context.new_cdp_session(page)
                await inside.send("Performance.enable")
                found: dict[str, list[Phase]] = {"/console": [], "": []}
                for _ in range(pairs):
                    for path in random.sample(["/console", ""], 2):
                        one = await phase(url, process, page, inside, path)
                        print(f"{path or 'nothing':10} {one}", flush=True)
                        found[path].append(one)
                await browser.close()
    shown, hidden = found["/console"], found[""]
    print(f"{CALLS} calls at once, {pairs} pairs of {np.median([p.seconds for p in shown]):.0f} s")
    for what, name in (
        ("callers wait, median, ms", "waited"),
        ("callers wait, p95, ms", "waited_95"),
        ("CPU of the service, s", "cpu"),
        ("its loop is late, mean, ms", "lag"),
    ):
        ratio(what, [getattr(p, name) for p in shown], [getattr(p, name) for p in hidden])
    script, drawing = (np.median([getattr(p, n) for p in shown]) for n in ("script", "drawing"))
    print(f"the page: {script:.1f} ms of scripts and {drawing:.1f} ms of drawing a second")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 6))
