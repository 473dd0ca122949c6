"""Athena's API with Trino behind it: what the product sends is what Trino runs.

Only two things are put into other words: Hive's CREATE EXTERNAL TABLE, as in trino_tables, and
the s3:// prefix, which becomes a folder on disk. Rows are told as Athena tells them, as texts.
"""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import trino_tables
from trino_client import Rows, Trino, TrinoError

BUCKET = "s3://bucket"
NAMES = {"varchar": "varchar", "boolean": "boolean", "double": "double", "real": "float"}


@dataclass
class TrinoAsAthena:
    """The part of boto3's Athena client that flowscan uses."""

    trino: Trino
    stop_at: str | None = None
    stop_with: BaseException | None = None
    sent: list[tuple[str, str]] = field(default_factory=list)
    _done: dict[str, Rows | str] = field(default_factory=dict)
    _ids: Any = field(default_factory=itertools.count)

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        database = request["QueryExecutionContext"]["Database"]
        text = request["QueryString"]
        self.sent.append((database, text))
        name = str(next(self._ids))
        try:
            if self.stop_at and self.stop_at in text:
                raise self.stop_with or TrinoError("made to fail")
            sql = text
            if sql.startswith("CREATE EXTERNAL TABLE"):
                sql = trino_tables.to_trino(sql, BUCKET, "local://")
            self._done[name] = self._run(database, sql.replace(f"'{BUCKET}/", "'local:///"))
        except TrinoError as error:
            self._done[name] = str(error)
        return {"QueryExecutionId": name}

    def _run(self, database: str, sql: str) -> Rows:
        trino = replace(self.trino, schema=database)
        try:
            return trino.run(sql)
        except TrinoError as error:
            # A table without rows has no file, and on disk, other than on S3, no place then.
            if "location does not exist" not in str(error):
                raise
            return trino.run(re.sub(r", external_location = '[^']*'", "", sql, count=1))

    def get_query_execution(self, **request: Any) -> dict[str, Any]:
        done = self._done[request["QueryExecutionId"]]
        status = (
            {"State": "FAILED", "StateChangeReason": done}
            if isinstance(done, str)
            else {"State": "SUCCEEDED"}
        )
        return {
            "QueryExecution": {"Status": status, "Statistics": {"DataScannedInBytes": 20_000_000}}
        }

    def get_query_results(self, **request: Any) -> dict[str, Any]:
        done = self._done[request["QueryExecutionId"]]
        assert isinstance(done, Rows)
        begin = int(request.get("NextToken", 0))
        end = begin + request["MaxResults"] - 1
        rows = [[cell(v) for v in row] for row in done.rows]
        page = rows[begin:end] if begin else [list(done.names), *rows[:end]]
        return {
            "ResultSet": {
                "Rows": [
                    {"Data": [{} if v is None else {"VarCharValue": v} for v in row]}
                    for row in page
                ],
                "ResultSetMetadata": {
                    "ColumnInfo": [
                        column(n, t) for n, t in zip(done.names, done.types, strict=True)
                    ]
                },
            },
            **({"NextToken": str(end)} if end < len(rows) else {}),
        }

    def stop_query_execution(self, **_: Any) -> dict[str, Any]:
        return {}


def column(name: str, kind: str) -> dict[str, Any]:
    base, _, rest = kind.partition("(")
    found: dict[str, Any] = {"Name": name, "Type": NAMES.get(base, base)}
    if base == "decimal":
        precision, scale = rest.rstrip(")").split(",")
        found |= {"Precision": int(precision), "Scale": int(scale)}
    return found


def cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("local:///", f"{BUCKET}/")


@dataclass
class Shelf:
    """The results' prefix on disk, where Trino's file system sees it."""

    root: Path
    where: str = f"{BUCKET}/results"

    def put(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def walk(self, prefix: str) -> list[Any]:
        return [
            Entry(str(path.relative_to(self.root)))
            for path in (self.root / prefix).rglob("*")
            if path.is_file()
        ]

    def delete(self, key: str) -> None:
        (self.root / key).unlink()


@dataclass
class Entry:
    key: str


def ready(trino: Trino) -> None:
    """A server that answers may still wait for its only node to announce itself."""
    for _ in range(60):
        try:
            trino.run("SELECT count(*) FROM flows")
        except TrinoError as error:
            if "No nodes" not in str(error):
                raise
            time.sleep(1)
        else:
            return
