"""How right a table of sessions is: who called, how many bytes, what is exposed.

A session belongs to the connections that have its five-tuple (in either order; for ICMP its pair
of addresses) and overlap it in time. Invariant: a connection's caller is right only when every
session that holds a part of it says so; missing counts as wrong, undecided as wrong but where the
records cannot tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .truth import Truth

SLACK_S = 5  # records start late and hops take time
COLUMNS = {
    name: name
    for name in (
        "client", "server", "client_port", "server_port", "protocol", "first_seen", "last_seen",
        "packets_out", "packets_in", "bytes_out", "bytes_in", "decided_by", "outcome",
    )
}  # fmt: skip
UNDECIDED = "undecided"

Key = tuple[int, str, int, str, int]


@dataclass
class Tally:
    """Connections of a kind by verdict."""

    total: int = 0
    right: int = 0
    undecided: int = 0
    excused: int = 0  # undecided where records cannot tell: right
    turned: int = 0
    missing: int = 0
    split: int = 0  # more than one session

    @property
    def share(self) -> float:
        """Right answers, excused ones among them."""
        return (self.right + self.excused) / self.total if self.total else 1.0

    @property
    def strict(self) -> float:
        """Right answers alone."""
        return self.right / self.total if self.total else 1.0


@dataclass
class Score:
    """What `score` found; `text` shows it."""

    kinds: dict[str, Tally] = field(default_factory=dict)
    asides: dict[str, Tally] = field(default_factory=dict)  # kinds that count in no share
    everything: Tally = field(default_factory=Tally)
    legs: Tally = field(default_factory=Tally)  # other five-tuples under which a connection shows
    hostile: Tally = field(default_factory=Tally)
    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)  # (true, told), when told
    merged: int = 0  # sessions that hold more than one connection
    invented: int = 0  # sessions that hold none
    bytes_by_leg: dict[str, int] = field(default_factory=dict)
    true_bytes: int = 0
    internet: dict[str, tuple[int, int]] = field(default_factory=dict)  # session, true
    pairs: list[tuple[str, str, int, int]] = field(default_factory=list)  # worst first
    wrong_pairs: int = 0  # off by more than 1 %
    inexact_pairs: int = 0  # off by a byte
    true_pairs: int = 0
    wrong: list[dict[str, Any]] = field(default_factory=list)  # examples

    @property
    def bytes_ratio(self) -> float:
        """Bytes of all sessions to the truth."""
        return sum(self.bytes_by_leg.values()) / max(1, self.true_bytes)

    def text(self, kinds: int = 40) -> str:
        """A page for people, worst kinds first."""
        every, hostile = self.everything, self.hostile
        lines = [
            f"callers right   {_percent(every)}   hostile {_percent(hostile)}",
            f"  strict (undecided always wrong) {every.strict:.4%}   hostile {hostile.strict:.4%}",
            f"  turned {every.turned:,}, undecided {every.undecided:,}, missing {every.missing:,}",
            f"  undecided as nobody can tell {every.excused:,}, split {every.split:,}",
            f"  sessions of several connections {self.merged:,}, of none {self.invented:,}",
            f"other legs      {_percent(self.legs)}",
            f"bytes           {self.bytes_ratio:.4f} x the truth ({self.true_bytes:,})",
        ]
        told = sorted(self.outcomes.items(), key=lambda o: (o[0][0] == o[0][1], -o[1]))
        lines += [f"  outcome {true} told as {said}: {n:,}" for (true, said), n in told[:12]]
        lines += [
            f"  {leg:<13} {size / max(1, self.true_bytes):8.4f}  {size:,}"
            for leg, size in sorted(self.bytes_by_leg.items(), key=lambda x: -x[1])
        ]
        lines += [
            f"  {name:<13} {got / max(1, true):8.4f}  {got:,} of {true:,}"
            for name, (got, true) in self.internet.items()
        ]
        lines.append(
            f"  pairs off by a byte {self.inexact_pairs:,}, by more than 1 % {self.wrong_pairs:,}, "
            f"of {self.true_pairs:,}"
        )
        lines += [f"    {a} {b}: {got:,} of {true:,}" for a, b, got, true in self.pairs[:5]]
        lines.append(
            "kind                          right       n  turned undecided excused missing split"
        )
        ranked = sorted(self.kinds.items(), key=lambda k: (k[1].share, k[0]))
        ranked = ranked[:kinds]
        ranked += [(f"({name}, in no share)", tally) for name, tally in self.asides.items()]
        lines += [
            f"  {name:<26} {t.share:8.3%} {t.total:7,} {t.turned:7,} {t.undecided:9,} {t.excused:7,}"
            f" {t.missing:7,} {t.split:5,}"
            for name, t in ranked
        ]
        return "\n".join(lines)


def rows_of(sessions: Any, columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Rows under this module's names, of an Arrow table or of mappings. `columns`: ours to theirs."""
    if hasattr(sessions, "column_names"):
        names = {n: c for n, c in columns.items() if c in sessions.column_names}
        lists = [sessions.column(c).to_pylist() for c in names.values()]
        for values in zip(*lists, strict=True):
            yield dict(zip(names, values, strict=True))
    else:
        for row in sessions:
            yield {n: row[c] for n, c in columns.items() if c in row}


