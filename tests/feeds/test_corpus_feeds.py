"""Every feed of the corpus, with exact counts: entries, indicators, merged, domains, refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowscan.errors import FeedError
from flowscan.feeds import Feed, load

CORPUS = Path(os.environ.get("FLOWSCAN_CORPUS", Path(__file__).parents[3] / "shared/corpus"))
FEEDS = CORPUS / "feeds"
pytestmark = pytest.mark.skipif(not FEEDS.is_dir(), reason="no corpus")

# file, format, entries, indicators, merged, domains, other, broken, refused
COUNTS = [
    ("ipsum.txt", "plain", 120_430, 120_430, 91_172, 0, 0, 0, 0),
    ("tor/tor-exit-nodes.lst", "plain", 1_746, 1_746, 1_198, 0, 0, 0, 0),
    ("tor/tor-nodes.lst", "plain", 8_054, 8_054, 7_283, 0, 0, 0, 0),
    ("format-samples/alienvault_generic_reputation.txt", "plain", 2, 2, 2, 0, 0, 0, 0),
    ("format-samples/feodo_ipblocklist.csv", "csv", 9, 9, 9, 0, 0, 0, 0),
    ("format-samples/spamhaus_drop.txt", "plain", 3, 3, 3, 0, 0, 0, 0),
    ("format-samples/spamhaus_drop_v4.ndjson", "ndjson", 2, 2, 2, 0, 0, 0, 0),
    ("format-samples/spamhaus_drop_v6.ndjson", "ndjson", 1, 1, 1, 0, 0, 0, 0),
    ("guardduty-formats/txt_ip.txt", "plain", 3, 3, 3, 0, 0, 0, 0),
    ("guardduty-formats/stix1_ip.xml", "stix1", 3, 3, 3, 0, 0, 0, 0),
    ("guardduty-formats/otx_csv_ip.csv", "otx-csv", 3, 3, 3, 0, 0, 0, 0),
    ("guardduty-formats/otx_csv_entity.csv", "otx-csv", 4, 3, 3, 1, 0, 0, 0),
    ("guardduty-formats/alienvault_ip.txt", "alienvault", 2, 2, 2, 0, 0, 0, 0),
    ("guardduty-formats/alienvault_entity.txt", "alienvault", 5, 3, 1, 2, 0, 0, 0),
    ("guardduty-formats/alienvault_reputation_real_lines.data", "alienvault", 5, 5, 5, 0, 0, 0, 0),
    ("guardduty-formats/proofpoint_ip.csv", "proof-point", 2, 2, 2, 0, 0, 0, 0),
    ("guardduty-formats/proofpoint_entity.csv", "proof-point", 2, 2, 2, 0, 0, 0, 0),
    ("guardduty-formats/fireeye_ip.csv", "fire-eye", 3, 3, 3, 0, 0, 0, 0),
    ("guardduty-formats/fireeye_entity.csv", "fire-eye", 6, 5, 3, 1, 0, 0, 0),
    ("stix2/apt1.json", "stix2", 7, 4, 4, 3, 0, 0, 0),
    ("stix2/poisonivy.json", "stix2", 65, 40, 16, 24, 0, 1, 0),
    ("stix2/infrastructure.json", "stix2", 2, 1, 1, 1, 0, 0, 0),
    ("stix2/indicator-for-c2-ip-address.json", "stix2", 1, 0, 0, 0, 0, 0, 1),
    ("stix2/indicators-for-C2-with-COA.json", "stix2", 1, 0, 0, 0, 0, 0, 1),
    ("stix2/indicator-to-campaign-relationship.json", "stix2", 1, 0, 0, 0, 0, 0, 1),
    ("stix2/interop-objectmarking-test.json", "stix2", 0, 0, 0, 0, 0, 0, 0),
    ("stix2/malicious-email-indicator-with-attachment.json", "stix2", 0, 0, 0, 0, 0, 0, 0),
    ("misp-warninglists/amazon-aws.json", "misp-warninglist", 3_847, 3_847, 2_854, 0, 0, 0, 0),
    ("misp-warninglists/cloudflare.json", "misp-warninglist", 22, 22, 21, 0, 0, 0, 0),
    ("misp-warninglists/common-ioc-false-positive.json", "misp-warninglist", 69, 0, 0, 0, 69, 0, 0),
    ("misp-warninglists/multicast.json", "misp-warninglist", 16, 0, 0, 0, 0, 0, 16),
    ("misp-warninglists/public-dns-v4.json", "misp-warninglist", 62_745, 62_745, 60_057, 0, 0, 0, 0),
    ("misp-warninglists/public-dns-v6.json", "misp-warninglist", 269, 269, 242, 0, 0, 0, 0),
    ("misp-warninglists/rfc1918.json", "misp-warninglist", 3, 0, 0, 0, 0, 0, 3),
    ("misp-warninglists/sinkholes.json", "misp-warninglist", 107, 107, 98, 0, 0, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize("row", COUNTS, ids=lambda row: row[0])
def test_counts(row: tuple[str, str, int, int, int, int, int, int, int]) -> None:
    name, form, *numbers = row
    loaded = load((FEEDS / name).read_bytes(), Feed("feed", name), now=0)
    c = loaded.counts
    assert loaded.format == form
    assert [
        c.entries, c.indicators, loaded.intervals, c.domains, c.other, c.broken, c.refused,
    ] == numbers  # fmt: skip
    assert c.entries == c.indicators + c.domains + c.other + c.broken + c.refused
    assert loaded.table.num_rows == c.indicators


def test_every_list_of_the_corpus_is_in_the_table() -> None:
    names = {str(p.relative_to(FEEDS)) for p in FEEDS.rglob("*") if p.is_file()}
    no_lists = {
        "guardduty-formats/stix1_ip_docs_typo_notwellformed.xml", "stix2/LICENSE",
        "tor/FUNDING.yml", "tor/Last-Checked-At", "tor/License.md", "tor/README.md",
    }  # fmt: skip
    assert names - no_lists == {row[0] for row in COUNTS}
    for name in sorted(no_lists):
        with pytest.raises(FeedError):
            load((FEEDS / name).read_bytes(), Feed("feed", name), now=0)


def test_private_lists_load_as_trusted_lists() -> None:
    for name, number in (("rfc1918", 3), ("multicast", 16)):
        data = (FEEDS / f"misp-warninglists/{name}.json").read_bytes()
        assert load(data, Feed("t", name, trusted=True), now=0).counts.indicators == number


def test_the_not_well_formed_stix_file_is_one_line() -> None:
    data = (FEEDS / "guardduty-formats/stix1_ip_docs_typo_notwellformed.xml").read_bytes()
    with pytest.raises(FeedError) as caught:
        load(data, Feed("feed", "x"), now=0)
    assert "\n" not in str(caught.value)
    assert "line 25" in str(caught.value)


def test_ipv6_of_tor_is_read() -> None:
    loaded = load((FEEDS / "tor/tor-nodes.lst").read_bytes(), Feed("tor", "x"), now=0)
    assert loaded.table["family"].to_pylist().count(6) == 2_423
