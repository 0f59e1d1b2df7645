"""Who may know the settings, and what they may know: checked on the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
LEAVES = {
    "agent.countries",
    "agent.phone_numbers",
    "agent.sinch_limits",
    "agent.text_files",
    "agent.time_zones",
    "agent.urls",
}
"""What stands below the settings in `agent`: facts and formats, which import nothing of ours."""


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what a file imports, wherever in it: the module, and the name from there or `""`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def ours(path: Path) -> set[str]:
    """Return the modules of ours that a file imports."""
    found: set[str] = set()
    for module, name in imported(path):
        inside = ROOT / module.replace(".", "/") / f"{name}.py"
        found.add(f"{module}.{name}" if inside.is_file() else module)
    return {module for module in found if module.split(".")[0] in ("agent", "pipelines")}


def test_the_settings_import_nothing_above_them() -> None:
    """Only the speech side, whose sections they hold, and what imports nothing itself."""
    for path in ROOT.glob("agent/settings/*.py"):
        for module in ours(path):
            below = module.startswith(("pipelines.", "agent.settings.")) or module in LEAVES
            assert below, (path.name, module)
    for module in LEAVES:
        assert not ours(ROOT / f"{module.replace('.', '/')}.py"), module


def test_nobody_is_handed_the_whole_tree() -> None:
    """But what starts the service, and the commands: everything else takes its section."""
    allowed: tuple[str, ...] = ("agent/settings/", "agent/cli/", "agent/server/start.py")
    allowed += ("agent/server/assembly.py",)
    # What it hands to what keeps records.
    allowed += ("agent/server/checks/", "agent/server/record_keeping.py")
    # And to the pages.
    allowed += ("agent/console/assembly.py",)
    # Which start a call.
    allowed += ("agent/replay/held_call.py", "agent/replay/started_providers.py")
    allowed += ("agent/records/verification/hearing.py",)
    for path in [*ROOT.glob("agent/**/*.py"), *ROOT.glob("pipelines/**/*.py")]:
        whole = any(m.startswith("agent.settings") and n == "Settings" for m, n in imported(path))
        place = str(path.relative_to(ROOT))
        assert not whole or place.startswith(allowed), place
