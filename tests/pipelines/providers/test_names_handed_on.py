"""Whatever stands before a transcriber hands on the names of a call, and those that come later."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import pipelines
from pipelines.audio import SPEECH_RATE, Audio
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import TranscriptionSession
from pipelines.providers.delayed import DelayOptions
from pipelines.providers.delayed import Transcriber as Delayed
from pipelines.providers.scripted import Transcriber, TranscriberOptions
from pipelines.stages.stt import FailoverTranscriber
from pipelines.stages.usage import Usage
from tests.contract.bench import Spoken, speech
from tests.pipelines.stages.scripted import BUDGETS, SECOND, pool
from tests.virtual_time import run

ROOT = Path(pipelines.__file__).parent.parent

UNNAMED = {
    "pipelines/stages/probe.py": "hears a sentence of ours",
    "agent/records/verification/hearing.py": "hears a recording, of no call in progress",
}
"""Who asks a transcriber for a session, and has no names to tell; with the reason."""


class Told(Transcriber):
    """One that knows the names of its sessions, as they are now."""

    made: Told

    def __init__(self, options: TranscriberOptions) -> None:
        super().__init__(options)
        self.names: Sequence[str] = ()
        Told.made = self

    def open_session_with(self, names: Sequence[str]) -> TranscriptionSession:
        self.names = names
        return self.open_session()


class Plain(Transcriber):
    """One that cannot be told."""


async def delayed(name: str, names: list[str], change: Callable[[], None]) -> str:
    """Hear by the delayed one."""
    options = {"lines": ["Hello."]}
    transcriber = Delayed(DelayOptions(provider=f"{__name__}:{name}", options=options, delay=0))
    session = transcriber.open_session_with(names)
    change()
    return await session.transcribe(Spoken(speech()))


async def failover(name: str, names: list[str], change: Callable[[], None]) -> str:
    """Hear by the stage that asks one provider after the other."""
    found: Mapping[str, type[Transcriber]] = {"Told": Told, "Plain": Plain}
    providers = pool(found[name](TranscriberOptions(lines=("Hello.",))), stage="stt")
    stage = FailoverTranscriber(providers, BUDGETS, Usage(), names)
    change()
    stage.expect(names)
    utterance = Utterance([Audio(SECOND, SPEECH_RATE)])
    utterance.close()
    return (await stage.transcribe(utterance)).text


WRAPPERS: Mapping[str, Callable[[str, list[str], Callable[[], None]], Any]] = {
    "pipelines/providers/delayed.py": delayed,
    "pipelines/stages/stt.py": failover,
}
"""What hears by another transcriber, with how to hear by it."""


def asking() -> Iterator[str]:
    """Yield the files in which somebody asks a transcriber for a session."""
    for room in ("agent", "pipelines"):
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text()
            if "open_session" in text and any(
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "open_session"
                and ast.unparse(node.func.value) not in ("self", "super()")
                for node in ast.walk(ast.parse(text))
            ):
                yield str(path.relative_to(ROOT))


def test_all_that_hear_by_another_are_here() -> None:
    """One that is new belongs in WRAPPERS, so that it is tried below, or has a reason."""
    assert set(asking()) == set(WRAPPERS) | set(UNNAMED)


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS.keys())
def test_names_are_handed_on_and_those_that_come_later(
    wrapper: Callable[[str, list[str], Callable[[], None]], Any],
) -> None:
    """To the session that was open before."""
    names = ["Clara"]
    assert run(wrapper("Told", names, lambda: names.append("Ben"))) == "Hello."
    assert list(Told.made.names) == ["Clara", "Ben"]


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS.keys())
def test_one_that_cannot_be_told_hears_without(
    wrapper: Callable[[str, list[str], Callable[[], None]], Any],
) -> None:
    """As it did."""
    assert run(wrapper("Plain", ["Clara"], lambda: None)) == "Hello."
