"""Menus of the stand-in: what a phone hears of one, and what whoever holds it does; both versions.

A menu is asked, and asked again when nothing comes, as it says. Nobody waits here for as long as a
menu would: whoever does nothing has done nothing for all of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.simulator.announcements import announce
from agent.simulator.sinch.phone_network import PhoneLeg, PhoneNetwork
from agent.sinch.api.svaml import Svaml

LISTENS = "listens"
"""What somebody does who hears a menu, and answers it when they are told to, if ever."""

_KEYS = re.compile(r"[0-9*#]+")
_RETURNED = re.compile(r"return\((.*)\)")
_SAID = re.compile(r"#tts\[([^\]]*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuInput:
    """What somebody has answered to a menu."""

    menu: str
    """Its name."""

    given: str
    """Keys, or words; ``""`` if nothing."""

    @property
    def spoken(self) -> bool:
        """Whether it was said."""
        return bool(self.given) and _KEYS.fullmatch(self.given) is None


async def heard(
    leg: PhoneLeg, network: PhoneNetwork, name: str, text: str, repeats: int
) -> MenuInput:
    """Have a menu said to the phone of a leg; return what is answered, in the end.

    Args:
        leg: Whose.
        network: Says it; its phone knows what is answered (``at_menus``), one after the other.
        name: Of the menu.
        text: What is said, once more each time that nothing is answered.
        repeats: How often that may be.
    """
    given, answers = "", network.phones[leg.number].at_menus
    for _ in range(1 + repeats):
        await announce(leg, network, text)
        given = answers[leg.menus] if leg.menus < len(answers) else ""
        leg.menus += 1
        if given == LISTENS:
            given = await leg.presses.get()
        if given or leg.over.is_set():
            break
        await asyncio.sleep(0.05)
    return MenuInput(menu=name, given=given)


# Version 1


async def run_v1(leg: PhoneLeg, network: PhoneNetwork, action: Svaml) -> Svaml:
    """Run the main menu of a ``runMenu``; return the ``menuResult`` of a PIE."""
    menu = next(one for one in action["menus"] if one["id"] == action["mainMenu"])
    said = " ".join(_SAID.findall(menu["mainPrompt"]))
    answer = await heard(leg, network, menu["id"], said, menu.get("repeats", 0))
    return v1_result(answer, menu["options"], hears_words=action.get("enableVoice", False))


def v1_result(
    answer: MenuInput, options: Sequence[Mapping[str, str]], *, hears_words: bool
) -> Svaml:
    """Return what a PIE says of an answer."""
    method = "voice" if answer.spoken else "dtmf"
    result: dict[str, Any] = {"menuId": answer.menu, "inputMethod": method}
    if answer.given == "" or (answer.spoken and not hears_words):
        return result | {"type": "timeout", "value": "", "inputMethod": "dtmf"}
    if answer.spoken:
        return result | {"type": "sequence", "value": answer.given}
    action = next((one["action"] for one in options if one["dtmf"] == answer.given), "")
    if returned := _RETURNED.fullmatch(action):
        return result | {"type": "return", "value": returned[1]}
    return result | {"type": "invalidinput", "value": answer.given}


# Version 2


async def run_v2(
    leg: PhoneLeg, network: PhoneNetwork, command: Svaml
) -> tuple[Sequence[Svaml] | None, Svaml]:
    """Run the first menu of a ``menu``.

    Returns:
        The commands that the input leads to, None if it leads to none; and ``menu`` of an event.
    """
    name = command["startMenu"]
    menu = command["menus"][name]
    said = " ".join(one["say"]["text"] for one in menu["prompt"]["messages"])
    answer = await heard(leg, network, name, said, menu.get("repeatCount", 2))
    given = "" if answer.spoken else answer.given  # it hears keys alone
    commands = menu.get("matches", {}).get(given)
    return commands, {"menuName": name, "input": given}
