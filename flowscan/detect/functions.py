"""What SQL cannot do well: small functions over the rows of a detection, named in its front matter.

A function takes the Arrow table of the query and the parameters of the detection and gives an Arrow
table of the rows of findings (columns of `spec.ROW` and evidence). Invariant: it depends on nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flowscan.detect import baseline, beacon, sequential

Function = Callable[[Any, Mapping[str, Any]], Any]

FUNCTIONS: Final[Mapping[str, Function]] = {
    "beacon": beacon.rows,
    "sequential": sequential.rows,
    "baseline": baseline.rows,
}
