"""``/v1/listen`` of Deepgram: https://developers.deepgram.com/reference/speech-to-text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from pipelines.providers.deepgram_stt import Transcriber
from tests.contract.case import Case
from tests.contract.hearing import Bye, Finish, Heard, HearingServer, Taken


class Listen:
    """One connection."""

    rate = 16_000

    def __init__(self) -> None:
        self.sent = 0.0
        self.heard = 0.0

    def hello(self) -> Sequence[str]:
        return ()

    def take(self, message: str | bytes) -> Taken:
        if isinstance(message, bytes):
            self.sent += len(message) / (2 * self.rate)
            return Heard(message)
        kinds: dict[str, Taken] = {"Finalize": Finish(), "CloseStream": Bye(), "KeepAlive": None}
        return kinds[json.loads(message)["type"]]

    def results(self, text: str, end: float, *, final: bool, finalized: bool = False) -> str:
        start = self.heard
        if final:
            self.heard = end
        words = [
            {"word": word, "start": start, "end": end, "confidence": 0.98, "punctuated_word": word}
            for word in text.split()
        ]
        return json.dumps(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "duration": end - start,
                "start": start,
                "is_final": final,
                "speech_final": False,
                "from_finalize": finalized,
                "channel": {
                    "alternatives": [{"transcript": text, "confidence": 0.99, "words": words}]
                },
                "metadata": {"request_id": "8c8ebea9", "model_uuid": "40bd3654"},
            }
        )

    def partial(self, text: str) -> Sequence[str]:
        return (self.results(text, self.sent, final=False),)

    def part(self, text: str) -> Sequence[str]:
        return (self.results(text, (self.heard + self.sent) / 2, final=True),)

    def last(self, text: str) -> Sequence[str]:
        return (self.results(text, self.sent, final=True, finalized=True),)

    def error(self, words: str) -> Sequence[str]:
        return (
            json.dumps({"type": "Error", "variant": "x", "description": words, "message": words}),
        )

    def bye(self) -> Sequence[str]:
        return (json.dumps({"type": "Metadata", "request_id": "8c8ebea9", "duration": self.sent}),)


CASE = Case(
    name="deepgram",
    needs=frozenset(["channel", "alternatives", "transcript", "is_final"]),
    stage="stt",
    provider=Transcriber,
    options=lambda url: {"base_url": url},
    wire=partial(
        HearingServer,
        path="/v1/listen",
        key=lambda request: request.headers["Authorization"].removeprefix("Token "),
        new=Listen,
    ),
    variable="DEEPGRAM_API_KEY",
)
