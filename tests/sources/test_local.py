from __future__ import annotations

import hashlib
import io
import os
import sys
from pathlib import Path

import pytest

from flowscan.errors import SourceError, UsageError
from flowscan.sources import SourceOptions, Window, open_source
from flowscan.sources.local import WHOLE


def names(uri: str, **options: object) -> list[str]:
    source = open_source(uri, SourceOptions(**options))  # type: ignore[arg-type]
    return [obj.uri.rsplit("/", 1)[1] for obj in source.list(Window())]


def test_folder_file_and_glob(tmp_path: Path) -> None:
    for name in ("b.log", "a.log", "sub/c.log.gz", ".hidden", ".dir/x.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(str(tmp_path)) == ["a.log", "b.log", "c.log.gz"]
    assert names(str(tmp_path / "b.log")) == ["b.log"]
    assert names(f"{tmp_path}/**/*.gz") == ["c.log.gz"]
    assert names(f"{tmp_path}/*") == ["a.log", "b.log", "c.log.gz"]
    assert names(str(tmp_path), exclude=(tmp_path / "sub",)) == ["a.log", "b.log"]


def test_a_lake_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "lake/_flowscan/commits").mkdir(parents=True)
    (tmp_path / "lake/flows").mkdir()
    (tmp_path / "lake/flows/x.parquet").write_bytes(b"x")
    (tmp_path / "in.log").write_bytes(b"x")
    assert names(str(tmp_path)) == ["in.log"]


def test_nothing_there_is_told(tmp_path: Path) -> None:
    for uri in (str(tmp_path / "absent"), f"{tmp_path}/*.log"):
        with pytest.raises(SourceError, match="no such file"):
            open_source(uri)
    with pytest.raises(UsageError):
        open_source("ftp://host/x")


def test_read_gives_bytes_and_digest(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"odd \xff%20\n#?.log")
    path.write_bytes(b"hello" * 1000)
    source = open_source(str(path))
    (obj,) = source.list(Window())
    obj.uri.encode("ascii")
    payload = source.read(obj)
    assert payload.digest is None
    assert b"".join(payload.chunks) == b"hello" * 1000
    assert payload.digest == f"sha256:{hashlib.sha256(b'hello' * 1000).hexdigest()}"


def test_big_files_come_in_bounded_chunks(tmp_path: Path) -> None:
    path = tmp_path / "big.log"
    with path.open("wb") as file:
        file.truncate(WHOLE + 1)
    source = open_source(str(path))
    (obj,) = source.list(Window())
    assert max(map(len, source.read(obj).chunks)) <= 8 << 20


@pytest.mark.parametrize("when", ["before", "while"])
def test_changed_file_is_an_error(tmp_path: Path, when: str) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one")
    source = open_source(str(path))
    (obj,) = source.list(Window())
    chunks = source.read(obj).chunks
    if when == "while":
        next(chunks)
    path.write_bytes(b"other")
    with pytest.raises(SourceError, match="changed"):
        list(chunks)


def test_removed_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one")
    source = open_source(str(path))
    (obj,) = source.list(Window())
    path.unlink()
    with pytest.raises(SourceError):
        list(source.read(obj).chunks)


def test_window_prunes_by_name_below_the_named_folder_only(tmp_path: Path) -> None:
    name = "123456789012_vpcflowlogs_us-east-1_fl-1_20180620T1620Z_fe.log.gz"
    folder = tmp_path / "2001/01/01"  # the day of a backup, not of the records
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"")
    (folder / "plain.log").write_bytes(b"")
    window = Window(since=1_600_000_000)
    assert [o.uri[-9:] for o in open_source(str(folder)).list(window)] == ["plain.log"]
    (found,) = open_source(str(folder / name)).list(Window())
    assert (found.time, found.account, found.region) == (1529511600, "123456789012", "us-east-1")


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc")))
    source = open_source("-")
    (obj,) = source.list(Window())
    payload = source.read(obj)
    assert b"".join(payload.chunks) == b"abc"
    assert payload.digest
    assert obj.etag == ""
