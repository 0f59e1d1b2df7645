"""``/v1/speech-to-text/realtime`` of ElevenLabs: https://elevenlabs.io/docs/api-reference."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import partial

from pipelines.providers.elevenlabs_stt import Transcriber
from tests.contract.case import Case
from tests.contract.hearing import Finish, Heard, HearingServer, Taken


class Scribe:
    """One connection."""

    rate = 16_000

    def __init__(self) -> None:
        self.text = ""

    def hello(self) -> Sequence[str]:
        config = {"sample_rate": self.rate, "audio_format": "pcm_16000"}
        return (
            json.dumps({"message_type": "session_started", "session_id": "0b0a", "config": config}),
        )

    def take(self, message: str | bytes) -> Taken:
        chunk = json.loads(message)
        assert chunk["message_type"] == "input_audio_chunk"
        assert chunk["sample_rate"] == self.rate
        pcm = base64.b64decode(chunk["audio_base_64"], validate=True)
        if chunk["commit"]:
            assert not pcm
            return Finish()
        return Heard(pcm)

    def partial(self, text: str) -> Sequence[str]:
        return (json.dumps({"message_type": "partial_transcript", "text": text}),)

    def part(self, text: str) -> Sequence[str]:
        self.text = text
        return self.partial(text)

    def last(self, text: str) -> Sequence[str]:
        whole, self.text = f"{self.text} {text}".strip(), ""
        return (json.dumps({"message_type": "committed_transcript", "text": whole}),)

    def error(self, words: str) -> Sequence[str]:
        return (json.dumps({"message_type": "transcriber_error", "error": words}),)

    def bye(self) -> Sequence[str]:
        return ()


CASE = Case(
    name="elevenlabs",
    needs=frozenset(["message_type", "text"]),
    stage="stt",
    provider=Transcriber,
    options=lambda url: {"base_url": url},
    wire=partial(
        HearingServer,
        path="/v1/speech-to-text/realtime",
        key=lambda request: request.headers["xi-api-key"],
        new=Scribe,
    ),
    variable="ELEVENLABS_API_KEY",
)
