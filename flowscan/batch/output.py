"""Puts what a cycle made where the settings say: a file, or an object of a bucket.

Invariant: a file is replaced as a whole, so that a reader never sees half a report; it is
readable by its owner only, as flow data is sensitive.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from flowscan.errors import FlowscanError, SourceError
from flowscan.sources import SourceOptions

__all__ = ["add_lines", "publish"]


def publish(where: str, text: str, options: SourceOptions | None = None) -> None:
    """Replaces the file or s3:// object by the text. Raises FlowscanError."""
    if where.startswith("s3://"):
        _put(where, text.encode(), options or SourceOptions())
        return
    path = Path(where)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise FlowscanError(error.strerror or "cannot be written", where=where) from error


def add_lines(where: str, lines: list[str]) -> None:
    """Adds lines to a file, readable by its owner only. Raises FlowscanError."""
    try:
        handle = os.open(where, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise FlowscanError(error.strerror or "cannot be written", where=where) from error


def _put(where: str, data: bytes, options: SourceOptions) -> None:
    import obstore

    from flowscan.sources.aws import Bucket
    from flowscan.sources.s3 import split_uri

    name, key = split_uri(where)
    try:
        Bucket(name, options).call(lambda store: obstore.put(store, key, data), key)
    except SourceError as error:
        raise FlowscanError(error.what, where=where, hint=error.hint) from None
