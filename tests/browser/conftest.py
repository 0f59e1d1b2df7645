"""A service of one's own, as a process; and Chromium, as Debian has it, that looks at it.

Screenshots go to the folder that ``SCREENSHOTS`` names, if it does, and nowhere else.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.agent.process.serving import SERVE_AT_ANY_LOAD, UNHURRIED

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

DESKTOP, PHONE = (1280, 800), (390, 844)
"""Pixels of a window, and of a telephone."""

LOOKS = [(DESKTOP, "light"), (PHONE, "dark")]
"""How a page is looked at: what fits does so in any color, and colors are the same at any size."""

STARTED_WITHIN = 120.0
"""Seconds for a service to answer, and for a browser to start, on a busy machine."""

HANGS_AFTER = 480
"""Seconds until a test of these has hung: it waits for a browser, a service and models, which take
five times as long on a machine that is busy with others."""

expect.set_options(timeout=STARTED_WITHIN * 1000)

MUTE = {f"{kind}__PROVIDER": "scripted" for kind in ("STT", "LLM", "TTS")}
"""Settings of a service that nobody calls: it loads no models."""

RIGHT_TO_LEFT = "---\ngreeting: שלום, <b>מי</b> מדבר?\n---\nשלום. <script>alert(1)</script>\n"

ARCHIVE = """---
greeting: Hello, this is the archive.
questions:
  - ask: [Which folder should I save the message to?]
    answer: >-
      Please put it into the blue folder on the second shelf. It stands beside the window, right
      behind the old printer, next to the small ladder that leans in the corner of the room where
      the books are, and you may take that ladder whenever you happen to need it.
  - ask: [The number you have dialed is not in service. Please check the number and try again.]
    answer: Then please send them a letter.
---
Be brief.
"""

AGENTS = {
    "archive": ARCHIVE,
    "museum": RIGHT_TO_LEFT,
    "broken": "---\ngreting: Hello.\n---\nBe brief.\n",
}
"""What the shared service has besides ``reception``."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none, and say so; give the others their time."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.timeout(HANGS_AFTER))
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="no Chromium: apt-get install chromium"))


@dataclass
class Served:
    """A service that answers."""

    base: str
    """Of its addresses: ``http://127.0.0.1:PORT``."""

    folder: Path
    """Where it runs."""


@contextmanager
def serving(folder: Path, **variables: str) -> Iterator[Served]:
    """Run ``voice-agent serve`` with the local models in a folder, until the block is left.

    Args:
        folder: Its own.
        variables: Settings, as ``CONSOLE__ENABLED="true"`` without their prefix.
    """
    shutil.copytree(Path(__file__).parents[2] / "prompts", folder / "prompts", dirs_exist_ok=True)
    given = {"SERVER__PORT": "0", "LOG__FORMAT": "json", **UNHURRIED, **variables}
    environment = os.environ | {f"VOICE_AGENT_{name}": value for name, value in given.items()}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            SERVE_AT_ANY_LOAD,
            cwd=folder,
            env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.match(r"listening on ws://([\w.:]+)/", line):
                    break
            else:
                pytest.fail((folder / "log").read_text())
            yield Served(f"http://{found[1]}", folder)
        finally:
            process.terminate()
            process.wait(STARTED_WITHIN)


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service for all files: it records every call, and has some agents besides the usual one."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "prompts").mkdir()
    for name, text in AGENTS.items():
        (folder / "prompts" / f"{name}.md").write_text(text)
    with serving(folder, RECORDING__CALLS="on") as one:
        yield one


# While it is there, its loop runs in this thread: a package's, and gone before the tests of others.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives browsers."""
    with sync_playwright() as one:
        yield one


def launched(playwright: Playwright, *options: str) -> Browser:
    """Start a browser that asks nobody whether it may use the microphone."""
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium wants that of root
    media = ["--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[*alone, *media, "--use-fake-device-for-media-stream", *options],
        timeout=STARTED_WITHIN * 1000,
    )


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser for all files; its microphone beeps."""
    with launched(playwright) as one:
        yield one


@dataclass
class Looked:
    """Opens pages, and minds what goes wrong in them."""

    context: BrowserContext
    wrong: list[str]
    """Errors in scripts, what the Content-Security-Policy refused, files that are not there."""

    def page(self) -> Page:
        """Return a new, empty page."""
        page = self.context.new_page()
        page.set_default_timeout(STARTED_WITHIN * 1000)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on(
            "console",
            lambda said: self.wrong.append(said.text) if said.type == "error" else None,
        )
        return page


Looking = Callable[..., Looked]


@pytest.fixture
def looking(browser: Browser) -> Iterator[Looking]:
    """Return what opens a window of a given size; in the end nothing was wrong in any."""
    with ExitStack() as stack:
        opened: list[Looked] = []

        def look(
            size: tuple[int, int] = DESKTOP, other: Browser | None = None, **how: Any
        ) -> Looked:
            width, height = size
            context = (other or browser).new_context(
                viewport={"width": width, "height": height}, **how
            )
            stack.callback(context.close)
            opened.append(Looked(context, []))
            return opened[-1]

        yield look
        assert [what for one in opened for what in one.wrong] == []


def shot(page: Page, name: str) -> None:
    """Keep a picture of the whole page, where a folder for these was named."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def assert_accessible(page: Page) -> None:
    """See to it that axe-core finds nothing serious on the page."""
    found = Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
