"""HTML of templates, and the files that pages bring along. All of it is read once, at the start."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.console.visitor import Role, Visitor
from agent.console.wording import clock, money, seconds

HERE = Path(__file__).parent
STATIC = "/console/static"

LASTING = "public, max-age=31536000, immutable"
"""For files whose address changes with their contents."""

NAVIGATION = (
    ("/", "Phone", Role.OPERATE),
    ("/console", "Live", Role.LOOK),
    ("/console/calls", "Calls", Role.LOOK),
    ("/console/overview", "Overview", Role.LOOK),
    ("/console/agents", "Agents", Role.LOOK),
)
"""Path and title of the main pages, and who is shown them. What newcomers look for is first."""


@cache
def _environment() -> Environment:
    """Return the templates; to compile them takes 150 ms, which is done once in a process."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"seconds": seconds, "clock": clock, "money": money}
    return environment


class Rendering:
    """The templates and files of the console. :meth:`load` it, off the event loop, before use."""

    def __init__(self) -> None:
        self._environment = _environment()
        self._files: Mapping[str, bytes] = {}
        self._digest = ""

    def load(self) -> None:
        """Read everything. It blocks: some 150 ms, the first time."""
        paths = sorted(path for path in (HERE / "static").rglob("*") if path.is_file())
        files = {path.relative_to(HERE / "static").as_posix(): path.read_bytes() for path in paths}
        digest = hashlib.sha256()
        for name, data in files.items():
            digest.update(name.encode() + b"\0" + data)
        self._files, self._digest = files, digest.hexdigest()[:12]
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def page(
        self, request: web.Request, visitor: Visitor | None, name: str, /, **values: object
    ) -> web.Response:
        """Return a page.

        Args:
            request: Whose path is the present one in the navigation.
            visitor: Who looks; None before they have signed in.
            name: Of the template.
            values: For it. Texts are escaped.
        """
        shown = [(p, t) for p, t, least in NAVIGATION if visitor is not None and visitor.may(least)]
        html = self._environment.get_template(name).render(
            visitor=visitor,
            Role=Role,
            static=f"{STATIC}/{self._digest}",
            navigation=shown,
            here=request.path,
            **values,
        )
        headers = {"cache-control": "no-store"}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def file(self, request: web.Request) -> web.Response:
        """Return a file that pages bring along. Anyone may have it: it is in the package."""
        data = self._files.get(request.match_info["name"])
        if data is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(request.match_info["name"])[0] or "application/octet-stream"
        current = request.match_info["digest"] == self._digest
        caching = LASTING if current else "no-cache"
        return web.Response(body=data, content_type=kind, headers={"cache-control": caching})
