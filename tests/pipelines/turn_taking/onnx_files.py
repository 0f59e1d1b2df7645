"""Tiny ONNX files, written byte by byte: models of which it is known what they give."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

FLOAT, INT64 = 1, 7
"""TensorProto.DataType (onnx/onnx.proto)."""


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """ValueInfoProto; a size that is a name is open."""
    sizes = b"".join(
        _bytes(1, _number(1, one) if isinstance(one, int) else _bytes(2, one)) for one in shape
    )
    tensor = _number(1, kind) + _bytes(2, sizes)
    return _bytes(1, name) + _bytes(2, _bytes(1, tensor))


def _ints(name: str, values: Sequence[int]) -> bytes:
    """AttributeProto of type INTS."""
    return _bytes(1, name) + b"".join(_number(8, one) for one in values) + _number(20, 7)


def _node(kind: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    parts = [_bytes(1, one) for one in inputs] + [_bytes(2, output), _bytes(4, kind)]
    return b"".join([*parts, *(_bytes(5, one) for one in attributes)])


def _constant(name: str, values: Sequence[float]) -> bytes:
    """TensorProto of one dimension."""
    raw = struct.pack(f"<{len(values)}f", *values)
    return _number(1, len(values)) + _number(2, FLOAT) + _bytes(8, name) + _bytes(9, raw)


def mean_model(
    path: Path,
    shape: Sequence[int | str],
    *,
    scale: Sequence[float] = (1.0,),
    offset: Sequence[float] = (0.0,),
    kind: int = FLOAT,
    more: Sequence[str] = (),
) -> Path:
    """Write a model that gives ``scale * mean(|input|) + offset``, a number for each factor.

    Args:
        path: Where to.
        shape: Of its input; a name is an open size.
        scale: A factor for each number.
        offset: What is added to each.
        kind: Of what it is fed.
        more: Names of further inputs, which it takes as well.
    """
    nodes = [
        _node("Abs", ["audio"], "size"),
        _node("ReduceMean", ["size"], "mean", _ints("axes", range(1, len(shape)))),
        _node("Flatten", ["mean"], "flat"),
        _node("Mul", ["flat", "scale"], "scaled"),
        _node("Add", ["scaled", "offset"], "over"),
    ]
    if kind != FLOAT:
        to = _bytes(1, "to") + _number(3, FLOAT) + _number(20, 2)
        nodes[0] = _node("Cast", ["audio"], "size", to)
    graph = b"".join(
        [
            *(_bytes(1, node) for node in nodes),
            _bytes(2, "mean"),
            _bytes(5, _constant("scale", scale)),
            _bytes(5, _constant("offset", offset)),
            _bytes(11, _value("audio", kind, shape)),
            *(_bytes(11, _value(one, FLOAT, [1])) for one in more),
            _bytes(12, _value("over", FLOAT, [1, len(scale)])),
        ]
    )
    opset = _bytes(8, _number(2, 13))
    path.write_bytes(_number(1, 8) + opset + _bytes(7, graph))
    return path
