"""Every action of the table is carried out: by a machine, or in the agent's own words."""

from __future__ import annotations

import re
from pathlib import Path

import agent.call.call
from agent.call.own_words import own_words
from pipelines.turn_taking.turns import TRANSITIONS, Action, State
from tests.agent.conversation import SCRIPT


def done_by_machines() -> set[Action]:
    """Return the actions that `Call._do` gives to one of its machines."""
    text = Path(agent.call.call.__file__).read_text()
    body = text.partition("def _do(")[2].partition("def _draft(")[0]
    return {Action[name] for name in re.findall(r"^\s+Action\.(\w+): ", body, re.MULTILINE)}


def said() -> set[Action]:
    """Return the actions that say something of the agent file's."""
    found = set()
    for action in set(Action) - done_by_machines():
        assert own_words(action, SCRIPT).text, action
        found.add(action)
    return found


def test_every_action_is_carried_out() -> None:
    """A new one that nobody does is found here, and not in a call."""
    assert done_by_machines() | said() == set(Action)


def test_what_the_agent_says_takes_the_floor() -> None:
    """Whoever speaks has it: an action that says something leads to REPLYING."""
    speaks = said() | {Action.ANNOUNCE}
    for (state, event), (after, actions) in TRANSITIONS.items():
        if speaks & set(actions):
            assert after is State.REPLYING, (state, event)
