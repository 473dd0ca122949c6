"""What the commands say of a case, as JSON, and what they must say.

A question is given `say` (words of a command line → its JSON) and a case, and yields what it
compares: what, found, right. Every stranger of the case is on a list, so match and detect speak.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cases import Case
from questions import FEED, Compared, inside, public, strangers, sums, total, truth
from typer.testing import CliRunner

from flowscan.cli.main import program

Say = Callable[..., Any]


def command(*words: str) -> str:
    """Run a command of flowscan in this process; its standard output."""
    done = CliRunner().invoke(program(words), words)
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.stdout


def sayer(lake: Path | str) -> Say:
    """Commands on a lake: `say("lookup", "10.0.1.5")` is what `--format json` shows."""
    return lambda *words: json.loads(command(*words, "--lake", str(lake), "--format", "json"))


def list_strangers(case: Case, lake: Path | str, folder: Path) -> None:
    """Put the strangers of a case on a list of the lake."""
    path = folder / f"{FEED}.txt"
    path.write_text("\n".join(strangers(case)) + "\n")
    command("feeds", "add", str(path), "--category", "c2", "--lake", str(lake))


def report(say: Say, case: Case) -> Compared:
    said = say("report")
    seen, lost = said["overview"], {"rejected": 0, "refused_packets": 0, "refused_bytes": 0}
    yield "totals", {name: seen["totals"][name] for name in ("bytes", "packets", *lost)}, {
        "bytes": sum(case.sent.values()), "packets": sum(case.packets.values()), **lost,
    }  # fmt: skip
    yield "in", seen["bytes_in"], crossing(case, public, inside)
    yield "out", seen["bytes_out"], crossing(case, inside, public)
    yield "strangers", seen["public_addresses"], len(strangers(case))
    yield "undecided", seen["undecided"], {"connections": 0, "bytes": 0}
    yield "timeline", total(said["timeline"]["buckets"], "bytes"), sum(case.sent.values())
    yield "by interface", total(said["coverage"], "bytes"), sum(case.sent.values())
    yield "sent", sums(said["talkers"], "bytes", "source", "destination"), case.sent
    yield "packets", sums(said["talkers"], "packets", "source", "destination"), case.packets
    met = {(t["source"], t["destination"]): t["connections"] for t in said["talkers"]}
    yield "calls", met, {pair: between(case, *pair) for pair in case.sent}
    yield "exposure", said["exposure"], []
    probes = sum(n for c, n in case.calls.items() if public(case, c[0]) and inside(case, c[1]))
    yield "probed", said["probed"], probes
    yield from _matrix(said, case)
    got = {m["address"]: (m["bytes"], m["direction"], sorted(m["local"])) for m in said["matches"]}
    yield "listed", got, {a: (with_(case, a), *met_by(case, a)) for a in strangers(case)}
    for each in said["findings"]:
        yield from _finding(each, each["host"], case)


def _matrix(said: Any, case: Case) -> Compared:
    """Groups are our addresses and the internet."""

    def group(address: str) -> str:
        return "internet" if public(case, address) else address

    def ends(pair: tuple[str, ...]) -> tuple[str, str]:
        return group(pair[0]), group(pair[1])

    yield "matrix", sums(said["links"], "bytes", "source", "destination"), truth(case.sent, ends)
    called = {(x["source"], x["destination"]) for x in said["links"] if x["flows"]}
    yield "matrix, calls", called, {ends(call[:2]) for call in case.calls}


def findings(say: Say, case: Case) -> Compared:
    say("detect")
    said = say("findings", "list")
    yield "detections", sorted(f["detection"] for f in said), sorted(case.detections)
    for each in said:
        host = each["details"]["address"]
        yield from _finding(each, host, case)
        (actor,) = each["actors"]
        yield f"{each['detection']} packets", actor["packets"], sum(both(case.packets, host, actor))
        sides = {"outbound": (host, actor["address"]), "inbound": (actor["address"], host)}
        caller, called = sides[each["details"]["direction"]]
        yield f"{each['detection']} caller", (caller, called) in {c[:2] for c in case.calls}, True
        sizes = tuple(each["evidence"].get(name) for name in ("bytes_out", "bytes_in"))
        if sizes != (None, None):
            yield f"{each['detection']} bytes", sizes, both(case.sent, host, actor)


def _finding(each: Any, host: str, case: Case) -> Compared:
    """What a finding says in JSON and in the report alike."""
    (actor,) = each["actors"]
    calls = between(case, host, actor["address"])
    yield f"{each['detection']} calls", (each["count"], actor["flows"]), (calls, calls)
    yield f"{each['detection']} bytes", actor["bytes"], sum(both(case.sent, host, actor))


def matches(say: Say, case: Case) -> Compared:
    rows = say("match")
    met = {a: met_by(case, a)[1] for a in strangers(case)}
    pairs = [(a, host) for a, hosts in met.items() for host in hosts]
    keys = "address", "local_address"
    found = [sums(rows, name, *keys) for name in ("bytes", "packets", "bytes_out")]
    for name, got, sent in zip(
        ("bytes", "packets"), found, (case.sent, case.packets), strict=False
    ):
        yield name, got, {p: sum(both(sent, *p)) for p in pairs}
    yield "sent", found[2], {p: case.sent.get(p[::-1], 0) for p in pairs if p[::-1] in case.sent}
    yield "ports", {(r["address"], r["port"]) for r in rows}, {
        (address, call[2]) for call in case.calls for address in call[:2] if address in met
    }  # fmt: skip
    calls = {(r["address"], r["direction"]) for r in rows}
    yield "caller", calls, {(a, met_by(case, a)[0]) for a in met}
    yield "rank", {r["rank"] for r in rows}, {case.rank}


def lookups(say: Say, case: Case) -> Compared:
    for address in sorted({a for pair in case.sent for a in pair}):
        seen = say("lookup", address)["activity"]
        mine = {p for p in case.sent if address in p}
        yield f"{address} sent", seen["bytes_sent"], truth(case.sent, _first).get(address, 0)
        yield f"{address} received", seen["bytes_received"], truth(case.sent, _last).get(address, 0)
        yield f"{address} packets", seen["packets"], sum(case.packets[p] for p in mine)
        yield f"{address} undecided", seen["undecided"], []
        for name, me, peer in (("called", 0, 1), ("called_by", 1, 0)):
            calls = {c: n for c, n in case.calls.items() if c[me] == address}
            right = truth(calls, lambda c, peer=peer: c[peer])
            yield f"{address} {name}", sums(seen[name], "sessions", "peer"), right
            answered = right if case.open_ else {}
            yield f"{address} {name}, answered", sums(seen[name], "answered", "peer"), answered
        ports = {c[2] for c in case.calls if c[1] == address}
        yield f"{address} services", seen["services_tried"], len(ports)
        yield f"{address} sides", seen["sides"], ["public" if public(case, address) else "ours"]
    for gateway in case.ours.keys() - {a for pair in case.sent for a in pair}:
        seen = say("lookup", gateway)["activity"]
        yield f"{gateway} passes on", (seen["gateway"], seen["flows"]), (True, 0)


def _first(pair: tuple[str, str]) -> str:
    return pair[0]


def _last(pair: tuple[str, str]) -> str:
    return pair[1]


def crossing(case: Case, begin: Callable[..., bool], end: Callable[..., bool]) -> int:
    return sum(n for (a, b), n in case.sent.items() if begin(case, a) and end(case, b))


def both(sent: dict[tuple[str, str], int], host: str, peer: Any) -> tuple[int, int]:
    """What two addresses sent one another; the peer may be an actor."""
    other = peer if isinstance(peer, str) else peer["address"]
    return sent.get((host, other), 0), sent.get((other, host), 0)


def between(case: Case, a: str, b: str) -> int:
    return sum(n for call, n in case.calls.items() if set(call[:2]) == {a, b})


def with_(case: Case, address: str) -> int:
    return sum(n for pair, n in case.sent.items() if address in pair)


def met_by(case: Case, stranger: str) -> tuple[str, list[str]]:
    """Who called, and those of ours whom a stranger met."""
    peers = sorted({a for pair in case.sent if stranger in pair for a in pair} - {stranger})
    called = any(call[0] == stranger for call in case.calls)
    return "inbound" if called else "outbound", peers


COMMANDS = {"match": matches, "findings": findings, "lookup": lookups, "report": report}
"""In an order in which each finds what it needs: the report shows matches and findings."""


def wrong(say: Say, case: Case, names: Iterable[str] | None = None) -> list[str]:
    """What was said otherwise than it is, by some commands or by all."""
    return [
        f"{name}, {what}: {got} instead of {right}"
        for name in names or COMMANDS
        for what, got, right in COMMANDS[name](say, case)
        if got != right
    ]
