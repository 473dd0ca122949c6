"""The page in a real browser: it sorts, filters, opens, turns dark, and asks for nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser, chromium, installed

from flowscan.lake import Lake
from flowscan.report import Report, render_html
from flowscan.report.serve import ReportServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="Chromium and its driver are not installed"),
    # selenium leaves sockets of its own to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def file(report: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_html(report), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Browser, file: str) -> Browser:
    browser.size(1200)
    browser.scheme("light")
    browser.open("about:blank")
    browser.requests()
    browser.console()
    browser.open(file)
    return browser


def column(page: Browser, selector: str, at: int) -> list[str]:
    return page.js(
        f"return [...document.querySelector('{selector}').tBodies[0].rows]"
        f".map((r) => r.cells[{at}].dataset.v ?? r.cells[{at}].textContent)"
    )


def test_no_error_and_no_request(page: Browser, file: str) -> None:
    assert page.requests() == [file]
    assert page.console() == []
    assert page.js("return document.querySelectorAll('svg.chart').length") >= 8


def test_tables_sort(page: Browser) -> None:
    table = "#rejected table"
    page.js(f"document.querySelectorAll('{table} button.sort')[0].click()")
    ports = [int(p) for p in column(page, table, 0)]
    assert ports == sorted(ports)
    page.js(f"document.querySelectorAll('{table} button.sort')[0].click()")
    assert [int(p) for p in column(page, table, 0)] == sorted(ports, reverse=True)
    assert page.js(f"return document.querySelector('{table} th').ariaSort") == "descending"
    assert page.console() == []


def shown(page: Browser) -> list[str]:
    return page.js(
        "return [...document.querySelectorAll('.finding')].filter((f) => !f.hidden)"
        ".map((f) => f.dataset.severity)"
    )


def test_findings_filter_and_sort(page: Browser) -> None:
    assert shown(page) == ["critical", "high", "high", "medium", "low"]
    page.js("document.querySelector('.f-severity[value=high]').click()")
    assert shown(page) == ["critical", "medium", "low"]
    page.js(
        "const t = document.querySelector('#f-text'); t.value = '22.41.7.130';"
        "t.dispatchEvent(new Event('input'))"
    )
    assert shown(page) == ["medium"]
    assert page.js("return document.querySelector('#f-shown').textContent") == "1 of 5 shown"
    page.js(
        "const t = document.querySelector('#f-text'); t.value = '';"
        "t.dispatchEvent(new Event('input'));"
        "const s = document.querySelector('#f-sort'); s.value = 'first';"
        "s.dispatchEvent(new Event('change'))"
    )
    assert len(shown(page)) == 3
    kind = "UnauthorizedAccess:EC2/blind-spot"
    page.js(
        f"const s = document.querySelector('#f-type'); s.value = '{kind}';"
        "s.dispatchEvent(new Event('change'))"
    )
    assert shown(page) == ["low"]


def test_a_finding_opens_by_keyboard(page: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    summary = page.driver.find_element("css selector", ".finding summary")
    summary.send_keys(Keys.ENTER)
    assert page.js("return document.querySelector('.finding').open")
    assert "22.118.64.9" in page.js("return document.querySelector('.finding .body').innerText")
    page.js("location.hash = '#sql-beacon'")
    page.driver.implicitly_wait(1)
    assert page.js("return !!document.getElementById('sql-beacon').closest('details').open")


def test_dark_and_light(page: Browser) -> None:
    def background() -> str:
        return page.js("return getComputedStyle(document.body).backgroundColor")

    light = background()
    page.js("document.querySelector('#theme').click()")
    assert background() != light
    ink = page.js("return getComputedStyle(document.querySelector('.chart text')).fill")
    assert ink == "rgb(163, 175, 191)", "charts follow the theme"
    page.js("document.querySelector('#theme').click()")
    assert background() == light
    assert page.console() == []


@pytest.mark.parametrize("width", [360, 768, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out(page: Browser, file: str, width: int, scheme: str) -> None:
    page.size(width)
    page.scheme(scheme)
    page.open(file)
    assert page.js("return document.documentElement.scrollWidth") <= width
    cut = page.js(
        "return [...document.querySelectorAll('svg.chart text')].filter((t) => {"
        " const s = t.closest('svg'), b = t.getBoundingClientRect();"
        " if (!b.width || getComputedStyle(s).display === 'none') return false;"
        " return b.left < 0 || b.right > innerWidth; }).map((t) => t.textContent)"
    )
    assert cut == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_text(page: Browser, file: str, scheme: str) -> None:
    """WCAG AA: 4.5 to 1 for every colour that carries text."""
    page.scheme(scheme)
    page.open(file)
    names = ["ink", "ink-2", "accent", "critical", "high", "medium", "low", "informational"]
    colours = page.js(
        "const s = getComputedStyle(document.documentElement);"
        f"return Object.fromEntries({['card', 'bg', *names]!r}.map("
        "(n) => [n, s.getPropertyValue('--' + n).trim()]))"
    )

    def luminance(colour: str) -> float:
        digits = colour.lstrip("#")
        digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a: str, b: str) -> float:
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    weak = {n: contrast(colours[n], colours["card"]) for n in names}
    assert {n: round(c, 1) for n, c in weak.items() if c < 4.5} == {}


def test_it_prints(page: Browser, tmp_path: Path) -> None:
    import base64

    data = page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})["data"]
    pdf = base64.b64decode(data)
    assert pdf.startswith(b"%PDF")
    assert 2 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 20


@pytest.fixture(scope="module")
def site(lake: Lake) -> Iterator[str]:
    with ReportServer(lake, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


def wait(browser: Browser, selector: str, text: str) -> None:
    """A click may return before its page is there."""
    for _ in range(600):
        with contextlib.suppress(Exception):  # the old page may go while it is asked
            found = browser.js(f"return document.querySelector('{selector}')?.innerText ?? ''")
            if text in found:
                return
        time.sleep(0.1)
    raise AssertionError(f"{text!r} never came")


def test_serve_picks_periods_and_drills_down(browser: Browser, site: str) -> None:
    browser.size(1200)
    browser.open("about:blank")
    browser.requests()
    browser.console()
    browser.open(site)
    wait(browser, "h1", "22.118.64.9")
    browser.driver.find_element("link text", "6 hours").click()
    wait(browser, ".period", "04 Aug 2026 06:00")
    browser.open(site)
    browser.driver.find_element("css selector", "#rejected table tbody a").click()
    wait(browser, "h1", "port 312")
    assert browser.js("return document.querySelectorAll('#flows tbody tr').length") == 200
    browser.driver.find_element("partial link text", "later").click()
    wait(browser, "main", "← earlier")
    assert browser.js("return document.querySelectorAll('#flows tbody tr').length") == 200
    browser.js("document.querySelector('[name=since]').value = '2026-08-03T12:00'")
    browser.driver.find_element("css selector", "form button").click()
    wait(browser, ".period", "03 Aug 2026 12:00")
    assert browser.console() == []
    own = (site, "about:", "data:")
    assert [u for u in browser.requests() if not u.startswith(own)] == []


def test_500_findings_open_fast(browser: Browser, report: Report, tmp_path: Path) -> None:
    first = report.findings[0]
    actors = tuple(
        dataclasses.replace(first.actors[0], address=f"198.51.100.{n}") for n in range(20)
    )
    many = tuple(
        dataclasses.replace(first, id=f"{n:032x}", actors=actors, title=f"{first.title} ({n})")
        for n in range(500)
    )
    path = tmp_path / "many.html"
    path.write_text(render_html(dataclasses.replace(report, findings=many)), encoding="utf-8")
    assert path.stat().st_size < 5_000_000
    browser.size(1200)
    browser.open(path.as_uri())
    browser.driver.execute_cdp_cmd("Performance.enable", {})
    browser.open(path.as_uri())
    metrics = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    spent = {m["name"]: m["value"] for m in metrics}
    # Seconds that the page's main thread worked, which a busy machine stretches less than a clock.
    assert spent["ScriptDuration"] + spent["LayoutDuration"] + spent["RecalcStyleDuration"] < 2
