"""What code of one's own may still import by an old name, and what it is called now."""

from __future__ import annotations

MODULES = {
    "pipelines.providers.base": "pipelines.providers.contracts, and pipelines.conversation",
    "pipelines.vad": "pipelines.listening.detectors",
}


class RenamedError(ImportError):
    """A name was changed. The message says what it is called now, and quotes nothing else."""


def missing(error: ModuleNotFoundError) -> str:
    """Return what to say of a module that is not there; ``""`` if it is none of ours.

    Args:
        error: Of the import.
    """
    name = error.name or ""
    if name in MODULES:
        return f"it imports {name}, which is called {MODULES[name]} now"
    if name.partition(".")[0] in ("agent", "pipelines"):
        return f"it imports {name}, which is not there: see CHANGELOG.md"
    return ""
