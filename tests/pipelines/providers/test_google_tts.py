"""What is particular to Google's speech; the contract is proven in tests/contract."""

from __future__ import annotations

import asyncio
import struct

import pytest

from pipelines.audio import Audio
from pipelines.providers.transport.wav import unpack
from tests.contract.case import Plan
from tests.contract.voices import spoken, voiced
from tests.contract.wires.google_tts import CASE, Server

PCM = bytes(range(40))


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def wav(
    *chunks: bytes, kind: int = 1, channels: int = 1, bits: int = 16, magic: bytes = b"RIFF"
) -> bytes:
    """Return a WAV file of 8 kHz with given chunks after its first."""
    form = struct.pack("<HHIIHH", kind, channels, 8_000, 16_000, 2, bits)
    body = b"WAVE" + chunk(b"fmt ", form) + b"".join(chunks)
    return magic + struct.pack("<I", len(body)) + body


def test_a_sentence_comes_whole_at_the_lines_rate() -> None:
    """The language is that of the voice; the key is in no URL."""

    async def main() -> None:
        server = Server(Plan(seconds=0.5))
        async with voiced(CASE, server, voice="de-DE-Neural2-B", speed=1.25) as tts:
            (audio,) = await spoken(tts, "Guten Tag <b>!", 8_000)
            assert await spoken(tts, "  ") == []
        assert isinstance(audio, Audio)
        assert (audio.rate, audio.seconds) == (8_000, 0.5)
        assert server.bodies == [
            {
                "input": {"text": "Guten Tag <b>!"},
                "voice": {"languageCode": "de-DE", "name": "de-DE-Neural2-B"},
                "audioConfig": {
                    "audioEncoding": "LINEAR16",
                    "sampleRateHertz": 8_000,
                    "speakingRate": 1.25,
                },
            }
        ]

    asyncio.run(main())


@pytest.mark.parametrize(
    "file",
    [
        wav(chunk(b"data", PCM)),
        wav(chunk(b"LIST", b"odd"), chunk(b"data", PCM), chunk(b"LIST", b"more")),
    ],
)
def test_a_wav_file_is_its_samples(file: bytes) -> None:
    """Whatever other chunks there are."""
    assert unpack(file) == Audio(PCM, 8_000)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        wav(),
        wav(chunk(b"data", PCM))[:-1],
        wav(chunk(b"data", PCM), magic=b"RIFX"),
        wav(chunk(b"data", PCM), channels=2),
        wav(chunk(b"data", PCM), bits=8),
        wav(chunk(b"data", PCM), kind=7),
        b"RIFF\0\0\0\0WAVE" + chunk(b"data", PCM),
    ],
)
def test_any_other_file_is_refused(file: bytes) -> None:
    """It would be noise in the caller's ear."""
    with pytest.raises(ValueError, match=r"WAV|broken|PCM"):
        unpack(file)
