"""Findings in the lake: merged by replacing whole days, suppressed by rules, changed by people.

Invariant: the table `findings` has one row per id, most severe and latest first. What a detection
says about a day replaces what it said before; what people said (archived, suppressed) stays until
there is news. Rows that nothing was said about are carried as they are, unread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flowscan.detect import suppress
from flowscan.detect.suppress import Rule
from flowscan.errors import UsageError
from flowscan.findings import Finding, Status, from_row, to_row, update, with_actors, withdraw
from flowscan.findings.stored import ORDER, TABLE, choose
from flowscan.lake import Lake, Snapshot
from flowscan.lake.small import read
from flowscan.schema import small_schema
from flowscan.text import meant

_SWEPT: Final = ("detect", "swept")
_BY_STATUS: Final = ("type", "status", "status_reason")
_LONG_RUN: Final = 32


def load(lake: Lake) -> list[Finding]:
    """All findings of the lake, most severe and latest first."""
    return list(choose(lake).findings())


def merge(
    lake: Lake,
    fresh: Sequence[Finding],
    evaluated: Mapping[str, Iterable[int]],
    rules: Sequence[Rule],
    now: int,
) -> list[Finding]:
    """Put the findings of the `evaluated` days (by detection) into the lake.

    Gives those that are new or have changed.
    """
    days = {name: found for name, of in evaluated.items() if (found := frozenset(of))}
    active = suppress.in_force(rules, now)
    snapshot = lake.snapshot()
    news: list[Finding] = []
    if not fresh and not days and _is_swept(lake, snapshot, active):
        return []

    def merged(old: Any) -> Any:
        change = _Change(old, fresh, days, active, now)
        news[:] = change.news
        return change.table()

    lake.replace(TABLE, merged)
    if not fresh and not days and not news:
        lake.put_blob(*_SWEPT, _mark(snapshot, active))
    return news


def _is_swept(lake: Lake, snapshot: Snapshot, rules: Sequence[Rule]) -> bool:
    """Whether these rules have nothing to say about the findings as they are."""
    if lake.get_blob(*_SWEPT) == _mark(snapshot, rules):
        return True
    if pc.any(suppress.concerned(read(snapshot, TABLE, _BY_STATUS), rules)).as_py():
        return False
    lake.put_blob(*_SWEPT, _mark(snapshot, rules))
    return True


def _mark(snapshot: Snapshot, rules: Sequence[Rule]) -> bytes:
    """Names a state of the table, which every change puts into a new file, and the rules."""
    said = [(r.reason, r.type, r.actor, r.resource, r.port) for r in rules]
    state = [entry.path for entry in snapshot.files(TABLE)]
    return hashlib.sha256(repr((state, said)).encode()).hexdigest().encode()


class _Change:
    """What is said about some days, against the rows of the table."""

    def __init__(
        self,
        old: Any,
        fresh: Sequence[Finding],
        days: Mapping[str, frozenset[int]],
        rules: Sequence[Rule],
        now: int,
    ) -> None:
        self._old = old
        new = {finding.id: finding for finding in fresh}
        mask = _touched(old, new, days)
        known = _findings(old, mask)
        result = _merged(known, new, days, now)
        rest = pc.and_(suppress.concerned(old, rules), pc.invert(mask))
        known |= (others := _findings(old, rest))
        result = [suppress.apply(finding, rules) for finding in (*result, *others.values())]
        self.news = with_actors(f for f in result if known.get(f.id) != f)
        self._gone = known.keys() - {f.id for f in result} | {f.id for f in self.news}

    def table(self) -> Any:
        """The rows as they are now; None when nothing has changed."""
        if not self._gone and not self.news:
            return None
        changed = pa.Table.from_pylist(list(map(to_row, self.news)), schema=small_schema(TABLE))
        both = pa.concat_tables([self._old, changed])
        gone = pc.is_in(self._old["id"], value_set=pa.array(sorted(self._gone), pa.string()))
        keep = np.append(~gone.to_numpy(), np.ones(len(self.news), bool))
        return _ordered(both, np.flatnonzero(keep))


def _touched(old: Any, ids: Iterable[str], days: Mapping[str, frozenset[int]]) -> Any:
    """A mask of the rows that a run has something to say about, and perhaps some others."""
    mask = pc.is_in(old["detection"], value_set=pa.array(sorted(days), pa.string())).to_numpy()
    seen = sorted(frozenset().union(*days.values()))
    # As `to_row` writes it; inside a text of the JSON the quotes would be escaped.
    pattern = f'"day":(?:{"|".join(map(str, seen))}),'
    if mask.any():
        texts = old["days"].filter(pa.array(mask))
        mask[mask] = pc.match_substring_regex(texts, pattern).to_numpy()
    named = pc.is_in(old["id"], value_set=pa.array(sorted(ids), pa.string()))
    return pc.or_(named, pa.array(mask))


def _findings(table: Any, mask: Any) -> dict[str, Finding]:
    return {row["id"]: from_row(row) for row in table.filter(mask).to_pylist()}


def _ordered(table: Any, places: Any) -> Any:
    """The rows at these places in the order of the table, which most of them are in."""
    keys = table.select([name for name, _ in ORDER]).take(pa.array(places))
    places = places[pc.sort_indices(keys, list(ORDER)).to_numpy()]
    runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
    # Slices copy no text, but the writer takes each of them by itself.
    if len(runs) * _LONG_RUN > len(places):
        return table.take(pa.array(places))
    return pa.concat_tables([table.slice(int(run[0]), len(run)) for run in runs])


def _merged(
    known: Mapping[str, Finding],
    fresh: Mapping[str, Finding],
    days: Mapping[str, frozenset[int]],
    now: int,
) -> list[Finding]:
    result = []
    for id_, finding in known.items():
        evaluated = days.get(finding.detection, frozenset())
        if id_ in fresh:
            result.append(update(finding, fresh[id_], evaluated, now))
        elif (left := withdraw(finding, evaluated, now)) is not None:
            result.append(left)
    return [*result, *(update(None, f, (), now) for id_, f in fresh.items() if id_ not in known)]


def set_status(
    lake: Lake, ids: Iterable[str], status: Status, reason: str | None, now: int
) -> list[Finding]:
    """Archive, suppress or reopen findings; ids may be shortened to a unique beginning.

    Raises:
        UsageError: an id is unknown or fits several findings.
    """
    wanted = list(ids)
    changed: list[Finding] = []

    def apply(old: Any) -> Any:
        known = old["id"].to_pylist()
        chosen = pa.array(sorted({pick(known, text) for text in wanted}), pa.string())
        mask = pc.is_in(old["id"], value_set=chosen)
        for name, value in (("status", status), ("status_reason", reason), ("updated", now)):
            at = old.schema.get_field_index(name)
            field = old.schema.field(name)
            new = pc.if_else(mask, pa.scalar(value, field.type), old[name])
            old = old.set_column(at, field, new)
        changed[:] = _findings(old, mask).values()
        return old

    lake.replace(TABLE, apply)
    return changed


def pick(known: Iterable[str], text: str) -> str:
    """The one id that begins with `text`.

    Raises:
        UsageError: none or several do.
    """
    ids = list(known)
    fits = [id_ for id_ in ids if id_.startswith(text.lower())]
    if len(fits) == 1:
        return fits[0]
    if fits:
        some = ", ".join(id_[:10] for id_ in fits[:4])
        hint = some + (", …" if len(fits) > 4 else "")
        raise UsageError(f"{len(fits)} findings begin with {text[:40]!r}", hint=hint)
    shown = meant(text[:10], [id_[:10] for id_ in ids], "flowscan findings list shows the ids")
    raise UsageError(f"there is no finding {text[:40]!r}", hint=shown)
