"""The charts in a real browser: numbers by mouse and by keyboard, picking a time, the legend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser, chromium, installed

from flowscan.lake import Lake
from flowscan.report import Report, render_html
from flowscan.report import html as pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="Chromium and its driver are not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CHART = "#timeline .chart.wide"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, report: Report, tmp_path: Path) -> Browser:
    path = tmp_path / "report.html"
    path.write_text(render_html(report), encoding="utf-8")
    browser.size(1200)
    browser.open("about:blank")
    browser.console()
    browser.open(path.as_uri())
    return browser


def tip(page: Browser) -> str:
    return page.js("const t = document.querySelector('#tip'); return t.hidden ? '' : t.innerText")


def keys(page: Browser, *names: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(page.driver).send_keys(*(getattr(Keys, n) for n in names)).perform()


def move(page: Browser, selector: str, *, click: bool = False, to: str | None = None) -> None:
    """Move the mouse to the middle of an element; click there, or drag on to another one."""
    from selenium.webdriver.common.action_chains import ActionChains

    def middle(of: str) -> tuple[int, int]:
        x, y = page.js(
            "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]".replace("arguments[0]", repr(of))
        )
        return round(x), round(y)

    page.js(f"document.querySelector({CHART!r}).scrollIntoView({{block: 'center'}})")
    chain = ActionChains(page.driver)
    chain.w3c_actions.pointer_action.move_to_location(*middle(selector))
    if click:
        chain.w3c_actions.pointer_action.click()
    if to:
        chain.w3c_actions.pointer_action.pointer_down()
        chain.w3c_actions.pointer_action.move_to_location(*middle(to))
        chain.w3c_actions.pointer_action.pointer_up()
    chain.perform()


def bar(start: int, series: str = "accepted") -> str:
    return f'{CHART} [data-b="{start}"][data-s="{series}"]'


def focus(page: Browser, selector: str) -> None:
    """Come to an element as Tab does."""
    page.js(f"document.querySelector({selector!r}).focus({{focusVisible: true}})")


def shown(page: Browser) -> int:
    return page.js(
        "return [...document.querySelectorAll('.finding')].filter(f => !f.hidden).length"
    )


def test_pointing_at_a_bar_says_all_numbers_of_its_time(page: Browser, report: Report) -> None:
    bucket = max(report.timeline.buckets, key=lambda b: b.rejected)
    move(page, bar(bucket.start))
    said = tip(page)
    assert f"{bucket.accepted:,} accepted" in said
    assert f"{bucket.rejected:,} refused" in said
    assert "MB" in said
    assert page.console() == []


def test_every_chart_speaks_to_the_keyboard(page: Browser) -> None:
    charts = page.js(
        "return [...document.querySelectorAll('.chart.wide')].map((c, i) => (c.id = 'c' + i))"
    )
    assert len(charts) == 4
    for name in charts:
        focus(page, f"#{name}")
        first = tip(page)
        assert first, name
        keys(page, "ARROW_DOWN" if name == "c1" else "ARROW_RIGHT")
        assert tip(page) not in {"", first}, name
        keys(page, "ESCAPE")
        assert tip(page) == ""
    assert page.js("return document.querySelectorAll('.chart title').length") == 0


def test_a_click_keeps_the_findings_of_that_time(page: Browser, report: Report) -> None:
    quiet = report.timeline.buckets[0].start
    busy = report.findings[0].first_seen // report.timeline.step * report.timeline.step
    move(page, bar(busy, "bytes"), click=True)
    assert shown(page) == len(report.findings)
    move(page, bar(quiet, "bytes"), click=True)
    assert shown(page) == 0
    assert page.js("return document.querySelector('#picked-findings').innerText") == "0 findings"
    assert page.js("return document.querySelectorAll('.chart .pick').length") >= 1
    page.js("document.querySelector('#picked-clear').click()")
    assert shown(page) == len(report.findings)
    assert page.js("return document.querySelector('#picked').hidden")


def test_dragging_picks_a_span(page: Browser, report: Report) -> None:
    buckets = report.timeline.buckets
    busy = next(
        i
        for i, b in enumerate(buckets)
        if b.start <= report.findings[0].first_seen < b.start + report.timeline.step
    )
    move(page, bar(buckets[2].start, "bytes"), to=bar(buckets[busy].start, "bytes"))
    assert shown(page) == len(report.findings)
    move(page, bar(buckets[2].start, "bytes"), to=bar(buckets[5].start, "bytes"))
    assert shown(page) == 0
    assert "00" in page.js("return document.querySelector('#picked-span').innerText")


def test_a_time_is_picked_and_widened_by_keyboard(page: Browser, report: Report) -> None:
    focus(page, CHART)
    keys(page, "END", "ENTER")
    assert not page.js("return document.querySelector('#picked').hidden")
    before = page.js("return document.querySelector('#picked-span').innerText")
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    chain = ActionChains(page.driver).key_down(Keys.SHIFT).send_keys(Keys.ARROW_LEFT)
    chain.key_up(Keys.SHIFT).perform()
    assert page.js("return document.querySelector('#picked-span').innerText") != before
    keys(page, "ESCAPE")
    assert page.js("return document.querySelector('#picked').hidden")


def test_a_mark_opens_its_finding_even_a_filtered_one(page: Browser, report: Report) -> None:
    page.js("document.querySelector('.f-severity[value=critical]').click()")
    mark = f'{CHART} [data-f="0"]'
    move(page, mark)
    assert report.findings[0].title in tip(page)
    page.js(
        f"document.querySelector('{mark}').dispatchEvent(new Event('click', {{bubbles: true}}))"
    )
    assert page.js("const f = document.querySelector('#finding-0'); return f.open && !f.hidden")
    assert page.js("return document.activeElement.closest('.finding').id") == "finding-0"


def test_the_legend_hides_a_series_and_scales_the_rest(page: Browser) -> None:
    def tallest(series: str) -> float:
        return page.js(
            f"return Math.max(...[...document.querySelectorAll('{CHART} [data-s={series}]')]"
            ".map(m => m.getBoundingClientRect().height))"
        )

    def axis() -> list[str]:
        return page.js(
            f"return [...document.querySelectorAll('{CHART} .y-flows:not(.off) text')]"
            ".map(t => t.innerHTML)"
        )

    before, labels = tallest("refused"), axis()
    assert len(labels) > 2
    page.js("document.querySelector('#legend [data-series=accepted]').click()")
    assert tallest("accepted") == 0
    assert tallest("refused") > before * 1.5
    assert axis() != labels
    page.js("document.querySelector('#legend [data-series=accepted]').click()")
    assert tallest("refused") == pytest.approx(before, abs=0.5)
    assert axis() == labels
    assert page.console() == []


def test_a_live_page_goes_to_the_picked_time(
    browser: Browser, report: Report, tmp_path: Path
) -> None:
    live = {"query": "", "periods": [], "path": "/", "since": "", "until": ""}
    path = tmp_path / "live.html"
    path.write_text(pages.render(report, live=live), encoding="utf-8")
    browser.size(1200)
    browser.open(path.as_uri())
    move(browser, bar(report.timeline.buckets[3].start, "bytes"), click=True)
    for name, start in (("report", "/?since=2026-08-03T"), ("flows", "/flows?since=2026-08-03T")):
        href = browser.js(f"return document.querySelector('#picked-{name}').getAttribute('href')")
        assert href.replace("%3A", ":").startswith(start)
        assert "until=" in href


def test_without_a_script_the_charts_and_tables_stand(
    browser: Browser, report: Report, lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "still.html"
    path.write_text(render_html(report), encoding="utf-8")
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(path.as_uri())
        page = browser.driver.page_source
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert page.count("<title>") > 300, "each mark says its numbers when pointed at"
    assert 'id="legend"' in page
    assert page.count("<summary>The numbers</summary>") >= 3
