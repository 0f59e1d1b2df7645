"""What a language model may have done during a call: tools, where they come from, how they run.

A module with tools of one's own needs no more than these two::

    from pipelines.tools import CallInfo, ToolError
"""

from pipelines.renamed import RenamedError
from pipelines.tools.tool import CallInfo, ToolError

__all__ = ["CallInfo", "ToolError"]

RENAMED = {"About": "CallInfo"}


def __getattr__(name: str) -> object:
    """Say what a name is called now, to whoever imports it by its old one.

    Raises:
        RenamedError: If it was renamed.
        AttributeError: If there never was such a name.
    """
    if name in RENAMED:
        raise RenamedError(f"pipelines.tools.{name} is called {RENAMED[name]} now")
    raise AttributeError(f"pipelines.tools has no {name}")
