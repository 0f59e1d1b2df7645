"""The built wheel: what `pip install` gives is complete."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_runs_by_itself(tmp_path: Path) -> None:
    """Models, weights, words, licences, the agent file and scenarios are in it; tests are not."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as file:
        file.extractall(unpacked)
        names = file.namelist()
    assert "pipelines/models/silero_vad_16k_products.onnx" in names
    assert "pipelines/models/silero_vad.LICENSE" in names
    assert "pipelines/stages/probe.wav" in names
    assert "pipelines/stages/probe.LICENSE" in names
    assert "pipelines/stages/sorry.en.wav" in names
    assert "pipelines/stages/sorry.LICENSE" in names
    assert "agent/simulator/scenarios/recordings/mm-hm.wav" in names
    assert "agent/simulator/scenarios/recordings/LICENSE" in names
    for folder, kind in (("languages", "toml"), ("completeness", "json")):
        known = (ROOT / "pipelines" / "turn_taking" / folder).glob(f"*.{kind}")
        wanted = {path.relative_to(ROOT).as_posix() for path in known}
        assert wanted
        assert wanted <= set(names)
    assert "pipelines/turn_taking/completeness/README.md" in names
    assert "agent/store/migrations/versions/0001_first.py" in names
    assert "agent/store/migrations/versions/0002_records.py" in names
    assert "agent/store/migrations/versions/0004_opt_outs.py" in names
    assert "agent/console/templates/base.html" in names
    assert "agent/console/static/style.css" in names
    assert "agent/console/static/vendor/uPlot.LICENSE" in names
    assert not [name for name in names if name.startswith("tests/")]
    checked = run(tmp_path, unpacked, "check")
    assert checked.returncode == 0, checked.stderr
    assert f"prompts = '{unpacked}/prompts'" in checked.stdout
    upgraded = run(tmp_path, unpacked, "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert "brought up to date" in upgraded.stdout


def run(here: Path, unpacked: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of what was unpacked."""
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *command],
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(unpacked), "VOICE_AGENT_SERVER__PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
