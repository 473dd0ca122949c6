"""Lists of ports."""

from __future__ import annotations

import re
from pathlib import Path

from flowscan.net import ports
from flowscan.net.ports import Span

ROOT = Path(__file__).parents[2]
LISTS = {name: value for name, value in vars(ports).items() if name.isupper()}


def numbers(value: object) -> set[int]:
    if isinstance(value, Span):
        return {value.first, value.last}
    return set(value) if isinstance(value, frozenset) else {value}  # type: ignore[arg-type]


def test_they_are_ports() -> None:
    for name, value in LISTS.items():
        assert numbers(value) <= set(range(1, 65536)), name


def test_each_is_named_once_and_used() -> None:
    """Two names for one list would be two truths; a list that nobody reads says nothing."""
    values = list(LISTS.values())
    assert len(set(values)) == len(values)
    texts = [p.read_text() for p in (ROOT / "queries").rglob("*.sql")]
    texts += [p.read_text() for p in (ROOT / "flowscan").rglob("*.py")]
    words = "\n".join(texts)
    for name in LISTS:
        tagged = re.search(rf"\$(?:ports|names)\.{name.lower()}\b", words)
        assert tagged or len(re.findall(rf"\b{name}\b", words)) > 1, name