def key_of(protocol: int, a: str, a_port: int, b: str, b_port: int) -> Key:
    """The five-tuple, the same from both sides; addresses alone for ICMP."""
    if protocol in (1, 58):
        a_port = b_port = 0
    return (protocol, *min((a, a_port, b, b_port), (b, b_port, a, a_port)))


def score(
    truth: Truth,
    sessions: Iterable[Mapping[str, Any]] | Any,
    columns: Mapping[str, str] = COLUMNS,
    undecided: str = UNDECIDED,
) -> Score:
    """Compares sessions with the truth.

    `columns` maps this module's names to the table's; `decided_by` says `undecided` where the
    caller is not told. `refused_bytes_out` and `refused_bytes_in`, when mapped, are added to the
    bytes, which else are held to count refused packets too. `counted`, when mapped, is false for
    sessions whose packets another one counts; their bytes are left out.
    """
    return _Judge(truth, undecided).judge(rows_of(sessions, columns))


def _percent(tally: Tally) -> str:
    return f"{tally.share:.4%} of {tally.total:,}"


class _Judge:
    def __init__(self, truth: Truth, undecided: str) -> None:
        self.undecided = undecided
        self.truth = truth.connections.to_pylist()
        self.summary = truth.summary
        self.by_number = {c["number"]: i for i, c in enumerate(self.truth)}
        self.index: dict[Key, list[tuple[int, str, str, int]]] = defaultdict(list)
        for i, c in enumerate(self.truth):
            key = key_of(
                c["protocol"], c["client"], c["client_port"], c["server"], c["server_port"]
            )
            self.index[key].append((i, "true", c["client"], c["client_port"]))
        for leg in truth.legs.to_pylist():
            i = self.by_number[leg["number"]]
            protocol = self.truth[i]["protocol"]
            key = key_of(
                protocol, leg["client"], leg["client_port"], leg["server"], leg["server_port"]
            )
            self.index[key].append((i, leg["leg"], leg["client"], leg["client_port"]))
        # Per connection: verdicts under the true five-tuple, and under others.
        self.verdicts: list[dict[str, list[int]]] = [{} for _ in self.truth]
        self.ours = set(truth.summary["addresses"])
        self.result = Score()

    def judge(self, rows: Iterator[dict[str, Any]]) -> Score:
        pairs: dict[tuple[str, str], int] = defaultdict(int)
        legs: dict[str, int] = defaultdict(int)
        internet = [0, 0]
        for row in rows:
            leg = self._match(row)
            if row.get("counted") is False:
                continue
            out = (row["bytes_out"] or 0) + (row.get("refused_bytes_out") or 0)
            back = (row["bytes_in"] or 0) + (row.get("refused_bytes_in") or 0)
            legs[leg] += out + back
            a, b = sorted((row["client"], row["server"]))
            pairs[a, b] += out + back
            mine, other = row["client"] in self.ours, row["server"] in self.ours
            if mine != other and leg != "endpoint":
                internet[0] += out if mine else back
                internet[1] += back if mine else out
        self._callers()
        self._bytes(pairs, internet)
        self.result.bytes_by_leg = dict(legs)
        return self.result

    def _match(self, row: dict[str, Any]) -> str:
        """Notes the row's answer with its connections; the leg that it shows."""
        key = key_of(
            row["protocol"], row["client"], row["client_port"], row["server"], row["server_port"]
        )
        found = [
            entry
            for entry in self.index.get(key, ())
            if self.truth[entry[0]]["first_seen"] - SLACK_S <= row["last_seen"]
            and self.truth[entry[0]]["last_seen"] + SLACK_S >= row["first_seen"]
        ]
        if not found:
            self.result.invented += 1
            return "unmatched"
        if len(found) > 1:
            self.result.merged += 1
        for i, leg, client, client_port in found:
            if row.get("decided_by") == self.undecided:
                verdict = 0
            else:
                same = row["client"] == client and (
                    key[0] in (1, 58)
                    or row["client_port"] == client_port
                    or row["client"] == row["server"]
                )
                verdict = 1 if same else -1
            if row.get("outcome") and leg == "true":
                pair = (self.truth[i]["outcome"], row["outcome"])
                self.result.outcomes[pair] = self.result.outcomes.get(pair, 0) + 1
            self.verdicts[i].setdefault("true" if leg == "true" else "leg", []).append(verdict)
        i, leg, *_ = found[0]
        if leg == "true" and self.truth[i]["boundary"] == "endpoint":
            return "endpoint"
        return leg

    def _callers(self) -> None:
        for connection, verdicts in zip(self.truth, self.verdicts, strict=True):
            scored, icmp = connection["scored"], connection["outcome"] == "error"
            kinds = self.result.kinds if scored else self.result.asides
            tally = kinds.setdefault("icmp-errors" if icmp else connection["kind"], Tally())
            if verdicts.get("leg"):
                self._count(self.result.legs, _verdict(verdicts["leg"], undecidable=False))
            given = verdicts.get("true") or verdicts.get("leg") or []
            name = _verdict(given, undecidable=connection["undecidable"])
            tallies = [tally, self.result.everything] if scored else [tally]
            tallies += [self.result.hostile] if scored and connection["hostile"] else []
            for each in tallies:
                self._count(each, name)
                each.split += len(verdicts.get("true", ())) > 1
            if (
                scored
                and name in ("turned", "missing", "undecided")
                and len(self.result.wrong) < 2000
            ):
                self.result.wrong.append({**connection, "verdict": name})

    @staticmethod
    def _count(tally: Tally, name: str) -> None:
        tally.total += 1
        setattr(tally, name, getattr(tally, name) + 1)

    def _bytes(self, pairs: Mapping[tuple[str, str], int], internet: list[int]) -> None:
        true: dict[tuple[str, str], int] = defaultdict(int)
        for c in self.truth:
            a, b = sorted((c["client"], c["server"]))
            true[a, b] += sum(
                c[n] for n in ("bytes_out", "bytes_in", "refused_bytes_out", "refused_bytes_in")
            )
        result = self.result
        result.true_bytes = sum(true.values())
        result.true_pairs = len(true)
        off = [(a, b, pairs.get((a, b), 0), size) for (a, b), size in true.items()]
        off += [(a, b, size, 0) for (a, b), size in pairs.items() if (a, b) not in true]
        off = [p for p in off if p[2] != p[3]]
        result.inexact_pairs = len(off)
        result.wrong_pairs = sum(abs(p[2] - p[3]) > 0.01 * p[3] for p in off)
        result.pairs = sorted(off, key=lambda p: -abs(p[2] - p[3]))
        result.internet = {
            "internet out": (internet[0], self._internet("out")),
            "internet in": (internet[1], self._internet("in")),
        }

    def _internet(self, way: str) -> int:
        """Bytes over the internet's edge, refused ones and probes at gateways with them."""
        size = 0
        for c in self.truth:
            if c["boundary"] in ("internet", "gateway"):
                mine = c["client"] in self.ours
                name = way if mine else ("in" if way == "out" else "out")
                size += c[f"bytes_{name}"] + c[f"refused_bytes_{name}"]
        return size


