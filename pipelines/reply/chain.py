"""The pipeline: what the caller says goes in, what the agent says comes out.

One chain of async generators, pulled by whoever plays the audio: one sentence runs ahead of it, and
closing or cancelling it closes every request beneath it. Whom each stage asks, for how long, and
who takes over is in :mod:`pipelines.stages`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from pipelines.conversation import Message
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import ProviderError
from pipelines.reply.request import ReplyRequest
from pipelines.reply.rounds import ModelRound
from pipelines.reply.steps import SentenceEnded, Step, ToolsEnded, ToolsStarted
from pipelines.stages.stt import Heard
from pipelines.text.words import joined

MOST_ROUNDS = 5
"""Times that a model may use tools within one reply; then it has to answer in words. Lookups that
build on each other take two or three; more is a loop, and the caller waits."""


async def answer(request: ReplyRequest, utterance: Utterance) -> AsyncGenerator[Step, None]:
    """Hear the caller out, then reply. Adds nothing to the conversation.

    Raises:
        ProviderError: If a stage has failed, with all of its providers. What was yielded still
            stands.
    """
    known = utterance.text
    heard = Heard(known) if known else await request.lineup.stt.transcribe(utterance)
    yield heard
    if not heard.text or not request.line.is_for_us(heard.text):
        return
    unclear = request.line.brief(request.brief).may_stay_silent
    said = Message("user", heard.text, perhaps_to_others=unclear)
    history = [*request.conversation_now(), said]
    end: list[Step] = []
    spoken = False
    for round_ in range(MOST_ROUNDS + 1):
        brief = request.brief_now(may_call_tools=round_ < MOST_ROUNDS)
        this = ModelRound(replace(request, brief=brief, conversation=history))
        async with aclosing(this.speak()) as steps:
            async for step in steps:
                spoken = spoken or isinstance(step, SentenceEnded)
                yield step
        end += this.end
        if not this.to_run or not brief.may_call_tools:  # some servers do not mind that
            break
        yield ToolsStarted(request.tools.slow_filler(this.to_run), this.to_run)
        await request.released.wait()
        got = Message("assistant", "", results=await this.run())
        yield ToolsEnded(got)
        history.append(replace(got, text=joined(this.said)))
    if not spoken and not end:
        raise ProviderError("llm", "nothing of the reply can be read out")
    for step in end:
        yield step
