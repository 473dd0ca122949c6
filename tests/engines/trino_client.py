"""A client for Trino's HTTP protocol, as small as the tests need: one statement, all rows."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


class TrinoError(Exception):
    """Trino refused or failed a statement."""


@dataclass
class Rows:
    names: list[str]
    types: list[str]
    rows: list[list[Any]]


@dataclass
class Trino:
    url: str
    catalog: str = "lake"
    schema: str = "flowscan"

    def _call(self, url: str, data: bytes | None = None) -> dict[str, Any]:
        headers = {
            "X-Trino-User": "flowscan",
            "X-Trino-Catalog": self.catalog,
            "X-Trino-Schema": self.schema,
            "X-Trino-Time-Zone": "UTC",
        }
        request = urllib.request.Request(url, data=data, headers=headers)
        for attempt in range(50):
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:
                    return json.load(reply)
            except urllib.error.HTTPError as error:
                if error.code not in (502, 503, 504, 429):
                    raise
                time.sleep(0.05 * (attempt + 1))
        raise TrinoError("no answer")

    def run(self, sql: str) -> Rows:
        page = self._call(f"{self.url}/v1/statement", sql.encode())
        names: list[str] = []
        types: list[str] = []
        rows: list[list[Any]] = []
        while True:
            if "error" in page:
                raise TrinoError(page["error"]["message"])
            if "columns" in page:
                names = [c["name"] for c in page["columns"]]
                types = [c["type"] for c in page["columns"]]
            rows += page.get("data", [])
            if "nextUri" not in page:
                return Rows(names, types, rows)
            page = self._call(page["nextUri"])

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/v1/info", timeout=2) as reply:
                return not json.load(reply)["starting"]
        except (OSError, KeyError):
            return False
