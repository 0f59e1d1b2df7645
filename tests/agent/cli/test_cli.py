"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("aiohttp", "jinja2", "numpy", "onnxruntime", "openai", "pydantic", "yaml")


def test_help_loads_nothing_heavy() -> None:
    """What a command needs is imported when it runs."""
    script = (
        "import sys; from agent.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "COMMAND" in done.stdout
    assert done.stderr == "[]\n"
