"""The exception tree. Every error says what, where (source, path, line) and what to do.

FlowscanError                  exit code 3
├── UsageError                 a bad option or argument (exit code 2)
├── ConfigError                flowscan.toml or the environment is wrong (exit code 2)
├── SourceError                a log object cannot be listed or read (tried again next time)
│   └── RejectedObject         the object is no flow log, or corrupt (remembered as refused)
├── LakeError                  the lake cannot be read or written
│   ├── LakeBusy               another cycle holds the lake (exit code 75)
│   ├── LakeConflict           another writer committed first (retried by the caller)
│   └── LakeCorrupt            ledger and files disagree
├── FeedError                  a feed cannot be fetched or read
├── QueryError                 a query file or SQL text is invalid
├── EngineError                the SQL engine refused or failed
└── ReportError                a report or export cannot be made

Bad *records* are never exceptions: they are rejects, kept with reason, source and line.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ConfigError",
    "EngineError",
    "FeedError",
    "FlowscanError",
    "LakeBusy",
    "LakeConflict",
    "LakeCorrupt",
    "LakeError",
    "QueryError",
    "RejectedObject",
    "ReportError",
    "SourceError",
    "UsageError",
]


class FlowscanError(Exception):
    """Base of all errors that flowscan raises on purpose.

    `where` names the object, path or line concerned; `hint` says what the user can do.
    `str()` is the one line that the command line prints.
    """

    exit_code = 3

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """One line: where, what, and what to do."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(FlowscanError):
    """A bad option or argument."""

    exit_code = 2


class ConfigError(FlowscanError):
    """flowscan.toml or an environment variable is wrong."""

    exit_code = 2


class SourceError(FlowscanError):
    """A log object cannot be listed or read now; it is tried again at the next ingest."""


class RejectedObject(SourceError):  # noqa: N818 - the name of the thing, not of a mistake
    """The whole object is no flow log, too large or corrupt; no record of it goes in."""


class LakeError(FlowscanError):
    """The lake cannot be read or written."""


class LakeBusy(LakeError):  # noqa: N818
    """Another scheduled cycle holds the lake; nothing was done, and nothing is wrong."""

    exit_code = 75  # sysexits.h: temporary failure


class LakeConflict(LakeError):  # noqa: N818
    """Another writer committed first; the caller plans again from the new state.

    `known` are the sources, as (uri, etag), that are in the lake already.
    """

    def __init__(self, what: str, *, known: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(what)
        self.known = tuple(known)


class LakeCorrupt(LakeError):  # noqa: N818
    """The ledger and the files disagree, or a ledger entry cannot be read."""


class FeedError(FlowscanError):
    """A threat feed cannot be fetched or read."""


class QueryError(FlowscanError):
    """A query file or an SQL text is invalid."""


class EngineError(FlowscanError):
    """The SQL engine refused a statement or failed while running it."""


class EngineMemoryError(EngineError):
    """A statement needs more memory than the engine may take, and could not spill."""


class ReportError(FlowscanError):
    """A report or an export cannot be made."""
