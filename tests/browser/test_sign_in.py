"""Signing in by a real browser; and a page of another site, in the same browser, that tries all."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page

from tests.agent.console.visiting import HASH, PASSWORD
from tests.browser.conftest import (
    MUTE,
    PHONE,
    Looking,
    Served,
    assert_accessible,
    serving,
    shot,
)
from tests.databases import alter

TOML = "".join(
    f'[console.users.{name}]\npassword = "{HASH}"\nrole = "{role}"\n'
    for name, role in (("ann", "edit"), ("luke", "look"))
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that people sign in to."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "voice-agent.toml").write_text(TOML)
    with serving(folder, **MUTE) as one:
        yield one


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_somebody_signs_in_looks_and_signs_out(guarded: Served, looking: Looking) -> None:
    """On a telephone in the dark: a wrong password, the right one, a session that is over."""
    looked = looking(PHONE, color_scheme="dark")
    page = looked.page()
    page.goto(f"{guarded.base}/console/calls")
    assert page.get_by_label("Name").evaluate("e => e === document.activeElement")
    assert_accessible(page)
    shot(page, "sign-in-dark")
    sign_in(page, "luke", "<img src=x onerror=alert(1)>")
    assert "not the right name and password" in page.get_by_role("alert").inner_text()
    assert_accessible(page)
    shot(page, "sign-in-wrong-dark")
    sign_in(page, "luke")
    page.wait_for_url(f"{guarded.base}/console/calls")  # where they wanted to go
    assert page.get_by_role("navigation").get_by_role("link", name="Phone").count() == 0
    assert page.locator(".who").inner_text().startswith("luke")
    shot(page, "signed-in-dark")
    page.goto(f"{guarded.base}/")
    assert "yours is 'look'" in page.get_by_role("main").inner_text()
    assert_accessible(page)
    shot(page, "not-for-you-dark")
    page.goto(f"{guarded.base}/console/calls")
    alter(guarded.folder, "DELETE FROM console_entries")  # it is over, by somebody else's hand
    page.goto(f"{guarded.base}/console/calls")
    sign_in(page, "luke")
    page.wait_for_url(f"{guarded.base}/console/calls")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{guarded.base}/console/sign-in")
    page.go_back()
    page.wait_for_url("**/console/sign-in**")  # nothing was kept to go back to
    # A browser tells of each answer that is no success, as of an error.
    looked.wrong[:] = [one for one in looked.wrong if "status of 40" not in one]


def test_a_page_that_was_open_leads_to_the_sign_in(guarded: Served, looking: Looking) -> None:
    """What it sends when the session is over is not lost without a word."""
    looked = looking()
    page = looked.page()
    page.goto(f"{guarded.base}/console")
    shot(page, "sign-in-desk")
    sign_in(page, "ann")
    page.wait_for_url(f"{guarded.base}/console")
    alter(guarded.folder, "DELETE FROM console_entries")
    page.evaluate(
        """() => {  // nothing is waited for: the page goes away meanwhile
          import(document.querySelector('script[type=module]').src)
            .then(({ send }) => send('POST', '/console/phone'))
            .catch(() => {});
        }"""
    )
    page.wait_for_url("**/console/sign-in?next=%2Fconsole")
    sign_in(page, "ann")  # what is pushed leads there, too: the page was in the background
    page.wait_for_url(f"{guarded.base}/console")
    alter(guarded.folder, "DELETE FROM console_entries")
    page.evaluate(
        """() => {
          dispatchEvent(new Event('pagehide'));
          dispatchEvent(new Event('pageshow'));
        }"""
    )
    page.wait_for_url("**/console/sign-in?next=%2Fconsole")
    looked.wrong[:] = [one for one in looked.wrong if "status of 401" not in one]


EVIL = """<!doctype html><title>evil</title><body>
<form id="form" method="post" action="{base}/console/phone" target="shown">
  <input name="csrf" value="x"></form>
