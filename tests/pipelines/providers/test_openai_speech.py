"""What is particular to ``audio/speech``; the contract is proven in tests/contract."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError
from pipelines.providers.openai_hosts import is_at
from pipelines.providers.openai_speech import Synthesizer
from pipelines.providers.transport.wav import unpacked
from tests.contract.case import Plan
from tests.contract.wires.openai_speech import Server, tone


@asynccontextmanager
async def at(app: web.Application) -> AsyncIterator[str]:
    """Run a server; yield its base URL."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"{site.name}/v1"
    finally:
        await runner.cleanup()


def speak(app: web.Application, text: str = "Hello.", **options: Any) -> list[Audio]:
    """Return what is spoken."""

    async def main() -> list[Audio]:
        async with at(app) as url:
            options.setdefault("base_url", url)
            tts = Synthesizer(Synthesizer.Options.model_validate(options))
            await tts.start()
            try:
                async with aclosing(tts.speak(text)) as pieces:
                    return [piece async for piece in pieces if isinstance(piece, Audio)]
            finally:
                await tts.aclose()

    return asyncio.run(main())


@dataclass
class Fixed:
    """Answers with given pieces of a given type."""

    kind: str
    pieces: Iterable[bytes] = field(default_factory=tuple)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/audio/speech", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": self.kind})
        await response.prepare(request)
        for piece in self.pieces:
            await response.write(piece)
            await asyncio.sleep(0)
        return response


def test_only_what_was_chosen_is_sent() -> None:
    """Servers that are only compatible see no field that they may not know."""
    server = Server(Plan(), "audio")
    speak(server.application(), "Good morning, “Zoë”!", model="kokoro", voice="af_sky")
    assert server.bodies == [
        {
            "model": "kokoro",
            "input": "Good morning, “Zoë”!",
            "voice": "af_sky",
            "response_format": "pcm",
        }
    ]
    assert server.keys == [""]


def test_all_options_are_sent() -> None:
    """What was chosen reaches the server under OpenAI's names."""
    server = Server(Plan(), "sse")
    speak(
        server.application(),
        instructions="Be calm.",
        speed=1.25,
        stream_format="sse",
        api_key="sk-mine",
    )
    assert server.bodies[0] == {
        "model": "gpt-4o-mini-tts",
        "input": "Hello.",
        "voice": "marin",
        "response_format": "pcm",
        "instructions": "Be calm.",
        "speed": 1.25,
        "stream_format": "sse",
    }
    assert server.keys == ["sk-mine"]


@pytest.mark.parametrize(
    ("model", "how"), [("gpt-4o-mini-tts", "sse"), ("tts-1", "audio"), ("tts-1-hd", "audio")]
)
def test_openai_is_asked_for_events(model: str, how: str) -> None:
    """They tell whether the audio is whole; the oldest models know none."""
    options = Synthesizer.Options(model=model)
    assert options.base_url == "https://api.openai.com/v1"
    assert Synthesizer(options)._body("Hello.")["stream_format"] == how


def test_openais_key_stays_with_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key in the environment reaches no other server, of whatever name."""
    assert not is_at("https://api.openai.com.example/v1", "api.openai.com")
    assert not is_at("https://notapi.openai.com@example/v1", "api.openai.com")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = Server(Plan(), "audio")
    speak(server.application())
    assert server.keys == [""]


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        ("https://api.openai.com/v1", "OPENAI_API_KEY"),
        ("https://eu.api.openai.com/v1", "OPENAI_API_KEY"),
        ("https://mine.openai.azure.com/openai/v1", "AZURE_OPENAI_API_KEY"),
        ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    ],
)
def test_some_servers_need_a_key(url: str, variable: str) -> None:
    """Without one the start fails, and names the variable that the service's users know."""

    async def main() -> None:
        tts = Synthesizer(Synthesizer.Options(base_url=url))
        with pytest.raises(ProviderError, match=f"set {variable} ") as caught:
            await tts.start()
        assert not caught.value.retryable
        await tts.aclose()

    asyncio.run(main())


def test_the_rate_is_the_servers() -> None:
    """A server that makes 22,050 Hz is believed to, if the options say so."""
    audio = speak(Server(Plan(), "audio").application(), rate=22_050)
    assert {piece.rate for piece in audio} == {22_050}
    assert b"".join(piece.pcm for piece in audio) == tone(1.0)


