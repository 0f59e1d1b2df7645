"""An MCP server of the protocol's older era, written from its specification (2025-06-18).

It talks through standard input, and does what its first argument says:

- ``well``: it works;
- ``silent``: it never answers;
- ``garbage``: its answers are none;
- ``gone``: it ends at once;
- ``stays``: it ignores that its input has ended, and SIGTERM;
- ``vanishes``: it ends when it is asked for a tool;
- ``grows``: it has another tool each time that it lists them;
- ``odd``: it has tools that a model cannot be told of, or not by their names.

A second argument is a file that notes its process each time it starts.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

behaviour = sys.argv[1]
lists = 0


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    global lists  # noqa: PLW0603 - a server this small is a module
    match method:
        case "initialize":
            return {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "old", "version": "1"},
            }
        case "tools/list":
            lists += 1
            return listed(params)
        case "tools/call" if behaviour == "vanishes":
            os._exit(3)
        case "tools/call" if params["name"] == "wait":
            return None
        case "tools/call":
            return {"content": [{"type": "text", "text": f"{os.getpid()}"}]}
    return None


def listed(params: dict[str, Any]) -> dict[str, Any]:
    anything = {"type": "object"}
    broken = {"type": "object", "properties": {"a": {"type": "nothing"}}}
    if behaviour == "odd":
        # A page with one each, the second after the cursor.
        tools = [
            {
                "name": "no.schema",
                "inputSchema": broken,
            },
            {"name": "a.b", "description": "d" * 5000, "inputSchema": anything},
            {"name": "a/b", "title": "Another", "inputSchema": anything},
            {"name": "n" * 100, "inputSchema": anything},
        ]
        at = int(params.get("cursor", 0))
        more = {"nextCursor": str(at + 1)} if at + 1 < len(tools) else {}
        return {"tools": [tools[at]], **more}
    names = ["pid", "wait"]
    if behaviour == "grows":
        names += [f"tool{n}" for n in range(lists)]
    return {"tools": [{"name": name, "inputSchema": anything} for name in names]}


def reply(name: object, method: str, params: dict[str, Any]) -> None:
    result = answer(method, params)
    if behaviour == "silent" or (method == "tools/call" and result is None):
        return
    error = {"code": -32601, "message": "unknown method"}
    said = {"error": error} if result is None else {"result": result}
    whole = json.dumps({"jsonrpc": "2.0", "id": name, **said})
    print(whole if behaviour != "garbage" else '{"what": [', flush=True)


def main() -> None:
    if behaviour == "gone":
        return
    if behaviour == "stays":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if len(sys.argv) > 2:
        with Path(sys.argv[2]).open("a") as starts:
            starts.write(f"{os.getpid()}\n")
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        reply(message["id"], message["method"], message.get("params") or {})
    if behaviour == "stays":
        time.sleep(60)


if __name__ == "__main__":
    main()
