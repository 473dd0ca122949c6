"""DuckDB over one snapshot of a lake, locked down, speaking Athena's dialect.

Invariant: no other package opens DuckDB, and nothing that a user's SQL says reaches a file,
a network address or a setting that the snapshot did not bring.
"""

from __future__ import annotations

from flowscan.engine.database import write_database
from flowscan.engine.engine import Engine
from flowscan.engine.threads import threads_for
from flowscan.engine.workspace import Opener, Workspace

__all__ = ["Engine", "Opener", "Workspace", "threads_for", "write_database"]
