"""How long a test waits for what takes a moment: that it comes in time is not what it proves."""

PATIENCE = 60.0
"""Seconds. A machine that is busy with other things takes ten times as long, and a test that hangs
ends by it, with what it waited for."""
