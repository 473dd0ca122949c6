"""The cases and questions of this folder are shared with the tests of other engines."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