@pytest.mark.parametrize("size", [1, 7, 481])
def test_samples_are_whole_however_they_are_cut(size: int) -> None:
    """Pieces are of 20 ms at least, but for the last, and nothing is lost between them."""
    pcm = tone(0.02) + tone(0.02) + b"\1\2"
    pieces = [pcm[at : at + size] for at in range(0, len(pcm), size)]
    audio = speak(Fixed("audio/pcm", pieces).application())
    assert b"".join(piece.pcm for piece in audio) == pcm
    assert all(len(piece.pcm) >= 960 for piece in audio[:-1])


@pytest.mark.parametrize(
    "kind", ["binary/octet-stream", "audio/x-pcm", "audio/L16;rate=24000", "audio/wav"]
)
def test_samples_have_many_names(kind: str) -> None:
    """Half of one at the end costs no more than itself."""
    assert speak(Fixed(kind, [tone(0.02) + b"\1"]).application()) == [Audio(tone(0.02), 24_000)]


def wav(pcm: bytes, *, channels: int = 1, size: int | None = None) -> bytes:
    """Return a WAV file at 22,050 Hz, with a text before its samples."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, 22_050, 44_100, 2, 16)
    text = b"LIST\3\0\0\0abc\0"
    data = struct.pack("<4sI", b"data", len(pcm) if size is None else size)
    return b"RIFF\xff\xff\xff\xffWAVE" + form + text + data + pcm


@pytest.mark.parametrize("kind", ["audio/wav", "audio/x-wav", "audio/pcm", "binary/octet-stream"])
@pytest.mark.parametrize("size", [None, 0xFFFF_FFFF, 0])
@pytest.mark.parametrize("cut", [1, 50, 10_000])
def test_a_wav_file_is_unpacked(kind: str, size: int | None, cut: int) -> None:
    """As it comes: its rate is its own, its header is not played, nor is what follows."""
    pcm = tone(0.02)
    file = wav(pcm, size=size) + (b"LIST\2\0\0\0ab" if size is None else b"")
    pieces = [file[at : at + cut] for at in range(0, len(file), cut)]

    async def body() -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece

    async def main() -> tuple[int, bytes]:
        rate, found = await unpacked(body(), 8_000)
        return rate, b"".join([piece async for piece in found])

    assert asyncio.run(main()) == (22_050, pcm)
    if cut == 50:
        audio = speak(Fixed(kind, pieces).application())
        assert (audio[0].rate, b"".join(each.pcm for each in audio)) == (22_050, pcm)


@pytest.mark.parametrize(
    ("kind", "pieces"),
    [
        ("audio/wav", [b"RIFF" + bytes(2000)]),
        ("audio/mpeg", [bytes(2000)]),
        ("application/json", [b'{"detail": "Hello."}']),
        ("audio/wav", [wav(b"", channels=2)]),
        ("audio/wav", [wav(b"")]),
        ("audio/wav", [wav(b"\1\2")[:40]]),
        ("audio/pcm", [b"\1"]),
        ("audio/pcm", []),
        ("text/event-stream", [b'data: {"type": "speech.audio.done"}\n\n']),
        ("text/event-stream", [b'data: {"type": "speech.audio.delta", "audio": "no"}\n\n']),
        ("text/event-stream", [b'data: {"type": "speech.audio.delta", "audio": "AAAA"}\n\n']),
    ],
)
def test_what_is_no_speech_is_an_error(kind: str, pieces: list[bytes]) -> None:
    """Another format, nothing, or no end: never noise on the line."""
    with pytest.raises(ProviderError):
        speak(Fixed(kind, pieces).application())


def test_events_that_are_not_known_are_passed_over() -> None:
    """Servers may add some."""
    events = [
        b'data: {"type": "speech.started", "id": 7}\n\n',
        b'event: speech.audio.delta\ndata: {"type": "speech.audio.delta", "audio": "AQIDBA=="}\n\n',
        b'data: {"type": "speech.audio.done", "usage": null}\n\n',
    ]
    assert speak(Fixed("text/event-stream", events).application()) == [Audio(b"\1\2\3\4", 24_000)]
