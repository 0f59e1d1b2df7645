"""All pages: each opens without a word in the browser's console, on a desk and on a telephone."""

from __future__ import annotations

import pytest

from tests.browser.conftest import LOOKS, Looking, Served, assert_accessible, shot

PATHS = ["/", "/console", "/console/calls", "/console/overview", "/console/agents"]


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=["desk", "telephone"])
def test_every_page_opens(
    served: Served, looking: Looking, size: tuple[int, int], scheme: str
) -> None:
    """Nothing is wider than the window, nothing is wrong in it, axe-core finds nothing serious."""
    page = looking(size, color_scheme=scheme).page()
    for path in PATHS:
        answer = page.goto(served.base + path)
        assert answer is not None
        assert answer.status == 200, path
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
        assert_accessible(page)
        shot(page, f"{path.strip('/').replace('/', '-') or 'phone'}-{size[0]}")
