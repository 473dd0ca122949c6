"""A slow and obvious parser of flow-log text, written from the definition, sharing no code.

It is what every implementation of TextColumns is compared with.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

PORTS = ("srcport", "dstport")
STRINGS_OF = {"action": {"ACCEPT", "REJECT"}, "log_status": {"OK", "NODATA", "SKIPDATA"}}
ADDRESSES = ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr")
COVERAGE = (
    "account_id", "interface_id", "vpc_id", "subnet_id", "region", "start", "end", "log_status",
)  # fmt: skip
INT32 = ("version", "tcp_flags", "traffic_path", "encryption_status")
INT64 = (
    "packets", "bytes", "packets_lost_no_route", "packets_lost_blackhole",
    "packets_lost_mtu_exceeded", "packets_lost_ttl_expired",
)  # fmt: skip
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = b"0123456789"


@dataclass
class Outcome:
    flows: list[dict] = field(default_factory=list)
    coverage: list[dict] = field(default_factory=list)
    rejects: list[tuple[int, str]] = field(default_factory=list)
    consumed: int = 0
    lines: int = 0
    foreign: bool = False
    nodata: int = 0
    skipdata: int = 0

    @property
    def records(self) -> int:
        return len(self.flows) + len(self.coverage) + len(self.rejects)


class BadError(Exception):
    pass


def integer(token: str, most: int) -> int:
    if not 1 <= len(token) <= 19:
        raise BadError
    value = 0
    for c in token:
        if c not in "0123456789":
            raise BadError
        value = value * 10 + "0123456789".index(c)
    if value > most:
        raise BadError
    return value


def convert(column: str, token: str):
    if column in ("start", "end"):
        value = integer(token, 2**63 - 1)
        if value >= 100_000_000_000:
            value //= 1000
        if value >= 100_000_000_000:
            raise BadError
        return value
    if column in PORTS:
        return integer(token, 65535)
    if column == "protocol":
        return integer(token, 255)
    if column in INT32:
        return integer(token, 2**31 - 1)
    if column in INT64:
        return integer(token, 2**63 - 1)
    if column in STRINGS_OF:
        if token not in STRINGS_OF[column]:
            raise BadError
        return token
    if column in ADDRESSES:
        try:
            if getattr(ipaddress.ip_address(token), "scope_id", None) is not None:
                raise BadError
        except ValueError:
            raise BadError from None
        if "%" in token:
            raise BadError
    return token


def tokens_of(line: bytes, delimiter: bytes) -> list[bytes]:
    if delimiter == b" ":
        return [t for t in line.replace(b"\t", b" ").split(b" ") if t]
    out = []
    for padded in line.split(b","):
        token = padded.strip(b" \t")
        if len(token) >= 2 and token.startswith(b'"') and token.endswith(b'"'):
            out.append(token[1:-1])
        else:
            out.append(token)
    return out


def header_of(tokens: list[bytes], plan_size: int, known: set[str]) -> tuple[str, ...] | None:
    if len(tokens) < 2 and plan_size != 1:
        return None
    for token in tokens:
        if not token or token[:1] not in [bytes([c]) for c in LETTERS]:
            return None
        if any(c not in LETTERS + DIGITS + b"_-" for c in token):
            return None
    names = tuple(t.decode().lower().replace("-", "_") for t in tokens)
    if 2 * sum(n in known for n in names) < len(names):
        return None
    return names


def parse(data: bytes, columns, delimiter: bytes, *, line: int, final: bool, times, max_line: int,
          known: set[str]) -> Outcome:  # fmt: skip
    out = Outcome()
    while out.consumed < len(data):
        stop = data.find(b"\n", out.consumed)
        if stop < 0 and not final:
            break
        stop = len(data) if stop < 0 else stop + 1
        raw = data[out.consumed : stop]
        time = times if isinstance(times, int) or times is None else int(times[out.lines])
        time = None if time is not None and time < 0 else time
        verdict = one(raw, columns, delimiter, time, max_line, known)
        if verdict == "header":
            out.foreign = True
            break
        if isinstance(verdict, str):
            out.rejects.append((line + out.lines, verdict))
        elif verdict is not None:
            status = verdict.get("log_status")
            traffic = [n for n in ("srcaddr", "dstaddr", "packets", "bytes") if n in columns]
            if "log_status" not in columns and traffic and all(verdict[n] is None for n in traffic):
                status = "NODATA"
            if status in ("NODATA", "SKIPDATA"):
                verdict["log_status"] = status
                out.coverage.append({n: verdict.get(n) for n in COVERAGE})
                out.nodata += status == "NODATA"
                out.skipdata += status == "SKIPDATA"
            else:
                out.flows.append(verdict)
        out.consumed = stop
        out.lines += 1
    return out


def one(raw: bytes, columns, delimiter, time, max_line, known):
    text = raw.removesuffix(b"\n").removesuffix(b"\r")
    if len(text) > max_line:
        return "line too long"
    text = text.strip(b" \t")
    if text == b"" or text[:1] == b"#":
        return None
    for byte in text:
        if byte != 9 and not 0x20 <= byte <= 0x7E:
            return "not printable ASCII"
    tokens = tokens_of(text, delimiter)
    header = header_of(tokens, len(columns), known)
    if header is not None:
        return None if header == tuple(columns) else "header"
    if len(tokens) < len(columns):
        return "too few fields"
    if len(tokens) > len(columns):
        return "too many fields"
    row = {}
    for column, token in zip(columns, tokens, strict=True):
        try:
            row[column] = None if token in (b"-", b"") else convert(column, token.decode())
        except BadError:
            return f"bad {column}"
    start, end = row.get("start"), row.get("end")
    if start is None:
        start = end
    if start is None:
        start = time
    if end is None:
        end = start
    if start is None:
        return "no time"
    if end < start:
        return "end before start"
    row["start"], row["end"] = start, end
    return row
