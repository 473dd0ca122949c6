"""The command line: one module per verb, each parses options, makes one library call, renders.

Only this package prints, reads argv and imports Typer. Everything heavy is imported inside
the function that uses it, so that `flowscan --help` answers at once.
"""

from __future__ import annotations
