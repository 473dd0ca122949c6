"""Connections to flow-log records, as a network interface would write them.

A connection is one row of numpy columns; `records` splits it over aggregation windows and both
directions. Everything is drawn from a seeded generator, so an estate is reproducible.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

COLUMNS = {
    "client": pl.String,
    "server": pl.String,
    "sport": pl.Int32,
    "dport": pl.Int32,
    "protocol": pl.Int32,
    "start": pl.Float64,
    "duration": pl.Float64,
    "packets_out": pl.Int64,
    "packets_in": pl.Int64,
    "bytes_out": pl.Int64,
    "bytes_in": pl.Int64,
    "action": pl.String,
    "established": pl.Boolean,
}


@dataclass
class Traffic:
    """A growing set of connections; `label` of the planted ones names the attack."""

    rng: np.random.Generator
    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(
        self,
        client: object,
        server: object,
        dport: object,
        start: object,
        *,
        sport: object = None,
        protocol: object = 6,
        duration: object = 1.0,
        packets_out: object = 6,
        packets_in: object = 5,
        bytes_out: object = 600,
        bytes_in: object = 1500,
        action: object = "ACCEPT",
        established: object = True,
    ) -> None:
        """Adds connections; every argument is a scalar, or an array or series of one length."""
        values = dict(  # noqa: C408
            client=client, server=server, sport=sport, dport=dport, protocol=protocol, start=start,
            duration=duration, packets_out=packets_out, packets_in=packets_in,
            bytes_out=bytes_out, bytes_in=bytes_in, action=action, established=established,
        )  # fmt: skip
        many = np.ndarray | list | pl.Series
        n = max((len(v) for v in values.values() if isinstance(v, many)), default=1)
        if sport is None:
            values["sport"] = self.rng.integers(32768, 60999, n)
        full = {k: pl.repeat(v, n, eager=True) if np.isscalar(v) else v for k, v in values.items()}
        self.parts.append(pl.DataFrame({k: pl.Series(v).cast(COLUMNS[k]) for k, v in full.items()}))

    def connections(self) -> pl.DataFrame:
        return pl.concat(self.parts)


def split(con: pl.DataFrame, window: int, phase: np.ndarray) -> pl.DataFrame:
    """Rows of (connection, window): a connection of n seconds becomes about n / window rows."""
    start, duration = con["start"].to_numpy(), con["duration"].to_numpy()
    first = np.floor((start - phase) / window).astype(np.int64)
    last = np.floor((start + duration - phase) / window).astype(np.int64)
    # A window without a packet writes no record.
    packets = np.maximum(con["packets_out"].to_numpy(), con["packets_in"].to_numpy())
    n = np.minimum(last - first + 1, np.maximum(packets, 1))
    index = np.repeat(np.arange(len(con)), n)
    k = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    stride = np.repeat((last - first + 1) / n, n)
    left = np.repeat(first, n) + np.floor(k * stride).astype(np.int64)
    lo = np.maximum(left * window + phase[index], start[index])
    hi = np.minimum((left + 1) * window + phase[index] - 1, start[index] + duration[index])
    part = con[index].with_columns(
        lo=pl.Series(np.floor(lo).astype(np.int64)),
        hi=pl.Series(np.floor(np.maximum(hi, lo)).astype(np.int64)),
        first=pl.Series(k == 0),
        final=pl.Series(k == n[index] - 1),
        parts=pl.Series(n[index]),
        k=pl.Series(k),
    )
    shares = [
        (pl.col(c) // pl.col("parts") + (pl.col("k") < pl.col(c) % pl.col("parts"))).alias(c)
        for c in ("packets_out", "packets_in", "bytes_out", "bytes_in")
    ]
    return part.with_columns(shares)


def records(con: pl.DataFrame, interfaces: dict[str, str], *, window: int = 60) -> pl.DataFrame:
    """Flow-log records of all interfaces that see the connections, v5 columns.

    `interfaces` maps an address to its interface. A connection between two of them is recorded
    twice. TCP flags are OR-ed over the window, as AWS does it.
    """
    table = pl.DataFrame(
        {"address": list(interfaces), "interface_id": list(interfaces.values())},
        schema={"address": pl.String, "interface_id": pl.String},
    )
    out = []
    for side in ("client", "server"):
        seen = con.join(table, left_on=side, right_on="address", how="inner")
        if not len(seen):
            continue
        phase = (seen["interface_id"].hash(7) % window).to_numpy().astype(np.float64)
        rows = split(seen, window, phase)
        tcp = pl.col("protocol") == 6
        est = pl.col("established")
        syn, fin = pl.col("first") * 2, (pl.col("final") & est) * 1
        egress = side == "client"
        out.append(
            rows.filter(pl.col("packets_out") > 0).select(
                "interface_id", srcaddr="client", dstaddr="server", srcport="sport",
                dstport="dport", protocol="protocol", packets="packets_out", bytes="bytes_out",
                start="lo", end="hi", action="action",
                tcp_flags=pl.when(tcp).then(syn + fin).otherwise(0).cast(pl.Int32),
                flow_direction=pl.lit("egress" if egress else "ingress"),
            )
        )  # fmt: skip
        out.append(
            rows.filter((pl.col("packets_in") > 0) & (pl.col("action") == "ACCEPT")).select(
                "interface_id", srcaddr="server", dstaddr="client", srcport="dport",
                dstport="sport", protocol="protocol", packets="packets_in", bytes="bytes_in",
                start="lo", end="hi", action="action",
                tcp_flags=pl.when(tcp & est).then(pl.col("first") * 18 + fin)
                .when(tcp).then(4).otherwise(0).cast(pl.Int32),
                flow_direction=pl.lit("ingress" if egress else "egress"),
            )
        )  # fmt: skip
    flows = pl.concat(out)
    return flows.sort("start", "interface_id", maintain_order=True).with_columns(
        version=pl.lit(5, pl.Int32),
        account_id=pl.lit("111122223333"),
        log_status=pl.lit("OK"),
        vpc_id=pl.lit("vpc-0a1b2c3d4e5f60718"),
        instance_id=pl.col("interface_id").str.replace("eni-", "i-"),
        pkt_srcaddr=pl.col("srcaddr"),
        pkt_dstaddr=pl.col("dstaddr"),
    )
