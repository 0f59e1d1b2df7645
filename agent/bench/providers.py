"""Providers of fixed latency, on loopback: OpenAI's wire, what everyone's adapters speak.

Speech-to-text answers 0.150 s after the whole upload; the language model's first token comes after
0.200 s, then 60 a second; the voice's first byte after 0.100 s, and the rest five times as fast as
it is heard. They hear, think and say the same each time.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from agent.bench.speech import voice
from pipelines.clock import now

TRANSCRIBED_AFTER, FIRST_TOKEN, TOKENS_A_SECOND, FIRST_AUDIO = 0.150, 0.200, 60.0, 0.100
"""Seconds, and tokens a second: as good hosted ones take; the peers were measured with these."""

HEARD = "What time do you open on Sunday?"
SENTENCE = "We are open until nine that day."
REPLY = f"{SENTENCE} The kitchen closes at eight, and the bar is open until midnight."

TOKENS = [word if at == 0 else f" {word}" for at, word in enumerate(REPLY.split())]

FIXED = TRANSCRIBED_AFTER + FIRST_TOKEN + len(SENTENCE.split()) / TOKENS_A_SECOND + FIRST_AUDIO
"""Seconds from the end of a turn to the first audio that no server can do anything about, 0.567:
a sentence is known to be whole by the token after it."""

RATE = 24_000
"""Hertz of the voice, as OpenAI's is."""

SECONDS_A_WORD = 0.3
"""Of speech: 200 words a minute."""

PIECE = 0.1
"""Seconds of audio in a piece."""

FASTER = 5.0
"""Times real time that the audio comes."""

MOST_UPLOADED = 64_000_000
"""Bytes of an upload: more than any turn has."""


class FixedProviders:
    """The three endpoints; counts what it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def app(self) -> web.Application:
        """Return the application, to be served on loopback: nobody is asked who they are."""
        app = web.Application(client_max_size=MOST_UPLOADED)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        app.router.add_post("/v1/chat/completions", self._reply)
        app.router.add_post("/v1/audio/speech", self._speak)
        return app

    async def _models(self, _request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []})

    async def _transcribe(self, request: web.Request) -> web.Response:
        self.asked += 1
        async for _ in request.content.iter_any():
            continue
        await asyncio.sleep(TRANSCRIBED_AFTER)
        return web.json_response({"text": HEARD})

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        asked_at = now()
        if not json.loads(await request.read()).get("stream"):
            await asyncio.sleep(FIRST_TOKEN + len(TOKENS) / TOKENS_A_SECOND)
            said = {"role": "assistant", "content": REPLY}
            return web.json_response(
                _completion(
                    "chat.completion", [{"index": 0, "message": said, "finish_reason": "stop"}]
                )
            )
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for at, token in enumerate(TOKENS):
            await asyncio.sleep(max(0.0, asked_at + FIRST_TOKEN + at / TOKENS_A_SECOND - now()))
            await response.write(_event({"content": token}, None))
        await response.write(_event({}, "stop") + _USAGE + b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        asked_at = now()
        asked = json.loads(await request.read())
        if (form := asked.get("response_format", "mp3")) not in ("pcm", "wav"):
            return web.json_response({"error": {"message": f"no {form}: ask for pcm"}}, status=400)
        pcm = voice(SECONDS_A_WORD * max(1, len(str(asked.get("input", "")).split())), RATE)
        if form == "wav":
            pcm = _wav_head(len(pcm)) + pcm
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await asyncio.sleep(max(0.0, asked_at + FIRST_AUDIO - now()))
        await response.prepare(request)
        size = 2 * int(PIECE * RATE)
        for number, at in enumerate(range(0, len(pcm), size)):
            due = asked_at + FIRST_AUDIO + number * PIECE / FASTER
            await asyncio.sleep(max(0.0, due - now()))
            await response.write(pcm[at : at + size])
        await response.write_eof()
        return response


def _completion(kind: str, choices: list[dict[str, object]]) -> dict[str, object]:
    return {"id": "bench", "object": kind, "created": 0, "model": "fixed", "choices": choices}


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    choice: dict[str, object] = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps(_completion('chat.completion.chunk', [choice]))}\n\n".encode()


_COUNTED = {"prompt_tokens": 100, "completion_tokens": 19, "total_tokens": 119}

_USAGE = (
    b"data: %s\n\n"
    % json.dumps(_completion("chat.completion.chunk", []) | {"usage": _COUNTED}).encode()
)
"""What OpenAI sends last: adapters count by it."""


def _wav_head(size: int) -> bytes:
    """Return the head of a WAV file of 16-bit samples, one channel."""
    shape = (16, 1, 1, RATE, 2 * RATE, 2, 16)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", *shape, b"data", size
    )


@asynccontextmanager
async def running(port: int = 0) -> AsyncIterator[str]:
    """Serve them on loopback while the block runs; yield the base URL, up to ``/v1``.

    Raises:
        OSError: If the port is taken.
    """
    runner = web.AppRunner(FixedProviders().app(), access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        (address,) = runner.addresses
        yield f"http://127.0.0.1:{address[1]}/v1"
    finally:
        await runner.cleanup()
