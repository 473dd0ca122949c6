"""Query files: SQL that runs unchanged when pasted anywhere, and knows its title and parameters.

A file is a leading comment `/* flowscan` TOML `*/` and one SELECT. A parameter is a comment tag
before a default literal, `LIMIT /*$top*/ 20`, so the text is valid SQL as it stands. This module
owns the binding: a tag and its literal become one bound parameter, or one escaped literal for
engines that take none. No value is ever spliced into the text in another way. Reserved tags, such
as `/*$private(srcaddr)*/`, name what stands behind them and stay as they are (see net.sql).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from flowscan.errors import QueryError
from flowscan.net.sql import named
from flowscan.text import meant

Value = int | float | str
ParamType = Literal["integer", "float", "string"]

KINDS: Final = ("analytics", "detections", "aws")
"""Folders of the catalogue, in the order in which names are looked up."""

_TYPES: Final[dict[str, type[Value]]] = {"integer": int, "float": float, "string": str}
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_WINDOW: Final = {
    "since": "first second of the window, epoch seconds",
    "until": "end of the window, epoch seconds, exclusive",
}

_FRONT: Final = re.compile(r"\A\s*/\*\s*flowscan[ \t]*\n(?P<toml>.*?)\*/[ \t]*\n?", re.DOTALL)
# Quoted text and plain comments come first, so that a tag inside of them is text, not a tag.
_TOKENS: Final = re.compile(
    r"""(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*)
      | /\*\$(?P<tag>[a-z][a-z0-9_]*)\*/\s*
        (?P<literal>-?\d+\.\d+|-?\d+|'(?:[^']|'')*')?
      | /\*\$(?P<reserved>[a-z_]+[(.].*?)\*/
      | (?P<comment>/\*.*?\*/)""",
    re.VERBOSE | re.DOTALL,
)

_NAME: Final = r"[\"`]?(?:\w+\.)?\w+[\"`]?"
_READ_FROM: Final = re.compile(
    rf"\b(?:FROM|JOIN|DESCRIBE|DESC)\s+({_NAME}(?:(?:\s+(?:AS\s+)?\w+)?\s*,\s*{_NAME})*)",
    re.IGNORECASE,
)
_DEFINED: Final = re.compile(r"\b(\w+)\s+AS\s*(?:NOT\s+)?(?:MATERIALIZED\s*)?\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a query: its type, the default that stands in the text, its help."""

    name: str
    type: ParamType
    default: Value
    help: str = ""

    def parse(self, text: object) -> Value:
        """Turn what a user typed (or a value of Python) into the parameter's type.

        Raises:
            QueryError: the text is no such value.
        """
        value: Value
        if self.type == "integer" and isinstance(text, int) and not isinstance(text, bool):
            return text
        try:
            whole = self.type != "integer" or _INTEGER.fullmatch(str(text))
            value = _TYPES[self.type](str(text) if whole else "")
        except ValueError:
            raise QueryError(
                f"parameter {self.name}: {str(text)[:80]!r} is no {self.type}"
            ) from None
        if isinstance(value, float) and not -1e300 < value < 1e300:
            raise QueryError(f"parameter {self.name}: {str(text)[:80]!r} is no finite number")
        if isinstance(value, str) and "\x00" in value:
            raise QueryError(f"parameter {self.name}: contains a NUL character")
        return value


@dataclass(frozen=True, slots=True)
class Query:
    """A query file. `sql` is the text after the front matter, exactly as it stands there."""

    id: str
    kind: str
    title: str
    description: str
    params: Mapping[str, Param]
    sql: str
    path: Path
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bound:
    """SQL text with `$name` placeholders, and the value of each."""

    sql: str
    values: Mapping[str, Value]


def _literal(text: str) -> tuple[ParamType, Value]:
    if text.startswith("'"):
        return "string", text[1:-1].replace("''", "'")
    return ("float", float(text)) if "." in text else ("integer", int(text))


def _tags(sql: str, where: str) -> Iterator[tuple[re.Match[str], str, str]]:
    for match in _TOKENS.finditer(sql):
        tag = match["tag"]
        if match["reserved"] is not None:
            _reserved(match["reserved"], where)
        if tag is None:
            continue
        if match["literal"] is None:
            raise QueryError(f"parameter {tag} has no default literal after its tag", where=where)
        yield match, tag, match["literal"]


def _reserved(name: str, where: str) -> None:
    try:
        named(name)
    except ValueError as error:
        raise QueryError(str(error), where=where) from None


def _params(sql: str, declared: Mapping[str, object], where: str) -> dict[str, Param]:
    params: dict[str, Param] = {}
    for _, tag, literal in _tags(sql, where):
        kind, default = _literal(literal)
        entry = declared.get(tag)
        if entry is None and tag not in _WINDOW:
            raise QueryError(f"parameter {tag} has no [params.{tag}] entry", where=where)
        entry = entry if isinstance(entry, Mapping) else {}
        wanted = entry.get("type", kind)
        if wanted != kind:
            raise QueryError(f"parameter {tag} is {wanted}, its default is {kind}", where=where)
        text = str(entry.get("help", _WINDOW.get(tag, "")))
        params.setdefault(tag, Param(tag, kind, default, text))
        if params[tag].default != default:
            raise QueryError(f"parameter {tag} has two defaults", where=where)
    unused = sorted(set(declared) - set(params))
    if unused:
        raise QueryError(f"parameter {unused[0]} is declared and not used", where=where)
    return params


def parse(text: str, path: Path, kind: str | None = None) -> Query:
    """Read the text of a query file. A file without front matter is a query without a title.

    Raises:
        QueryError: front matter, parameters or file name contradict each other.
    """
    where = str(path)
    front = _FRONT.match(text)
    meta: dict[str, object] = {}
    if front:
        try:
            meta = tomllib.loads(front["toml"])
        except tomllib.TOMLDecodeError as error:
            raise QueryError(f"front matter is no TOML: {error}", where=where) from None
    sql = text[front.end() :] if front else text
    name = str(meta.pop("id", path.stem))
    if front and name != path.stem:
        raise QueryError(f"id {name!r} differs from the file name", where=where)
    declared = meta.pop("params", {})
    if not isinstance(declared, dict):
        raise QueryError("params is no table", where=where)
    return Query(
        id=name,
        kind=kind if kind is not None else path.parent.name,
        title=str(meta.pop("title", name)),
        description=" ".join(str(meta.pop("description", "")).split()),
        params=_params(sql, declared, where),
        sql=sql.strip() + "\n",
        path=path,
        meta=meta,
    )


def queries_dir() -> Path:
    """Folder of the queries: of the checkout, or those that were packed into the wheel.

    Raises:
        QueryError: neither is there (a broken installation).
    """
    package = Path(__file__).parent
    for folder in (package / "bundled" / "queries", package.parent / "queries"):
        if folder.is_dir():
            return folder
    raise QueryError("the query files are missing from this installation", where=str(package))


@lru_cache(maxsize=512)
def _read(path: Path, mtime_ns: int, kind: str | None) -> Query:
    try:
        return parse(path.read_text(encoding="utf-8"), path, kind)
    except UnicodeDecodeError:
        raise QueryError("is no UTF-8 text", where=str(path)) from None


def read(path: Path, kind: str | None = None) -> Query:
    """Read one query file.

    Raises:
        QueryError: it cannot be read, or is invalid.
    """
    try:
        return _read(path, path.stat().st_mtime_ns, kind)
    except OSError as error:
        raise QueryError(error.strerror or "cannot be read", where=str(path)) from None


def catalogue(kind: str | None = None, extra: Path | None = None) -> list[Query]:
    """All queries (of one kind, or all kinds), by kind and id; `extra` is a user's own folder.

    A file of `extra` replaces the shipped query of the same id.
    """
    files = _files((kind,) if kind else KINDS, extra)
    return [read(path, each) for (each, _), path in files.items()]


def _files(kinds: Iterable[str], extra: Path | None) -> dict[tuple[str, str], Path]:
    """Files of the catalogue by kind and id, in its order; those of `extra` go with the first."""
    found = {}
    for at, kind in enumerate(kinds):
        for folder in (queries_dir() / kind, extra if at == 0 else None):
            for path in sorted(folder.glob("*.sql")) if folder else ():
                found[kind, path.stem] = path
    return found


@lru_cache(maxsize=1)
def derived() -> tuple[Query, ...]:
    """The tables that are made of `flows` (`sessions` …), each after those that it reads."""
    found = {path.stem: read(path, "") for path in sorted(queries_dir().glob("*.sql"))}
    reads = {name: sorted(read_from(query.sql) & found.keys()) for name, query in found.items()}
    order: dict[str, None] = {}

    def add(name: str) -> None:
        for other in reads[name]:
            add(other)
        order[name] = None

    for name in found:
        add(name)
    return tuple(found[name] for name in order)


def read_from(sql: str) -> set[str]:
    """Names of tables that an SQL text may read from, but those that it defines itself."""
    found = set()
    for names in _READ_FROM.findall(sql):
        words = (part.split()[0] for part in names.split(","))
        found |= {word.split(".")[-1].strip('"`').lower() for word in words}
    return found - {name.lower() for name in _DEFINED.findall(sql)}


def load(name_or_path: str | Path, extra: Path | None = None) -> Query:
    """Find a query by its id, or read it from a path that ends in `.sql`.

    Raises:
        QueryError: there is no such query; the message proposes the nearest names.
    """
    text = str(name_or_path)
    if text.endswith(".sql"):
        return read(Path(text))
    files = _files(KINDS, extra)
    for (kind, name), path in files.items():
        if name == text:
            return read(path, kind)
    raise QueryError(
        f"there is no query {text[:80]!r}",
        hint=meant(text, {name for _, name in files}, "flowscan query --list shows all"),
    )


def values_of(query: Query, given: Mapping[str, object] | None = None) -> dict[str, Value]:
    """Every parameter's value: the given ones checked and typed, defaults for the rest.

    Raises:
        QueryError: a given name is no parameter of the query, or a value is of the wrong type.
    """
    given = given or {}
    for name in given:
        if name not in query.params and name not in _WINDOW:
            names = ", ".join(query.params) or "none"
            raise QueryError(f"{query.id} has no parameter {name!r}", hint=f"it has: {names}")
    return {
        name: param.parse(given[name]) if given.get(name) is not None else param.default
        for name, param in query.params.items()
    }


def bind(query: Query, given: Mapping[str, object] | None = None) -> Bound:
    """The query with `$name` placeholders in place of tags and their literals.

    Raises:
        QueryError: as `values_of`.
    """
    values = values_of(query, given)
    return Bound(_replace(query, {name: f"${name}" for name in values}), values)


def inline(query: Query, given: Mapping[str, object] | None = None) -> str:
    """The query with escaped literals: for engines and tools that take no parameters.

    Raises:
        QueryError: as `values_of`.
    """
    texts = {name: quote(value) for name, value in values_of(query, given).items()}
    return _replace(query, texts)


def quote(value: Value) -> str:
    """An SQL literal in the syntax that Trino and DuckDB share."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value) if isinstance(value, float) else str(value)


def _replace(query: Query, texts: Mapping[str, str]) -> str:
    parts, end = [], 0
    for match, tag, _ in _tags(query.sql, str(query.path)):
        parts += [query.sql[end : match.start()], texts[tag]]
        end = match.end()
    return "".join([*parts, query.sql[end:]])
