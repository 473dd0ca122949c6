"""Debian's Chromium under selenium, offline: for the browser tests and the pictures of the docs."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def installed() -> bool:
    """Tell whether Chromium and its driver are here."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


class Browser:
    """One page at a time, with what it logged and asked for."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def size(self, width: int, height: int = 900, scale: float = 1) -> None:
        """Give the page a size in CSS pixels; narrow ones behave like a phone."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600},
        )

    def scheme(self, name: str) -> None:
        """Prefer `light` or `dark`, as the system of a reader does."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def open(self, url: str) -> None:
        self.driver.get(url)

    def js(self, code: str) -> Any:
        return self.driver.execute_script(code)

    def console(self) -> list[str]:
        """Messages of the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """URLs that were asked for since the last call."""
        messages = (json.loads(x["message"])["message"] for x in self.driver.get_log("performance"))
        sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [p["request"]["url"] for p in sent]

    def picture(self, path: Path, selector: str | None = None, height: int | None = None) -> None:
        """A PNG of the top of the page, or of one element."""
        box = {"x": 0, "y": 0, "width": self.js("return innerWidth"), "height": height or 900}
        if selector:
            box = self.js(
                "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
                "return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height};"
                .replace("arguments[0]", json.dumps(selector))
            )  # fmt: skip
        clip = {**box, "scale": 1}
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a fresh profile that is thrown away afterwards."""
    from selenium import webdriver

    profile = tempfile.mkdtemp(prefix="flowscan-chromium-")
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
