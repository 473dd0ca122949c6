"""What a cycle tells about itself. Values only."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from flowscan.batch.memory import Memory
from flowscan.config import Settings, redact
from flowscan.lake import Lake
from flowscan.text import utc

Status = Literal["done", "nothing", "unchanged", "partial", "failed", "skipped"]


@dataclass(slots=True)
class StageResult:
    """One stage: what became of it, its figures, and a sentence where there is one to say.

    "nothing" means there was nothing to do, "unchanged" that the output stands as it was made
    before, "partial" that some objects or feeds failed and are tried again by the next cycle,
    "skipped" that the cycle was told to stop before.
    """

    status: Status = "done"
    figures: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """What every stage gets."""

    lake: Lake
    settings: Settings
    memory: Memory
    now: int
    stop: threading.Event
    tell: Callable[[str], None]
    """Prints a line on standard output."""


@dataclass(slots=True)
class Summary:
    """A whole cycle. `status`: ok, partial, failed, busy (another cycle holds the lake), stopped.

    Exit codes: 0 ok, stopped; 3 partial, failed; 75 busy.
    """

    lake: str
    started: int
    status: Literal["ok", "partial", "failed", "busy", "stopped"] = "ok"
    seconds: float = 0.0
    message: str = ""
    stages: dict[str, StageResult] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return {"ok": 0, "stopped": 0, "busy": 75}.get(self.status, 3)

    def to_json(self) -> str:
        """One line of JSON for monitoring, without secrets."""
        body: dict[str, Any] = {
            "flowscan": "run",
            "status": self.status,
            "lake": self.lake,
            "started": utc(self.started),
            "seconds": round(self.seconds, 3),
        }
        if self.message:
            body["message"] = self.message
        body["stages"] = {name: _stage(stage) for name, stage in self.stages.items()}
        return redact(json.dumps(body, ensure_ascii=True, separators=(",", ":")))


def _stage(stage: StageResult) -> dict[str, Any]:
    body: dict[str, Any] = {"status": stage.status, "seconds": round(stage.seconds, 3)}
    if stage.message:
        body["message"] = stage.message
    return {**body, **stage.figures}
