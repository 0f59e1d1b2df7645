"""Who looks at the console, and what they may do there."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import get_args

from agent.settings.console import RoleName

ROLE_NAMES: tuple[RoleName, ...] = get_args(RoleName)


HIDDEN = "···"
"""In the place of what somebody may not see."""


class Role(enum.IntEnum):
    """What somebody may do; each role includes those before it."""

    LOOK = 1
    """See calls and what was said in them, with numbers all but hidden."""

    LISTEN = 2
    """Besides: see whole numbers, hear recordings and calls in progress."""

    OPERATE = 3
    """Besides: call the agent by the browser phone; hang up, transfer, whisper, take over."""

    EDIT = 4
    """Besides: change agents."""

    @property
    def title(self) -> RoleName:
        """Its name as settings and pages have it."""
        return ROLE_NAMES[self - 1]

    @classmethod
    def of(cls, name: RoleName) -> Role:
        """Return the role of that name."""
        return cls(ROLE_NAMES.index(name) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who has opened a page, and was let in."""

    name: str
    """As the access log has it, such as ``ann``; ``this machine`` where nobody signs in."""

    role: Role
    csrf: str = ""
    """What every request that changes something has to bring: no other site knows it."""

    signed_in: bool = False
    """Whether there is a session, which can be ended."""

    def may(self, role: Role) -> bool:
        """Return whether they may do what ``role`` may."""
        return self.role >= role

    def number(self, number: str) -> str:
        """Return a caller's number as they may see it: whole from LISTEN on, else its last two."""
        if self.may(Role.LISTEN) or not number:
            return number
        return f"{HIDDEN}{number[-2:]}" if number[1:].isdigit() else HIDDEN
