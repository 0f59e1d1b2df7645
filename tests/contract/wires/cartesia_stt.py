"""``/stt/websocket`` of Cartesia: https://docs.cartesia.ai/api-reference/stt/websocket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from pipelines.providers.cartesia_stt import Transcriber
from tests.contract.case import Case
from tests.contract.hearing import Bye, Finish, Heard, HearingServer, Taken


class Ink:
    """One connection."""

    rate = 16_000

    def hello(self) -> Sequence[str]:
        return ()

    def take(self, message: str | bytes) -> Taken:
        if isinstance(message, bytes):
            return Heard(message)
        words: dict[str, Taken] = {"finalize": Finish(), "close": Bye()}
        return words[message]

    def transcript(self, text: str, *, final: bool) -> str:
        return self.message("transcript", text=text, is_final=final, duration=0.5, language="en")

    def message(self, kind: str, **fields: object) -> str:
        return json.dumps({"type": kind, "request_id": "b67e1c5d", **fields})

    def partial(self, text: str) -> Sequence[str]:
        return (self.transcript(text, final=False),)

    def part(self, text: str) -> Sequence[str]:
        return (self.transcript(text, final=True),)

    def last(self, text: str) -> Sequence[str]:
        return (self.transcript(f" {text}", final=True), self.message("flush_done"))

    def error(self, words: str) -> Sequence[str]:
        return (self.message("error", title=words, message=words, status_code=500),)

    def bye(self) -> Sequence[str]:
        return (self.message("done"),)


CASE = Case(
    name="cartesia",
    needs=frozenset(["type", "text", "is_final"]),
    stage="stt",
    provider=Transcriber,
    options=lambda url: {"base_url": url},
    wire=partial(
        HearingServer,
        path="/stt/websocket",
        key=lambda request: request.headers["X-API-Key"],
        new=Ink,
    ),
    variable="CARTESIA_API_KEY",
)
