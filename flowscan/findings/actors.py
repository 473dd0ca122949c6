"""The other sides of a finding, each with its own counts.

A finding names up to a thousand of them for every day, and most are only carried from the table
and back, so they stay the JSON text that the lake keeps until somebody looks. Invariant: equal
actors have equal texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

MAX_ACTORS = 1000
"""Actors kept per finding; the totals count all of them."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was seen: times in epoch seconds, flows are sessions (connections), not records."""

    first_seen: int
    last_seen: int
    flows: int
    packets: int
    bytes: int

    def __add__(self, other: Counts) -> Counts:
        """Both together: the earliest and latest time, the sums of the numbers."""
        return Counts(
            min(self.first_seen, other.first_seen),
            max(self.last_seen, other.last_seen),
            self.flows + other.flows,
            self.packets + other.packets,
            self.bytes + other.bytes,
        )

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Counts:
        """Counts among the members of a JSON object."""
        return cls(*(int(data[name]) for name in cls.__slots__))

    def members(self) -> dict[str, int]:
        """The counts as members of a JSON object."""
        # Not dataclasses.asdict, which copies deeply: there are thousands of actors.
        return {name: getattr(self, name) for name in Counts.__slots__}


@dataclass(frozen=True, slots=True)
class Actor:
    """The other side of a finding with its own counts, and what a feed says about it."""

    address: str
    counts: Counts
    details: Mapping[str, Any] = field(default_factory=dict)


class Actors(Sequence[Actor]):
    """Actors as the JSON text of their list, most active first.

    `distinct` says that no address is there twice, which is true of what was merged.
    """

    __slots__ = ("_read", "distinct", "text")

    def __init__(self, text: str, *, distinct: bool = False) -> None:
        """Take a text that `of` or the table made."""
        self.text = text
        self.distinct = distinct
        self._read: list[dict[str, Any]] | None = None

    @classmethod
    def of(cls, actors: Iterable[Actor], *, distinct: bool = False) -> Actors:
        """Actors in the order given; those that have a text already keep it."""
        if isinstance(actors, Actors):
            return actors
        return cls(json_text([_members(a) for a in actors]), distinct=distinct)

    @property
    def members(self) -> list[dict[str, Any]]:
        """The JSON objects of the text; do not change them."""
        if self._read is None:
            self._read = json.loads(self.text)
        return self._read

    def __len__(self) -> int:
        """How many are named."""
        return len(self.members)

    @overload
    def __getitem__(self, index: int) -> Actor: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Actor, ...]: ...
    def __getitem__(self, index: int | slice) -> Actor | tuple[Actor, ...]:
        """One actor, or some of them."""
        if isinstance(index, slice):
            return tuple(map(_actor, self.members[index]))
        return _actor(self.members[index])

    def __iter__(self) -> Iterator[Actor]:
        """All actors in order."""
        return map(_actor, self.members)

    def __eq__(self, other: object) -> bool:
        """Compare with actors or any sequence of them."""
        if isinstance(other, Actors):
            return self.text == other.text
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Hash of the text."""
        return hash(self.text)

    def __repr__(self) -> str:
        """Show the actors as a tuple would."""
        return repr(tuple(self))


def json_text(value: object) -> str:
    """JSON as the lake keeps it: ASCII, sorted members, no spaces."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _members(actor: Actor) -> dict[str, Any]:
    details = {"details": dict(actor.details)} if actor.details else {}
    return {"address": actor.address, **actor.counts.members(), **details}


def _actor(data: Mapping[str, Any]) -> Actor:
    return Actor(data["address"], Counts.of(data), data.get("details", {}))
