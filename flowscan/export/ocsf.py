"""OCSF: findings as Detection Finding (2004), flows as Network Activity (4001).

Schema 1.5.0 unless told otherwise; required attributes as in the schema of that version, the
`cloud` profile always. Times are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowscan import schema
from flowscan.export.parts import NO_REGION, PRODUCT, Parts, parts, without_empty
from flowscan.findings import Finding, severity_label
from flowscan.net.services import protocol_name

VERSION = "1.5.0"
_SEVERITY = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
_OBSERVABLE = {"name": "src_endpoint.ip", "type_id": 2, "type": "IP Address"}
_STATUS = {"active": 1, "suppressed": 3, "archived": 5}
_STATUS_NAME = {1: "New", 3: "Suppressed", 5: "Archived"}


def _metadata(version: str, profiles: list[str], uid: str | None = None) -> dict[str, Any]:
    product = {"name": PRODUCT, "vendor_name": PRODUCT}
    return {"version": version, "product": product, "profiles": profiles, "uid": uid}


def detection_finding(finding: Finding, version: str = VERSION) -> dict[str, Any]:
    """One finding. New ones are Create (1), later states of it Update (2)."""
    p = parts(finding)
    activity = 1 if finding.created == finding.updated else 2
    label = severity_label(finding.severity)
    status = _STATUS[finding.status]
    document = dict(
        without_empty(
            {
                "activity_id": activity,
                "activity_name": "Create" if activity == 1 else "Update",
                "category_uid": 2,
                "category_name": "Findings",
                "class_uid": 2004,
                "class_name": "Detection Finding",
                "type_uid": 200400 + activity,
                "time": finding.updated * 1000,
                "start_time": finding.first_seen * 1000,
                "end_time": finding.last_seen * 1000,
                "severity_id": _SEVERITY[label],
                "severity": label.capitalize(),
                "status_id": status,
                "status": _STATUS_NAME[status],
                "message": finding.description,
                "count": finding.count,
                "is_alert": finding.severity >= 4,
                "confidence_id": 3 if finding.confidence == "full" else 2,
                "metadata": _metadata(version, ["cloud"], finding.id),
                "cloud": {"provider": "AWS", "region": p.region, "account": {"uid": p.account}},
                "finding_info": _info(finding),
                "resources": [_resource(p, finding)],
            }
        )
    )
    # Clean as they are made: a hundred parts need not be looked through for what is empty.
    observables = [{**_OBSERVABLE, "value": a["address"]} for a in finding.actors.members[:100]]
    more = {"evidences": _evidences(finding, p), "observables": observables}
    return document | {name: parts for name, parts in more.items() if parts}


def _info(finding: Finding) -> dict[str, Any]:
    attacks = [
        {
            "tactic": {"uid": str(a).split(":", maxsplit=1)[0]},
            "technique": {"uid": str(a).split(":")[-1]},
        }
        for a in finding.details.get("attack") or []
    ]
    return {
        "uid": finding.id,
        "title": finding.title,
        "desc": finding.description,
        "types": [finding.type],
        "analytic": {"uid": finding.detection, "name": finding.detection, "type_id": 1},
        "attacks": attacks,
        "created_time": finding.created * 1000,
        "modified_time": finding.updated * 1000,
        "first_seen_time": finding.first_seen * 1000,
        "last_seen_time": finding.last_seen * 1000,
    }


def _resource(p: Parts, finding: Finding) -> dict[str, Any]:
    return {
        "uid": p.instance or p.interface or finding.resource,
        "type": "AwsEc2Instance" if p.instance else "AwsEc2NetworkInterface",
        "cloud_partition": "aws",
        "region": p.region,
        "ip": p.address,
        "role": "Actor" if finding.resource_role == "ACTOR" else "Target",
        "role_id": 2 if finding.resource_role == "ACTOR" else 1,
    }


def _evidences(finding: Finding, p: Parts) -> list[dict[str, Any]]:
    ours, theirs = (p.port, None) if p.inbound else (None, p.port)
    mine = {"ip": p.address, "port": ours, "interface_uid": p.interface, "instance_uid": p.instance}
    mine = without_empty(mine)
    port = {} if theirs is None else {"port": theirs}
    way = {"direction_id": 1 if p.inbound else 2, "protocol_num": p.protocol}
    way = without_empty(way)
    made = []
    for actor in finding.actors.members[:20]:
        other = {"ip": actor["address"], **port}
        source, target = (other, mine) if p.inbound else (mine, other)
        counts = {"sessions": actor["flows"], "bytes": actor["bytes"], "packets": actor["packets"]}
        made.append(
            {
                **({"src_endpoint": source} if source else {}),
                **({"dst_endpoint": target} if target else {}),
                "connection_info": way,
                "data": {**counts, **without_empty(actor.get("details", {}))},
            }
        )
    return made


_KNOWN = {
    *("version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport"),
    *("protocol", "packets", "bytes", "start", "end", "action", "log_status", "vpc_id"),
    *("subnet_id", "instance_id", "tcp_flags", "type", "region", "flow_direction"),
}


def network_activity(flow: Mapping[str, Any], version: str = VERSION) -> dict[str, Any]:
    """One flow (a row of `flows`): Traffic (6), or Refuse (5) when it was rejected."""
    refused = flow.get("action") == "REJECT"
    activity = 5 if refused else 6
    way = {"ingress": 1, "egress": 2}.get(str(flow.get("flow_direction")), 0)
    here = {key: flow.get(key) for key in ("interface_id", "instance_id", "vpc_id", "subnet_id")}
    owner = {"interface_uid": here["interface_id"], "instance_uid": here["instance_id"],
             "vpc_uid": here["vpc_id"], "subnet_uid": here["subnet_id"]}  # fmt: skip
    source = {"ip": flow.get("srcaddr"), "port": flow.get("srcport")}
    target = {"ip": flow.get("dstaddr"), "port": flow.get("dstport")}
    (target if way == 1 else source).update(owner)
    protocol = flow.get("protocol")
    rest = {k: flow[k] for k in schema.BY_NAME if k not in _KNOWN and flow.get(k) is not None}
    return dict(
        without_empty(
            {
                "activity_id": activity,
                "activity_name": "Refuse" if refused else "Traffic",
                "category_uid": 4,
                "category_name": "Network Activity",
                "class_uid": 4001,
                "class_name": "Network Activity",
                "type_uid": 400100 + activity,
                "time": int(flow["start"]) * 1000,
                "start_time": int(flow["start"]) * 1000,
                "end_time": int(flow["end"]) * 1000,
                "severity_id": 1,
                "severity": "Informational",
                "status_code": flow.get("log_status"),
                "action_id": 2 if refused else 1,
                "action": "Denied" if refused else "Allowed",
                "disposition_id": 2 if refused else 1,
                "metadata": _metadata(version, ["cloud", "security_control"]),
                "cloud": {
                    "provider": "AWS",
                    "region": flow.get("region") or NO_REGION,
                    "account": {"uid": flow.get("account_id")},
                },
                "src_endpoint": source,
                "dst_endpoint": target,
                "connection_info": {
                    "direction_id": way,
                    "protocol_num": protocol,
                    "protocol_name": protocol_name(protocol).lower() if protocol else None,
                    "tcp_flags": flow.get("tcp_flags"),
                },
                "traffic": {"bytes": flow.get("bytes"), "packets": flow.get("packets")},
                "unmapped": rest,
            }
        )
    )
