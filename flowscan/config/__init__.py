"""Settings from flowscan.toml and the environment; the only reader of either.

Invariant: an unknown key is an error with a suggestion, never ignored; secrets are never part of
a repr. Order: command line, then environment, then flowscan.toml, then defaults.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from flowscan.config.reader import from_environment, from_tables
from flowscan.config.redact import redact
from flowscan.config.settings import Settings
from flowscan.config.times import parse_duration, parse_time
from flowscan.errors import ConfigError

__all__ = [
    "Settings",
    "default_lake",
    "keep_freed_memory",
    "load",
    "parse_duration",
    "parse_time",
    "redact",
    "start_no_idle_threads",
]

FILE = "flowscan.toml"


def keep_freed_memory() -> None:
    """Let Arrow's allocator reuse what is freed; to be called before Arrow is loaded.

    By default it gives the memory of each block of text back to the system, which costs an ingest
    without the compiled kernel a tenth of its time
    (https://microsoft.github.io/mimalloc/environment.html).
    """
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "-1")


def start_no_idle_threads() -> None:
    """Keep NumPy's linear algebra, which flowscan does not use, from a thread for each core.

    To be called before NumPy is loaded; saves a tenth of a CPU second on two cores
    (https://www.openmathlib.org/OpenBLAS/docs/runtime_variables/).
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def load(path: Path | str | None = None) -> Settings:
    """The settings that are in force.

    Of the file given, else FLOWSCAN_CONFIG, else ./flowscan.toml if it exists, else the defaults;
    FLOWSCAN_<SECTION>_<KEY> of the environment is laid over them.

    Raises:
        ConfigError: the file is absent, no TOML, or a key or value is wrong.
    """
    chosen = path or os.environ.get("FLOWSCAN_CONFIG")
    settings = Settings()
    if chosen:
        settings = _read(Path(chosen))
    elif Path(FILE).is_file():
        settings = _read(Path(FILE))
    return from_environment(settings, os.environ)


def _read(path: Path) -> Settings:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            error.strerror or "cannot be read", where=str(path), hint="flowscan init writes one"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"no valid TOML: {error}", where=str(path)) from error
    return from_tables(tables, path)


def default_lake() -> str:
    """The lake when none is named: FLOWSCAN_LAKE, flowscan.toml, or `flowscan-lake` here."""
    return load().lake.path
