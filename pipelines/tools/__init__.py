"""What a language model may have done during a call: tools, where they come from, how they run.

A module with tools of one's own needs no more than these two::

    from pipelines.tools import CallInfo, ToolError
"""

from pipelines.tools.tool import CallInfo, ToolError

__all__ = ["CallInfo", "ToolError"]
