"""A DuckDB file whose views read a lake: for the plain `duckdb` CLI, DBeaver, a notebook.

Invariant: the file holds views and macros only, no rows; it shows the lake as it was when it was
written, and is written again to follow the lake. Trino's function names are macros in it, so that
the files of `queries/` run there as they stand.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from flowscan import queries, schema
from flowscan.engine import formats, functions, views
from flowscan.errors import EngineError

# What DuckDB has itself under the same name keeps DuckDB's meaning in a plain session.
_OWN: Final = frozenset(
    {
        *("md5", "sha1", "sha256", "replace", "substr", "substring", "split", "split_part"),
        *("regexp_extract", "date_diff", "millisecond", "element_at", "to_hex", "log"),
        *("array_distinct", "array_position", "array_union", "slice", "from_hex", "e"),
    }
)


def write_database(snapshot: views.Files, path: Path, *, force: bool = False) -> list[str]:
    """Write the file; gives the names of its views.

    Args:
        snapshot: the lake's files, as `Lake.snapshot()` gives them; its tables of traffic are
            shown as they are kept.
        path: where to; a name that DuckDB users open, such as `flows.duckdb`.
        force: replace a file that is there.

    Raises:
        EngineError: the file exists, cannot be written, or the lake is not on local disk.
    """
    import duckdb

    root = str(getattr(snapshot, "root", ""))
    if root.startswith("s3://"):
        # A view is made by reading its files, and DuckDB has no S3 of its own here.
        raise EngineError(
            f"a database file needs a lake on local disk, not {root}",
            where=str(path),
            hint="flowscan query and flowscan sql read it; or copy the lake here first",
        )
    if path.exists() and not force:
        raise EngineError("the file exists", where=str(path), hint="--force replaces it")
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with duckdb.connect(str(fresh)) as con:
            names = _fill(con, snapshot)
        fresh.replace(path)
    except (OSError, duckdb.Error) as error:
        raise EngineError(str(error).split("\n", 1)[0], where=str(path)) from None
    finally:
        fresh.unlink(missing_ok=True)
    return names


def _fill(con: object, snapshot: views.Files) -> list[str]:
    from flowscan.engine import tables

    made: list[str] = []

    def create(name: str, select: str) -> None:
        con.execute(f"CREATE VIEW {views.identifier(name)} AS {select}")  # type: ignore[attr-defined]
        made.append(name)

    for name in functions.ordered():
        functions.create(con, name)  # type: ignore[arg-type]
        if name in functions.NAMES and name not in _OWN:
            functions.create(con, name, prefix="")  # type: ignore[arg-type]
    con.execute(f"CREATE MACRO date_format(t, f) AS strftime(t, {formats.MACRO})")  # type: ignore[attr-defined]
    columns = views.flow_columns(snapshot.columns("flows"), schema.BY_NAME)
    create("flows", _spelled(views.flows_sql(snapshot, columns, None, None), snapshot, "flows"))
    for table in schema.SMALL_TABLES:
        create(table, _spelled(views.small_sql(snapshot, table), snapshot, table))
    for table in schema.TRAFFIC_TABLES:
        select = views.kept_sql(table, views.Kept(tuple(snapshot.uris(table))))
        create(table, _spelled(select, snapshot, table))
    for name in tables.SHAPES:
        create(name, tables.shape_sql(name))
    return made


def _spelled(select: str, snapshot: views.Files, table: str) -> str:
    """A view in a file cannot refer to a variable of the engine: its list is written out."""
    uris = ", ".join(queries.quote(uri) for uri in snapshot.uris(table))
    return re.sub(rf"getvariable\('(?:kept_)?{table}'\)", lambda _: f"[{uris}]", select)
