"""Damage is found, named by path, and never touched by a reader; repair loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import lake_kit as kit
import pytest

from flowscan.errors import LakeCorrupt, LakeError
from flowscan.lake import Lake, checkpoint, layout
from flowscan.lake.verify import repair, verify

HERE = Path(__file__).parent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    lake = Lake.open(tmp_path / "lake", create=True)
    kit.everything(lake)
    return tmp_path / "lake"


def tree(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def wrong(root: Path, *, full: bool = False) -> list[str]:
    """Paths of what verify finds wrong; it must not have written."""
    before = tree(root)
    problems = verify(Lake.open(root), full=full)
    assert tree(root) == before
    assert all(p.what and p.fix for p in problems)
    return [p.path for p in problems if not p.harmless]


def test_a_sound_lake(root: Path) -> None:
    assert verify(Lake.open(root), full=True) == []
    assert repair(Lake.open(root)) == []


def test_every_byte_of_a_footer_and_every_page(root: Path) -> None:
    path = kit.live_files(root)[0]
    whole = path.read_bytes()
    name = str(path.relative_to(root))
    size = int.from_bytes(whole[-8:-4], "little")
    at = [0, 4, len(whole) // 3, len(whole) - 8 - size, len(whole) - 6, len(whole) - 1]
    for i in at:
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0xFF]) + whole[i + 1 :])
        found = wrong(root, full=True)
        # A flipped bit outside pages and footer (the first magic) changes no answer.
        assert found == [name] or i == 0
    for cut in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert wrong(root) == [name]
    path.unlink()
    assert wrong(root) == [name]
    path.write_bytes(whole)
    assert wrong(root, full=True) == []


def test_damaged_commits_are_named(root: Path) -> None:
    path = root / "_flowscan/commits/00000003.json"
    whole = path.read_bytes()
    for data in (b"", b"{", whole[:-1], b"[]", b"null", b'{"format":1}', b"\xff" * 30):
        path.write_bytes(data)
        assert wrong(root) == ["_flowscan/commits/00000003.json"]
    checkpointed = Lake.open(root)  # readers need only the checkpoint
    assert checkpointed.snapshot().rows("flows") == 20
    for entry in (root / "_flowscan/checkpoints").iterdir():
        entry.unlink()
    with pytest.raises(LakeCorrupt, match=r"00000003\.json.*backup"):
        Lake.open(root).snapshot()


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["adds"][0].update(path="flows/../../etc/passwd"),
        lambda body: body["adds"][0].update(path="/etc/passwd"),
        lambda body: body["adds"][0].update(table="coverage"),
        lambda body: body["adds"][0].update(rows=-1),
        lambda body: body["adds"][0].update(columns=99),
        lambda body: body["removes"].append("../x"),
        lambda body: body.update(batch="../../x"),
        lambda body: body.update(version=2),
        lambda body: body["sources"][0].update(flows=1),
        lambda body: body["sources"][0].update(uri=7),
        lambda body: body.update(sources=None),
    ],
)
def test_commits_that_lie_are_refused(root: Path, change) -> None:
    path = root / "_flowscan/commits/00000001.json"
    body = json.loads(path.read_bytes())
    change(body)
    path.write_text(json.dumps(body))
    assert wrong(root) == ["_flowscan/commits/00000001.json"]


def test_a_lost_commit_is_noticed_by_readers_and_writers(root: Path) -> None:
    for entry in (root / "_flowscan/checkpoints").iterdir():
        entry.unlink()
    (root / "_flowscan/commits/00000003.json").unlink()
    assert wrong(root) == ["_flowscan/commits/00000003.json"]
    with pytest.raises(LakeCorrupt, match="commit is missing"):
        Lake.open(root).state()
    with pytest.raises(LakeCorrupt, match="commit is missing"):
        Lake.open(root).begin()


def test_a_source_committed_twice_is_named(root: Path) -> None:
    commits = sorted((root / "_flowscan/commits").iterdir())
    first = json.loads(commits[0].read_bytes())
    again = {**first, "version": len(commits) + 1, "adds": [], "batch": layout.new_batch()}
    again["sources"][0].update(flows=0, records=2)
    again["sources"] = again["sources"][:1]
    (root / layout.commit_key(len(commits) + 1)).write_text(json.dumps(again))
    assert layout.commit_key(len(commits) + 1) in wrong(root)


def test_damaged_checkpoints_are_passed_over_and_repaired(root: Path) -> None:
    (entry,) = (root / "_flowscan/checkpoints").iterdir()
    whole = entry.read_bytes()
    lake = Lake.open(root)
    for i in range(0, len(whole), max(1, len(whole) // 40)):
        entry.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        with pytest.raises(LakeError):
            checkpoint.decode(entry.read_bytes(), int(entry.stem))
        assert Lake.open(root).state().knows("file:///a", "e1")
    found = verify(lake)
    assert [(p.path, p.harmless) for p in found] == [(f"_flowscan/checkpoints/{entry.name}", True)]
    assert len(repair(lake)) == 1
    assert verify(Lake.open(root), full=True) == []


def test_a_checkpoint_without_its_commits_is_wrong(root: Path) -> None:
    commits = sorted((root / "_flowscan/commits").iterdir())
    commits[-1].unlink()
    assert any("checkpoints" in path for path in wrong(root))


def test_strange_files_are_named_and_set_aside(root: Path) -> None:
    source = kit.live_files(root)[0]
    copy = source.with_name(f"{layout.new_batch()}-0.parquet")
    copy.write_bytes(source.read_bytes())
    odd = source.with_name("my notes.parquet")
    odd.write_bytes(b"x")
    folder = root / "flows" / "date=2026-08-01" / "a b"
    folder.mkdir()
    names = {str(p.relative_to(root)) for p in (copy, odd, folder)}
    assert set(wrong(root)) == names
    assert len(repair(Lake.open(root))) == 1
    assert set(wrong(root)) == names - {str(copy.relative_to(root))}
    assert odd.exists()
    removed = root / layout.removed_key(str(copy.relative_to(root)))
    assert removed.read_bytes() == source.read_bytes()


def test_an_unpublished_batch_is_told_and_repaired(ram: Path) -> None:
    count = kit.Count()
    kit.ingest(kit.open_at(ram / "dry", count), ["a"])
    link = next(i for i, (op, key) in enumerate(count.seen) if op == "link" and "commits" in key)
    root = ram / "lake"
    program = f"import lake_kit as kit\nfrom pathlib import Path\nlake = kit.open_at(Path({str(root)!r}), kit.Kill({link + 1}))\nkit.ingest(lake, ['a'])"
    path = os.pathsep.join([str(HERE.parent.parent), str(HERE)])
    child = subprocess.run(
        [sys.executable, "-c", program], check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert child.returncode == -9
    assert wrong(root) == ["_flowscan/commits/00000001.json"]
    assert Lake.open(root).snapshot().rows("flows") == 0
    assert Lake.open(root).state().knows("file:///a", "e1")
    assert repair(Lake.open(root)) == ["published 1 committed batches"]
    kit.check(root, ["a"])


def test_planted_links_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for place in ("flows", "_flowscan/staging", "_flowscan/commits", "coverage"):
        root = tmp_path / place.replace("/", "-")
        Lake.open(root, create=True)
        link = root / place
        if link.is_dir():
            for child in link.iterdir():
                child.unlink()
            link.rmdir()
        link.symlink_to(outside, target_is_directory=True)
        with pytest.raises(LakeError, match="link"):
            kit.ingest(Lake.open(root), ["a"])
        assert list(outside.iterdir()) == []
    root = tmp_path / "file"
    kit.ingest(Lake.open(root, create=True), ["a"])
    path = kit.live_files(root)[0]
    whole = path.read_bytes()
    (outside / "x").write_bytes(whole)
    path.unlink()
    path.symlink_to(outside / "x")
    assert wrong(root) == [str(path.relative_to(root))]


def test_a_root_that_others_can_change_is_refused(tmp_path: Path, monkeypatch) -> None:
    root = tmp_path / "lake"
    Lake.open(root, create=True)
    root.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    if os.getuid() == 0:
        pytest.skip("root's folders are trusted")
    with pytest.raises(LakeError, match="another user"):
        Lake.open(root)


def change_commit(root: Path, version: int, change) -> None:
    path = root / layout.commit_key(version)
    body = json.loads(path.read_bytes())
    change(body)
    path.write_text(json.dumps(body))


def compaction(root: Path) -> int:
    """Version of the first compaction of flows."""
    bodies = (json.loads(p.read_bytes()) for p in sorted((root / layout.COMMITS).iterdir()))
    return next(b["version"] for b in bodies if b["note"] == "compact")


def test_a_compaction_that_invents_a_lineage_is_named(root: Path) -> None:
    version = compaction(root)
    change_commit(root, version, lambda body: body["adds"][0].update(lineage="1"))
    assert layout.commit_key(version) in wrong(root)


def test_numbers_that_are_given_twice_are_named(root: Path) -> None:
    first = json.loads((root / layout.commit_key(1)).read_bytes())["sources"][0]["source_id"]
    change_commit(root, 2, lambda body: body["sources"][0].update(source_id=first + 7))
    assert layout.commit_key(2) in wrong(root)


def test_flows_of_another_source_than_the_ledger_says(root: Path) -> None:
    def swap(body: dict) -> None:
        one, other = body["sources"]
        one["flows"], one["records"] = one["flows"] - 1, one["records"] - 1
        other["flows"], other["records"] = other["flows"] + 1, other["records"] + 1

    change_commit(root, 1, swap)
    assert wrong(root) == []
    problems = verify(Lake.open(root), full=True)
    assert [(p.path, "its record says" in p.what) for p in problems] == [("flows", True)] * 2
    change_commit(root, 1, lambda body: body["sources"][0].update(source_id=1))
    (problem,) = verify(Lake.open(root), full=True)
    assert "not in the ledger" in problem.what
