"""What is particular to Azure's speech; the contract is proven in tests/contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers.azure_tts import Synthesizer, ssml
from pipelines.providers.transport.bodies import whole_samples
from tests.contract.case import Plan
from tests.contract.voices import rate_of, voiced
from tests.contract.wires.azure_tts import CASE, Server

SPEAK = "{http://www.w3.org/2001/10/synthesis}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def parse(document: str) -> ET.Element:
    return ET.fromstring(document.encode())  # noqa: S314 - it is ours


def test_bare_samples_are_asked_for_at_the_lines_rate() -> None:
    """Where they can be had; and the service wants to know who asks."""

    async def main() -> None:
        server = Server(Plan())
        async with voiced(CASE, server) as tts:
            lines = (8_000, 16_000, 22_050, 48_000, 12_345)
            rates = [await rate_of(tts, rate) for rate in lines]
        assert rates == [8_000, 16_000, 22_050, 48_000, 24_000]
        assert [each["X-Microsoft-OutputFormat"] for each in server.headers] == [
            "raw-8khz-16bit-mono-pcm",
            "raw-16khz-16bit-mono-pcm",
            "raw-22050hz-16bit-mono-pcm",
            "raw-48khz-16bit-mono-pcm",
            "raw-24khz-16bit-mono-pcm",
        ]
        assert server.headers[0]["User-Agent"] == "sinch-voice-agent"
        assert server.headers[0]["Content-Type"] == "application/ssml+xml"

    asyncio.run(main())


def test_the_document_names_the_voice_and_its_language() -> None:
    """And its speed, if that is another."""
    root = parse(ssml("Guten Tag.", "de-DE-KatjaNeural", 1.25))
    assert root.get(LANGUAGE) == "de-DE"
    (voice,) = root
    assert (voice.tag, voice.get("name")) == (f"{SPEAK}voice", "de-DE-KatjaNeural")
    (prosody,) = voice
    assert (prosody.tag, prosody.get("rate"), prosody.text) == (
        f"{SPEAK}prosody",
        "1.25",
        "Guten Tag.",
    )
    assert not list(parse(ssml("Guten Tag.", "de-DE-KatjaNeural", 1.0))[0])


@given(st.text())
def test_nothing_in_a_text_is_taken_for_markup(text: str) -> None:
    """The document can be read whatever is said, and says it."""
    voice = parse(ssml(text, "en-US-AvaMultilingualNeural", 1.0))[0]
    assert not list(voice)
    kept = "".join(char for char in voice.text or "" if not char.isspace())
    wanted = "".join(char for char in text if not char.isspace())
    assert set(kept) <= set(wanted)
    if wanted.isprintable():
        assert kept == wanted


def test_the_host_is_the_regions() -> None:
    """Unless another is given."""

    async def main() -> str:
        tts = Synthesizer(Synthesizer.Options.model_validate({"api_key": "k", "region": "uksouth"}))
        await tts.start()
        assert tts._http is not None
        base = tts._http._base
        await tts.aclose()
        return base

    assert asyncio.run(main()) == "https://uksouth.tts.speech.microsoft.com"


def test_half_a_sample_is_kept_for_the_next_piece_and_is_nothing_at_the_end() -> None:
    """The sentence was heard."""

    async def cut(*pieces: bytes) -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece

    async def main() -> list[bytes]:
        pieces = whole_samples(cut(b"\1", b"\2\3\4\5", b"\6\7"), 8_000)
        return [each.pcm async for each in pieces]

    assert asyncio.run(main()) == [b"\1\2\3\4", b"\5\6"]
