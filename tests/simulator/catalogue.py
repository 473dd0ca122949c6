"""All kinds of traffic by name."""

from __future__ import annotations

from . import hostile, inside, odd, outside
from .play import Kind


def _kinds(*modules: object) -> dict[str, Kind]:
    return {
        name.replace("_", "-"): play
        for module in modules
        for name, play in vars(module).items()
        if not name.startswith("_") and getattr(play, "__module__", "") == module.__name__  # type: ignore[attr-defined]
    }


ORDINARY = _kinds(inside, outside, odd)
HOSTILE = _kinds(hostile)
