"""The weights that come with the install."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pipelines


def test_the_models_are_what_their_readme_says() -> None:
    """Each file under models has its hash in the README, and a licence."""
    folder = Path(pipelines.__file__).parent / "models"
    readme = (folder / "README.md").read_text("utf-8")
    models = sorted(folder.glob("*.onnx"))
    assert [m.name for m in models] == [
        "silero_vad_16k_products.onnx",
        "silero_vad_16k_sequence.onnx",
        "smart-turn-v3.2-cpu.onnx",
    ]
    for model in models:
        assert f"{sha256(model.read_bytes()).hexdigest()}  {model.name}" in readme
    for licence in ("silero_vad.LICENSE", "smart_turn.LICENSE"):
        assert "Copyright" in (folder / licence).read_text("utf-8")
        assert f"`{licence}`" in readme
