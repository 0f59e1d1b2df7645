"""What replies are made from: the same for all replies of a call."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import structlog

from agent.call.consent import QUESTION
from agent.call.history import History
from agent.call.reply import Announcement, Reply
from agent.personas.script import Script
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import ProviderError
from pipelines.reply.chain import answer
from pipelines.reply.playout import Playout
from pipelines.reply.request import ReplyRequest
from pipelines.reply.speech import say
from pipelines.reply.steps import Step
from pipelines.stages.lineup import Lineup
from pipelines.text.sentences import cut
from pipelines.text.speakable import speakable
from pipelines.tools.call_control import call_control
from pipelines.tools.toolbox import Toolbox

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyMaker:
    """What every reply of a call is made from."""

    lineup: Lineup
    script: Script
    """Its brief has the tools of this call: :func:`with_tools`."""

    toolbox: Toolbox
    history: History
    """What was said so far, and what operators have told us: read, never added to."""

    rate: int
    """Hertz on the line."""

    lead: float
    """Seconds of audio that may be sent ahead."""

    def answering(self, utterance: Utterance) -> Reply:
        """Return a draft that answers ``utterance``, as far as it is said."""
        reply = Reply(playout=Playout(self.lead, self.history.line), utterance=utterance)
        consent, request = self.history.consent, self._request(reply)
        reply.about_consent = not consent.is_given
        reply.steps = (
            consent.answer(request, reply) if reply.about_consent else answer(request, utterance)
        )
        return reply

    def saying(self, announcement: Announcement) -> Reply:
        """Return a reply that says a fixed text."""
        reply = Reply(
            playout=Playout(self.lead, self.history.line),
            interruptible=announcement.interruptible,
            hang_up=announcement.hang_up,
            transfer=announcement.transfer,
            hung_up_by=announcement.hung_up_by,
            occasion=announcement.occasion,
            then=announcement.then,
            order=announcement.order,
            announcement=announcement,
            tells_unheard=announcement.occasion == "greeting",
        )
        if announcement.occasion == QUESTION:
            self.history.consent.asks(reply)
        reply.steps = self.steps(reply, announcement.text)
        return reply

    def steps(self, reply: Reply, *texts: str) -> AsyncGenerator[Step, None]:
        """Return what says fixed texts as a part of ``reply``."""
        sentences = [sentence for text in texts for sentence in cut(text)]
        return say(self._request(reply), _each(sentences))

    def is_prepared(self, *texts: str) -> bool:
        """Return whether fixed texts can be said without a voice."""
        spoken = [self._spoken(sentence) for text in texts for sentence in cut(text)]
        return all(self.lineup.tts.kept(words, self.rate) for words in spoken if words)

    async def prepare_phrases(self) -> None:
        """Speak in advance what may be needed when nothing else works."""
        script, fillers = self.script, map(self._spoken, self.toolbox.fillers)
        try:
            await self.lineup.tts.prepare(
                [*script.own_sentences, *fillers], self.rate, script.lasting_sentences
            )
        except ProviderError as error:
            log.warning("phrases cannot be prepared", error=str(error))

    def _spoken(self, sentence: str) -> str:
        brief = self.script.brief
        return speakable(sentence, brief.language, brief.pronounce)

    def _request(self, reply: Reply) -> ReplyRequest:
        return ReplyRequest(
            lineup=self.lineup,
            brief=self.script.brief,
            conversation=self.history.conversation,
            before=lambda: self.history.before(reply),
            destinations=self.history.destinations,
            whispers=self.history.whispers,
            rate=self.rate,
            line=self.history.party.turn(reply),
            tools=self.toolbox,
            released=reply.released,
            spent=reply.spent,
        )


def with_tools(script: Script, toolbox: Toolbox) -> Script:
    """Return ``script`` with what its language model may ask for, call control included."""
    specs = (*call_control(script.brief), *toolbox.specs)
    return replace(script, brief=replace(script.brief, tools=specs))


async def _each(sentences: list[str]) -> AsyncGenerator[str, None]:
    for sentence in sentences:
        yield sentence
