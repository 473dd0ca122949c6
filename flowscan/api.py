"""The public face for Python: a lake with SQL attached, and the verbs as functions.

Invariant: everything here is what the command line does, by the same library calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowscan import lake as storage

if TYPE_CHECKING:
    import pyarrow as pa

    from flowscan.detect import DetectResult
    from flowscan.ingest import IngestOptions, IngestResult
    from flowscan.match import MatchResult
    from flowscan.report import Report


class Lake(storage.Lake):
    """A lake that answers SQL.

    ```python
    lake = flowscan.Lake.open("flowscan-lake")
    lake.query("SELECT dstport, count(*) AS flows FROM flows GROUP BY 1").to_pandas()
    ```
    """

    def query(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> pa.Table:
        """Rows of one SELECT, or of a named query such as `rejected-ports`, as an Arrow table.

        `polars.from_arrow` and `.to_pandas()` take it from there. `params` are `$name`
        parameters of the SQL, or the parameters of a named query. `since` and `until` are epoch
        seconds and bound `flows` by `start`. What names a table of traffic (`sessions`,
        `volumes` …) reads kept ones; days that are not current are derived first, and kept where
        the lake can be written.

        Raises:
            QueryError: no such statement or query.
            EngineError: it failed while running.
        """
        from flowscan import queries, traffic

        word = sql.strip()
        named = queries.load(word) if word and not any(c.isspace() for c in word) else None
        with traffic.asked(self, named.sql if named else sql, since, until) as engine:
            return engine.run(named, params) if named else engine.query(sql, params)


def ingest(
    sources: str | Path | Iterable[str | Path],
    lake: str | Path | storage.Lake = "flowscan-lake",
    options: IngestOptions | None = None,
) -> IngestResult:
    """Read flow logs into a lake, exactly once; the lake is made if it is not there.

    Raises:
        SourceError: a source cannot be listed.
        LakeError: the lake cannot be written.
    """
    from flowscan.ingest import ingest as run
    from flowscan.sources import SourceOptions, open_source

    named = [sources] if isinstance(sources, str | Path) else list(sources)
    opened_lake = _open(lake, create=True)
    reach = SourceOptions() if "://" in str(lake) else SourceOptions(exclude=(_folder(lake),))
    return run(opened_lake, [open_source(str(s), reach) for s in named], options)


def match(lake: str | Path | storage.Lake = "flowscan-lake", **how: Any) -> MatchResult:
    """Match the lake's threat feeds against its flows; see `flowscan.match.match`."""
    from flowscan.match import match as run

    return run(_open(lake), **how)


def detect(lake: str | Path | storage.Lake = "flowscan-lake", **how: Any) -> DetectResult:
    """Run the detections and keep their findings in the lake; see `flowscan.detect.detect`."""
    from flowscan.detect import detect as run

    return run(_open(lake), **how)


def report(lake: str | Path | storage.Lake = "flowscan-lake", **how: Any) -> Report:
    """Build a report; `flowscan.report.render_html` and its like turn it into a page or text."""
    from flowscan.report import build

    return build(_open(lake), **how)


def _open(lake: str | Path | storage.Lake, *, create: bool = False) -> storage.Lake:
    return lake if isinstance(lake, storage.Lake) else Lake.open(lake, create=create)


def _folder(lake: str | Path | storage.Lake) -> Path:
    return Path(lake.store.where if isinstance(lake, storage.Lake) else lake).absolute()
