"""Turns the tables of a flowscan.toml, and variables of the environment, into Settings.

Invariant: every key is known and every value has its type, or a ConfigError names the key, the
file and what would be right. Nothing is read here but what the caller hands over.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from flowscan.config.settings import DetectSettings, Settings, Suppression
from flowscan.config.times import parse_duration, parse_time
from flowscan.errors import ConfigError, UsageError

__all__ = ["from_environment", "from_tables"]

T = TypeVar("T")
SECTIONS: dict[str, type[Any]] = {
    f.name: type(getattr(Settings(), f.name)) for f in fields(Settings) if f.name != "origin"
}
ENVIRONMENT = "FLOWSCAN_"


def from_tables(tables: Mapping[str, Any], origin: Path) -> Settings:
    """Settings of a parsed flowscan.toml. Raises ConfigError."""
    made: dict[str, Any] = {}
    for name, table in tables.items():
        section = SECTIONS.get(name)
        if section is None:
            raise _unknown(name, "section", list(SECTIONS), str(origin))
        if not isinstance(table, Mapping):
            raise ConfigError(f"[{name}] must be a section", where=str(origin))
        made[name] = _section(section, table, f"{origin}: [{name}]", origin.absolute().parent)
    return Settings(**made, origin=origin)


def _section(kind: type[T], table: Mapping[str, Any], where: str, folder: Path) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise _unknown(key, "key", list(known), where)
        if kind is DetectSettings and key == "suppress":
            values[key] = _suppressions(value, where, folder)
        elif kind is DetectSettings and key == "parameters":
            values[key] = _parameters(value, where)
        else:
            values[key] = _value(kind, known[key], value, f"{where} {key}", folder)
    try:
        return kind(**values)
    except TypeError:
        missing = ", ".join(k for k in known if k not in values)
        raise ConfigError(f"one of these keys is missing: {missing}", where=where) from None


def _suppressions(value: Any, where: str, folder: Path) -> tuple[Suppression, ...]:
    if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
        raise ConfigError("write [[detect.suppress]] for each one", where=where)
    made = tuple(_section(Suppression, v, f"{where} suppress", folder) for v in value)
    for one in made:
        if not one.reason.strip():
            raise ConfigError("a suppression needs a reason", where=f"{where} suppress")
    return made


def _parameters(value: Any, where: str) -> dict[str, dict[str, Any]]:
    good = isinstance(value, Mapping) and all(isinstance(v, Mapping) for v in value.values())
    if not good:
        raise ConfigError("write [detect.parameters.DETECTION]", where=where)
    for detection, table in value.items():
        for name, parameter in table.items():
            if isinstance(parameter, bool) or not isinstance(parameter, int | float | str):
                raise ConfigError(
                    "must be a number or a text", where=f"{where} parameters.{detection}.{name}"
                )
    return {detection: dict(table) for detection, table in value.items()}


def _unknown(name: str, what: str, known: Sequence[str], where: str) -> ConfigError:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return ConfigError(f"unknown {what} {name!r}", where=where, hint=hint)


def _value(owner: type[Any], item: Field[Any], value: Any, where: str, folder: Path) -> Any:
    wanted = get_type_hints(owner)[item.name]
    kind = item.metadata.get("kind")
    if kind in ("duration", "time") and isinstance(value, str):
        try:
            return parse_duration(value) if kind == "duration" else parse_time(value)
        except UsageError as error:
            raise ConfigError(error.what, where=where, hint=error.hint) from None
    if kind == "time" and hasattr(value, "isoformat"):  # TOML has dates of its own
        return parse_time(value.isoformat())
    if kind == "duration":
        raise ConfigError("must be a duration", where=where, hint="write '10m', '24h' or '7d'")
    value = _typed(wanted, value, where)
    choices = item.metadata.get("choices")
    if choices and value not in choices:
        raise ConfigError(f"{value!r} is not one of {', '.join(choices)}", where=where)
    if kind == "beside":  # addresses, and names of files that lie beside the settings
        return tuple(str(folder / v) if (folder / v).is_file() else v for v in value)
    if kind == "path":
        if isinstance(value, tuple):
            return tuple(_placed(v, folder) for v in value)
        return _placed(value, folder)
    return value


def _typed(wanted: Any, value: Any, where: str) -> Any:
    if wanted == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise ConfigError("must be a list of texts", where=where)
    types = {str: "a text", int: "a whole number", bool: "true or false"}
    for type_, name in types.items():
        if wanted in (type_, type_ | None):
            if isinstance(value, type_) and (type_ is bool or not isinstance(value, bool)):
                return value
            raise ConfigError(f"must be {name}", where=where)
    raise AssertionError(wanted)


def _placed(text: str, folder: Path) -> str:
    """Relative paths of a file mean: beside that file."""
    if not text or text == "-" or "://" in text:
        return text
    return str(folder / Path(text).expanduser())


def from_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """The settings with FLOWSCAN_<SECTION>_<KEY> laid over; lists are separated by commas.

    `FLOWSCAN_LAKE` is short for `FLOWSCAN_LAKE_PATH`. Raises ConfigError.
    """
    folder = Path.cwd()
    for name, text in environment.items():
        if name == "FLOWSCAN_LAKE":
            if text:
                path = replace(settings.lake, path=text)
                settings = replace(settings, lake=path)
            continue
        section, _, key = name.removeprefix(ENVIRONMENT).lower().partition("_")
        if not name.startswith(ENVIRONMENT) or section not in SECTIONS or not key:
            continue
        owner = SECTIONS[section]
        known = {f.name: f for f in fields(owner)}
        if key not in known or key in ("parameters", "suppress"):
            raise _unknown(key, "key", list(known), name)
        wanted = get_type_hints(owner)[key]
        value = _value(owner, known[key], _from_text(wanted, text, known[key]), name, folder)
        changed = replace(getattr(settings, section), **{key: value})
        settings = replace(settings, **{section: changed})
    return settings


def _from_text(wanted: Any, text: str, item: Field[Any]) -> Any:
    if item.metadata.get("kind") in ("duration", "time"):
        return text
    if wanted == tuple[str, ...]:
        return [part.strip() for part in text.split(",") if part.strip()]
    if wanted is bool and text.lower() in ("1", "true", "yes", "0", "false", "no"):
        return text.lower() in ("1", "true", "yes")
    if wanted is int and text.strip().isascii() and text.strip().isdigit():
        return int(text)
    return text
