"""Another speech-to-text, made slower and worse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent.settings.loading import load
from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.providers import find
from pipelines.providers.contracts import PlainTranscriptionSession
from pipelines.providers.delayed import DelayOptions, Transcriber, misheard
from tests.virtual_time import run

NAME = "pipelines.providers.delayed:Transcriber"


async def speech() -> AsyncIterator[Audio]:
    yield Audio(bytes(320), 16_000)


def scripted(**more: Any) -> Transcriber:
    options = {"lines": ["My number is five five one."]}
    return Transcriber(DelayOptions(provider="scripted", options=options, **more))


def test_a_transcript_comes_later() -> None:
    """By the delay, and is otherwise what the other one hears."""

    async def main() -> tuple[str, float]:
        transcriber = scripted(delay=0.5)
        await transcriber.start()
        session = transcriber.open_session()
        assert isinstance(session, PlainTranscriptionSession)
        began = now()
        text = await session.transcribe(speech())
        await session.aclose()
        await transcriber.aclose()
        return text, now() - began

    text, seconds = run(main())
    assert text == "My number is five five one."
    assert seconds == pytest.approx(0.5)


def test_words_are_left_out_or_said_twice() -> None:
    """So many of a hundred, and the same ones each time."""
    text = " ".join(f"w{n}" for n in range(2000))
    once = misheard(text, 0.1)
    assert once == misheard(text, 0.1)
    found = once.split()
    lost = 2000 - len(set(found))
    twice = len(found) - len(set(found))
    assert 60 < lost < 140
    assert 60 < twice < 140
    assert misheard(text, 0.0) == text


def test_it_is_named_by_its_path(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the settings, with the one that listens."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "voice-agent.toml").write_text(
        f'[stt]\nprovider = "{NAME}"\noptions = {{ provider = "scripted", delay = 0.7 }}\n'
    )
    (chosen,) = load().providers()["stt"]
    assert chosen.options.delay == 0.7  # type: ignore[attr-defined]
    assert find("stt", NAME) is Transcriber


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"provider": "nobody"}, "provider: known are"),
        ({"provider": NAME}, "provider: not this one again"),
        ({"provider": "scripted", "options": {"delay": -1}}, "options.delay"),
        ({"delay": -1}, "greater than or equal"),
        ({"errors": 2}, "less than or equal"),
    ],
)
def test_a_mistake_in_it_is_told(given: dict[str, Any], why: str) -> None:
    """Before the start, as of a provider that is named in the settings."""
    with pytest.raises(ValueError, match=why):
        DelayOptions.model_validate(given)


def test_a_request_that_is_cancelled_ends(recwarn: pytest.WarningsRecorder) -> None:
    """While it is held back, too."""

    async def main() -> None:
        session = scripted(delay=5).open_session()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await session.transcribe(speech())

    run(main())
    assert not recwarn.list
