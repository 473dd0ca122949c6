"""A disk that is full or broken: one line, nothing half-done, and the next ingest goes on."""

from __future__ import annotations

import contextlib
import errno
import gc
from pathlib import Path

import lake_kit as kit
import pytest

from flowscan.errors import LakeError
from flowscan.lake import Lake
from flowscan.lake.verify import repair, verify


class Fail:
    """Raises at the k-th operation, once; after an fsync it must not be called again for it."""

    def __init__(self, at: int, code: int) -> None:
        self.left = at
        self.code = code
        self.failed: tuple[str, str] | None = None
        self.after: list[tuple[str, str]] = []

    def __call__(self, operation: str, key: str) -> None:
        if self.failed:
            self.after.append((operation, key))
        elif self.left == 0:
            self.failed = (operation, key)
            raise OSError(self.code, "injected", key)
        self.left -= 1


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (errno.ENOSPC, 5),
        (errno.EIO, 7),
        (errno.EPERM, 11),
        pytest.param(errno.EIO, 1, marks=pytest.mark.slow),
    ],
)
def test_any_operation_may_fail_once(ram: Path, code: int, step: int) -> None:
    count = kit.Count()
    kit.ingest(kit.open_at(ram / "dry", count), ["a"])
    for k in range(0, len(count.seen), step):
        root = ram / f"{code}-{k}"
        fault = Fail(k, code)
        with contextlib.suppress(LakeError):
            kit.ingest(kit.open_at(root, fault), ["a"])
        gc.collect()
        assert fault.failed
        if fault.failed[0] == "fsync" and fault.failed[1].endswith(".tmp"):
            assert fault.failed not in fault.after, "an fsync was tried again"
        lake = Lake.open(root, create=True)
        kit.ingest(lake, ["a"])
        kit.check(root, ["a"])
        repair(lake)
        assert [p for p in verify(lake, full=True) if "staging" not in p.path] == []


def test_the_error_is_one_line_that_names_the_file(ram: Path) -> None:
    def fault(operation: str, key: str) -> None:
        if operation == "write" and "staging/2" in key:
            raise OSError(errno.ENOSPC, "No space left on device")

    lake = kit.open_at(ram / "lake", fault)
    with pytest.raises(LakeError, match=r"^flows/date=.*cannot write: No space left on device"):
        kit.ingest(lake, ["a"])
    assert list((ram / "lake/_flowscan/staging").iterdir()) == []


def test_failing_after_the_decision_is_told_as_what_it_is(ram: Path) -> None:
    def fault(operation: str, key: str) -> None:
        if operation == "rename" and key.startswith("flows/"):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(LakeError, match="committed as version 1, but not published"):
        kit.ingest(kit.open_at(ram / "lake", fault), ["a"])
    lake = Lake.open(ram / "lake")
    assert kit.ingest(lake, ["a"]) == 0
    kit.check(ram / "lake", ["a"])
