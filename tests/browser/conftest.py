"""A real browser on a real server, with accessibility checks by axe."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Browser, Page

    from tests.browser.demo import Demo

HERE: Final = Path(__file__).parent
AXE: Final = HERE.parents[1] / "node_modules" / "axe-core" / "axe.min.js"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_MS: Final = 30_000
AXE_RULES: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


def browser_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser these tests are left out, and the summary says so."""
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    if not mine or browser_path():
        return
    if os.environ.get("REQUIRE_BROWSER") == "1":
        raise pytest.UsageError("REQUIRE_BROWSER=1, and no Chromium or Chrome is on the PATH.")
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if item not in mine]


def pytest_report_header() -> str:
    found = browser_path()
    return f"browser: {found}" if found else "browser: none found, so browser tests are left out"


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=as_root)
        yield browser
        browser.close()


@pytest.fixture
def live_url(app: "Flask", free_port: int) -> Iterator[str]:
    """The app over HTTP, at its PUBLIC_URL."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", free_port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{free_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def demo(
    app: "Flask", environ: dict[str, str], database_url: str, tmp_path: Path
) -> Iterator["Demo"]:
    """Both sides seeded, a worker running, the app over HTTP."""
    from tests.browser.demo import running

    with running({**environ, "DATABASE_URL": database_url}, tmp_path / "worker.log") as found:
        yield found


@pytest.fixture
def page(chromium: "Browser", live_url: str) -> Iterator["Page"]:
    """A page on the empty app."""
    with watched(chromium, live_url) as page:
        yield page


@pytest.fixture
def demo_page(chromium: "Browser", demo: "Demo") -> Iterator["Page"]:
    """A page on the demo."""
    with watched(chromium, demo.url) as page:
        yield page


@contextmanager
def watched(browser: "Browser", url: str, **options: Any) -> Iterator["Page"]:
    """A page of its own; it fails the test when a script fails or the content policy blocks."""
    context = browser.new_context(
        base_url=url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce", **options
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield page
    context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def violations() -> Callable[["Page"], list[str]]:
    """Return a function that says which accessibility rules a page breaks, and where."""
    script = AXE.read_text(encoding="utf-8") + "\n;0"

    def check(page: "Page") -> list[str]:
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(script)
        # What the sticky header half covers would count as too small to hit.
        page.evaluate("scrollTo(0, 0)")
        light = _broken(page, AXE_RULES)
        page.emulate_media(color_scheme="dark")
        dark = _broken(page, {**AXE_RULES, "runOnly": ["color-contrast"]})
        page.emulate_media(color_scheme="light")
        return [*light, *(f"dark {line}" for line in dark)]

    return check


def _broken(page: "Page", rules: dict[str, list[str]]) -> list[str]:
    found = page.evaluate("rules => axe.run(rules)", rules)["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]
