"""A long SELECT as several short ones: its common table expressions made into tables.

Trino plans a common table expression anew wherever it is named, and refuses a query of more than
150 stages. Invariant: the statements say together what the SELECT says, each piece in its own
words: a step named once stays a common table expression, one named more often becomes a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# What may hold a parenthesis that is none: texts, names, comments.
_TOKENS: Final = re.compile(
    r"(?P<skip>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/)|(?P<paren>[()])", re.DOTALL
)
_BLANK: Final = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*"
_WITH: Final = re.compile(rf"{_BLANK}WITH\s+", re.IGNORECASE | re.DOTALL)
_STEP: Final = re.compile(rf"{_BLANK}([A-Za-z_]\w*)\s+AS\s*\(", re.IGNORECASE | re.DOTALL)
_NEXT: Final = re.compile(rf"{_BLANK},", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One SELECT of the plan, and the table that its rows become."""

    table: str
    select: str


def plan(name: str, select: str) -> list[Step]:
    """The tables to make, in order, for `name` to hold the rows of the SELECT.

    The last one is `name` itself; the others are called `<name>__<step>`.
    """
    steps, last = split(select)
    texts = [*(text for _, text in steps), last]
    kept = {step for i, (step, _) in enumerate(steps) if _named(step, texts[i + 1 :]) > 1}
    found: list[Step] = []
    before: list[tuple[str, str]] = []
    for step, text in steps:
        if step in kept:
            table = f"{name}__{step}"
            found.append(Step(table, _with(before, text)))
            before.append((step, f"SELECT * FROM {table}"))
        else:
            before.append((step, text))
    return [*found, Step(name, _with(before, last))]


def split(select: str) -> tuple[list[tuple[str, str]], str]:
    """Names and texts of the common table expressions in front, and the SELECT after them."""
    start = _WITH.match(select)
    if start is None:
        return [], select.strip()
    steps: list[tuple[str, str]] = []
    at = start.end()
    while True:
        head = _STEP.match(select, at)
        if head is None:
            return [], select.strip()
        end = _closing(select, head.end())
        steps.append((head[1], select[head.end() : end].strip("\n")))
        comma = _NEXT.match(select, end + 1)
        if comma is None:
            return steps, select[end + 1 :].strip()
        at = comma.end()


def _closing(text: str, at: int) -> int:
    """Where the parenthesis ends that was opened before `at`."""
    depth = 1
    for token in _TOKENS.finditer(text, at):
        if token["paren"]:
            depth += 1 if token["paren"] == "(" else -1
            if depth == 0:
                return token.start()
    return len(text)


def _named(step: str, texts: list[str]) -> int:
    """How often the texts read from a step."""
    pattern = re.compile(rf"\b(?:FROM|JOIN)\s+{step}\b", re.IGNORECASE)
    return sum(len(pattern.findall(_bare(text))) for text in texts)


def _bare(text: str) -> str:
    return _TOKENS.sub(lambda m: m[0] if m["paren"] else " ", text)


def _with(before: list[tuple[str, str]], text: str) -> str:
    """The text with those of the steps before it that it needs."""
    needed = list(_needed(before, text))
    if not needed:
        return text
    parts = ",\n".join(f"{name} AS (\n{body}\n)" for name, body in needed)
    inner, last = split(text)
    own = "".join(f",\n{name} AS (\n{body}\n)" for name, body in inner)
    return f"WITH {parts}{own}\n{last}"


def _needed(before: list[tuple[str, str]], text: str) -> Iterator[tuple[str, str]]:
    words = set(re.findall(r"\w+", _bare(text)))
    wanted: list[tuple[str, str]] = []
    for name, body in reversed(before):
        if name in words:
            wanted.append((name, body))
            words |= set(re.findall(r"\w+", _bare(body)))
    return reversed(wanted)
