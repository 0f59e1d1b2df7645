"""What a look at the configuration has found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
"""Whether something does not work as configured, or works and is probably not what was meant."""

_LINE = re.compile(
    r"(?P<place>(?:[^:=]+: )?[\w.#-]+)(?: = (?P<given>.*?))?: (?P<message>.*)"
    r"|(?P<other>[^:]+): (?P<rest>.*)"
)
"""``sinch.api = 'v3': one of ...``, which may have a file before it; or a file alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong, and what to do about it. No secret is in it."""

    severity: Severity = "error"
    place: str
    """A setting, a file, an environment variable, or a part of the service."""

    given: str = ""
    """What stands there, as it may be shown; ``""`` if that does not matter."""

    message: str
    """What is wrong and what to do, in one line."""

    @property
    def line(self) -> str:
        """All of it, in one line."""
        place = f"{self.place} = {self.given}" if self.given else self.place
        return f"{place}: {self.message}"

    def as_json(self) -> dict[str, str]:
        """Return it as ``voice-agent check --json`` prints it; this form does not change."""
        message = f"{self.given}: {self.message}" if self.given else self.message
        return {"severity": self.severity, "place": self.place, "message": message}


def findings_of(error: Exception, place: str = "settings") -> list[Finding]:
    """Return the mistakes that an error tells, which has a line for each.

    Args:
        error: Of settings or of an agent file: lines with the place before a colon.
        place: Of a line that names none.
    """
    found = []
    for line in filter(None, str(error).splitlines()):
        parts = _LINE.fullmatch(line)
        if parts is None:
            found.append(Finding(place=place, message=line))
        else:
            where, what = parts["place"] or parts["other"], parts["message"] or parts["rest"]
            found.append(Finding(place=where, given=parts["given"] or "", message=what or ""))
    return found
