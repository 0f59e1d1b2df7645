"""Code of one's own that was written for older names is told the new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.listening.detectors import DetectorSettings, detectors
from pipelines.providers import find
from pipelines.tools.python import python_tool

CLASS = """
class Mine:
    class Options:
        pass

    def __init__(self, options): pass
    async def start(self): pass
    async def warm(self): pass
    async def aclose(self): pass
    def {method}(self): pass
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Return the name of a module with the text of the parameter."""
    name = f"own_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(request.param)
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.parametrize(
    "module", ["from pipelines.tools import About\n\ndef hello(): pass\n"], indirect=True
)
def test_a_tool_that_imports_about(module: str) -> None:
    """`CallInfo` is what it is called now."""
    with pytest.raises(ValueError, match=r"pipelines\.tools\.About is called CallInfo now"):
        python_tool(f"{module}:hello")


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("import pipelines.providers.base", r"pipelines\.providers\.contracts"),
        ("import pipelines.never", "which is not there: see CHANGELOG"),
        ("from pipelines.tools import About", "is called CallInfo now"),
        (CLASS.format(method="ears"), r"lacks open_session \(it was ears\)"),
        (CLASS.format(method="reply"), "lacks open_session$"),
    ],
    indirect=["module"],
)
def test_a_provider_of_ones_own(module: str, says: str) -> None:
    """It is refused at the start, in one line, and not in the first call."""
    with pytest.raises(LookupError, match=says):
        find("stt", f"{module}:Mine")


@pytest.mark.parametrize("module", [CLASS.format(method="open_session")], indirect=True)
def test_a_provider_that_has_what_is_needed(module: str) -> None:
    """Nothing more is asked for."""
    assert find("stt", f"{module}:Mine").__name__ == "Mine"


@pytest.mark.parametrize("module", ["import pipelines.vad"], indirect=True)
def test_a_detector_of_ones_own(module: str) -> None:
    """Voice detectors are swapped the same way."""
    with pytest.raises(LookupError, match=r"is called pipelines\.listening\.detectors now"):
        detectors(DetectorSettings(judge=f"{module}:Mine"))
