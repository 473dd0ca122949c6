"""The command line: one module per verb, each parses options, makes one library call, renders.

Only this package prints, reads argv and imports Typer. Everything heavy is imported inside
the function that uses it, so that `flowscan --help` answers at once.
"""

from __future__ import annotations

import gc

# A command makes a hundred thousand objects while it imports and keeps them all: looking through
# them again and again for garbage takes a tenth of the start.
gc.set_threshold(50_000)
