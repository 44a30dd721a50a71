"""A real browser on the page of the local Slack."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from selenium.webdriver.remote.webelement import WebElement

T = TypeVar("T")

SCREENSHOTS = Path(__file__).parent.parent / "screenshots"
PATIENCE_SECONDS = 15.0

_NOT_YET = (NoSuchElementException, StaleElementReferenceException)
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser whose every act happens in a thread, so that the server can answer meanwhile."""

    driver: WebDriver

    async def do(self, act: Callable[[WebDriver], T]) -> T:
        """Do something with the driver."""
        return await asyncio.to_thread(act, self.driver)

    async def go(self, url: str) -> None:
        """Open another page."""
        await asyncio.to_thread(self.driver.get, url)

    async def until(self, see: Callable[[WebDriver], T], what: str = "") -> T:
        """Wait until something is seen, and return it."""
        wait = WebDriverWait(self.driver, PATIENCE_SECONDS, 0.05, _NOT_YET)
        return await asyncio.to_thread(wait.until, see, what)

    async def find(self, css: str) -> WebElement:
        """Wait for an element."""
        return await self.until(lambda driver: driver.find_element(By.CSS_SELECTOR, css), css)

    async def click(self, css: str) -> None:
        """Click an element once it can be clicked."""
        await self.until(lambda driver: _clicked(driver.find_element(By.CSS_SELECTOR, css)), css)

    async def point_at(self, css: str) -> None:
        """Hold the pointer over an element."""
        found = await self.find(css)
        await self.do(lambda driver: ActionChains(driver).move_to_element(found).perform())

    async def type(self, css: str, *keys: str) -> None:
        """Press keys in an element."""
        element = await self.find(css)
        await asyncio.to_thread(element.send_keys, *keys)

    async def text(self, css: str) -> str:
        """Return what is seen of an element."""
        return await self.do(lambda driver: driver.find_element(By.CSS_SELECTOR, css).text)

    async def until_text(self, css: str, text: str) -> None:
        """Wait until an element shows a text."""
        await self.until(lambda driver: text in _text(driver, css), f"{text!r} in {css}")

    async def until_gone(self, css: str) -> None:
        """Wait until there is no such element."""
        await self.until(lambda driver: not driver.find_elements(By.CSS_SELECTOR, css), css)

    async def count(self, css: str) -> int:
        """Say how many such elements there are."""
        return len(await self.do(lambda driver: driver.find_elements(By.CSS_SELECTOR, css)))

    async def screenshot(self, name: str) -> Path:
        """Keep a picture of the page."""
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        await self.do(lambda driver: driver.save_screenshot(str(path)))
        return path

    async def complaints(self) -> list[str]:
        """Return what the browser has logged: errors, refused loads, broken policies."""
        entries = await self.do(lambda driver: driver.execute("getLog", {"type": "browser"}))
        return [entry["message"] for entry in entries["value"]]


@asynccontextmanager
async def open_page(url: str) -> AsyncIterator[Browser]:
    """Open a page in a fresh browser; the test is skipped where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    chromedriver = shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip("needs Debian's chromium and chromium-driver, which are not installed here")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        service = Service(executable_path=chromedriver)
        await asyncio.to_thread(service.start)
        try:
            driver = await asyncio.to_thread(_start, service, chromium, profile)
            try:
                await asyncio.to_thread(driver.get, url)
                yield Browser(driver)
            finally:
                await asyncio.to_thread(driver.quit)
        finally:
            await asyncio.to_thread(service.stop)


def _start(service: Service, chromium: str, profile: str) -> WebDriver:
    options = Options()
    options.binary_location = chromium
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Selenium would ask a proxy of the environment for the driver, which is on this machine.
    config = ClientConfig(
        remote_server_addr=service.service_url, proxy=Proxy({"proxyType": ProxyType.DIRECT})
    )
    connection = ChromiumRemoteConnection(
        remote_server_addr=service.service_url,
        vendor_prefix="goog",
        browser_name="chrome",
        client_config=config,
    )
    return WebDriver(command_executor=connection, options=options)


def _text(driver: WebDriver, css: str) -> str:
    return " ".join(one.text for one in driver.find_elements(By.CSS_SELECTOR, css))


def _clicked(element: WebElement) -> bool:
    if not (element.is_displayed() and element.is_enabled()):
        return False
    element.click()
    return True
