"""Looks at the page of a call: what is stored of it, and what is drawn."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import STARTED_WITHIN, Served

POSITION = "Number(document.getElementById('wave').getAttribute('aria-valuenow'))"
"""Where the page plays, in seconds on the call's clock."""


def stored(served: Served, name: str) -> dict[str, Any]:
    """Return the lines of a call, as they are downloaded, once its recording is stored."""
    address = f"{served.base}/console/calls/{name}/call.json"
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=STARTED_WITHIN) as answer:  # noqa: S310 - our own
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError:
            found = {"events": []}
        if any(one.get("status") == "stored" for one in found["events"]):
            return found
        time.sleep(0.2)
    pytest.fail("the recording was not stored")


def wait_until(page: Page, true: str) -> None:
    """Wait for an expression to be true. Playwright's own wait is refused by the page's policy."""
    until = time.monotonic() + STARTED_WITHIN
    while not page.evaluate(true):
        assert time.monotonic() < until, true
        page.wait_for_timeout(50)


def loudness(page: Page, at: float, until: float, side: int) -> float:
    """Return how far from the middle a side of the waveform reaches, in a stretch of the call."""
    script = """([at, until, side]) => {
      const wave = document.getElementById("wave");
      const pen = wave.getContext("2d");
      const length = Number(wave.getAttribute("aria-valuemax"));
      const half = (wave.height - 22 * devicePixelRatio) / 2;
      const x = Math.round((at / length) * wave.width);
      const width = Math.max(1, Math.round(((until - at) / length) * wave.width));
      const pixels = pen.getImageData(x, Math.round(side * half), width, Math.round(half)).data;
      const probe = document.createElement("canvas").getContext("2d");
      probe.fillStyle = getComputedStyle(wave).getPropertyValue(side ? "--agent" : "--caller");
      probe.fillRect(0, 0, 1, 1);
      const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
      let found = 0;
      for (let n = 0; n < pixels.length; n += 4)
        found += pixels[n] === red && pixels[n + 1] === green && pixels[n + 2] === blue;
      return found / width;
    }"""
    return float(page.evaluate(script, [at, until, side]))
