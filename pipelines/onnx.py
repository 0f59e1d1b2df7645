"""ONNX Runtime without its telemetry, and networks opened the way calls need them.

Import it from here: its builds for Linux, too (1.32, looked at), keep a device id and count events
for Microsoft. Nothing about a call leaves this machine that its operator did not ask for.

The variable has to be there before the library is: it makes its files, and looks up a host, while
it is loaded, which is before ``disable_telemetry_events`` can be called.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state

ort.disable_telemetry_events()

__all__ = ["ORT_ERRORS", "Arrays", "FixedRun", "load_session", "ort", "with_outputs"]

Arrays = Mapping[str, NDArray[np.float32]]
"""By the name of an input or output: contiguous, of the shape that the network takes or gives."""

ORT_ERRORS: tuple[type[Exception], ...] = tuple(
    error
    for error in vars(onnxruntime_pybind11_state).values()
    if isinstance(error, type) and issubclass(error, Exception)
)
"""What loading and running a network raise. They have no base class of their own."""


def load_session(
    model: bytes | Path, *, any_length: bool = False, stoppable: bool = False
) -> ort.InferenceSession:
    """Open a network, each of whose runs takes one thread: the caller's.

    Many small runs share a machine better than one fast one; whoever wants several at once runs
    them from several threads, which is safe. Run it once before it is needed: the first run
    allocates memory. Loading reads and optimizes the whole network, so it is slow: not on an event
    loop that carries calls.

    Args:
        model: What is in the file, or where it is, as ``.onnx`` or ``.ort``.
        any_length: Its inputs differ in length from run to run.
        stoppable: Runs are ended early, by ``RunOptions.terminate``.

    Raises:
        Exception: One of :data:`ORT_ERRORS`, if it cannot be opened.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Otherwise a thread that waits for work keeps a core busy for a while.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A plan of memory for each length would be kept for good.
    options.enable_mem_pattern = not any_length
    # Errors alone (3): it warns of initializers that its own optimizer left unused. Not even those
    # (4) where a run that was ended would be one; the rest is raised anyway.
    options.log_severity_level = 4 if stoppable else 3
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


class FixedRun:
    """A network that reads and writes the same arrays in each run. Call it for one.

    Nothing is looked up, checked or made anew then, which of a run of 50 µs saves seven.

    Args:
        session: May be shared; the arrays may not.
        inputs: What it reads.
        outputs: What it writes.
    """

    def __init__(self, session: ort.InferenceSession, inputs: Arrays, outputs: Arrays) -> None:
        self._session = session
        self._binding = session.io_binding()
        self._kept = inputs, outputs  # it knows their addresses alone
        for arrays, bind in (
            (inputs, self._binding.bind_input),
            (outputs, self._binding.bind_output),
        ):
            for name, array in arrays.items():
                bind(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)

    def __call__(self) -> None:
        """Run it.

        Raises:
            Exception: One of :data:`ORT_ERRORS`.
        """
        self._session.run_with_iobinding(self._binding)


def with_outputs(model: bytes, names: Iterable[str]) -> bytes:
    """Return an ``.onnx`` file that gives these values of its network, too, whoever asks for them.

    What can be asked for is computed as it is written, and not as a part of something larger. Names
    that there are not keep it from being opened. A message of protobuf that follows another is
    merged with it (https://protobuf.dev/programming-guides/encoding, "Last One Wins"), so nothing
    that is there changes.
    """
    value, graph_output, graph = 1, 12, 7  # ValueInfoProto.name, GraphProto.output, Model.graph
    outputs = (_field(graph_output, _field(value, name.encode())) for name in names)
    return model + _field(graph, b"".join(outputs))


def _field(number: int, content: bytes) -> bytes:
    """Return a field of protobuf that holds bytes; fewer than 16,384 of them."""
    if len(content) < 0x80:
        return bytes([number << 3 | 2, len(content)]) + content
    return bytes([number << 3 | 2, len(content) & 0x7F | 0x80, len(content) >> 7]) + content
