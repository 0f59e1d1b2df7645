"""``/stt/turns/websocket`` of Cartesia: https://docs.cartesia.ai/use-the-api/stt/turns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from pipelines.providers.cartesia_turns import Transcriber
from tests.contract.case import Case
from tests.contract.hearing import Bye, Heard, HearingServer, Taken, hurried


class Ink:
    """One connection."""

    rate = 16_000

    def hello(self) -> Sequence[str]:
        return self.message("connected")

    def take(self, message: str | bytes) -> Taken:
        if isinstance(message, bytes):
            return Heard(message)
        assert json.loads(message) == {"type": "close"}
        return Bye()

    def message(self, kind: str, **fields: object) -> Sequence[str]:
        return (json.dumps({"type": kind, "request_id": "b67e1c5d", **fields}),)

    def began(self) -> Sequence[str]:
        return self.message("turn.start")

    def partial(self, text: str) -> Sequence[str]:
        return self.message("turn.update", transcript=text)

    def maybe_over(self, text: str) -> Sequence[str]:
        return self.message("turn.eager_end", transcript=text)

    def resumed(self, text: str) -> Sequence[str]:
        return self.message("turn.resume")

    def over(self, text: str) -> Sequence[str]:
        return self.message("turn.end", transcript=text)

    def error(self, words: str) -> Sequence[str]:
        return self.message("error", title=words, message=words, status_code=500)

    def bye(self) -> Sequence[str]:
        return ()


CASE = Case(
    name="cartesia-turns",
    needs=frozenset(["type", "transcript"]),
    stage="stt",
    provider=hurried(Transcriber),
    options=lambda url: {"base_url": url},
    wire=partial(
        HearingServer,
        path="/stt/turns/websocket",
        key=lambda request: request.headers["X-API-Key"],
        new_turning=Ink,
    ),
    variable="CARTESIA_API_KEY",
)
