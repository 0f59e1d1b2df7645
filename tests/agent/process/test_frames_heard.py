"""What callers hear, sample by sample, while another worker is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from tests.agent.loopback import dialled, until
from tests.agent.process.serving import serving
from tests.agent.process.test_workers import LONG, workers

SENTENCE = 64_000
"""Samples of each: 8 s."""

COUNTING = f"""
import asyncio
import numpy as np
from pipelines.audio import Audio
from pipelines.providers import scripted

class Synthesizer(scripted.Synthesizer):
    async def speak(self, text, rate=8000):
        numbers = np.arange({SENTENCE}, dtype="<u2").tobytes()
        for at in range(0, len(numbers), 3074):  # no whole number of frames
            yield Audio(numbers[at : at + 3074], 8000)
            await asyncio.sleep(0)
"""
"""Says numbers: each sample is one more than the one before it."""

LONG_GREETING = "---\ngreeting: " + "Hello, who is this? " * 30 + "\n---\nBe brief.\n"

SECOND = 16_000
"""Bytes of it, of 16-bit samples at 8 kHz."""


class Heard:
    """A call that only listens."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.audio = bytearray()
        self.commands: list[str] = []
        self.ended = False

    async def listen(self, url: str) -> None:
        async with dialled(url) as socket:
            connect = {"command": "connect", "callId": self.name, "sampleRate": 8000}
            await socket.send_json(connect)
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.audio += message.data
                else:
                    self.commands.append(message.json()["command"])
        self.ended = True

    @property
    def is_whole(self) -> bool:
        """Whether it is all numbers from 0 on, over and over; each once, and none is half."""
        samples = np.frombuffer(bytes(self.audio), "<u2")
        return bool((samples == np.arange(len(samples)) % SENTENCE).all())


def total(found: list[dict[str, Any]]) -> int:
    return sum(one["calls"] for one in found)


def test_the_callers_of_other_workers_hear_every_sample_once(tmp_path: Path) -> None:
    """In order, none lost and none twice, and nothing else, before, while and after one is killed.

    When they come is up to the machine here; ``python -m tests.benchmarks.soak killed`` and the
    load tool have the gaps.
    """
    (tmp_path / "counting.py").write_text(COUNTING)

    async def main() -> None:
        given = {"SERVER__WORKERS": "2", "TTS__PROVIDER": "counting:Synthesizer"}
        async with serving(
            tmp_path, given, agent_file=LONG_GREETING, folder_on_path=True
        ) as service:
            callers: list[Heard] = []
            listening: list[asyncio.Task[None]] = []
            try:
                victim, other = await workers(service, lambda w: len(w) == 2)
                # Whoever has least takes a call, unless a busy machine does not let it in time.
                while not (victim["calls"] and other["calls"] and len(callers) > 3):
                    callers.append(Heard(f"c{len(callers)}"))
                    listening.append(asyncio.create_task(callers[-1].listen(service.url)))
                    await until(lambda: len(callers[-1].audio) > SECOND, LONG)
                    victim, other = await workers(service, lambda w: total(w) == len(callers))
                os.kill(victim["pid"], signal.SIGKILL)
                await until(lambda: sum(one.ended for one in callers) == victim["calls"], LONG)
                left = [one for one in callers if not one.ended]
                heard = {one.name: len(one.audio) for one in left}
                await until(
                    lambda: all(len(one.audio) > heard[one.name] + SECOND for one in left), LONG
                )
            finally:
                for one in listening:
                    one.cancel()
                await asyncio.wait(listening)
            assert len(left) == other["calls"]
            assert all(one.is_whole for one in callers)  # also those whose worker has died
            assert [one.commands for one in left] == [["answer"]] * len(left)

    asyncio.run(main())
