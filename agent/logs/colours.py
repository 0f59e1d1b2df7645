"""Whether lines for people are coloured."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def wanted(environment: Mapping[str, str], *, terminal: bool) -> bool:
    """Return whether to colour what is written: on terminals, unless the environment says else.

    By what programs agree on, the first that is set counts: ``NO_COLOR`` (https://no-color.org, any
    text: none), ``FORCE_COLOR`` and ``CLICOLOR_FORCE`` (not 0: into files and pipes, too),
    ``CLICOLOR=0`` and ``TERM=dumb`` (none; https://bixense.com/clicolors). One that is empty is not
    set. JSON is never coloured.

    Args:
        environment: Its variables.
        terminal: Whether a terminal is written to.
    """
    if environment.get("NO_COLOR") or sys.platform == "win32":
        return False  # a console of Windows has to be asked to take them
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if given := environment.get(name):
            return given.lower() not in OFF
    if environment.get("CLICOLOR") == "0" or environment.get("TERM") == "dumb":
        return False
    return terminal


OFF = ("0", "false", "no")
"""Of a variable that forces colours: ``FORCE_COLOR=0`` is how programs of Node.js are told none."""
