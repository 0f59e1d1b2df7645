"""Whom we dial for the caller."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from agent.call.history import History
from agent.call.transfer import CallTransfer, TransferError
from pipelines.stages.usage import Pricing, Usage
from tests.agent.conversation import Notes
from tests.virtual_time import run

NUMBERS = {"sales": "+15550000001"}


@dataclass
class Dialler:
    """Keeps whom it was asked to dial."""

    refuses: bool = False
    dialled: list[str] = field(default_factory=list)

    async def __call__(self, to: str) -> None:
        self.dialled.append(to)
        if self.refuses:
            raise TransferError("nobody answers")


@pytest.mark.parametrize(
    ("dialler", "to", "dialled", "status"),
    [
        (Dialler(), "sales", "+15550000001", "done"),
        (Dialler(), "sip:desk@example.com", "sip:desk@example.com", "done"),
        (Dialler(refuses=True), "sales", "+15550000001", "failed"),
    ],
    ids=["a name of the agent file", "an address", "refused"],
)
def test_who_is_dialled_and_what_became_of_it_is_on_record(
    dialler: Dialler, to: str, dialled: str, status: str
) -> None:
    """Under the name that the caller's agent has for them: no number is in the transcript."""
    notes = Notes()

    async def main() -> None:
        history = History(notes, Usage(), Pricing())
        transfer = CallTransfer(dialler, NUMBERS, history)
        assert not transfer.under_way
        assert await transfer.dial(to) is not dialler.refuses
        assert transfer.under_way
        assert await transfer.dial("another")  # nothing happens: somebody is being dialled
        transfer.end(done=not dialler.refuses)
        assert not transfer.under_way

        told = [result.text for message in history.conversation for result in message.results]
        model_asked = dialler.refuses
        assert told == ["sales was not dialled, and cannot be reached now: nobody answers"] * (
            model_asked
        )

    run(main())
    assert dialler.dialled == [dialled]
    assert [(line["to"], line["status"]) for line in notes.lines] == [(to, "started"), (to, status)]
