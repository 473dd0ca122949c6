"""A simulated AWS estate that writes flow logs and, beside them, the truth.

It judges flowscan and therefore imports nothing of it. `simulate` plays a day of traffic through a
network of interfaces; `write` puts down what AWS would have logged (default format, all fields of
version 5, transit gateway) and what really happened; `score` compares answers with that.
"""

from __future__ import annotations

from .play import Simulation, simulate
from .writer import write

__all__ = ["Simulation", "simulate", "write"]
