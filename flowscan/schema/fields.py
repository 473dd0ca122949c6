"""THE table of flow-log fields: AWS name, column name, Arrow type, version, unit, meaning.

Every schema of flows in flowscan (Arrow, Parquet, Athena DDL, docs) derives from this module and
from nothing else. Source: AWS, "Flow log records" and "Transit Gateway Flow Log records".
Importing it costs nothing: Arrow types are built on demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

ArrowName = Literal["string", "int32", "int64"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a flow-log record.

    `aws` is the name in AWS text formats (`account-id`), `type` the Arrow type of the column,
    `version` the flow-log version that introduced it, `unit` the unit of the value or None for
    plain names, `tgw` true for fields that only transit-gateway flow logs have.
    """

    aws: str
    type: ArrowName
    version: int
    unit: str | None
    meaning: str
    tgw: bool = False

    @property
    def name(self) -> str:
        """Column name in Parquet and SQL: the AWS name with underscores."""
        return self.aws.replace("-", "_")


# The order is the column order of the lake: AWS's default format first, then by version.
FIELDS: tuple[Field, ...] = (
    Field("version", "int32", 2, None, "flow-log version of the record"),
    Field("account-id", "string", 2, None, "account that owns the source network interface"),
    Field("interface-id", "string", 2, None, "network interface that recorded the traffic"),
    Field(
        "srcaddr",
        "string",
        2,
        "ip",
        "source address; the interface's side is its primary private IPv4",
    ),
    Field("dstaddr", "string", 2, "ip", "destination address"),
    Field("srcport", "int32", 2, "port", "source port, 0 for ICMP"),
    Field("dstport", "int32", 2, "port", "destination port, 0 for ICMP"),
    Field("protocol", "int32", 2, "iana", "IANA protocol number"),
    Field("packets", "int64", 2, "packets", "packets in the window"),
    Field("bytes", "int64", 2, "bytes", "bytes in the window"),
    Field("start", "int64", 2, "epoch seconds", "first packet of the window"),
    Field("end", "int64", 2, "epoch seconds", "last packet of the window"),
    Field("action", "string", 2, None, "ACCEPT or REJECT"),
    Field("log-status", "string", 2, None, "OK, NODATA or SKIPDATA"),
    Field("vpc-id", "string", 3, None, "VPC of the interface"),
    Field("subnet-id", "string", 3, None, "subnet of the interface"),
    Field(
        "instance-id",
        "string",
        3,
        None,
        "instance of the interface, NULL for requester-managed ones",
    ),
    Field(
        "tcp-flags", "int32", 3, "bitmask", "FIN 1, SYN 2, RST 4, SYN-ACK 18, OR-ed over the window"
    ),
    Field("type", "string", 3, None, "IPv4, IPv6 or EFA"),
    Field(
        "pkt-srcaddr",
        "string",
        3,
        "ip",
        "packet-level source address, as it was before NAT or a load balancer",
    ),
    Field("pkt-dstaddr", "string", 3, "ip", "packet-level destination address"),
    Field("region", "string", 4, None, "region of the interface"),
    Field("az-id", "string", 4, None, "availability zone id"),
    Field("sublocation-type", "string", 4, None, "wavelength, outpost or localzone"),
    Field("sublocation-id", "string", 4, None, "id of the sublocation"),
    Field("pkt-src-aws-service", "string", 5, None, "AWS service that pkt-srcaddr belongs to"),
    Field("pkt-dst-aws-service", "string", 5, None, "AWS service that pkt-dstaddr belongs to"),
    Field("flow-direction", "string", 5, None, "ingress or egress, seen from the interface"),
    Field("traffic-path", "int32", 5, "code", "path that egress traffic takes, 1 to 8"),
    Field("ecs-cluster-arn", "string", 7, None, "ARN of the ECS cluster"),
    Field("ecs-cluster-name", "string", 7, None, "name of the ECS cluster"),
    Field("ecs-container-instance-arn", "string", 7, None, "ARN of the container instance"),
    Field("ecs-container-instance-id", "string", 7, None, "id of the container instance"),
    Field("ecs-container-id", "string", 7, None, "Docker id of the first container"),
    Field("ecs-second-container-id", "string", 7, None, "Docker id of the second container"),
    Field("ecs-service-name", "string", 7, None, "name of the ECS service"),
    Field("ecs-task-definition-arn", "string", 7, None, "ARN of the task definition"),
    Field("ecs-task-arn", "string", 7, None, "ARN of the task"),
    Field("ecs-task-id", "string", 7, None, "id of the task"),
    Field(
        "reject-reason", "string", 8, None, "BPA (block public access) or EC (encryption controls)"
    ),
    Field(
        "resource-id",
        "string",
        9,
        None,
        "resource of flows without an interface, such as a regional NAT gateway",
    ),
    Field("encryption-status", "int32", 10, "code", "0 none, 1 Nitro, 2 application, 3 both"),
    Field(
        "instance-tag",
        "string",
        11,
        None,
        "value of the first chosen instance tag, percent-encoded",
    ),
    Field("instance-tag-2", "string", 11, None, "value of the second chosen instance tag"),
    Field("interface-tag", "string", 11, None, "value of the first chosen interface tag"),
    Field("interface-tag-2", "string", 11, None, "value of the second chosen interface tag"),
    Field("asg-tag", "string", 11, None, "value of the first chosen Auto Scaling group tag"),
    Field("asg-tag-2", "string", 11, None, "value of the second chosen Auto Scaling group tag"),
    Field("interface-type", "string", 11, None, "kind of the interface, such as nat_gateway"),
    Field("next-hop-interface-id", "string", 11, None, "interface of the peer"),
    Field("next-hop-subnet-id", "string", 11, None, "subnet of the peer"),
    Field("next-hop-az-id", "string", 11, None, "availability zone of the peer"),
    Field("next-hop-vpc-id", "string", 11, None, "VPC of the peer"),
    Field("next-hop-interface-type", "string", 11, None, "kind of the peer's interface"),
    Field(
        "resource-type",
        "string",
        6,
        None,
        "TransitGateway or another resource that the record is about",
        tgw=True,
    ),
    Field("tgw-id", "string", 6, None, "transit gateway", tgw=True),
    Field("tgw-attachment-id", "string", 6, None, "attachment that recorded the traffic", tgw=True),
    Field("tgw-src-vpc-account-id", "string", 6, None, "account of the source VPC", tgw=True),
    Field("tgw-dst-vpc-account-id", "string", 6, None, "account of the destination VPC", tgw=True),
    Field("tgw-src-vpc-id", "string", 6, None, "source VPC", tgw=True),
    Field("tgw-dst-vpc-id", "string", 6, None, "destination VPC", tgw=True),
    Field("tgw-src-subnet-id", "string", 6, None, "source subnet", tgw=True),
    Field("tgw-dst-subnet-id", "string", 6, None, "destination subnet", tgw=True),
    Field("tgw-src-eni", "string", 6, None, "source attachment interface", tgw=True),
    Field("tgw-dst-eni", "string", 6, None, "destination attachment interface", tgw=True),
    Field("tgw-src-az-id", "string", 6, None, "source availability zone", tgw=True),
    Field("tgw-dst-az-id", "string", 6, None, "destination availability zone", tgw=True),
    Field("tgw-pair-attachment-id", "string", 6, None, "other attachment of the flow", tgw=True),
    Field(
        "packets-lost-no-route", "int64", 6, "packets", "packets lost through no route", tgw=True
    ),
    Field(
        "packets-lost-blackhole",
        "int64",
        6,
        "packets",
        "packets lost through a blackhole route",
        tgw=True,
    ),
    Field(
        "packets-lost-mtu-exceeded", "int64", 6, "packets", "packets lost through the MTU", tgw=True
    ),
    Field(
        "packets-lost-ttl-expired",
        "int64",
        6,
        "packets",
        "packets lost through an expired TTL",
        tgw=True,
    ),
)

BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}

DEFAULT_FORMAT: tuple[str, ...] = tuple(f.name for f in FIELDS if f.version == 2)
"""Columns of AWS's default VPC format, in the order of the text."""

TGW_FORMAT: tuple[str, ...] = (
    "version",
    "resource_type",
    "account_id",
    "tgw_id",
    "tgw_attachment_id",
    "tgw_src_vpc_account_id",
    "tgw_dst_vpc_account_id",
    "tgw_src_vpc_id",
    "tgw_dst_vpc_id",
    "tgw_src_subnet_id",
    "tgw_dst_subnet_id",
    "tgw_src_eni",
    "tgw_dst_eni",
    "tgw_src_az_id",
    "tgw_dst_az_id",
    "tgw_pair_attachment_id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "log_status",
    "type",
    "packets_lost_no_route",
    "packets_lost_blackhole",
    "packets_lost_mtu_exceeded",
    "packets_lost_ttl_expired",
    "tcp_flags",
    "region",
    "flow_direction",
    "pkt_src_aws_service",
    "pkt_dst_aws_service",
)
"""Columns of AWS's default transit-gateway format, in the order of the text."""

ADDRESS_COLUMNS: tuple[str, ...] = tuple(f.name for f in FIELDS if f.unit == "ip")

SOURCE_ID = "source_id"
"""The last column of flows, coverage and rejects, which no log has: the ledger's number of the
source object that the row was read from; NULL where a lake of format 1 did not keep it."""


def field_for(token: str) -> Field | None:
    """Find the field that a header token names: hyphens or underscores, any case, or `${…}`."""
    name = token.strip().removeprefix("${").removesuffix("}").lower().replace("-", "_")
    return BY_NAME.get(name)


def column_order(names: Iterable[str]) -> list[str]:
    """Sort column names into lake order: known fields, those that AWS added since by name, ours."""
    known = {name: i for i, name in enumerate(BY_NAME)}
    known[SOURCE_ID] = len(known) + 1
    return sorted(set(names), key=lambda name: (known.get(name, len(BY_NAME)), name))


@cache
def arrow_type(name: str) -> pa.DataType:
    """Arrow type of a column in the lake; unknown columns are strings."""
    import pyarrow as pa

    types = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64()}
    if name == SOURCE_ID:
        return types["int64"]
    field = BY_NAME.get(name)
    return types[field.type] if field else types["string"]


def arrow_schema(names: Iterable[str]) -> pa.Schema:
    """Arrow schema of flows that have the given columns, in the order given."""
    import pyarrow as pa

    return pa.schema([pa.field(name, arrow_type(name)) for name in names])
