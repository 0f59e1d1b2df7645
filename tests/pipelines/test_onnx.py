"""Networks: opened, or refused with an error that callers can catch."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipelines
from pipelines.onnx import ORT_ERRORS, load_session

MODELS = Path(pipelines.__file__).parent / "models"


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize("how", [{}, {"any_length": True, "stoppable": True}])
def test_a_network_runs_on_its_caller_s_thread(as_bytes: bool, how: dict[str, bool]) -> None:
    """From its content or its file, with the same options."""
    path = MODELS / "silero_vad_16k_sequence.onnx"
    options = load_session(path.read_bytes() if as_bytes else path, **how).get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.enable_mem_pattern is not bool(how)
    assert options.log_severity_level == (4 if how else 3)


@pytest.mark.parametrize("model", [b"no network", Path("nowhere.onnx")])
def test_what_is_no_network_is_refused(model: bytes | Path) -> None:
    """By one of the errors that are told of."""
    with pytest.raises(ORT_ERRORS):
        load_session(model, stoppable=True)
