"""AWS Security Finding Format (2018-10-08) for Security Hub, and its import in batches.

Validated in tests against botocore's service model. Security Hub takes at most 100 findings of
240 KB in one call; actors beyond what fits are counted in the description's place, the lake.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from flowscan.errors import ReportError
from flowscan.export.parts import Parts, family, iso, parts, without_empty
from flowscan.findings import Finding, severity_label
from flowscan.net.services import protocol_name

BATCH = 100
MOST_BYTES = 240_000

_TACTICS = {
    "TA0001": "Initial Access", "TA0005": "Defense Evasion", "TA0006": "Credential Access",
    "TA0007": "Discovery", "TA0008": "Lateral Movement", "TA0010": "Exfiltration",
    "TA0011": "Command and Control", "TA0040": "Impact", "TA0042": "Resource Development",
    "TA0043": "Reconnaissance",
}  # fmt: skip


def asff(finding: Finding) -> dict[str, Any]:
    """One finding; ids and product ARN are those of a custom integration of the account."""
    p = parts(finding)
    product = f"arn:aws:securityhub:{p.region}:{p.account}:product/{p.account}/default"
    return dict(
        without_empty(
            {
                "SchemaVersion": "2018-10-08",
                "Id": f"{p.region}/{p.account}/flowscan/{finding.id}",
                "ProductArn": product,
                "ProductName": "flowscan",
                "GeneratorId": f"flowscan/{finding.detection}",
                "AwsAccountId": p.account,
                "Region": p.region,
                "Types": [_type(finding)],
                "FirstObservedAt": iso(finding.first_seen),
                "LastObservedAt": iso(finding.last_seen),
                "CreatedAt": iso(finding.created),
                "UpdatedAt": iso(finding.updated),
                "Severity": {
                    "Label": severity_label(finding.severity).upper(),
                    "Normalized": round(finding.severity * 10),
                    "Original": str(finding.severity),
                },
                "Title": finding.title[:256],
                "Description": finding.description[:1024] or finding.title,
                "ProductFields": {
                    "flowscan/count": str(finding.count),
                    "flowscan/actors": str(finding.actors_total),
                    "flowscan/confidence": finding.confidence,
                    "flowscan/sql": str(finding.evidence.get("sql", ""))[:2000],
                },
                "Resources": [_resource(p, finding)],
                "Action": _action(p),
                "ThreatIntelIndicators": _indicators(finding),
                "RecordState": "ACTIVE" if finding.status == "active" else "ARCHIVED",
                "Workflow": {"Status": "SUPPRESSED" if finding.status == "suppressed" else "NEW"},
            }
        )
    )


def _type(finding: Finding) -> str:
    attack = finding.details.get("attack") or []
    tactic = _TACTICS.get(str(attack[0]).split(":")[0]) if attack else None
    return f"TTPs/{tactic or 'Unclassified'}/{finding.type.replace('/', '-')}"


def _resource(p: Parts, finding: Finding) -> dict[str, Any]:
    base = {"Partition": "aws", "Region": p.region}
    if p.instance:
        arn = f"arn:aws:ec2:{p.region}:{p.account}:instance/{p.instance}"
        details = {"AwsEc2Instance": {"VpcId": p.vpc, "SubnetId": p.subnet}}
        return {"Type": "AwsEc2Instance", "Id": arn, **base, "Details": details}
    if p.interface:
        arn = f"arn:aws:ec2:{p.region}:{p.account}:network-interface/{p.interface}"
        details = {"AwsEc2NetworkInterface": {"NetworkInterfaceId": p.interface}}
        return {"Type": "AwsEc2NetworkInterface", "Id": arn, **base, "Details": details}
    return {"Type": "Other", "Id": finding.resource, **base}


def _action(p: Parts) -> dict[str, Any]:
    if p.actor is None:
        return {}
    v4 = family(p.actor.address) == "v4"
    connection = {
        "ConnectionDirection": "INBOUND" if p.inbound else "OUTBOUND",
        "Protocol": protocol_name(p.protocol) if p.protocol is not None else None,
        "RemoteIpDetails": {"IpAddressV4": p.actor.address} if v4 else None,
        "RemotePortDetails": {"Port": p.remote_port} if p.remote_port is not None else None,
        "LocalPortDetails": {"Port": p.local_port} if p.local_port is not None else None,
        "Blocked": p.blocked,
    }
    return {"ActionType": "NETWORK_CONNECTION", "NetworkConnectionAction": connection}


def _indicators(finding: Finding) -> list[dict[str, Any]]:
    listed = (a for a in finding.actors.members if a.get("details", {}).get("feed"))
    return [
        {
            "Type": "IPV4_ADDRESS" if family(a["address"]) == "v4" else "IPV6_ADDRESS",
            "Value": a["address"],
            "Category": "COMMAND_AND_CONTROL" if a["details"].get("category") == "c2" else None,
            "LastObservedAt": iso(a["last_seen"]),
            "Source": str(a["details"]["feed"])[:64],
        }
        for a in islice(listed, 5)
    ]


def batches(findings: Iterable[Finding]) -> Iterator[list[dict[str, Any]]]:
    """Findings in batches that one BatchImportFindings call takes.

    Raises:
        ReportError: a single finding is larger than Security Hub takes.
    """
    batch: list[dict[str, Any]] = []
    for finding in findings:
        item = asff(finding)
        if len(json.dumps(item).encode()) > MOST_BYTES:
            raise ReportError("the finding is larger than 240 KB", where=finding.id)
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def send(findings: Iterable[Finding], region: str | None = None) -> tuple[int, list[str]]:
    """Import findings into Security Hub; how many it took, and why it refused others.

    Raises:
        ReportError: the call failed as a whole.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    taken, refused = 0, []
    try:
        client = boto3.client("securityhub", region_name=region)
        for batch in batches(findings):
            answer = client.batch_import_findings(Findings=batch)
            taken += int(answer["SuccessCount"])
            refused += [f"{f['Id']}: {f['ErrorMessage']}" for f in answer["FailedFindings"]]
    except (BotoCoreError, ClientError) as error:
        raise ReportError(f"Security Hub: {error}") from error
    return taken, refused
