"""In what language something was heard, and how surely."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.providers import assemblyai_stt, cartesia_stt, deepgram_flux, deepgram_stt
from pipelines.providers.contracts import UNTOLD, Certainty
from pipelines.providers.streaming_stt.certainty import certainty, of_all
from pipelines.providers.streaming_stt.protocol import FinalTranscript
from pipelines.providers.streaming_stt.turns import UtteranceTranscript
from tests.pipelines.providers.hearing import events, protocol

WORDS = [{"word": "Hallo", "confidence": 0.75}, {"word": "du.", "confidence": 1}, {"word": "?"}]


@pytest.mark.parametrize(
    ("adapter", "messages", "known"),
    [
        (
            deepgram_stt,
            [
                {
                    "type": "Results",
                    "is_final": True,
                    "channel": {
                        "alternatives": [
                            {"transcript": "Hi.", "confidence": 0.9, "languages": ["de", "en"]}
                        ]
                    },
                }
            ],
            Certainty(language="de", confidence=0.9),
        ),
        (
            deepgram_flux,
            [
                {
                    "type": "TurnInfo",
                    "event": "EndOfTurn",
                    "transcript": "Hi.",
                    "words": WORDS,
                    "languages": ["de"],
                }
            ],
            Certainty(language="de", confidence=0.875),
        ),
        (
            assemblyai_stt,
            [
                {
                    "type": "Turn",
                    "end_of_turn": True,
                    "transcript": "Hi.",
                    "words": WORDS,
                    "language_code": "de",
                }
            ],
            Certainty(language="de", confidence=0.875),
        ),
        (
            cartesia_stt,
            [
                {"type": "transcript", "text": "Hi.", "is_final": True, "language": "de"},
                {"type": "flush_done"},
            ],
            Certainty(language="de"),
        ),
    ],
)
def test_adapters_tell_what_their_provider_tells(
    adapter: Any, messages: list[Any], known: Certainty
) -> None:
    """Of a final transcript."""
    told = events(protocol(adapter.Transcriber), *map(json.dumps, messages))
    (final,) = [one for one in told if isinstance(one, FinalTranscript)]
    assert final.certainty == known


@pytest.mark.parametrize(
    ("language", "confidence"),
    [
        (None, None),
        ("", True),
        (["?"], "high"),
        ({}, [1, {}, None]),
        ("x" * 99, -1),
        ([], 7),
    ],
)
def test_what_cannot_be_read_is_not_told(language: object, confidence: object) -> None:
    """And harms nothing."""
    assert certainty(language=language, confidence=confidence) == UNTOLD


def test_an_utterance_has_the_language_of_most_of_it() -> None:
    """And the mean of its parts, by their lengths; of what is not told there is none."""
    heard = UtteranceTranscript()
    assert heard.certainty == UNTOLD
    heard.take_text(FinalTranscript("Ja.", Certainty(language="de", confidence=0.5)), 0.0)
    heard.take_text(FinalTranscript("I want nine", Certainty(language="en", confidence=1.0)), 0.0)
    assert heard.certainty.language == "en"
    assert heard.certainty.confidence == pytest.approx((3 * 0.5 + 11 * 1.0) / 14)
    assert of_all([("x", UNTOLD)]) == UNTOLD
