"""Pages in headless Chromium; skipped where it is not installed."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

#: What a page may not do: talk to anybody. Whatever it asks for fails, and is found in the console.
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--window-size=1280,1000"),
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A Selenium driver of a Chromium with an empty profile."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium and its driver are not on this machine")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with _patient():
        found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    found.set_page_load_timeout(120)
    yield found
    found.quit()


@contextmanager
def _patient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(180)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@pytest.fixture
def show(browser):
    """Opens a page; afterwards its console must hold no error."""
    browser.get_log("browser")

    def open_page(path, place=""):
        browser.get(f"file://{path}{place}")
        return browser

    yield open_page
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []
