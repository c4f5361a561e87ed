"""Pages as a reader meets them: opened from disk in Chromium, offline, with an eye on what they do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
READY = "body[data-ready='1']"
PATIENCE = 20_000
"""Milliseconds after which a page is given up: tests share their machine."""


@dataclass
class Visit:
    """A page that is open, and what it did that it should not."""

    page: Page
    outside: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def assert_clean(self) -> None:
        assert self.outside == []
        assert self.messages == []


@dataclass
class Visitor:
    """Opens pages, each in a context of its own."""

    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    def __call__(
        self, path: Path, *, width: int = 1440, theme: Any = "light", anchor: str = "", **options: Any
    ) -> Visit:
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, offline=True, **options
        )
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        made = Visit(context.new_page())
        made.page.on("console", lambda message: made.messages.append(message.text))
        made.page.on("pageerror", lambda error: made.messages.append(str(error)))
        made.page.on("request", lambda request: _note(request.url, path.parent, made.outside))
        made.page.goto(f"{path.as_uri()}{anchor}")
        if options.get("java_script_enabled", True):
            made.page.wait_for_selector(READY)
        return made

    def close(self) -> None:
        while self.contexts:
            self.contexts.pop().close()


def chromium() -> Iterator[Browser]:
    """Chromium of this machine; skips with a word where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        opened.close()


def text(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text()


def _note(url: str, folder: Path, outside: list[str]) -> None:
    if not url.startswith((folder.as_uri(), "data:", "blob:")):
        outside.append(url)