def _verdict(given: list[int], *, undecidable: bool) -> str:
    if not given:
        return "missing"
    if min(given) < 0:
        return "turned"
    if 0 in given:
        return "excused" if undecidable else "undecided"
    return "right"


def exposure(truth: Truth, rows: Iterable[tuple[str, int, int]]) -> dict[str, list[Any]]:
    """What an answer's exposed (address, port, protocol) rows found, missed and made up."""
    true = {(a, p, n): who for a, p, n, who in truth.summary["exposed"]}
    given = list(dict.fromkeys(rows))
    return {
        "found": [r for r in given if r in true],
        "missed": [(*r, who) for r, who in true.items() if r not in given],
        "never_answered": [r for r in given if r not in true],
    }


def internet(
    truth: Truth, rows: Iterable[tuple[str, str, int, int]]
) -> list[tuple[str, str, tuple[int, int], tuple[int, int]]]:
    """Where an answer's (ours, theirs, bytes out, bytes in) differ from the truth, largest first.

    Each is (ours, theirs, told, true); true are accepted bytes over the internet's edge.
    """
    true = {(a, b): (out, back) for a, b, out, back, *_ in truth.summary["internet_pairs"]}
    told: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for a, b, out, back in rows:
        told[a, b] = (told[a, b][0] + out, told[a, b][1] + back)
    off = [
        (*pair, told.get(pair, (0, 0)), true.get(pair, (0, 0)))
        for pair in {*true, *told}
        if told.get(pair, (0, 0)) != true.get(pair, (0, 0))
    ]
    return sorted(off, key=lambda o: (-abs(sum(o[2]) - sum(o[3])), o[:2]))
