"""How long the silence between two sentences of a reply is, by how fast the voice is.

Run ``python -m tests.benchmarks.sentence_gaps``: seconds. Four sentences of one length are written
at once, and played to a caller in virtual time by the chain, the player and the line of a call.
Voices leave no pause after their sentences; a call adds one of 0.2 s.
"""

from __future__ import annotations

from tests.agent.call.sentences import Voice, silences

FIRST = (0.2, 0.5, 0.8, 1.2)
"""Seconds to the first audio of a sentence."""

SECONDS = (0.8, 1.5, 3.0)
"""Of a sentence."""

SPEEDS = (1.2, 4.0)
"""Seconds of audio a second, from the first on."""


def main() -> None:
    """Print a row for each voice."""
    columns = " | ".join(f"sentences of {seconds:g} s" for seconds in SECONDS)
    print(f"| first audio after | speed | {columns} |")
    print(f"| --- | --- |{' --- |' * len(SECONDS)}")
    for speed in SPEEDS:
        for first in FIRST:
            found = [silences(Voice(first=first, seconds=each, speed=speed)) for each in SECONDS]
            cells = " | ".join(f"{max(each, default=0.0):.2f}" for each in found)
            print(f"| {first:g} s | {speed:g} × | {cells} |")


if __name__ == "__main__":
    main()
