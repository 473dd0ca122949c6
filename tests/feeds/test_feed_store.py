"""Feeds in a lake: the last good version stays whatever happens."""

from __future__ import annotations

import os
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from test_fetch import Site, reply, site  # noqa: F401 - a fixture

from flowscan.errors import FeedError
from flowscan.feeds import Feed, catalogue
from flowscan.feeds.model import CATEGORIES
from flowscan.feeds.store import FeedStore
from flowscan.lake import Lake

CORPUS = Path(os.environ.get("FLOWSCAN_CORPUS", Path(__file__).parents[3] / "shared/corpus"))


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(tmp_path / "lake", create=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(lake: Lake, clock: Clock) -> FeedStore:
    return FeedStore(lake, now=clock)


def listed(lake: Lake) -> list[tuple[str, str]]:
    rows = lake.read("indicators").to_pylist()
    return sorted((row["feed"], row["indicator"]) for row in rows)


def test_add_update_disable_enable_remove(
    store: FeedStore, lake: Lake, clock: Clock, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text("45.1.2.3\nexample.org\n")
    added = store.add(Feed("mine", str(file), category="c2", confidence=80))
    assert added.outcome == "updated"
    assert (added.feed.counts.indicators, added.feed.counts.domains) == (1, 1)
    assert listed(lake) == [("mine", "45.1.2.3")]
    assert lake.read("indicators").to_pylist()[0]["category"] == "c2"

    assert store.update()[0].outcome == "unchanged"
    clock.now = 2_000
    file.write_text("45.1.2.4\n45.1.2.5\n")
    assert store.update(["mine"])[0].outcome == "updated"
    assert listed(lake) == [("mine", "45.1.2.4"), ("mine", "45.1.2.5")]
    assert store.get("mine").updated == 2_000
    assert store.get("mine").added == 1_000

    store.disable("mine")
    assert listed(lake) == []
    assert store.update() == []
    file.unlink()
    assert store.enable("mine").feed.enabled
    assert len(listed(lake)) == 2
    store.remove("mine")
    assert listed(lake) == []
    assert store.all() == []


def test_names(store: FeedStore, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("45.1.2.3\n")
    store.add(Feed("mine", str(file)))
    with pytest.raises(FeedError, match="already"):
        store.add(Feed("mine", str(file)))
    for bad in ("", "Mine", "../x", "a b", "-x", "x" * 65, "a\nb"):
        with pytest.raises(FeedError, match="name"):
            store.add(Feed(bad, str(file)))
    with pytest.raises(FeedError, match="did you mean mine"):
        store.get("mines")


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_a_file_that_turns_bad_leaves_the_feed_as_it_was(
    store: FeedStore, lake: Lake, tmp_path: Path
) -> None:
    good = (CORPUS / "feeds/guardduty-formats/stix1_ip.xml").read_bytes()
    bad = (CORPUS / "feeds/guardduty-formats/stix1_ip_docs_typo_notwellformed.xml").read_bytes()
    file = tmp_path / "stix.xml"
    file.write_bytes(good)
    before = store.add(Feed("stix", str(file))).feed
    rows = listed(lake)
    for content in (bad, b"", b"\x00\x01", b"<html>"):
        file.write_bytes(content)
        (update,) = store.update()
        assert update.outcome in {"failed", "held"}
        assert "\n" not in update.message
        assert listed(lake) == rows
        assert replace(store.get("stix"), checked=None, state="ok", problem=None) == replace(
            before, checked=None
        )
    file.unlink()
    assert store.update()[0].outcome == "failed"
    assert listed(lake) == rows
    file.write_bytes(good)
    assert store.update()[0].outcome == "unchanged"
    assert store.get("stix").state == "ok"


def test_a_feed_that_cannot_be_loaded_is_not_added(store: FeedStore, tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    file.write_text("<a>")
    with pytest.raises(FeedError, match=r"x\.xml: line 1"):
        store.add(Feed("x", str(file)))
    with pytest.raises(FeedError, match="no such file"):
        store.add(Feed("y", str(tmp_path / "absent")))
    assert store.all() == []


def test_absurd_changes_are_held_back(store: FeedStore, lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("".join(f"45.1.2.{i}\n" for i in range(100)))
    store.add(Feed("mine", str(file)))
    file.write_text("45.9.9.9\n")
    assert store.update()[0].outcome == "held"
    assert store.get("mine").state == "held"
    assert len(listed(lake)) == 100
    file.write_text("".join(f"45.{i // 250}.2.{i % 250}\n" for i in range(5000)))
    assert store.update()[0].outcome == "held"
    assert store.update(force=True)[0].outcome == "updated"
    assert len(listed(lake)) == 5000


def test_a_folder_is_one_feed(store: FeedStore, lake: Lake, tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("45.1.2.3\n")
    (folder / "sub/b.json").write_text('["45.1.2.4"]')
    (folder / "LICENSE").write_text("Permission is hereby granted\n")
    (folder / ".hidden").write_text("45.6.6.6\n")
    secret = tmp_path / "outside.txt"
    secret.write_text("45.7.7.7\n")
    (folder / "link.txt").symlink_to(secret)
    update = store.add(Feed("folder", str(folder)))
    assert listed(lake) == [("folder", "45.1.2.3"), ("folder", "45.1.2.4")]
    assert [p.text for p in update.problems] == ["LICENSE"]
    assert store.disable("folder").enabled is False
    assert store.enable("folder").feed.counts.indicators == 2


def test_https_feed(site: Site, lake: Lake, clock: Clock) -> None:  # noqa: F811
    store = FeedStore(lake, now=clock, context=site.context)
    etag = ['"1"']
    body = [b"45.1.2.3\n"]

    def answer(request: BaseHTTPRequestHandler) -> None:
        same = request.headers.get("If-None-Match") == etag[0]
        reply(request, 304) if same else reply(request, 200, body[0], ETag=etag[0])

    site.paths["/list"] = answer
    store.add(Feed("web", f"{site.url}/list", lifetime=100))
    clock.now = 1_050
    assert store.update()[0].outcome == "unchanged"
    assert site.asked[-1][1]["If-None-Match"] == '"1"'
    # A version that is still current keeps counting.
    assert lake.read("indicators")["expires"].to_pylist() == [1_150]
    etag[0], body[0] = '"2"', b"45.1.2.4\n"
    assert store.update()[0].outcome == "updated"
    assert listed(lake) == [("web", "45.1.2.4")]
    site.paths["/list"] = lambda request: reply(request, 503)
    assert store.update()[0].outcome == "failed"
    assert "503" in (store.get("web").problem or "")
    site.close()
    assert store.update()[0].outcome == "failed"
    assert listed(lake) == [("web", "45.1.2.4")]
    site.__init__()  # type: ignore[misc] - the fixture closes it again


def test_a_poisoned_feed_yields_nothing(store: FeedStore, lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("0.0.0.0/0\n::/0\n10.0.0.0/8\n192.168.0.0/16\n1.0.0.0-200.0.0.0\n")
    update = store.add(Feed("poison", str(file)))
    assert update.feed.counts.indicators == 0
    assert update.feed.counts.refused == 5
    assert listed(lake) == []


def test_catalogue() -> None:
    assert len(catalogue()) >= 12
    for name, known in catalogue().items():
        assert known.url.startswith("https://")
        assert known.category in CATEGORIES
        assert known.terms
        assert known.refresh >= 1
        assert known.feed().name == name
