"""Make the pictures of the docs from the sample logs: `make screenshots`.

Ingests sample_logs into a lake of its own, matches, detects, and takes docs/images/*.png of the
report and of `flowscan serve` with Debian's Chromium, and terminal.svg of `flowscan report`.
Needs: apt-get install chromium chromium-driver, and the dev extra.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from chromium import Browser, chromium  # noqa: E402

from flowscan.lake import Lake  # noqa: E402
from flowscan.report import build, render_html, render_terminal  # noqa: E402
from flowscan.report.serve import ReportServer  # noqa: E402

COMMANDS = (
    "ingest sample_logs/logs",
    "feeds add sample_logs/feeds/sample-blocklist.txt --category c2",
    "feeds add sample_logs/feeds/sample-tor.txt --category tor",
    "match",
    "detect",
)


def make_lake(folder: Path) -> Lake:
    """The lake of the demo."""
    for command in COMMANDS:
        arguments = [sys.executable, "-m", "flowscan", *command.split(), "--lake", str(folder)]
        subprocess.run(arguments, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return Lake.open(folder)


def shoot_report(browser: Browser, page: str) -> None:
    """The report in light and dark, a finding, the charts, a phone."""
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        browser.size(1160, 1000, 2)
        browser.open(page)
        browser.picture(IMAGES / f"report-{scheme}.png", height=1000)
    browser.scheme("light")
    browser.open(page)
    browser.picture(IMAGES / "refused.png", "#rejected figure")
    browser.picture(IMAGES / "matrix.png", "#traffic figure")
    browser.js("document.querySelector('.finding').open = true")
    browser.picture(IMAGES / "finding.png", ".finding")
    browser.size(390, 800, 2)
    browser.open(page)
    browser.picture(IMAGES / "phone.png", height=800)


def shoot_server(browser: Browser, lake: Lake) -> None:
    """The live page's period picker and the flows behind a number."""
    with ReportServer(lake, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.size(1160, 1000, 1.5)
        browser.open(server.url + "?since=2026-08-04T00:00&until=2026-08-04T12:00")
        browser.picture(IMAGES / "serve.png", height=760)
        browser.driver.find_element("css selector", "#exposure table tbody a").click()
        browser.picture(IMAGES / "flows.png", height=620)
        server.shutdown()


def shoot_terminal(text: str) -> None:
    """The terminal's report as SVG."""
    from rich.console import Console
    from rich.text import Text

    with open("/dev/null", "w") as nowhere:  # noqa: PTH123
        out = Console(record=True, width=100, file=nowhere, force_terminal=True)
        out.print(Text.from_ansi(text), end="")
        out.save_svg(str(IMAGES / "terminal.svg"), title="flowscan report", unique_id="flowscan")


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        lake = make_lake(Path(folder) / "lake")
        report = build(lake)
        page = Path(folder) / "report.html"
        page.write_text(render_html(report), encoding="utf-8")
        with chromium() as browser:
            shoot_report(browser, page.as_uri())
            shoot_server(browser, lake)
        shoot_terminal(render_terminal(report, width=100, color=True))


if __name__ == "__main__":
    main()
