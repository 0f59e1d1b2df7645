"""``/v3/ws`` of AssemblyAI: https://www.assemblyai.com/docs/streaming/message-sequence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pipelines.providers.assemblyai_stt import Transcriber
from tests.contract.case import Case
from tests.contract.hearing import Bye, Finish, Heard, HearingServer, Taken, hurried


class Turns:
    """One connection."""

    rate = 16_000

    def __init__(self) -> None:
        self.order = 0
        self.text = ""

    def hello(self) -> Sequence[str]:
        return (json.dumps({"type": "Begin", "id": "cfd280c7", "expires_at": 1745483367}),)

    def take(self, message: str | bytes) -> Taken:
        if isinstance(message, bytes):
            assert 0.05 <= len(message) / (2 * self.rate) <= 1, "a message of a wrong length"
            return Heard(message)
        kinds: dict[str, Taken] = {
            "ForceEndpoint": Finish(),
            "Terminate": Bye(),
            "UpdateConfiguration": None,
        }
        return kinds[json.loads(message)["type"]]

    def turn(self, text: str, *, over: bool) -> str:
        order = self.order
        self.order += over
        words = [
            {"text": word, "start": 0, "end": 9, "confidence": 0.9, "word_is_final": over}
            for word in text.split()
        ]
        return json.dumps(
            {
                "type": "Turn",
                "turn_order": order,
                "turn_is_formatted": over,
                "end_of_turn": over,
                "transcript": text,
                "utterance": text if over else "",
                "end_of_turn_confidence": 1.0 if over else 0.3,
                "words": words,
            }
        )

    def partial(self, text: str) -> Sequence[str]:
        return (json.dumps({"type": "SpeechStarted", "timestamp": 10}), self.turn(text, over=False))

    def part(self, text: str) -> Sequence[str]:
        self.text = text
        return (self.turn(text, over=False),)

    def last(self, text: str) -> Sequence[str]:
        whole, self.text = f"{self.text} {text}".strip(), ""
        return (self.turn(whole, over=True),)

    def error(self, words: str) -> Sequence[str]:
        return (json.dumps({"type": "Error", "error_code": 3005, "error": words}),)

    def bye(self) -> Sequence[str]:
        return (json.dumps({"type": "Termination", "audio_duration_seconds": 2}),)


class TwiceEnding(Turns):
    """One connection, with a model that ends a turn twice: without punctuation, then with it."""

    def last(self, text: str) -> Sequence[str]:
        whole = json.loads(super().last(text)[0])
        plain = whole | {"turn_is_formatted": False, "transcript": whole["transcript"].lower()}
        return (json.dumps(plain), json.dumps(whole))


class Detecting(Turns):
    """One connection, where turns end by themselves."""

    def began(self) -> Sequence[str]:
        return ()

    def maybe_over(self, text: str) -> Sequence[str]:
        return (self.turn(text, over=False),)

    def resumed(self, text: str) -> Sequence[str]:
        return ()

    def over(self, text: str) -> Sequence[str]:
        return (self.turn(text, over=True),)


def _case(name: str, options: Mapping[str, Any], **new: Any) -> Case:
    return Case(
        name=name,
        needs=frozenset(["transcript", "end_of_turn", "turn_is_formatted"]),
        stage="stt",
        provider=hurried(Transcriber),
        options=lambda url: {"base_url": url, **options},
        wire=partial(
            HearingServer,
            path="/v3/ws",
            key=lambda request: request.headers["Authorization"],
            **new,
        ),
        variable="ASSEMBLYAI_API_KEY",
    )


CASES = [
    _case("assemblyai", {}, new=Turns),
    _case("assemblyai-formatted", {"model": "universal-streaming-english"}, new=TwiceEnding),
    _case("assemblyai-turns", {"detect_turns": True}, new_turning=Detecting),
]
