"""Threshold random walk: is a stranger who touches one address after the other a scanner?

Jung, Paxson, Berger, Balakrishnan, IEEE S&P 2004 (doi 10.1109/SECPRI.2004.1301325). One outcome
per first contact with each target; a success speaks for a benign host, a failure for a scanner.
The walk ends at the first bound that it reaches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
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
    order = ("day", "client", "first_seen", "target")
    contacts = sorted(table.to_pylist(), key=lambda r: tuple(r[name] for name in order))
    found = []
    for _, group in groupby(contacts, key=lambda r: (r["day"], r["client"])):
        mine = list(group)
        verdict, steps = decide((bool(r["success"]) for r in mine), walk)
        scanner = verdict == "scanner" and len(mine) >= params["min_targets"]
        for row in _by_resource(mine, steps):
            many = row["failed"] >= params["many_ports"] and row["failed"] * 2 >= row["targets"]
            if scanner or many:
                row["severity"] = _severity(row, many)
                found.append(row)
    return found


def _severity(row: Mapping[str, Any], many: bool) -> float:
    """Refused knocks are the internet's weather; many ports that let packets through are not."""
    if many and (row["let_through"] >= row["targets"] / 4 or row["answered"]):
        return 5.0
    if many:
        return 4.0 if row["failed"] >= 100 else 3.0
    return 3.0 if row["answered"] else 2.0


def _by_resource(mine: list[dict[str, Any]], steps: int) -> list[dict[str, Any]]:
    made = []
    for resource, group in groupby(sorted(mine, key=_resource), key=_resource):
        part = list(group)
        failed = [r for r in part if not r["success"]]
        made.append(
            {
                "day": part[0]["day"],
                "resource": resource,
                "dedup": "inbound",
                "actor": part[0]["client"],
                "first_seen": min(r["first_seen"] for r in part),
                "last_seen": max(r["last_seen"] for r in part),
                "flows": sum(r["sessions"] for r in part),
                "packets": sum(r["packets"] for r in part),
                "bytes": sum(r["bytes"] for r in part),
                "targets": len(part),
                "failed": len(failed),
                "answered": len(part) - len(failed),
                "let_through": sum(1 for r in part if r["closed"] or r["success"]),
                "targets_in_all": len(mine),
                "decided_after": steps,
                "ports": sorted({r["port"] for r in part})[:20],
            }
        )
    return made


def _resource(row: Mapping[str, Any]) -> str:
    return str(row["resource"])
