"""A ground that stays between the pages of a server, so that each sums up only its own period.

Invariant: one ground at a time, of one version of the lake; it is closed when another version is
asked for or a period that it does not hold.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Final

from flowscan.engine import Workspace
from flowscan.errors import EngineError
from flowscan.lake import Lake
from flowscan.report import assemble, ground
from flowscan.report.assemble import Options, Span
from flowscan.report.findings import Seen
from flowscan.report.ground import Window
from flowscan.report.model import Period, Report

MEMORY: Final = "1GB"
"""What a ground may take; the rest of it goes to disk."""


@dataclass(slots=True)
class Standing:
    """Makes reports of a lake, one after the other. Not thread-safe."""

    lake: Lake
    options: Options
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _engine: Workspace | None = None
    _version: int = 0
    _window: Window | None = None
    _seen: Seen = field(default_factory=dict)

    def build(self, since: int | None, until: int | None) -> Report:
        """As `assemble.build`.

        Raises:
            EngineError: the flows cannot be read.
        """
        try:
            return self._build(since, until)
        except EngineError:
            # Upkeep moves files, and says so by another version.
            if self._version == self.lake.state().version:
                raise
            return self._build(since, until)

    def close(self) -> None:
        """Give up what is kept; another report opens it again."""
        self._engine = self._window = None
        self._seen.clear()
        self._stack.close()

    def _build(self, since: int | None, until: int | None) -> Report:
        now = int(time.time())
        version = self.lake.state().version
        span = assemble.spanned(self.lake, since, until, now)
        engine = self._opened(span, version, span.held or Period(now, now + 1))
        return assemble.on(engine, self.lake, span, now, self.options, self._seen)

    def _opened(self, span: Span, version: int, held: Period) -> Workspace:
        wanted = Window.of(span.period)
        same = version == self._version
        if self._engine and self._window and same and self._window.holds(wanted, held):
            return self._engine
        self.close()
        window = wanted.whole(held)
        opened = ground.opened(self.lake, window, self.options.opener, MEMORY)
        self._engine = self._stack.enter_context(opened)
        self._version, self._window = version, window
        return self._engine
