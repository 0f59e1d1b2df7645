"""Keys and arguments that are declared secret are on no record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.personas import loader
from agent.personas.errors import PersonaError
from agent.personas.script import SAMPLE
from agent.records.journals.secret_keys import SecretKeys
from pipelines.conversation import ToolCall, ToolResult
from pipelines.tools.tool import ToolRun


class Kept:
    """Remembers lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def add(self, kind: str, **fields: object) -> None:
        self.lines.append({"kind": kind, **fields})


def test_keys_are_stars_wherever_they_are_repeated() -> None:
    """In what the agent reads back, in arguments and results; what else is a number stays."""
    kept = Kept()
    journal = SecretKeys(kept)
    journal.add("understood", at=1.0, text="Keypad: 4711#")
    journal.add(
        "tool", arguments={"pin": "4711", "n": 4711, "other": 14711}, result='{"pin": 4711}'
    )
    journal.add("agent", at=2.5, text="You typed 4 7 1 1.", cut_off=False)
    journal.add("caller", at=3.0, text="Keypad: 1 and then Keypad: 12*3#")
    journal.add("agent", at=4.0, text="That is 1 of 14711.")
    everything = json.dumps(kept.lines)
    assert kept.lines[0] == {"kind": "understood", "at": 1.0, "text": "Keypad: ***"}
    assert kept.lines[1]["arguments"] == {"pin": "***", "n": "***", "other": 14711}
    assert kept.lines[2]["text"] == "You typed ***."
    assert kept.lines[3]["text"] == "Keypad: *** and then Keypad: ***"
    assert kept.lines[4]["text"] == "That is 1 of 14711."
    assert '"4711' not in everything


def test_secret_arguments_are_stars_at_any_depth() -> None:
    """And in a result that repeats them, as a refusal does."""
    arguments = {"card": {"number": "4111", "name": "Ann"}, "codes": [{"number": 123456}], "n": 1}
    result = ToolResult(ToolCall("pay", arguments), "4111 refused, 123456 too, for Ann")
    run = ToolRun(result=result, tool_call="1", seconds=0.1, secret=frozenset(("number",)))
    assert run.shown_arguments == {
        "card": {"number": "***", "name": "Ann"}, "codes": [{"number": "***"}], "n": 1,
    }  # fmt: skip
    assert run.shown_result == "*** refused, *** too, for Ann"
    assert result.call.arguments is arguments
    everything = ToolRun(result=result, tool_call="1", seconds=0.1, secret=frozenset(("card",)))
    assert everything.shown_arguments["card"] == "***"
    assert "Ann" not in everything.shown_result
    assert ToolRun(result=result, tool_call="1", seconds=0.1).shown_arguments == arguments


AGENT = """---
keys_are_secret: true
tools:
  - url: https://example.com/pay
    name: pay
    description: Pays.
    secret_variable: PAY_SECRET
    secret: [{secret}]
    parameters:
      card_number: {{type: string}}
      amount: {{type: number}}
---
You take payments.
"""


def test_an_agent_file_declares_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is no argument of the tool is a mistake: it would hide nothing."""
    monkeypatch.setenv("PAY_SECRET", "whsec_" + 43 * "A" + "=")
    persona = loader.parse(AGENT.format(secret="card_number"))
    script = persona.render(SAMPLE)
    assert script.keys_are_secret
    (tool,) = script.tools.for_call({})
    assert tool.secret == {"card_number"}
    with pytest.raises(PersonaError, match="is called so; there are: amount, card"):
        loader.parse(AGENT.format(secret="cardnumber"))
