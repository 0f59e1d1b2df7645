"""Write Silero's network anew, as products of matrices: the same weights, half of the time.

Run ``python -m tests.benchmarks.silero_graph OUT``, in an environment that has ``onnx``, too, which
is none of our packages; without OUT it prints what a window costs, of both and of several calls at
once. What is published convolves four steps of 10 ms, which is little for a convolution, and copies
them about in between. Each convolution here is one product; of the last two only those taps are
left that meet no padding.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.onnx import load_session

MODELS = Path(__file__).parents[2] / "pipelines" / "models"
PUBLISHED = MODELS / "silero_vad_16k_sequence.onnx"
OURS = MODELS / "silero_vad_16k_products.onnx"


class Graph:
    """A graph that is built node by node; each method returns the name of what it has added."""

    def __init__(self) -> None:
        self.onnx: Any = import_module("onnx")
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: NDArray[Any]) -> str:
        """Add weights, or places."""
        name = f"constant{len(self.constants)}"
        array = np.ascontiguousarray(value)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, to: str = "", **attributes: object) -> str:
        """Add a node with one output."""
        name = to or f"{kind}{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], **attributes))
        return name

    def cut(self, of: str, start: int, end: int, axis: int, step: int = 1) -> str:
        """Add a part of something."""
        places = [self.constant(np.array([n])) for n in (start, end, axis, step)]
        return self.add("Slice", of, *places)

    def split(self, of: str, parts: int, axis: int) -> list[str]:
        """Add so many equal parts of something."""
        names = [f"part{len(self.nodes)}_{n}" for n in range(parts)]
        make = self.onnx.helper.make_node
        self.nodes.append(make("Split", [of], names, axis=axis, num_outputs=parts))
        return names

    def linear(self, of: str, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """Add a product of rows with weights."""
        return self.add("Gemm", of, self.constant(weights), self.constant(bias))

    def taken(self, of: str, *places: int, width: int) -> str:
        """Add blocks at these places, in rows of so many samples or values."""
        blocks = self.add("Gather", of, self.constant(np.array(places)), axis=1)
        return self.shaped(blocks, -1, width)

    def shaped(self, of: str, *shape: int, to: str = "") -> str:
        """Add the same in another shape."""
        return self.add("Reshape", of, self.constant(np.array(shape)), to=to)


def rewritten(published: Path) -> bytes:
    """Return the network with the weights of the one that is published."""
    graph = Graph()
    onnx = graph.onnx
    read = {
        one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(published).graph.initializer
    }
    _recurrent(graph, read, _encoded(graph, read, _spectrum(graph, read)))
    helper, size = onnx.helper, onnx.TensorProto.FLOAT
    shapes = {"input": ["calls", 576], "h": ["calls", 128], "c": ["calls", 128]}
    outputs = {"speech_probs": ["calls"], "hn": ["calls", 128], "cn": ["calls", 128]}
    whole = helper.make_graph(
        graph.nodes,
        "silero",
        [helper.make_tensor_value_info(name, size, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info(name, size, shape) for name, shape in outputs.items()],
        graph.constants,
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    made: bytes = model.SerializeToString()
    return made


def _spectrum(graph: Graph, read: dict[str, NDArray[np.float32]]) -> str:
    """Add the magnitudes of four steps: (calls, 4, 129)."""
    mirrored = graph.cut("input", -2, -66, 1, -1)
    blocks = graph.shaped(graph.add("Concat", "input", mirrored, axis=1), -1, 5, 128)
    steps = graph.taken(blocks, 0, 1, 1, 2, 2, 3, 3, 4, width=256)
    product = graph.add("MatMul", steps, graph.constant(read["stft.forward_basis_buffer"][:, 0].T))
    product = graph.shaped(product, -1, 4, 258)
    real, imaginary = graph.split(graph.add("Mul", product, product), 2, 2)
    return graph.add("Sqrt", graph.add("Add", real, imaginary))


def _encoded(graph: Graph, read: dict[str, NDArray[np.float32]], steps: str) -> str:
    """Add what four convolutions make of it: (calls, 128)."""

    def layer(number: int, of: str, *taps: int) -> str:
        weights = read[f"encoder.{number}.weight"]
        rows = np.concatenate([weights[:, :, tap].T for tap in taps])
        return graph.add("Relu", graph.linear(of, rows, read[f"encoder.{number}.bias"]))

    padded = graph.add("Pad", steps, graph.constant(np.array([0, 1, 0, 0, 1, 0])))
    taps = graph.taken(padded, 0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, width=387)
    first = graph.shaped(layer(0, taps, 0, 1, 2), -1, 4, 128)
    padded = graph.add("Pad", first, graph.constant(np.array([0, 1, 0, 0, 0, 0])))
    second = layer(1, graph.taken(padded, 0, 1, 2, 2, 3, 4, width=384), 0, 1, 2)
    return layer(3, layer(2, graph.shaped(second, -1, 128), 1, 2), 1)


def _recurrent(graph: Graph, read: dict[str, NDArray[np.float32]], of: str) -> None:
    """Add the memory, and the answer."""
    weights = np.concatenate([read["onnx::LSTM_209"][0].T, read["onnx::LSTM_210"][0].T])
    bias = read["onnx::LSTM_211"][0]
    gates = graph.linear(graph.add("Concat", of, "h", axis=1), weights, bias[:512] + bias[512:])
    let_in, let_out, keep = graph.split(graph.add("Sigmoid", graph.cut(gates, 0, 384, 1)), 3, 1)
    new = graph.add("Mul", let_in, graph.add("Tanh", graph.cut(gates, 384, 512, 1)))
    graph.add("Add", graph.add("Mul", keep, "c"), new, to="cn")
    graph.add("Mul", let_out, graph.add("Tanh", "cn"), to="hn")
    answer = graph.linear(
        graph.add("Relu", "hn"), read["output.weight"][0, :, 0:1], read["output.bias"]
    )
    graph.shaped(graph.add("Sigmoid", answer), -1, to="speech_probs")


def microseconds(run: Callable[[], object]) -> float:
    """Return the processor time of a run, other work having had the cache in between."""
    other, taken = np.zeros(3 << 17), []
    for _ in range(300):
        other.sum()
        began = time.thread_time_ns()
        run()
        taken.append(time.thread_time_ns() - began)
    return float(np.median(taken)) / 1000


def compare() -> None:
    """Print what a window costs."""
    published, ours = load_session(PUBLISHED.read_bytes()), load_session(OURS.read_bytes())
    sound = np.random.default_rng(0).normal(0, 0.1, (40, 576)).astype(np.float32)
    one = {"input": sound[:1], **dict.fromkeys("hc", np.zeros((1, 1, 128), np.float32))}
    print(f"as published     {microseconds(lambda: published.run(None, one)):6.1f} µs a window")
    for calls in (1, 2, 3, 4, 8, 16, 40):
        state = np.zeros((calls, 128), np.float32)
        given = {"input": sound[:calls], "h": state, "c": state}
        each = microseconds(lambda given=given: ours.run(None, given)) / calls  # type: ignore[misc]
        print(f"ours, of {calls:2} calls {each:6.1f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_bytes(rewritten(PUBLISHED))
    else:
        compare()
