"""What is said while an answer is late."""

from __future__ import annotations

from agent.call.reply import Announcement, Reply
from agent.personas.script import Script
from pipelines.audio import at_rate
from pipelines.stages.phrases import Phrases
from pipelines.text.speakable import speakable
from pipelines.turn_taking.settings import TurnSettings


class Fillers:
    """The fillers of one call, each time the next.

    Args:
        script: Has them.
        phrases: Has them as audio, once they were prepared.
        turns: When one is said; sooner while a tool runs, which takes seconds as everybody knows.
        rate: Hertz on the line.
    """

    def __init__(self, script: Script, phrases: Phrases, turns: TurnSettings, rate: int) -> None:
        self._script = script
        self._phrases = phrases
        self._turns = turns
        self._rate = rate
        self._said = 0

    def bridge(self) -> Announcement:
        """Return words that bridge a silence, to be spoken like any others."""
        filler = self._coming()
        self._said += 1
        return Announcement(text=filler, occasion="filler")

    def put_if_due(self, reply: Reply, now: float) -> str:
        """Put a filler into a reply that the caller has waited for too long; return it, or ``""``.

        It sounds from now, once it is sent.
        """
        turns = self._turns
        patience = turns.tool_filler_after if reply.using_tools else turns.filler_after
        waits = reply.released.is_set() and reply.going.is_set() and not reply.playout.left(now)
        if reply.guarded or not waits or now - reply.quiet_since < patience:
            return ""
        filler, brief = reply.filler or self._coming(), self._script.brief
        words = speakable(filler, brief.language, brief.pronounce)
        audio = self._phrases.kept(words, self._rate)
        if not audio:
            return ""
        self._said += not reply.filler
        reply.filler, reply.using_tools = "", False  # once; then as in any other silence
        reply.playout.interject(filler, at_rate(audio, self._rate))
        return filler

    def _coming(self) -> str:
        return self._script.fillers[self._said % len(self._script.fillers)]
