"""``python -m tests.benchmarks.console_load [PAIRS [CALLS]]``: what calls on the page cost calls.

A service in a process of its own, with providers of fixed latency, holds 50 calls at once (or as
many as are asked for), one after another on each line, placed by the platform stand-in. Meanwhile a
real Chromium, niced as somebody else's machine would be, has ``/console`` open, or an empty page:
they take turns of ten seconds, in pairs whose order is drawn anew. Printed are, of the calls, how
long callers waited; of the service, its CPU and how late its event loop was; of the page, what its
scripts and its drawing take; and the ratios with and without, with 95 % intervals over the pairs.
On a machine that has too much to do for these calls and their callers, all of it says little: look
at how late the loop is.
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
from agent.simulator.stream_caller import place_call
from pipelines.providers import scripted
from tests.agent.conversation import voice
from tests.agent.loopback import running
from tests.benchmarks.__main__ import (
    FIRST_AUDIO,
    FIRST_TOKEN,
    REPLY,
    STT,
    TOKENS_A_SECOND,
    turn,
)

CALLS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[1] != "serve" else 50
"""At once."""

TURNS = ("hello", "thank-you", "one-moment")
"""What each caller says."""

APART = 0.4
"""Seconds between the first calls of two lines."""

LASTS, SETTLES = 10.0, 1.5
"""Seconds of a span; and before it, until the page is there."""

LEAST = 1e-3
"""Of any figure, for ratios: none is 0 in truth."""

NICENESS = 10

TOKEN = "of-this-benchmark"
"""What calls bring: few from one address are let in without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Some seconds of 50 calls."""

    began: float
    ended: float
    cpu: float
    """Milliseconds of the service's CPU a second."""

    lag: float
    """Milliseconds that its event loop was late, on average."""

    script: float
    """Milliseconds a second that the page runs scripts."""

    drawing: float
    """Milliseconds a second that it computes styles and layouts."""


Answers = list[tuple[float, float]]
"""When callers had asked, by the clock of this process, and the milliseconds that they waited."""


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
    server = {"max_calls": 200, "token": TOKEN}
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


async def line(url: str, number: int, answers: Answers) -> None:
    """Place one call after the other, for ever."""
    plan = Plan(turns=[turn(name) for name in TURNS])
    told: list[float] = []
    await asyncio.sleep(APART * number)
    while True:
        told.clear()
        call = await place_call(
            f"{url}/{TOKEN}",
            plan,
            lambda _at, _what: told.append(time.perf_counter()),
            f"line-{number}",
        )
        answers += [
            (told[0] + one.ended, 1000 * one.response)  # what is told first is the answer
            for one in call.report.exchanges
            if one.response
        ]


async def span(base: str, process: int, page: Page, inside: CDPSession, path: str) -> Span:
    """Have the page show ``path``, or nothing, for a while."""
    await page.goto(base + path if path else "about:blank")
    await asyncio.sleep(SETTLES)
    spent, cpu, lag = await page_costs(inside), cpu_seconds(process), await loop_lag(base)
    began = time.perf_counter()
    await asyncio.sleep(LASTS)
    after, late = await page_costs(inside), await loop_lag(base)
    ended, used = time.perf_counter(), cpu_seconds(process) - cpu
    grown = {name: 1000 * (after[name] - spent[name]) / (ended - began) for name in after}
    return Span(
        began=began,
        ended=ended,
        cpu=1000 * used / (ended - began),
        lag=1000 * (late[0] - lag[0]) / max(1, late[1] - lag[1]),
        script=grown["ScriptDuration"],
        drawing=grown["LayoutDuration"] + grown["RecalcStyleDuration"],
    )


def ratio(what: str, pairs: Sequence[tuple[float, float]]) -> None:
    """Print how much of it there is with the page and without, and the ratio over the pairs."""
    shown, hidden = np.array(pairs).T
    logs = np.log(np.maximum(shown, LEAST) / np.maximum(hidden, LEAST))
    middle = logs.mean()
    half = student.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    low, high = np.exp(middle - half), np.exp(middle + half)
    print(
        f"{what:32} without {np.median(hidden):8.2f}  with {np.median(shown):8.2f}  "
        f"ratio {np.exp(middle):.3f} ({low:.3f} to {high:.3f})"
    )


async def spans(url: str, process: int, page: Page, pairs: int) -> list[tuple[Span, Span]]:
    """Return how it was with the page and without, by pairs."""
    inside = await page.context.new_cdp_session(page)
    await inside.send("Performance.enable")
    base, found = url.replace("ws:", "http:").removesuffix("/stream"), []
    for _ in range(pairs):
        pair = {}
        for path in random.sample(["/console", ""], 2):
            pair[path] = await span(base, process, page, inside, path)
            print(f"{path or 'nothing':10} {pair[path]}", flush=True)
        found.append((pair["/console"], pair[""]))
    return found


async def measure(url: str, process: int, pairs: int) -> None:
    """Print all."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    answers: Answers = []
    with tempfile.TemporaryDirectory() as folder:
        niced = Path(folder) / "niced"
        niced.write_text(f'#!/bin/sh\nexec nice -n {NICENESS} {chromium} "$@"\n')
        niced.chmod(0o755)
        async with async_playwright() as playwright:
            alone = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = await playwright.chromium.launch(executable_path=niced, args=alone)
            lines = asyncio.gather(*(line(url, number, answers) for number in range(CALLS)))
            await asyncio.sleep(APART * CALLS + LASTS)
            found = await spans(url, process, await browser.new_page(), pairs)
            await asyncio.sleep(LASTS)  # those who had asked by then have their answers
            lines.cancel()
            await asyncio.gather(lines, return_exceptions=True)
            await browser.close()
    report(found, answers)


def report(found: Sequence[tuple[Span, Span]], answers: Answers) -> None:
    """Print the ratios."""
    print(f"{CALLS} calls at once, {len(found)} pairs of {LASTS:.0f} s, {len(answers)} answers")
    for percent in (50, 95):
        pairs = [(_waited(a, answers, percent), _waited(b, answers, percent)) for a, b in found]
        known = [(one, other) for one, other in pairs if one is not None and other is not None]
        ratio(f"callers wait, p{percent}, ms", known)
    ratio("CPU of the service, ms a second", [(a.cpu, b.cpu) for a, b in found])
    ratio("its loop is late, mean, ms", [(a.lag, b.lag) for a, b in found])
    script, drawing = np.median([(one.script, one.drawing) for one, _ in found], axis=0)
    print(f"the page: {script:.1f} ms of scripts and {drawing:.1f} ms of drawing a second")


def _waited(one: Span, answers: Answers, percent: int) -> float | None:
    within = [ms for at, ms in answers if one.began <= at <= one.ended]
    return float(np.percentile(within, percent)) if within else None


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        with served() as (at, number):
            asyncio.run(measure(at, number, int(sys.argv[1]) if len(sys.argv) > 1 else 12))
