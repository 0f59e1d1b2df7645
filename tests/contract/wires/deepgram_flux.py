"""``/v2/listen`` of Deepgram: https://developers.deepgram.com/docs/flux/state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from pipelines.providers.deepgram_flux import Transcriber
from tests.contract.case import Case
from tests.contract.hearing import Bye, Heard, HearingServer, Taken, hurried


class Flux:
    """One connection."""

    rate = 16_000

    def __init__(self) -> None:
        self.turn = 0
        self.sent = 0.0
        self.messages = 0

    def hello(self) -> Sequence[str]:
        return (self.message(type="Connected"),)

    def take(self, message: str | bytes) -> Taken:
        if isinstance(message, bytes):
            self.sent += len(message) / (2 * self.rate)
            return Heard(message)
        said = json.loads(message)
        if said["type"] == "Configure":
            assert all(0 < len(term) <= 50 for term in said["keyterms"])
            return None
        assert said == {"type": "CloseStream"}
        return Bye()

    def message(self, **fields: object) -> str:
        self.messages += 1
        fields |= {"request_id": "4db19d36", "sequence_id": self.messages - 1}
        return json.dumps(fields)

    def info(self, event: str, text: str) -> Sequence[str]:
        return (
            self.message(
                type="TurnInfo",
                event=event,
                turn_index=self.turn,
                audio_window_start=0.0,
                audio_window_end=self.sent,
                transcript=text,
                words=[{"word": word, "confidence": 0.9} for word in text.split()],
                end_of_turn_confidence=0.5,
            ),
        )

    def began(self) -> Sequence[str]:
        return self.info("StartOfTurn", "")

    def partial(self, text: str) -> Sequence[str]:
        return self.info("Update", text)

    def maybe_over(self, text: str) -> Sequence[str]:
        return self.info("EagerEndOfTurn", text)

    def resumed(self, text: str) -> Sequence[str]:
        return self.info("TurnResumed", text)

    def over(self, text: str) -> Sequence[str]:
        self.turn += 1
        return self.info("EndOfTurn", text)

    def error(self, words: str) -> Sequence[str]:
        return (self.message(type="Error", code="INTERNAL", description=words),)

    def bye(self) -> Sequence[str]:
        return ()


CASE = Case(
    name="deepgram-flux",
    needs=frozenset(["event", "transcript"]),
    stage="stt",
    provider=hurried(Transcriber),
    options=lambda url: {"base_url": url},
    wire=partial(
        HearingServer,
        path="/v2/listen",
        key=lambda request: request.headers["Authorization"].removeprefix("Token "),
        new_turning=Flux,
    ),
    variable="DEEPGRAM_API_KEY",
)
