"""Every setting, with its unit, default and reason.

One tree, read once at the start; whoever needs a part of it is handed that section. Sources, the
first wins: the command line, environment variables (``VOICE_AGENT_SERVER__PORT=9000``), ``.env``,
the file ``voice-agent.toml``, the defaults.

Nothing here knows the code above: what takes a section imports it.
"""

from agent.settings.errors import SettingsError
from agent.settings.loading import load
from agent.settings.tree import Settings

__all__ = ["Settings", "SettingsError", "load"]
