"""What stands in the settings and in the agent file, looked at before the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.server import start
from agent.settings import Settings, SettingsError
from tests.agent.sinch.credentials import V1

AGENT = """---
greeting: Hello.
transfers:
  - {name: desk, to: "+12025550123"}
  - {name: london, to: "+442079460000"}
---
Be brief.
"""


def test_whom_no_caller_could_be_passed_on_to_is_found(tmp_path: Path) -> None:
    """By name, without the number; where nobody is dialled it does not matter."""
    (tmp_path / "reception.md").write_text(AGENT)
    account = {"application_key": V1.key_id, "application_secret": V1.secret}
    sinch = account | {"public_url": "https://agent.example.com", "caller_id": "+12025550100"}
    start.check(Settings(prompts=tmp_path))
    with pytest.raises(SettingsError, match="transfers: london: in GB") as caught:
        start.check(Settings(prompts=tmp_path, sinch=sinch))
    assert "7946" not in str(caught.value)
    sinch["dialling"] = {"countries": ("US", "GB")}  # type: ignore[assignment]
    start.check(Settings(prompts=tmp_path, sinch=sinch))
