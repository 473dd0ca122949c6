"""flowscan: answers from AWS VPC flow logs.

The names below are the public face; they are loaded when they are first used, so that importing
flowscan costs nothing. Invariant: `flowscan.ingest` and its like are always the functions, though
packages of the same names exist; code inside flowscan imports from those packages by name.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowscan.api import Lake, detect, ingest, match, report

__all__ = ["Lake", "__version__", "detect", "ingest", "match", "report"]

__version__ = "0.2.0.dev0"


class _PublicFace(ModuleType):
    """Keeps the import system from putting packages in the place of the public functions."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name in __all__:
            return getattr(importlib.import_module("flowscan.api"), name)
        raise AttributeError(f"module 'flowscan' has no attribute {name!r}")


sys.modules[__name__].__class__ = _PublicFace
