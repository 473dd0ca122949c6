"""Shares: parts of one batch that other processes write, for ingest on a cluster.

The driver begins a transaction and tells its batch to the executors; each attempt of a task opens
a share of it, writes files under numbers of its own into the batch's staging folder and sends
back what they are. The driver adopts the files of the attempts that succeeded and commits once.
Invariant: a share never touches the ledger, and files that no one adopted are never live, so
a retried or speculated task adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flowscan.errors import LakeError
from flowscan.lake import layout
from flowscan.lake.ledger import Refusal, SourceRecord
from flowscan.lake.transaction import Transaction

if TYPE_CHECKING:
    from flowscan.lake.lake import Lake


class _DriversClaim:
    """The staging folder is the driver's to claim and to clean; a share only writes in it."""

    def check(self) -> None:
        """Nothing to check here: the driver does, at its commit."""

    def release(self) -> None:
        """Nothing to release."""


class Share(Transaction):
    """A part of a batch, written by one attempt of one task.

    `number` is the first file number; shares of a batch keep a distance of `SPAN` or more.
    `sources` are the numbers that the driver gave to the objects of the task, by their URI: the
    same for every attempt, of which one is adopted.
    """

    SPAN = 100_000

    def __init__(self, lake: Lake, batch: str, number: int, sources: Mapping[str, int]) -> None:
        """Join the batch of a transaction begun elsewhere."""
        self._reset(lake, layout.check_batch(batch), _DriversClaim(), number)
        self._given = sources

    def number(self, uri: str) -> int:
        """The number that the driver gave to a source object."""
        return self._given[uri]

    def commit(self, sources: Sequence[SourceRecord], refused: Sequence[Refusal] = ()) -> int:
        """Refuse: only the driver commits.

        Raises:
            LakeError: always.
        """
        raise LakeError("a share cannot commit", where=self.batch)

    def abort(self) -> None:
        """Close what is open; the files stay in staging until the driver cleans it."""
        self._discard()
