"""The shape of the code, checked on its syntax trees: rooms, arrows, sizes, tasks, names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    str(path.relative_to(ROOT))
    for top in ("agent", "pipelines")
    for path in ROOT.glob(f"{top}/**/*.py")
)

# Sizes

LONGEST_FILE, LONGEST_FUNCTION, LONGEST_CLASS = 400, 50, 250
MOST_METHODS, MOST_ATTRIBUTES = 20, 15

LARGER: dict[str, str] = {}
"""What is larger than that all the same, and why that is right."""

PATH_OF_A_CALL = (
    "agent/stream/websocket.py",
    "agent/stream/channel.py",
    "agent/stream/protocol.py",
    "pipelines/listening/listener.py",
    "pipelines/listening/gate.py",
    "pipelines/turn_taking/turns.py",
    "agent/call/call.py",
    "agent/call/replies.py",
    "agent/call/player.py",
    "pipelines/listening/utterance.py",
    "pipelines/reply/chain.py",
    "pipelines/reply/speech.py",
    "pipelines/reply/playout.py",
    "agent/call/speaker.py",
)
"""What a message of the caller passes through, from the socket to the audio that answers it: read
in this order. What stands beside it is asked by name: detectors, judge, clock, history, providers."""


@cache
def tree(path: str) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse((ROOT / path).read_text())


def lines(path: str) -> int:
    return (ROOT / path).read_text().count("\n")


Function = ast.FunctionDef | ast.AsyncFunctionDef


def length(node: Function | ast.ClassDef) -> int:
    """Return the lines of a definition; of a function, without its docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    doc = None if isinstance(node, ast.ClassDef) else ast.get_docstring(node, clean=False)
    return total - (doc.count("\n") + 1 if doc else 0)


def attributes(init: Function) -> set[str]:
    """Return what an ``__init__`` sets on ``self``."""
    return {
        node.attr
        for node in ast.walk(init)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def too_large(path: str) -> Iterator[str]:
    """Yield what in a file is over the measure, as ``file`` or ``file: name``."""
    if lines(path) > LONGEST_FILE:
        yield path
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            over = length(node) > LONGEST_FUNCTION
            over = over or (node.name == "__init__" and len(attributes(node)) > MOST_ATTRIBUTES)
        elif isinstance(node, ast.ClassDef):
            methods = sum(isinstance(one, Function) for one in node.body)
            over = length(node) > LONGEST_CLASS or methods > MOST_METHODS
        else:
            continue
        if over:
            yield f"{path}: {node.name}"


def test_nothing_is_too_large_to_be_read_at_once() -> None:
    """Files, functions, classes and what an object holds are bounded; exceptions have a reason."""
    found = {place for path in SOURCES for place in too_large(path)}
    assert found == LARGER.keys()


def test_the_path_of_a_call_is_read_in_ten_minutes() -> None:
    """From the message on the socket to the audio on the socket, 1,600 lines at the most."""
    assert sum(map(lines, PATH_OF_A_CALL)) <= 1600
