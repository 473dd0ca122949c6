"""Findings for log systems: ECS documents, CEF lines, flat rows for CSV."""

from __future__ import annotations

import ipaddress
from typing import Any

from flowscan.export.parts import Parts, iso, parts, without_empty
from flowscan.findings import Finding, severity_label
from flowscan.net.services import protocol_name
from flowscan.text import csv_cell, plain, utc

_STEPS = {"informational": 1, "low": 3, "medium": 5, "high": 8, "critical": 10}


def ecs(finding: Finding) -> dict[str, Any]:
    """One finding as an Elastic Common Schema document."""
    p = parts(finding)
    mine = {"ip": p.address, "port": p.local_port}
    theirs = {"ip": p.actor.address if p.actor else None, "port": p.remote_port}
    source, target = (theirs, mine) if p.inbound else (mine, theirs)
    attack = [str(a) for a in finding.details.get("attack") or []]
    name = protocol_name(p.protocol).lower() if p.protocol is not None else None
    return dict(
        without_empty(
            {
                "@timestamp": iso(finding.last_seen),
                "ecs": {"version": "8.11.0"},
                "message": finding.description,
                "event": {
                    "kind": "alert",
                    "category": ["network", "intrusion_detection"],
                    "type": ["denied" if p.blocked else "info"],
                    "id": finding.id,
                    "module": "flowscan",
                    "dataset": "flowscan.finding",
                    "severity": round(finding.severity * 10),
                    "created": iso(finding.created),
                    "start": iso(finding.first_seen),
                    "end": iso(finding.last_seen),
                },
                "rule": {
                    "id": finding.detection,
                    "name": finding.title,
                    "category": finding.type,
                },
                "source": source,
                "destination": target,
                "network": {
                    "iana_number": str(p.protocol) if p.protocol is not None else None,
                    "transport": name,
                    "type": _type(p),
                    "direction": p.direction,
                    "bytes": finding.counts.bytes,
                    "packets": finding.counts.packets,
                    "community_id": _community(source, target, p),
                },
                "related": {"ip": [a["address"] for a in finding.actors.members[:100]]},
                "threat": {
                    "technique": {"id": [a.split(":")[-1] for a in attack]},
                    "tactic": {"id": [a.split(":")[0] for a in attack]},
                    "indicator": _indicator(p),
                },
                "cloud": {
                    "provider": "aws",
                    "account": {"id": p.account},
                    "region": finding.region,
                    "instance": {"id": p.instance},
                },
                "aws": {"vpcflow": {"interface_id": p.interface, "vpc_id": p.vpc}},
                "flowscan": {
                    "count": finding.count,
                    "status": finding.status,
                    "severity": severity_label(finding.severity),
                    "confidence": finding.confidence,
                },
            }
        )
    )


def _type(p: Parts) -> str | None:
    return None if p.address is None else ("ipv6" if ":" in p.address else "ipv4")


def _indicator(p: Parts) -> dict[str, Any] | None:
    if not p.feeds or p.actor is None:
        return None
    kind = "ipv6-addr" if ":" in p.actor.address else "ipv4-addr"
    return {"ip": p.actor.address, "type": kind, "provider": p.feeds[0]["feed"]}


def _community(source: dict[str, Any], target: dict[str, Any], p: Parts) -> str | None:
    """Community id of the five-tuple, when all of it is known; a finding rarely has one."""
    a, a_port, b, b_port = source["ip"], source["port"], target["ip"], target["port"]
    if p.protocol not in (6, 17) or None in (a, a_port, b, b_port):
        return None
    return community_id(a, a_port, b, b_port, p.protocol)


def community_id(src: str, sport: int, dst: str, dport: int, protocol: int) -> str:
    """Community ID version 1, seed 0 (github.com/corelight/community-id-spec)."""
    import base64
    import hashlib

    ends = [(ipaddress.ip_address(src).packed, sport), (ipaddress.ip_address(dst).packed, dport)]
    ends.sort()
    (low, low_port), (high, high_port) = ends
    data = b"\0\0" + low + high + bytes((protocol, 0))
    data += low_port.to_bytes(2, "big") + high_port.to_bytes(2, "big")
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return "1:" + base64.b64encode(digest).decode()


def cef(finding: Finding) -> str:
    """One finding as a CEF line without a syslog header."""
    p = parts(finding)
    mine = {"ip": p.address, "port": p.local_port}
    theirs = {"ip": p.actor.address if p.actor else None, "port": p.remote_port}
    source, target = (theirs, mine) if p.inbound else (mine, theirs)
    step = _STEPS[severity_label(finding.severity)]
    head = ("flowscan", "flowscan", "1", finding.type, finding.title, str(step))
    values = {
        "externalId": finding.id,
        "src": source["ip"],
        "spt": source["port"],
        "dst": target["ip"],
        "dpt": target["port"],
        "proto": protocol_name(p.protocol) if p.protocol is not None else None,
        "act": "blocked" if p.blocked else "allowed",
        "cnt": finding.count,
        "in": finding.counts.bytes if p.inbound else None,
        "out": None if p.inbound else finding.counts.bytes,
        "start": finding.first_seen * 1000,
        "end": finding.last_seen * 1000,
        "deviceExternalId": p.interface,
        "msg": finding.description,
        "cs1Label": "feed" if p.feeds else None,
        "cs1": p.feeds[0]["feed"] if p.feeds else None,
        "cs2Label": "status",
        "cs2": finding.status,
    }
    text = " ".join(f"{k}={_value(v)}" for k, v in values.items() if v is not None)
    return f"CEF:0|{'|'.join(_header(h) for h in head)}|{text}"


def _header(value: str) -> str:
    return plain(value).replace("\\", "\\\\").replace("|", "\\|")


def _value(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace("=", "\\=")
    return plain(text.replace("\r", "").replace("\n", "\\n"))


def flat(finding: Finding) -> dict[str, Any]:
    """One finding as a flat row; texts are safe for spreadsheets."""
    p = parts(finding)
    row = {
        "id": finding.id,
        "severity": finding.severity,
        "label": severity_label(finding.severity),
        "type": finding.type,
        "detection": finding.detection,
        "title": finding.title,
        "description": finding.description,
        "account_id": finding.account_id or "",
        "region": finding.region or "",
        "resource": finding.resource,
        "address": p.address or "",
        "role": finding.resource_role,
        "actor": p.actor.address if p.actor else "",
        "actors": finding.actors_total,
        "port": p.port if p.port is not None else "",
        "sessions": finding.count,
        "packets": finding.counts.packets,
        "bytes": finding.counts.bytes,
        "first_seen": utc(finding.first_seen),
        "last_seen": utc(finding.last_seen),
        "status": finding.status,
        "confidence": finding.confidence,
    }
    return {name: csv_cell(value) for name, value in row.items()}
