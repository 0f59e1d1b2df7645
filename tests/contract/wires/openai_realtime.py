"""``/realtime`` of OpenAI, for transcription: https://developers.openai.com/api/docs/guides."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import partial

from pipelines.providers.openai_realtime import Transcriber
from tests.contract.case import Case
from tests.contract.hearing import Finish, Heard, HearingServer, Taken

HEARD = "conversation.item.input_audio_transcription"


class Realtime:
    """One connection."""

    rate = 24_000

    def __init__(self) -> None:
        self.item = 0
        self.text = ""
        self.events = 0

    def event(self, kind: str, **fields: object) -> str:
        self.events += 1
        return json.dumps({"type": kind, "event_id": f"event_{self.events}", **fields})

    def hello(self) -> Sequence[str]:
        session = {"type": "transcription", "id": "sess_1", "object": "realtime.session"}
        return (self.event("session.created", session=session),)

    def take(self, message: str | bytes) -> Taken:
        said = json.loads(message)
        match said["type"]:
            case "input_audio_buffer.append":
                return Heard(base64.b64decode(said["audio"], validate=True))
            case "input_audio_buffer.commit":
                return Finish()
        assert said["type"] == "session.update"
        assert said["session"]["type"] == "transcription"
        return None

    def delta(self, text: str) -> str:
        return self.event(
            f"{HEARD}.delta", item_id=f"item_{self.item}", content_index=0, delta=text
        )

    def partial(self, text: str) -> Sequence[str]:
        self.text = text
        return (self.delta(text),)

    def part(self, text: str) -> Sequence[str]:
        committed = self.event("input_audio_buffer.committed", item_id=f"item_{self.item}")
        more = text.removeprefix(self.text)
        self.text = text
        return (committed, self.delta(more))

    def last(self, text: str) -> Sequence[str]:
        item, whole = f"item_{self.item}", f"{self.text} {text}".strip()
        events = [] if self.text else [self.event("input_audio_buffer.committed", item_id=item)]
        self.text = ""
        self.item += 1
        usage = {"type": "tokens", "total_tokens": 48}
        events.append(
            self.event(
                f"{HEARD}.completed", item_id=item, content_index=0, transcript=whole, usage=usage
            )
        )
        return events

    def error(self, words: str) -> Sequence[str]:
        error = {"type": "server_error", "code": "server_error", "message": words, "param": None}
        return (self.event("error", error=error),)

    def bye(self) -> Sequence[str]:
        return ()


CASE = Case(
    name="openai-realtime",
    needs=frozenset(["type", "transcript"]),
    stage="stt",
    provider=Transcriber,
    options=lambda url: {"base_url": url},
    wire=partial(
        HearingServer,
        path="/realtime",
        key=lambda request: request.headers["Authorization"].removeprefix("Bearer "),
        new=Realtime,
    ),
    variable="OPENAI_API_KEY",
)
