"""Services that take calls however busy the machine is that runs the tests.

Whether there is too much to do is measured in each process, of the machine that it is on, so it is
told in that process, too: whoever loads this module measures against limits that nothing reaches.
So no test imports it: see ``ANY_LOAD`` beside the services of tests.
"""

from __future__ import annotations

import sys

from agent.cli import main as command
from agent.server.load import loop_load as load
from agent.server.load import overload
from pipelines.providers import scripted

overload.LATE = overload.WAIT = load.FULL = 1_000.0


class Transcriber(scripted.Transcriber):
    """Hears nothing."""


class LanguageModel(scripted.LanguageModel):
    """Answers as scripted, where something else is to transcribe."""


def main() -> None:
    """Run ``voice-agent serve`` with whatever providers it is set to."""
    sys.exit(command(["serve"]))
