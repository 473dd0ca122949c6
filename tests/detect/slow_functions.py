"""The functions of detections by plain loops, slow and obvious.

One pair, one stranger, one hour after the other; tests hold the product's expressions against it.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np

from flowscan.detect.beacon import POLLED


def quartiles(values):
    return np.quantile(values, [0.25, 0.5, 0.75])


def bowley(values):
    q1, q2, q3 = quartiles(values)
    if q3 - q1 < 10 or q2 in (q1, q3):
        return 1.0
    return round(1 - abs((q1 + q3 - 2 * q2) / (q3 - q1)), 3)


def spread(values):
    mid = statistics.median(values)
    return mid, statistics.median(abs(v - mid) for v in values)


def deviation(values, default):
    mid, mad = spread(values)
    return default if mid < 1 else round(max(0.0, (mid - mad) / mid), 3)


def bars_of(at, first, last):
    bars = [0] * 24
    for t in at:
        bars[max(0, min(23, int((t - first) / max(last - first, 1) * 24)))] += 1
    return bars


def evenness(bars):
    mean = sum(bars) / 24
    sigma = math.sqrt(sum((b - mean) ** 2 for b in bars) / 24)
    best = max(0.0, 1 - sigma / mean)
    full = [b for b in bars if b]
    if len(full) >= 11:
        width = math.ceil(max(full) * 0.05)
        heights = Counter(b // width for b in full)
        commonest = sum(n for _, n in heights.most_common(2))
        best = max(best, min(1.0, commonest / max(len(full) - 1, 1)))
    return round(best, 3)


def up(value):
    return min(1.0, math.ceil(round(value * 1000, 6)) / 1000)


def persistence(bars, at, first, last):
    if sum(b > 0 for b in bars) < 6:
        return 0.0
    run = max(next((n for n in range(24) if not bars[(i + n) % 24]), 24) for i in range(24))
    return max(up((at[-1] - at[0]) / max(last - first, 1)), up(run / 12))


def beacon_score(at, sizes, first, last):
    """The parts, their mean, interval and jitter; None with fewer than 4 different times."""
    at = sorted(at)
    deltas = [b - a for a, b in pairwise(at) if b > a]
    if len(deltas) < 3:
        return None
    bars = bars_of(at, first, last)
    mid, mad = spread(deltas)
    parts = {
        "timing": round((bowley(deltas) + deviation(deltas, 1.0)) / 2, 3),
        "size": round((bowley(sizes) + deviation(sizes, 0.0)) / 2, 3),
        "histogram": evenness(bars),
        "duration": persistence(bars, at, first, last),
    }
    total = round(sum(parts.values()) / 4, 3)
    return {**parts, "score": total, "interval": mid, "jitter": round(mad / mid, 3)}


def lower_median(values):
    return sorted(values)[(len(values) - 1) // 2] if values else math.nan


def is_regular(at, least):
    deltas = [b - a for a, b in pairwise(sorted(at)) if b > a]
    mid = lower_median(deltas)
    return (
        bool(deltas) and mid >= least and lower_median([abs(d - mid) for d in deltas]) <= 0.4 * mid
    )


def severity(total):
    return round(float(np.interp(total, (0.5, 0.7, 0.9, 1.0), (2.0, 4.0, 6.0, 8.0))), 1)


def beacon_rows(calls, params):
    pairs = defaultdict(list)
    for call in sorted(calls, key=lambda c: (c["pair"], c["first_seen"])):
        pairs[call["pair"]].append(call)
    judged = [beacon_pair(mine, params) for mine in pairs.values()]
    found = [row for row in judged if row is not None]
    polled = Counter((r["day"], r["resource"]) for r in found)
    for row in found:
        if polled[row["day"], row["resource"]] >= params["many"]:
            row["severity"] = min(row["severity"], 2.5)
            row["known_as"] = row["known_as"] or "one of many that the host polls"
    return found


def beacon_pair(mine, params):
    head = mine[0]
    at = [c["first_seen"] for c in mine]
    sizes = [c["bytes_out"] for c in mine]
    result = beacon_score(at, sizes, head["data_first"], head["data_last"])
    if result is None or not is_regular(at, params["min_interval"]):
        return None
    even = (1 - result["jitter"], deviation(sizes, 0.0))
    mean, partial = sum(even) / 2, 0.0
    if len(at) >= params["min_partial"] and min(even) >= 0.6 and mean >= params["min_regular"]:
        partial = round(mean * (0.73 if at[-1] - at[0] < 3600 else 0.9), 3)
    total = max(result["score"], partial)
    few = len(at) < params["min_partial"] and result["jitter"] > params["few_jitter"]
    if few or result["interval"] < params["min_interval"] or total < params["min_score"]:
        return None
    grade = 8.0 if len(at) >= 86_400 else severity(total)
    known = head["quiet"]
    if known:
        grade = min(grade, 2.0)
    elif result["jitter"] < params["max_poll_jitter"] and (
        head["answer"] >= params["web_answer"]
        if head["port"] in (80, 443, 8443)
        else head["port"] in POLLED
    ):
        grade, known = min(grade, 3.5), "a service, polled without jitter"
    return {
        **result, "day": head["day"], "resource": head["client"], "actor": head["server"],
        "dedup": f"{head['server']}:{head['port']}/{head['protocol']}", "port": head["port"],
        "protocol": head["protocol"], "first_seen": at[0],
        "last_seen": max(c["last_seen"] for c in mine), "flows": len(mine),
        "packets": sum(c["packets"] for c in mine), "bytes": sum(c["bytes"] for c in mine),
        "severity": grade, "score": total, "bytes_per_call": statistics.median(sizes),
        "callers": head["callers"], "known_as": known or None,
    }  # fmt: skip


def decide(successes):
    """The verdict on first contacts in order, and the steps it took."""
    ratio, taken = 1.0, 0
    for taken, good in enumerate(successes, 1):
        ratio *= 0.25 if good else 4
        if ratio >= 98.9999:
            return "scanner", taken
        if ratio <= 1 / 98.9999:
            return "benign", taken
    return "undecided", taken


def sequential_rows(contacts, params):
    walks = defaultdict(list)
    key = lambda c: (c["day"], c["client"], c["first_seen"], c["target"])  # noqa: E731
    for contact in sorted(contacts, key=key):
        walks[contact["day"], contact["client"]].append(contact)
    found = []
    for (day, client), walk in walks.items():
        verdict, steps = decide([bool(c["success"]) for c in walk])
        scanner = verdict == "scanner" and len(walk) >= params["min_targets"]
        places = defaultdict(list)
        for contact in walk:
            places[contact["resource"]].append(contact)
        for resource, mine in sorted(places.items()):
            answered = sum(bool(c["success"]) for c in mine)
            failed = len(mine) - answered
            through = sum(bool(c["closed"] or c["success"]) for c in mine)
            many = failed >= params["many_ports"] and failed * 2 >= len(mine)
            if not scanner and not many:
                continue
            if many and (through >= len(mine) / 4 or answered):
                grade = 5.0
            elif many:
                grade = 4.0 if failed >= 100 else 3.0
            else:
                grade = 3.0 if answered else 2.0
            found.append({
                "day": day, "resource": resource, "dedup": "inbound", "actor": client,
                "first_seen": min(c["first_seen"] for c in mine),
                "last_seen": max(c["last_seen"] for c in mine),
                "flows": sum(c["sessions"] for c in mine),
                "packets": sum(c["packets"] for c in mine),
                "bytes": sum(c["bytes"] for c in mine),
                "targets": len(mine), "failed": failed, "answered": answered,
                "let_through": through, "targets_in_all": len(walk), "decided_after": steps,
                "ports": sorted({c["port"] for c in mine})[:20], "severity": grade,
            })  # fmt: skip
    return found


def z_score(value, past):
    logs = [math.log1p(max(v, 0)) for v in past]
    middle = statistics.median(logs)
    gaps = [abs(v - middle) for v in logs]
    mad = statistics.median(gaps)
    wide = mad / 0.6745 if mad > 0 else statistics.fmean(gaps) * 1.2533
    return round((math.log1p(max(value, 0)) - middle) / max(wide, 0.05), 2)


def season(hour, past):
    """Values of past hours (hour of the week, value) that compare to an hour of the week."""
    same = [v for h, v in past if h == hour]
    if len(same) >= 4:
        return "hour of the week", same
    daily = [v for h, v in past if h % 24 == hour % 24]
    if len(daily) >= 4:
        return "hour of the day", daily
    return "all hours", [v for _, v in past]


def baseline_rows(hours, params):
    found = {}
    for row in sorted(hours, key=lambda r: (r["resource"], r["hour"])):
        before = [r for r in hours if r["resource"] == row["resource"] and r["day"] < row["day"]]
        known = len({r["day"] for r in before}) >= params["min_days"]
        if not row["judged"] or row["value"] < params["min_value"] or not known:
            continue
        past = [(r["hour"] // 3600 % 168, r["value"]) for r in before]
        chosen, values = season(row["hour"] // 3600 % 168, past)
        score, usual = z_score(row["value"], values), statistics.median(values)
        if score <= params["min_score"] or row["value"] < params["min_ratio"] * max(usual, 1):
            continue
        best = found.get((row["resource"], row["day"]))
        if best is None or score > best["score"]:
            kept = {k: v for k, v in row.items() if k not in ("hour", "judged")}
            found[row["resource"], row["day"]] = {
                **kept, "hour_at": row["hour"], "usual": round(usual, 1), "score": score,
                "compared_with": chosen, "observations": len(values),
            }  # fmt: skip
    return list(found.values())
