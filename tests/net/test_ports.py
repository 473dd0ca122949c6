"""Lists of ports."""

from __future__ import annotations

from flowscan.net import ports
from flowscan.net.ports import Span

LISTS = {name: value for name, value in vars(ports).items() if name.isupper()}


def numbers(value: object) -> set[int]:
    if isinstance(value, Span):
        return {value.first, value.last}
    return set(value) if isinstance(value, frozenset) else {value}  # type: ignore[arg-type]


def test_they_are_ports() -> None:
    for name, value in LISTS.items():
        assert numbers(value) <= set(range(1, 65536)), name


def test_each_is_named_once() -> None:
    """Two names for one list would be two truths."""
    values = list(LISTS.values())
    assert len(set(values)) == len(values)
