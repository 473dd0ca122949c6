"""What cycles remember in the lake: how far sources were read, what was told to whom, and made.

Invariant: losing it costs work and repeats news, but never loses or doubles a record; those are
the ledger's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from flowscan.lake import Lake

__all__ = ["Memory"]

_BLOB = ("run", "memory")


@dataclass(slots=True)
class Memory:
    """Times are epoch seconds.

    `sources`: URI → start of its last cycle without failures; `upkeep`: time of the last one;
    `told`: finding id → severity that was told last; `made`: stage → name of what its output was
    made from.
    """

    sources: dict[str, int] = field(default_factory=dict)
    upkeep: int = 0
    told: dict[str, float] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    _kept: bytes | None = field(default=None, compare=False, repr=False)

    @classmethod
    def recall(cls, lake: Lake) -> Memory:
        """What the lake keeps; nothing when it keeps none or it cannot be understood."""
        data = lake.get_blob(*_BLOB)
        try:
            body = json.loads(data) if data else {}
            return cls(
                {str(k): int(v) for k, v in body.get("sources", {}).items()},
                int(body.get("upkeep", 0)),
                {str(k): float(v) for k, v in body.get("told", {}).items()},
                {str(k): str(v) for k, v in body.get("made", {}).items()},
                data,
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def keep(self, lake: Lake) -> None:
        """Puts it into the lake, unless that is what the lake keeps."""
        body = {
            "sources": self.sources,
            "upkeep": self.upkeep,
            "told": self.told,
            "made": self.made,
        }
        data = json.dumps(body, separators=(",", ":")).encode()
        if data != self._kept:
            lake.put_blob(*_BLOB, data)
            self._kept = data
