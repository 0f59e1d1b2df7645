"""A reply from its draft to its last word; an apology in place of one that is lost."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from agent.call.apologies import Apologies
from agent.call.fillers import Fillers
from agent.call.history import History
from agent.call.maker import ReplyMaker, with_tools
from agent.call.reply import Reply
from agent.call.speaker import Speaker
from agent.personas.script import Script
from agent.settings.calls import CallSettings
from agent.stream.channel import Channel
from pipelines.providers.contracts import ProviderError
from pipelines.stages.lineup import Lineup
from pipelines.stages.stt import Heard
from pipelines.tools.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class ReplyLost:
    """The reply has failed, with all providers that could take over."""


class ReplyPlayer:
    """Plays the replies of one call.

    Args:
        lineup: Who hears, thinks and speaks.
        script: What the agent says of itself.
        toolbox: What the language model may have done.
        channel: Where to.
        history: Told what was said, and what was lost.
        settings: Of the call.
    """

    def __init__(
        self,
        lineup: Lineup,
        script: Script,
        toolbox: Toolbox,
        channel: Channel,
        history: History,
        settings: CallSettings,
    ) -> None:
        self.record = history.record
        self.maker = ReplyMaker(
            lineup=lineup,
            script=with_tools(script, toolbox),
            toolbox=toolbox,
            history=history,
            rate=channel.rate,
            lead=settings.playout.lead,
        )
        """Makes what is played."""

        self.fillers = Fillers(script, lineup.tts, settings.turns, channel.rate)
        self.speaker = Speaker(channel, self.fillers, settings.turns.rewind_after, history)
        self._apologies = Apologies(self.maker, history, settings.calls.max_failures)

    async def play(self, reply: Reply) -> AsyncGenerator[Heard | ReplyLost, None]:
        """Prepare a reply, wait for its release, and play it until it was heard.

        Yields what the caller turned out to say, as soon as it is known, and whether the reply is
        lost: an apology takes its place then.

        Raises:
            LineError: If the line is dead.
        """
        try:
            async with aclosing(self.speaker.play(reply, reply.steps)) as events:
                async for heard in events:
                    reply.take(heard)
                    self.record.understood(reply)
                    yield heard
            await reply.released.wait()
            self._apologies.heard_a_reply()
        except ProviderError as error:
            reply.settled = True
            yield ReplyLost()
            await reply.released.wait()
            apology = self._apologies.make(reply, error)
            async with aclosing(self.speaker.play(reply, apology)) as nothing_heard:
                async for _ in nothing_heard:
                    raise RuntimeError("an apology hears nothing") from None
        reply.whole = True
        await self.speaker.wait_until_heard(reply)
