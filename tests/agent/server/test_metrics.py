"""What `/metrics` has, and what is told of it."""

from __future__ import annotations

import re
from pathlib import Path

from agent.server import metrics
from tests.agent.process.serving import ROOT


def test_the_docs_list_every_metric_and_no_other() -> None:
    """A counter ends in ``_total`` there, as Prometheus has it."""
    source = Path(metrics.__file__).read_text()
    made = set(re.findall(r'"(voice_agent_\w+)"', source))
    docs = (ROOT / "docs/operating.md").read_text()
    told = re.findall(r"^\| `(voice_agent_\w+)` \|", docs, re.MULTILINE)
    assert made == {name.removesuffix("_total") for name in told}
    assert len(told) == len(set(told))
