"""What is particular to ``audio/transcriptions``; the contract is proven in tests/contract."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError
from pipelines.providers.openai_transcribe import Transcriber
from tests.contract.case import Plan
from tests.contract.wires.openai_transcribe import Server

from .test_openai_speech import at

PCM = bytes(range(256)) * 10


async def said(*pieces: bytes) -> AsyncIterator[Audio]:
    for pcm in pieces:
        yield Audio(pcm, 16_000)


def hear(server: Server, *pieces: bytes, **options: Any) -> str:
    """Return what the server heard."""

    async def main() -> str:
        async with at(server.application()) as url:
            stt = Transcriber(Transcriber.Options(base_url=url, **options))
            await stt.start()
            session = stt.open_session()
            try:
                return await session.transcribe(said(*pieces))
            finally:
                await session.aclose()
                await stt.aclose()

    return asyncio.run(main())


def test_the_utterance_is_uploaded_as_a_file() -> None:
    """One WAV file of all pieces, 16 kHz mono, and no field that a server may not know."""
    server = Server(Plan(text=" Two, please. "))
    assert hear(server, PCM, PCM) == "Two, please."
    [form] = server.forms
    name, kind, content = form.pop("file")
    assert (name, kind) == ("speech.wav", "audio/wav")
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.readframes(file.getnframes()) == PCM + PCM
    assert form == {"model": "gpt-transcribe", "response_format": "json"}
    assert server.keys == [""]


@pytest.mark.parametrize(
    ("model", "field"),
    [("gpt-transcribe", "languages[]"), ("whisper-large-v3-turbo", "language")],
)
def test_options_are_sent(model: str, field: str) -> None:
    """The newest model takes several languages, the others one."""
    server = Server(Plan())
    hear(server, PCM, model=model, language="de", prompt="Zoë, Kürbis", api_key="gsk-mine")
    [form] = server.forms
    del form["file"]
    assert form == {
        "model": model,
        "response_format": "json",
        field: "de",
        "prompt": "Zoë, Kürbis",
    }
    assert server.keys == ["gsk-mine"]


def test_silence_is_not_uploaded() -> None:
    """If there was no speech, no server is asked."""
    server = Server(Plan())
    assert hear(server) == ""
    assert not server.forms


def test_openai_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the start fails and names the variable; it is not sent elsewhere."""

    async def main() -> None:
        stt = Transcriber(Transcriber.Options())
        with pytest.raises(ProviderError, match="OPENAI_API_KEY") as caught:
            await stt.start()
        assert not caught.value.retryable
        await stt.aclose()

    asyncio.run(main())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = Server(Plan())
    hear(server, PCM)
    assert server.keys == [""]
