"""Whole calls over the service, whose callers are asked first if the agent may deal with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.simulator.plan import Plan, Turn
from agent.simulator.speech import pressed_turn
from pipelines.audio import at_rate
from pipelines.providers.moonshine import Transcriber
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch.stories import Story, speech, tell
from tests.benchmarks.situations.speech import SCENARIOS
from tests.recordings import FOLDER, read

pytestmark = pytest.mark.usefixtures("nothing_left")

AGENT = """---
greeting: Hello, who is this?
goodbye: Bye now.
disclosure: I am a machine.
consent: May I take this call? Press one for yes.
summary: true
---
Be brief.
"""


@pytest.mark.parametrize(("key", "version"), [("1", "v1"), ("2", "v1"), ("1", "v2")])
def test_whoever_says_yes_by_key_is_talked_to_and_nobody_else(
    tmp_path: Path, key: str, version: Any
) -> None:
    """It stands on record, and is told in words; a no is said goodbye."""

    async def story(s: Story) -> None:
        (tmp_path / "prompts" / "reception.md").write_text(AGENT)
        turns = [Turn(audio=pressed_turn(key, 8000).audio, label=key), speech()]
        leg = await s.call_in(Plan(turns=turns[: 2 if key == "1" else 1], patience=0.7))
        await until(leg.over.is_set)
        await until(lambda: s.lines("ended"))
        (line,) = s.lines("consent")
        said = [one["text"] for one in s.lines("agent")]
        assert said[:2] == ["I am a machine.", "May I take this call? Press one for yes."]
        assert s.lines("wanted")[0]["after_consent"] is True
        if key == "1":
            assert (line["status"], line["by"]) == ("given", "key")
            assert said[2:4] == ["Hello, who is this?", "Fine."]
        else:
            assert (line["status"], line["by"]) == ("refused", "key")
            assert said[2:] == ["Bye now."]
            assert s.lines("ended")[0]["hung_up_by"] == "agent"

    tell(tmp_path, version, story, providers=voice(["A table."], ["Fine."]))


@pytest.mark.parametrize(("heard", "status"), [("Yes, sure.", "given"), ("No, thanks.", "refused")])
def test_whoever_says_it_in_words_is_understood(tmp_path: Path, heard: str, status: str) -> None:
    """By the speech-to-text of the service, and by nothing that a model makes of it."""

    async def story(s: Story) -> None:
        (tmp_path / "prompts" / "reception.md").write_text(AGENT)
        turns = [speech(), speech()] if status == "given" else [speech()]
        leg = await s.call_in(Plan(turns=turns, patience=0.7))
        await until(leg.over.is_set)
        await until(lambda: s.lines("ended"))
        (line,) = s.lines("consent")
        assert (line["status"], line["by"]) == (status, "word")
        said = [one["text"] for one in s.lines("agent")]
        after = ["Hello, who is this?", "Fine."] if status == "given" else ["Bye now."]
        assert said[2 : 2 + len(after)] == after
        assert s.lines("caller")[0]["text"] == heard

    tell(tmp_path, "v1", story, providers=voice([heard, "A table."], ["Fine."]))


@pytest.mark.parametrize(("word", "status"), [("yes", "given"), ("no", "refused")])
def test_a_recorded_voice_is_understood(tmp_path: Path, word: str, status: str) -> None:
    """By the local speech-to-text, through the whole service: a person's yes, and their no."""

    async def story(s: Story) -> None:
        (tmp_path / "prompts" / "reception.md").write_text(AGENT)
        await ears.start()
        try:
            leg = await s.call_in(Plan(turns=[Turn(audio=said, label=word)], patience=0.7))
            await until(leg.over.is_set)
            await until(lambda: s.lines("ended"))
        finally:
            await ears.aclose()
        (line,) = s.lines("consent")
        assert (line["status"], line["by"]) == (status, "word"), s.lines("caller")
        after = "Hello, who is this?" if status == "given" else "Bye now."
        assert s.lines("agent")[2]["text"] == after

    folder = FOLDER if word == "no" else SCENARIOS
    said = at_rate([read(folder / f"{word}.wav")], 8000)
    ears = Transcriber(Transcriber.Options())
    tell(tmp_path, "v1", story, providers=voice(replies=["Fine."], stt=ears))
