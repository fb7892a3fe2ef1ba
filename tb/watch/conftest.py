"""A browser, pages of two recordings, and what is seen of one that is open."""

import contextlib
import json
import os
import shutil

import pytest

from llama2_myhdl.watch import page
from tb.watch.recorded import ALONE, TOGETHER, recorded


@pytest.fixture(scope="module")
def chromium():
    """A running browser: that of CHROMIUM, or the system's."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no chromium: apt-get install chromium, or name one with CHROMIUM=path"
    with sync_playwright() as playwright:
        # the sandbox cannot be had as root
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        with contextlib.closing(playwright.chromium.launch(executable_path=path, args=arguments)) as browser:
            yield browser


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return _written(tmp_path_factory.mktemp("alone"), *ALONE)


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    return _written(tmp_path_factory.mktemp("together"), *TOGETHER)


def _written(folder, options, build):
    """The address of a page, and its recording as JSON has it."""
    text = page.compact(recorded(folder, *options, build=build).run)
    file = folder / "page.html"
    file.write_bytes(page.html(json.loads(text)))
    return file.as_uri(), json.loads(text)


class Seen:
    """An open page; what it asked the network for, and what it complained of."""

    def __init__(self, browser, address, **options):
        self.page = browser.new_page(**options)
        self.requests, self.said = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(address)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def cells(self, selector: str) -> list[list[str]]:
        """The texts of a table's rows, open or not."""
        code = "rows => rows.map(row => [...row.children].map(cell => cell.textContent.trim()))"
        return self.page.locator(f"{selector} tr").evaluate_all(code)

    def to(self, index: int) -> None:
        """Show a token, from the first one on, by the keyboard."""
        self.page.keyboard.press("Home")
        for _ in range(index):
            self.page.keyboard.press("ArrowRight")


@pytest.fixture
def opened(chromium):
    """Opens pages; at the end none of them has asked for anything but itself, nor complained."""
    seen = []

    def open_page(address, **options):
        seen.append(Seen(chromium, address, **options))
        return seen[-1]

    yield open_page
    for one in seen:
        assert one.said == [] and set(one.requests) == {one.page.url}
        one.page.close()
