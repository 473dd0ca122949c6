"""GuardDuty's finding JSON (schema version 2.0), as the GuardDuty API gives it.

Validated in tests against botocore's service model. All actors stay in `AdditionalInfo`, where
GuardDuty itself keeps only the latest.
"""

from __future__ import annotations

import json
from typing import Any

from flowscan.export.parts import Parts, family, iso, parts, without_empty
from flowscan.findings import Finding
from flowscan.net.services import protocol_name, service_name


def guardduty(finding: Finding) -> dict[str, Any]:
    """One finding with the members of the API, UpperCamel."""
    p = parts(finding)
    arn = f"arn:aws:guardduty:{p.region}:{p.account}:detector/flowscan/finding/{finding.id}"
    return dict(
        without_empty(
            {
                "SchemaVersion": "2.0",
                "AccountId": p.account,
                "Region": p.region,
                "Partition": "aws",
                "Id": finding.id,
                "Arn": arn,
                "Type": finding.type,
                "Title": finding.title,
                "Description": finding.description,
                "Severity": finding.severity,
                "CreatedAt": iso(finding.created),
                "UpdatedAt": iso(finding.updated),
                "Resource": _resource(p),
                "Service": _service(finding, p),
            }
        )
    )


def _resource(p: Parts) -> dict[str, Any]:
    interface = {
        "NetworkInterfaceId": p.interface,
        "PrivateIpAddress": p.address if p.address and family(p.address) == "v4" else None,
        "Ipv6Addresses": [p.address] if p.address and family(p.address) == "v6" else None,
        "VpcId": p.vpc,
        "SubnetId": p.subnet,
    }
    details = {"InstanceId": p.instance, "NetworkInterfaces": [without_empty(interface)]}
    return {"ResourceType": "Instance", "InstanceDetails": details}


def _service(finding: Finding, p: Parts) -> dict[str, Any]:
    actors = [{"address": a["address"], "count": a["flows"]} for a in finding.actors.members]
    lists = [
        {"ThreatListName": d["feed"], "ThreatNames": [str(d.get("category") or d["feed"])]}
        for d in p.feeds[:50]
    ]
    return {
        "ServiceName": "flowscan",
        "Count": finding.count,
        "Archived": finding.status != "active",
        "EventFirstSeen": iso(finding.first_seen),
        "EventLastSeen": iso(finding.last_seen),
        "ResourceRole": finding.resource_role,
        "Action": _action(finding, p),
        "Evidence": {"ThreatIntelligenceDetails": lists},
        "AdditionalInfo": {
            "Type": "default",
            "Value": json.dumps({"actors": actors, "evidence": dict(finding.evidence)}),
        },
    }


def _ip(address: str | None) -> dict[str, Any]:
    return {f"IpAddress{family(address).upper()}": address} if address else {}


def _port(port: int | None, protocol: int | None) -> dict[str, Any]:
    if port is None:
        return {}
    return {"Port": port, "PortName": service_name(port, protocol or 6) or "Unknown"}


def _action(finding: Finding, p: Parts) -> dict[str, Any]:
    remote = _ip(p.actor.address) if p.actor else {}
    if finding.type.startswith("Recon:EC2/PortProbe"):
        probe = {
            "LocalPortDetails": _port(p.port, p.protocol),
            "LocalIpDetails": _ip(p.address),
            "RemoteIpDetails": remote,
        }
        action = {"Blocked": p.blocked, "PortProbeDetails": [without_empty(probe)]}
        return {"ActionType": "PORT_PROBE", "PortProbeAction": action}
    ways = {"inbound": "INBOUND", "outbound": "OUTBOUND"}
    connection = {
        "Blocked": p.blocked,
        "ConnectionDirection": ways.get(p.direction, "UNKNOWN"),
        "Protocol": protocol_name(p.protocol) if p.protocol is not None else None,
        "LocalPortDetails": _port(p.local_port, p.protocol),
        "LocalIpDetails": _ip(p.address),
        "LocalNetworkInterface": p.interface,
        "RemoteIpDetails": remote,
        "RemotePortDetails": _port(p.remote_port, p.protocol),
    }
    return {"ActionType": "NETWORK_CONNECTION", "NetworkConnectionAction": connection}
