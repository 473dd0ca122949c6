"""Plots of what the benchmarks measured: medians as bars, the range of the runs as lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt

TITLES = {
    "ingest": "Ingest: flowscan and its peers",
    "small": "The same records in many and in few files",
    "kinds": "Other formats",
}


def plot(numbers: dict[str, Any], folder: Path) -> None:
    """Draw every section of `Bench.numbers` that has a plot."""
    for section, series in numbers.items():
        if section in TITLES:
            chart = bars(rows_of(series), TITLES[section])
        elif section == "scale":
            chart = curves(rows_of(series))
        else:
            continue
        chart.save(str(folder / f"{section}.svg"))


def rows_of(series: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each run."""
    return [
        {
            "name": name,
            "records": run["records"],
            "seconds": wall,
            "rate": run["records"] / wall,
            "memory": memory / 1e6,
        }
        for name, run in series.items()
        for wall, memory in zip(run["wall"], run["rss"], strict=True)
    ]


def bars(rows: list[dict[str, Any]], title: str) -> alt.LayerChart:
    """Records per second of each series."""
    base = alt.Chart(alt.Data(values=rows), title=f"{title} (median and range)").encode(
        y=alt.Y("name:N", sort=alt.EncodingSortField("rate", "median", "descending"), title=None)
    )
    median = base.mark_bar().encode(x=alt.X("median(rate):Q", title="records per second"))
    runs = base.mark_rule(size=2, color="black").encode(x="min(rate):Q", x2="max(rate):Q")
    ends = base.mark_tick(thickness=2, color="black", size=10).encode(x="rate:Q")
    return (median + runs + ends).properties(width=520)


def curves(rows: list[dict[str, Any]]) -> alt.HConcatChart:
    """Time and memory by the number of records; linear is a straight line of slope one."""
    base = alt.Chart(alt.Data(values=rows)).mark_line(point=True)
    records = alt.X("records:Q", scale=alt.Scale(type="log"), title="records")
    seconds = alt.Y("median(seconds):Q", scale=alt.Scale(type="log"), title="seconds")
    memory = alt.Y("median(memory):Q", scale=alt.Scale(zero=True), title="peak memory, MB")
    time = base.encode(x=records, y=seconds).properties(title="Time", width=260)
    return time | base.encode(x=records, y=memory).properties(title="Memory", width=260)
