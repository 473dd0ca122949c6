"""Puts what a cycle made where the settings say: a file, or an object of a bucket.

Invariant: a file is replaced as a whole, so that a reader never sees half a report; it is
readable by its owner only, as flow data is sensitive. What is put need not fit into memory.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, TypeVar

from flowscan.errors import FlowscanError, SourceError
from flowscan.sources import SourceOptions

__all__ = ["add_lines", "is_there", "publish"]

T = TypeVar("T")


def publish(where: str, parts: Iterable[str], options: SourceOptions | None = None) -> None:
    """Replaces the file or s3:// object by the parts of a text. Raises FlowscanError."""
    if where.startswith("s3://"):
        with tempfile.TemporaryFile() as file:
            file.writelines(part.encode() for part in parts)
            _put(where, file, options or SourceOptions())
        return
    path = Path(where)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(parts)
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise FlowscanError(error.strerror or "cannot be written", where=where) from error


def is_there(where: str, options: SourceOptions) -> bool:
    """Tells whether the file or s3:// object exists. Raises FlowscanError."""
    if not where.startswith("s3://"):
        return Path(where).is_file()
    import obstore

    def found(store: Any, key: str) -> bool:
        try:
            obstore.head(store, key)
        except FileNotFoundError:
            return False
        return True

    return _ask(where, options, found)


def add_lines(where: str, lines: list[str]) -> None:
    """Adds lines to a file, readable by its owner only. Raises FlowscanError."""
    try:
        handle = os.open(where, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise FlowscanError(error.strerror or "cannot be written", where=where) from error


def _put(where: str, file: IO[bytes], options: SourceOptions) -> None:
    import obstore

    def put(store: Any, key: str) -> None:
        file.seek(0)
        obstore.put(store, key, file)

    _ask(where, options, put)


def _ask(where: str, options: SourceOptions, work: Callable[[Any, str], T]) -> T:
    from flowscan.sources.aws import Bucket
    from flowscan.sources.s3 import split_uri

    name, key = split_uri(where)
    try:
        return Bucket(name, options).call(lambda store: work(store, key), key)
    except SourceError as error:
        raise FlowscanError(error.what, where=where, hint=error.hint) from None
