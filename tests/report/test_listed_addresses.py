"""Listed addresses: what got through is told by the rank of the match, and who called by it too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import DAY, MATCHED, SAMPLE, fill

from flowscan.ingest import ingest
from flowscan.lake import Lake
from flowscan.report import (
    Report,
    build,
    render_html,
    render_json,
    render_markdown,
    render_terminal,
)
from flowscan.report.listed import Matched
from flowscan.report.verdict import verdict
from flowscan.sources import SourceOptions, open_source

NOON = DAY + 36 * 3600


def met(
    address: str, rank: int | None, direction: str, action: str = "ACCEPT"
) -> dict[str, object]:
    return MATCHED | {"address": address, "rank": rank, "direction": direction, "action": action}


ROWS = [
    met("26.0.0.1", 1, "outbound"),
    met("26.0.0.2", 2, "undecided"),
    met("26.0.0.2", 6, "inbound", "REJECT"),
    met("26.0.0.3", 3, "undecided"),
    met("26.0.0.3", 3, "inbound"),
    met("26.0.0.4", 4, "own"),
    met("26.0.0.5", 5, "outbound"),
    met("26.0.0.6", 6, "inbound", "REJECT"),
    met("26.0.0.7", None, "inbound"),
]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Report:
    lake = Lake.open(tmp_path_factory.mktemp("listed") / "lake", create=True)
    ingest(lake, [open_source(str(SAMPLE / "logs"), SourceOptions())])
    fill(lake, "matches", ROWS)
    fill(lake, "indicators", [{"feed": "sample-blocklist", "indicator": "26.0.0.0/8"}])
    return build(lake, now=NOON)


def test_only_the_first_three_ranks_got_through(listed: Report) -> None:
    passed = {m.address for m in listed.matches if m.passed}
    assert passed == {"26.0.0.1", "26.0.0.2", "26.0.0.3"}
    assert {m.address for m in listed.matches[:3]} == passed
    assert {m.address for m in listed.matches if m.undecided} == {"26.0.0.2"}
    assert listed.matched == Matched(passed=3, undecided=1, own=1, vain=1, refused=2)


def test_the_verdict(listed: Report) -> None:
    said = verdict(listed).sentence
    assert said == ("Traffic with 3 listed addresses got through; of 1 it is undecided who called.")
    none = replace(listed, matched=Matched(own=2, vain=3, refused=4))
    assert "got through" not in verdict(none).sentence + verdict(none).tally


@pytest.mark.parametrize("width", [80, 140])
def test_the_terminal(listed: Report, width: int) -> None:
    shown = render_terminal(listed, width=width)
    assert "3 got through" in shown
    assert "It is undecided who called: 26.0.0.2." in shown
    for line in ("1 more is our own address.", "1 more was called by ours in vain."):
        assert line in shown
    assert "2 more only knocked and were refused." in shown
    assert "26.0.0.4 " not in shown


def test_other_formats(listed: Report) -> None:
    text = render_markdown(listed)
    for row in (
        "| 26.0.0.1 | sample-blocklist | got through | outbound |",
        "| 26.0.0.2 | sample-blocklist | got through | undecided |",
        "| 26.0.0.4 | sample-blocklist | our own address | own |",
        "| 26.0.0.5 | sample-blocklist | called in vain | outbound |",
        "| 26.0.0.6 | sample-blocklist | refused | inbound |",
    ):
        assert row in text
    page = render_html(listed)
    assert "<b>3</b> listed addresses got through. Of 1 it is undecided who called." in page
    assert "1 of our own, 1 that ours called in vain, 2 that only knocked" in page
    assert '"undecided": true' in render_json(listed)
