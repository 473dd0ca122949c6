"""Records as AWS delivers them: gzip text by the end of their window, an object every few minutes.

Invariant: a record is delivered once, in the object of the slot in which its window ended; what
is still open at the end of the lake is not delivered.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from isal import igzip

from benchmarks.cycle.estate import HOUR, Estate, connections
from benchmarks.evaluate.traffic import records
from benchmarks.generate import ACCOUNT, key
from flowscan.schema import DEFAULT_FORMAT

MORE = ("vpc_id", "instance_id", "tcp_flags", "pkt_srcaddr", "pkt_dstaddr", "flow_direction")


@dataclass(frozen=True)
class Writer:
    """Writes the records of an estate below `root`, in objects of `slot` seconds."""

    e: Estate
    root: Path
    slot: int
    form: str = "v2"

    def write(self, begin: int, end: int) -> Iterator[tuple[Path, int]]:
        """Every object from `begin` to `end`, oldest first, with its number of flows."""
        open_ = None
        for hour in range(begin, end, HOUR):
            made = self.records(hour)
            made = made if open_ is None else pl.concat([open_, made])
            for start in range(hour, min(hour + HOUR, end), self.slot):
                # Nothing that begins in a later hour can end before it.
                ended = pl.col("end") < start + self.slot
                part = made.filter(ended).sort("end")
                yield self.put(self.root / key(start, start // self.slot), part, start), len(part)
                made = made.filter(~ended)
            open_ = made

    def records(self, hour: int) -> pl.DataFrame:
        """The records of the connections that begin in an hour."""
        columns = [*DEFAULT_FORMAT, *(MORE if self.form == "v5" else ())]
        calls = connections(self.e, hour)
        new = [records(calls, self.e.interfaces(window), window=window) for window in (60, 600)]
        return pl.concat([part.select(columns) for part in new]).with_columns(
            account_id=pl.lit(ACCOUNT), version=pl.lit(5 if self.form == "v5" else 2)
        )

    def put(self, path: Path, made: pl.DataFrame, start: int | None = None) -> Path:
        """One object; with the slot's `start`, interfaces without traffic have NODATA records."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = self._text(made) + (b"" if start is None else self._silent(start, made))
        path.write_bytes(igzip.compress(text, 3))
        return path

    def _text(self, made: pl.DataFrame) -> bytes:
        out = io.BytesIO()
        named = made.rename({name: name.replace("_", "-") for name in made.columns})
        named.write_csv(out, separator=" ", quote_style="never")
        return out.getvalue()

    def _silent(self, start: int, made: pl.DataFrame) -> bytes:
        """A NODATA record of each interface that had no traffic."""
        every = [*self.e.interfaces(60).values(), *self.e.interfaces(600).values()]
        silent = np.setdiff1d(every, made["interface_id"].unique().to_numpy())
        version, rest = (5, " -" * len(MORE)) if self.form == "v5" else (2, "")
        end = start + self.slot - 1
        return "".join(
            f"{version} {ACCOUNT} {name} - - - - - - - {start} {end} - NODATA{rest}\n"
            for name in silent
        ).encode()


def late(writer: Writer, path: Path, hour: int, flows: int) -> None:
    """An object with some records of an hour that nobody has seen: another estate's."""
    other = Writer(replace(writer.e, seed=writer.e.seed + 1), writer.root, 0, writer.form)
    made = other.records(hour)
    other.put(path, made.filter(pl.col("end") < hour + HOUR).head(flows))
