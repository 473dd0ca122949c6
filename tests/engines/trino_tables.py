"""The generated Athena DDL as Trino's CREATE TABLE: same columns, same projection, other words.

Athena writes table properties where Trino has WITH clauses; nothing else is translated, so what
Trino runs on is what `flowscan athena ddl` prints.
"""

from __future__ import annotations

import re

TYPES = {"string": "varchar", "int": "integer", "array<string>": "array(varchar)"}


def to_trino(ddl: str, root: str, local: str) -> str:
    """One CREATE EXTERNAL TABLE with `root` (s3://…) replaced by `local` (local:///…)."""
    head, rest = ddl.split("\n)\n", 1)
    name = re.search(r"`\.`(\w+)` \(", head)[1]
    columns = re.findall(r"^  `(\w+)` ([\w<>:,]*[\w>]),?$", head, re.MULTILINE)
    parts = []
    if rest.startswith("PARTITIONED BY"):
        block, rest = rest.split("\n)\n", 1)
        parts = re.findall(r"^  `(\w+)` (\w+),?$", block, re.MULTILINE)
    properties = dict(re.findall(r"'([\w.]+)' = '([^']*)'", rest))
    location = re.search(r"LOCATION '([^']+)'", rest)[1].replace(root, local)
    lines = [f'  "{n}" {type_of(k)}' for n, k in columns]
    lines += [f'  "{n}" {TYPES.get(k, k)}{projection(n, properties)}' for n, k in parts]
    with_ = [f"external_location = '{location}'"]
    if "JsonSerDe" in rest:
        with_.append("format = 'OPENX_JSON'")
    elif "STORED AS PARQUET" in rest:
        with_.append("format = 'PARQUET'")
    else:
        with_ += ["format = 'TEXTFILE'", "textfile_field_separator = ' '", "null_format = '-'"]
        with_.append("skip_header_line_count = 1")
    if parts:
        names = ", ".join(f"'{n}'" for n, _ in parts)
        with_.append(f"partitioned_by = ARRAY[{names}]")
    if properties.get("projection.enabled") == "true":
        template = properties["storage.location.template"].replace(root, local)
        with_ += ["partition_projection_enabled = true"]
        with_ += [f"partition_projection_location_template = '{template}'"]
    joined = ",\n  ".join(with_)
    return f"CREATE TABLE {name} (\n" + ",\n".join(lines) + f"\n) WITH (\n  {joined}\n)"


def type_of(hive: str) -> str:
    """Trino's word for a Hive type."""
    if hive.startswith("array<struct<"):
        inner = hive.removeprefix("array<struct<").removesuffix(">>")
        fields = [pair.split(":") for pair in inner.split(",")]
        return "array(row(" + ", ".join(f'"{n}" {type_of(k)}' for n, k in fields) + "))"
    return TYPES.get(hive, hive)


def projection(name: str, properties: dict[str, str]) -> str:
    kind = properties.get(f"projection.{name}.type")
    if kind is None:
        return ""
    items = [f"partition_projection_type = '{kind.upper()}'"]
    if kind == "date":
        first, last = properties[f"projection.{name}.range"].split(",")
        items += [
            f"partition_projection_format = '{properties[f'projection.{name}.format']}'",
            f"partition_projection_range = ARRAY['{first}', '{last}']",
            f"partition_projection_interval = {properties[f'projection.{name}.interval']}",
            (
                "partition_projection_interval_unit = "
                f"'{properties[f'projection.{name}.interval.unit']}'"
            ),
        ]
    else:
        values = ", ".join(f"'{v}'" for v in properties[f"projection.{name}.values"].split(","))
        items.append(f"partition_projection_values = ARRAY[{values}]")
    return f" WITH ({', '.join(items)})"