<form id="login" method="post" action="{base}/console/sign-in" target="shown">
  <input name="name" value="ann"><input name="password" value="{password}"></form>
<iframe name="shown"></iframe><iframe id="framed" src="{base}/console"></iframe>
"""

TRIES = """async (base) => {
  const found = {};
  const told = async (name, work) => {
    try { found[name] = await work(); } catch (error) { found[name] = error.name; }
  };
  for (const mode of ["cors", "no-cors"]) {
    for (const path of ["/", "/console", "/console/events", "/console/live/x/audio"]) {
      await told(`${mode} ${path}`, async () => {
        const got = await fetch(base + path, { mode, credentials: "include" });
        return [got.type, (await got.text()).length];
      });
    }
    await told(`${mode} post`, async () => {
      const headers = mode === "cors" ? { "x-csrf-token": "x" } : {};
      const got = await fetch(base + "/console/phone",
        { method: "POST", mode, credentials: "include", headers });
      return [got.type, (await got.text()).length];
    });
  }
  const loads = (made, ok, failed) => new Promise((done) => {
    made[ok] = () => done("loaded"); made[failed] = () => done("refused");
  });
  const image = new Image(); image.src = base + "/console";
  found.image = await loads(image, "onload", "onerror");
  const script = document.createElement("script"); script.src = base + "/console/calls";
  document.body.append(script);
  found.script = await loads(script, "onload", "onerror");
  const events = new EventSource(base + "/console/events", { withCredentials: true });
  found.events = await loads(events, "onopen", "onerror"); events.close();
  const socket = new WebSocket(base.replace("http", "ws") + "/stream");
  found.socket = await loads(socket, "onopen", "onerror");
  document.getElementById("form").submit();
  await new Promise((done) => setTimeout(done, 300));
  document.getElementById("login").submit();
  await new Promise((done) => setTimeout(done, 300));
  for (const name of ["shown", "framed"]) {
    const frame = document.querySelector(`[name=${name}], #${name}`);
    await told(name, async () => (frame.contentDocument ? "ours" : "closed"));
  }
  return found;
}"""


@contextmanager
def evil(base: str) -> Iterator[str]:
    """Serve a page of another site: another port of this very host, which is the hardest."""

    class Evil(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(EVIL.format(base=base, password=PASSWORD).encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("way", ["signed in", "this machine"])
def test_a_page_of_another_site_gets_nothing(
    guarded: Served, served: Served, looking: Looking, way: str
) -> None:
    """In the browser of somebody who is let in: it reads nothing, and changes nothing."""
    base = guarded.base if way == "signed in" else served.base
    looked = looking()
    if way == "signed in":
        page = looked.page()
        page.goto(f"{base}/console")
        sign_in(page, "ann")
        page.wait_for_url(f"{base}/console")
    asked: list[tuple[str, str, int]] = []
    for host in ("127.0.0.1", "localhost"):  # the same site, and another
        with evil(base) as site:
            page = looked.page()
            page.on(
                "response",
                lambda got: asked.append((got.request.method, got.url, got.status)),
            )
            page.goto(site.replace("127.0.0.1", host))
            found = page.evaluate(TRIES, base)
            for name in ("image", "script", "events", "socket"):
                assert found[name] == "refused", found
            assert found["framed"] == "closed", found
            for name, got in found.items():
                if name.startswith("cors"):
                    assert got == "TypeError", found
                elif name.startswith("no-cors"):
                    assert got in ("TypeError", ["opaque", 0]), found
            page.close()
    ours = [one for one in asked if one[1].startswith(base)]
    assert {status for method, _, status in ours if method == "POST"} == {403}
    assert {status for method, _, status in ours if method == "GET"} <= {401, 403, 303, 404}
    looked.wrong.clear()  # the other site's own
    if way == "signed in":
        page = looked.page()
        page.goto(f"{base}/console")
        assert page.locator(".who").inner_text().startswith("ann")  # nobody was signed out, or in
