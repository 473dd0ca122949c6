"""Threshold random walk: is a stranger who touches one address after the other a scanner?

Jung, Paxson, Berger, Balakrishnan, IEEE S&P 2004 (doi 10.1109/SECPRI.2004.1301325). One outcome
per first contact with each target; a success speaks for a benign host, a failure for a scanner.
The walk ends at the first bound that it reaches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

Verdict = Literal["scanner", "benign", "undecided"]


@dataclass(frozen=True, slots=True)
class Walk:
    """Probabilities of a success from a benign host and from a scanner, and the two errors."""

    benign_success: float = 0.8
    scanner_success: float = 0.2
    false_positive: float = 0.01
    detection: float = 0.99

    def steps(self) -> tuple[float, float]:
        """What a success and a failure add to the logarithm of the likelihood ratio."""
        success = math.log(self.scanner_success / self.benign_success)
        failure = math.log((1 - self.scanner_success) / (1 - self.benign_success))
        return success, failure

    def bounds(self) -> tuple[float, float]:
        """Logarithms of the bounds: up to the first benign, from the second on a scanner."""
        low = math.log((1 - self.detection) / (1 - self.false_positive))
        return low, math.log(self.detection / self.false_positive)


def decide(successes: Iterable[bool], walk: Walk) -> tuple[Verdict, int]:
    """Walk over the outcomes of first contacts in order; the verdict and the steps it took."""
    success, failure = walk.steps()
    low, high = walk.bounds()
    ratio, taken = 0.0, 0
    for taken, good in enumerate(successes, 1):
        ratio += success if good else failure
        if ratio >= high - 1e-9:
            return "scanner", taken
        if ratio <= low + 1e-9:
            return "benign", taken
    return "undecided", taken


def rows(table: Any, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Judge each (day, client) of rows that are first contacts with a target, in order of time.

    Rows give `day, client, resource, target, port, first_seen, last_seen, success, closed,
    refused, sessions, packets, bytes`. A scanner becomes one row per resource. Whoever failed on
    `many_ports` ports of one host is one too: an open port first does not excuse the rest.
    """
    walk = Walk(
        float(params["benign_success"]),
        float(params["scanner_success"]),
        float(params["false_positive"]),
        float(params["detection"]),
    )
    if table.num_rows == 0:
        return []
    names = ["day", "client", "first_seen", "target"]
    table = table.sort_by([(name, "ascending") for name in names])
    data = {name: table.column(name).to_pylist() for name in table.column_names}
    found = []
    for low, high in pairwise(_starts(data["day"], data["client"])):
        verdict, steps = decide(map(bool, data["success"][low:high]), walk)
        scanner = verdict == "scanner" and high - low >= params["min_targets"]
        if not scanner and high - low < params["many_ports"]:
            continue
        for row in _by_resource(data, low, high, steps):
            many = row["failed"] >= params["many_ports"] and row["failed"] * 2 >= row["targets"]
            if scanner or many:
                row["severity"] = _severity(row, many)
                found.append(row)
    return found


def _starts(days: list[int], clients: list[str]) -> list[int]:
    """Where each (day, client) begins in sorted columns, and where the last one ends."""
    changes = [
        i for i in range(1, len(days)) if clients[i] != clients[i - 1] or days[i] != days[i - 1]
    ]
    return [0, *changes, len(days)]


def _severity(row: Mapping[str, Any], many: bool) -> float:
    """Refused knocks are the internet's weather; many ports that let packets through are not."""
    if many and (row["let_through"] >= row["targets"] / 4 or row["answered"]):
        return 5.0
    if many:
        return 4.0 if row["failed"] >= 100 else 3.0
    return 3.0 if row["answered"] else 2.0


def _by_resource(
    data: Mapping[str, list[Any]], low: int, high: int, steps: int
) -> list[dict[str, Any]]:
    places: dict[str, list[int]] = {}
    for i in range(low, high):
        places.setdefault(str(data["resource"][i]), []).append(i)
    made = []
    for resource, mine in sorted(places.items()):
        answered = sum(1 for i in mine if data["success"][i])
        made.append(
            {
                "day": data["day"][low],
                "resource": resource,
                "dedup": "inbound",
                "actor": data["client"][low],
                "first_seen": min(data["first_seen"][i] for i in mine),
                "last_seen": max(data["last_seen"][i] for i in mine),
                "flows": sum(data["sessions"][i] for i in mine),
                "packets": sum(data["packets"][i] for i in mine),
                "bytes": sum(data["bytes"][i] for i in mine),
                "targets": len(mine),
                "failed": len(mine) - answered,
                "answered": answered,
                "let_through": sum(1 for i in mine if data["closed"][i] or data["success"][i]),
                "targets_in_all": high - low,
                "decided_after": steps,
                "ports": sorted({data["port"][i] for i in mine})[:20],
            }
        )
    return made
