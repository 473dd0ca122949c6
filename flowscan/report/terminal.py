"""The report in a terminal: a verdict, a few tables, small bars; from 80 columns up.

Invariant: every text goes through `plain` into a rich Text, so neither control characters nor
brackets in hostile data reach the terminal as such; no line is wider than asked for.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flowscan.net.services import protocol_name
from flowscan.report.model import Report
from flowscan.report.wording import gateway_of
from flowscan.text import bar, change, human_bytes, human_count, human_duration, plain

COLORS = {
    "critical": "bold magenta",
    "high": "bold red",
    "medium": "yellow",
    "low": "blue",
    "informational": "dim",
    "ok": "bold green",
    "unknown": "bold",
}
MARKS = {"critical": "◆", "high": "▲", "medium": "●", "low": "■", "informational": "·"}
_SPARKS = "▁▂▃▄▅▆▇█"


def render(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The report as text for a terminal of `width` columns, with ANSI colours if asked for."""
    from rich.console import Console

    stream = io.StringIO()
    system: Any = "standard" if color else None
    out = Console(
        file=stream,
        width=max(60, width),
        color_system=system,
        force_terminal=color,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    _Page(out, report).print()
    # Trailing blanks are noise in a pipe and in a diff.
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


class _Page:
    """Prints the sections one after the other on one console."""

    def __init__(self, out: Any, report: Report) -> None:
        self.out = out
        self.r = report
        self.wide = out.width >= 120

    def print(self) -> None:
        self._verdict()
        if not self.r.is_empty:
            self._figures()
            self._timeline()
            self._findings()
            self._matches()
            self._rejected()
            self._exposure()
            self._talkers()
        elif self.r.known is None:
            self._say("Bring logs in: flowscan ingest ./logs, or s3://BUCKET/AWSLogs/")
        else:
            self._say("Another period: flowscan report --since 2026-08-01 --until 2026-08-08")
        if self.r.quality.records or self.r.coverage:
            self._coverage()

    def _text(self, text: str, style: str = "") -> Any:
        from rich.text import Text

        return Text(plain(text), style=style)

    def _say(self, text: str, style: str = "") -> None:
        self.out.print(self._text(text, style))

    def _title(self, text: str, note: str = "") -> None:
        line = self._text(text, "bold underline")
        if note:
            line.append(f"  {plain(note)}", "dim")
        self.out.print()
        self.out.print(line)

    def _table(self, heads: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> None:
        """A table; a head is a name and its kind: left, right, fold or bar."""
        from rich import box
        from rich.table import Table

        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
        for name, kind in heads:
            grid.add_column(
                name,
                justify="right" if kind == "right" else "left",
                no_wrap=kind != "fold",
                overflow="fold" if kind == "fold" else "ellipsis",
                ratio=1 if kind == "fold" else None,
            )
        for row in rows:
            grid.add_row(*(c if hasattr(c, "plain") else self._text(str(c)) for c in row))
        self.out.print(grid)

    def _verdict(self) -> None:
        r, period = self.r, self.r.overview.period
        if r.known is None:
            self._say(r.verdict, "bold")
            return
        span = f"{_day(period.since)} to {_day(period.until)} UTC, {human_duration(period.seconds)}"
        self._say(span, "dim")
        asked = self.r.overview.asked
        if asked:
            self._say(f"whole hours of {_day(asked.since)} to {_day(asked.until)} UTC", "dim")
        mark = MARKS.get(r.verdict_level, "")
        self._say(f"{mark} {r.verdict}".strip(), COLORS.get(r.verdict_level, "bold"))
        for line in (r.detail, r.tally):
            if line:
                self._say(line)

    def _figures(self) -> None:
        o = self.r.overview
        now, before = o.totals, o.previous
        share = f"{now.rejected / now.flows:.1%} of records" if now.flows else ""
        rows = []
        for name, shown, field, note in (
            ("records", human_count(now.flows), "flows", f"{human_count(now.accepted)} accepted"),
            ("refused", human_count(now.rejected), "rejected", share),
            (
                "bytes",
                human_bytes(now.bytes),
                "bytes",
                f"internet: {human_bytes(o.bytes_in)} in, {human_bytes(o.bytes_out)} out",
            ),
            (
                "addresses",
                human_count(o.public_addresses + o.local_addresses),
                "",
                f"{human_count(o.public_addresses)} of them public",
            ),
        ):
            old = change(getattr(now, field), getattr(before, field)) if before and field else None
            rows.append([name, self._text(shown, "bold"), old or "", self._text(note, "dim")])
        self.out.print()
        self._plain_grid(rows)

    def _plain_grid(self, rows: Sequence[Sequence[Any]]) -> None:
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        for justify in ("left", "right", "left", "left"):
            grid.add_column(justify=justify, no_wrap=True, overflow="ellipsis")
        for row in rows:
            grid.add_row(*(c if hasattr(c, "plain") else self._text(str(c)) for c in row))
        self.out.print(grid)

    def _timeline(self) -> None:
        buckets = self.r.timeline.buckets
        room = self.out.width - 12
        self.out.print()
        for name, values, style in (
            ("accepted", [b.accepted for b in buckets], "blue"),
            ("refused", [b.rejected for b in buckets], "yellow"),
            ("bytes", [b.bytes for b in buckets], "cyan"),
        ):
            line = self._text(f"{name:<10}")
            line.append(_spark(values, room), style)
            self.out.print(line)

    def _findings(self) -> None:
        found = self.r.findings
        self._title(
            "Findings", f"{human_count(len(found) + self.r.left.findings)}" if found else ""
        )
        if not found:
            self._say(
                "The detections found nothing in this period."
                if self.r.detected
                else "No detection has run yet: flowscan detect"
            )
            return
        heads = [("", "left"), ("finding", "fold"), ("seen", "right"), ("first", "left")]
        if self.wide:
            heads += [("last", "left"), ("type", "left")]
        rows = []
        for f in found[:20]:
            mark = self._text(f"{MARKS.get(f.label, '')} {f.label}", COLORS.get(f.label, ""))
            title = self._text("")
            title.append(plain(f.title), "bold")
            title.append(f"\n{plain(f.what)}" if f.what else "", "dim")
            row = [mark, title, human_count(f.count), _day(f.first_seen)]
            rows.append([*row, _day(f.last_seen), f.type] if self.wide else row)
        self._table(heads, rows)
        self._more(len(found) + self.r.left.findings - 20, "flowscan findings list")

    def _matches(self) -> None:
        passed, all_ = [m for m in self.r.matches if m.passed], self.r.matched
        note = f"{human_count(all_.passed)} got through" if self.r.matches else ""
        self._title("Listed addresses", note)
        if not self.r.feeds:
            self._say("No feeds yet: flowscan feeds add tor-exit")
            return
        if not self.r.matches:
            self._say("None was met in this period, or none was looked for: flowscan match")
            return
        heads = [("address", "left"), ("feed", "fold"), ("with", "left"), ("accepted", "right")]
        heads += [("refused", "right"), ("bytes", "right")]
        if self.wide:
            heads += [("ports", "left"), ("last", "left")]
        rows = []
        for m in passed[:12]:
            others = f" +{len(m.local) - 1}" if len(m.local) > 1 else ""
            row = [
                m.address,
                m.feed,
                m.local[0] + others if m.local else "",
                human_count(m.accepted),
            ]
            row += [human_count(m.refused), human_bytes(m.bytes)]
            ports = ", ".join(str(p) for p in m.ports[:4])
            rows.append([*row, ports, _day(m.last_seen)] if self.wide else row)
        if rows:
            self._table(heads, rows)
        self._more(all_.passed - len(rows), "flowscan match")
        unclear = [m.address for m in passed[:12] if m.undecided]
        if unclear:
            self._say(f"It is undecided who called: {', '.join(unclear)}.", "dim")
        for count, one, several in (
            (all_.own, "is our own address", "are our own addresses"),
            (all_.vain, "was called by ours in vain", "were called by ours in vain"),
            (all_.refused, "only knocked and was refused", "only knocked and were refused"),
        ):
            if count:
                self._say(f"{human_count(count)} more {one if count == 1 else several}.", "dim")

    def _rejected(self) -> None:
        ports = self.r.rejected_ports
        self._title("Refused ports")
        if not ports:
            self._say("No record was refused in this period.")
            return
        room = 40 if self.wide else 16
        heads = [("port", "left"), ("service", "left"), ("records", "right"), ("", "left")]
        heads += [("sources", "right"), ("targets", "right")]
        if self.wide:
            heads += [("busiest source", "left"), ("last", "left")]
        rows = []
        for p in ports[:12]:
            name = f"{p.port}/{protocol_name(p.protocol)}"
            shown = self._text(bar(p.flows, ports[0].flows, room), "yellow")
            row: list[Any] = [name, p.service, human_count(p.flows), shown]
            row += [human_count(p.sources), human_count(p.targets)]
            first = p.top_sources[0][0] if p.top_sources else ""
            rows.append([*row, first, _day(p.last_seen)] if self.wide else row)
        self._table(heads, rows)

    def _exposure(self) -> None:
        self._title("What answers the internet")
        if not self.r.exposure:
            self._say("No port of yours answered a public address.")
            self._probed()
            return
        heads = [("address", "fold"), ("port", "left"), ("", "left"), ("sources", "right")]
        heads += [("connections", "right"), ("bytes in", "right")]
        rows = []
        for e in self.r.exposure[:12]:
            mark = self._text(
                ("▲ sensitive" if self.wide else "▲") if e.sensitive else "", "yellow"
            )
            port = f"{e.port}/{protocol_name(e.protocol)} {e.service}".rstrip()
            row: list[Any] = [e.address, port, mark, human_count(e.sources)]
            rows.append([*row, human_count(e.connections), human_bytes(e.bytes)])
        self._table(heads, rows)
        self._more(len(self.r.exposure) + self.r.left.exposure - 12, "flowscan query --list")
        self._probed()

    def _probed(self) -> None:
        if self.r.probed:
            self._say(
                f"{human_count(self.r.probed)} connections from outside got no answer.", "dim"
            )

    def _talkers(self) -> None:
        talkers = self.r.talkers
        if not talkers:
            return
        self._title("Pairs that exchanged most")
        heads = [("from", "left"), ("to", "left"), ("bytes", "right"), ("", "left")]
        heads += [("connections", "right")]
        room = 50 if self.wide else 18
        rows = [
            [
                t.source,
                t.destination,
                human_bytes(t.bytes),
                self._text(bar(t.bytes, talkers[0].bytes, room), "cyan"),
                human_count(t.connections),
            ]
            for t in talkers[:10]
        ]
        self._table(heads, rows)
        unclear = self.r.overview.undecided
        if unclear.connections:
            self._say(
                f"Who called is unknown for {human_count(unclear.connections)} connections"
                f" ({human_bytes(unclear.bytes)}).",
                "dim",
            )

    def _coverage(self) -> None:
        q = self.r.quality
        self._title("Coverage")
        self._say(
            f"{human_count(q.records)} records = {human_count(q.flows)} flows + "
            f"{human_count(q.nodata)} NODATA + {human_count(q.skipdata)} SKIPDATA + "
            f"{human_count(q.rejects)} rejects; {human_count(q.sources)} log file"
            + ("s" if q.sources != 1 else "")
            + (f", {human_count(q.refused_sources)} refused" if q.refused_sources else "")
        )
        for c in self.r.coverage:
            if c.nat:
                self._say(f"{c.interface} {c.label}: {gateway_of(c)}")
        worst = [c for c in self.r.coverage if c.skipdata or c.silent_hours]
        if worst:
            heads = [("interface", "left"), ("address", "left"), ("records", "right")]
            heads += [("silent hours", "right"), ("windows lost", "right")]
            rows = [
                [
                    c.interface or "–",
                    c.label,
                    human_count(c.flows),
                    human_count(c.silent_hours),
                    human_count(c.skipdata),
                ]
                for c in worst[:8]
            ]
            self._table(heads, rows)

    def _more(self, count: int, command: str) -> None:
        if count > 0:
            self._say(f"{human_count(count)} more: {command}", "dim")


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %H:%M}"


def _spark(values: Sequence[int], room: int) -> str:
    """One character per step, or per few steps where they are too many: the highest of them."""
    every = -(-len(values) // room)
    tops = [max(values[i : i + every]) for i in range(0, len(values), every)]
    most = max(tops, default=0)
    return "".join(_SPARKS[min(7, v * 8 // most)] if v else " " for v in tops)
