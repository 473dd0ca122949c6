"""Every detection: its front matter, and the cases beside it, in the default format and in v5.

The cases of all detections lie in one lake, each in days and a network of its own, so that one
run judges them all and any detection that speaks up in another's case is seen.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from detect.detect_kit import BEGIN, DAY, NOW, Calls, write

from flowscan import queries
from flowscan.detect import Options, candidates, catalogue, detect, store, tables
from flowscan.errors import QueryError
from flowscan.findings import severity_label
from flowscan.match import FeedIndex
from flowscan.traffic import reading

HERE = Path(__file__).parent
APART = 30  # days between cases: more than any look-back
DETECTIONS = {d.id: d for d in catalogue()}

LISTED = {
    "c2": "91.1.1.1", "mining": "91.1.2.1", "sinkhole": "91.1.3.1", "drop-point": "91.1.4.1",
    "tor": "91.1.5.0/24", "scanner": "91.1.6.1", "custom": "91.1.7.1",
}  # fmt: skip


def cases():
    found = []
    for path in sorted(HERE.glob("*.toml")):
        found += [(path.stem, case) for case in tomllib.loads(path.read_text())["case"]]
    return [(n, name, case) for n, (name, case) in enumerate(found)]


CASES = cases()


def place(text, n):
    """10.0.x.y of case n: a network of its own. Strangers stay as they are."""
    return re.sub(r"^10\.0\.", f"10.{n + 1}.", text) if isinstance(text, str) else text


def base(n):
    return BEGIN + n * APART * DAY


def build(folder, *, v2):
    parts, lost = [], []
    for n, _, case in CASES:
        calls = Calls(seed=n)
        for one in case["calls"]:
            calls.add(base(n), **{k: place(v, n) for k, v in one.items()})
        if case["calls"]:
            parts.append(calls.flows())
        else:  # coverage alone makes no day
            filler = Calls(seed=n)
            filler.add(base(n), client=f"10.{n + 1}.0.5", server="62.1.1.1", port=443)
            parts.append(filler.flows())
        lost += [
            {"interface_id": c["interface_id"], "log_status": c["log_status"],
             "start": base(n) + c["at"] + i * c["every"],
             "end": base(n) + c["at"] + (i + 1) * c["every"] - 1}
            for c in case.get("coverage", ()) for i in range(c["count"])
        ]  # fmt: skip
    lake = write(folder / "lake", pl.concat(parts), v2=v2)
    lake.append("coverage", pa.Table.from_pylist(lost))
    return lake


@pytest.fixture(scope="module", params=["default", "v5"])
def of_cases(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    lake = build(folder, v2=request.param == "default")
    for category, address in LISTED.items():
        path = folder / f"{category}.txt"
        path.write_text(address + "\n")
        load_feed(lake, path, category)
    return folder, lake


@pytest.fixture(scope="module")
def judged(of_cases):
    folder, lake = of_cases
    result = detect(lake, Options(mmdb=(countries(folder),)), now=NOW)
    assert not result.skipped
    return store.load(lake)


def countries(folder):
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter(ip_version=4)
    for prefix, code in (("77.1.0.0/16", "KP"), ("78.1.0.0/16", "FR"), ("79.1.0.0/16", "PE")):
        writer.insert_network(IPSet([prefix]), {"country": {"iso_code": code}})
    writer.to_db_file(str(folder / "countries.mmdb"))
    return str(folder / "countries.mmdb")


def load_feed(lake, path, category):
    from typer.testing import CliRunner

    from flowscan.cli.main import program

    words = ["feeds", "add", str(path), "--category", category, "--lake", lake.store.where]
    done = CliRunner().invoke(program(), words)
    assert done.exit_code == 0, done.output


def of_case(judged, n, name):
    days = (base(n), base(n) + APART * DAY)
    return [f for f in judged if f.detection == name and days[0] <= f.days[0].day < days[1]]


@pytest.mark.parametrize(
    ("n", "name", "case"), CASES, ids=[f"{name}: {case['name']}" for _, name, case in CASES]
)
def test_case(request, judged, n, name, case):
    if request.node.callspec.params["of_cases"] not in case.get("formats", ("default", "v5")):
        pytest.skip("not a case of this format")
    found = of_case(judged, n, name)
    if "on" in case:
        day = base(n) + case["on"] * DAY
        found = [f for f in found if day in {d.day for d in f.days}]
    if "resource" not in case:
        assert [f.description for f in found if f.severity >= 2 or name != "exfiltration"] == []
        return
    mine = place(case["resource"], n)
    (one,) = [f for f in found if mine in (f.resource, f.details["address"])
              and (not case.get("actor") or place(case["actor"], n) in actors(f))]  # fmt: skip
    severity = max(d.severity for d in one.days if "on" not in case or d.day == day)
    assert case.get("least", 0) <= severity <= case.get("most", 10)
    assert case.get("role", one.resource_role) == one.resource_role
    assert one.description
    assert "sql" in one.evidence


def actors(finding):
    return {a.address for a in finding.actors}


# Detections that may say something in another's case: one deed, seen from several sides.
def test_quiet_cases_are_quiet_for_all(judged):
    loud = [
        (name, case["name"], f.detection, f.severity, f.description)
        for n, name, case in CASES
        if "resource" not in case
        for f in judged
        if base(n) <= f.days[0].day < base(n) + APART * DAY and f.severity >= 4
    ]
    expected = {
        ("portscan", "twenty closed ports"), ("exfiltration", "a backup inside"),
        ("ssh-brute-force-success", "guesses alone"),
        ("ssh-brute-force-success", "a session, then a few tries"),
        ("threat-match", "a controller is another detection's"), ("tor-relay", "a client"),
        ("accept-after-reject", "refused on another port"), ("dos-tcp", "a large upload"),
    }  # fmt: skip
    rest = [x for x in loud if x[:2] not in expected]
    assert not rest, "\n".join(map(str, rest))


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=DETECTIONS)
class TestFrontMatter:
    def test_has_cases_of_both_kinds(self, detection):
        mine = [case for _, name, case in CASES if name == detection.id]
        assert any("resource" in case for case in mine)
        assert any("resource" not in case for case in mine)

    def test_texts_are_sentences(self, detection):
        for text in (detection.query.description, detection.summary, detection.triage,
                     detection.false_positives):  # fmt: skip
            assert text.rstrip().endswith((".", "?"))
        assert not detection.query.title.endswith(".")
        assert detection.references
        assert all(r.startswith("https://") for r in detection.references)
        assert detection.attack

    def test_summary_names_columns_of_the_rows(self, detection):
        names = set(re.findall(r"{(\w+)", detection.summary)) - {"others", "actors"}
        if detection.function is None:
            for name in names:
                assert re.search(rf"\b{name}\b", detection.query.sql), name

    def test_sql_is_bound_to_the_window(self, detection):
        assert "/*$since*/" in detection.query.sql
        assert "/*$until*/" in detection.query.sql


def test_types_are_unique():
    types = [d.type for d in DETECTIONS.values()]
    assert len(types) == len(set(types))


GUARDDUTY = [
    "Backdoor:EC2/C&CActivity.B",
    "Backdoor:EC2/DenialOfService.Dns",
    "Backdoor:EC2/DenialOfService.Tcp",
    "Backdoor:EC2/DenialOfService.Udp",
    "Backdoor:EC2/DenialOfService.UdpOnTcpPorts",
    "Backdoor:EC2/DenialOfService.UnusualProtocol",
    "Backdoor:EC2/Spambot",
    "Behavior:EC2/NetworkPortUnusual",
    "Behavior:EC2/TrafficVolumeUnusual",
    "CryptoCurrency:EC2/BitcoinTool.B",
    "DefenseEvasion:EC2/UnusualDNSResolver",
    "DefenseEvasion:EC2/UnusualDoHActivity",
    "DefenseEvasion:EC2/UnusualDoTActivity",
    "Impact:EC2/PortSweep",
    "Impact:EC2/WinRMBruteForce",
    "Recon:EC2/PortProbeEMRUnprotectedPort",
    "Recon:EC2/PortProbeUnprotectedPort",
    "Recon:EC2/Portscan",
    "Trojan:EC2/BlackholeTraffic",
    "Trojan:EC2/DropPoint",
    "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom",
    "UnauthorizedAccess:EC2/RDPBruteForce",
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "UnauthorizedAccess:EC2/TorClient",
    "UnauthorizedAccess:EC2/TorRelay",
]


def test_every_flow_log_finding_of_guardduty_is_there():
    assert len(GUARDDUTY) == 25
    assert not set(GUARDDUTY) - {d.type for d in DETECTIONS.values()}


def test_severity_bands():
    values = {0.5: "informational", 1: "low", 3.9: "low", 4: "medium", 7: "high", 9: "critical"}
    assert {v: severity_label(v) for v in values} == values


def test_a_broken_file_lists_all_that_is_wrong(tmp_path):
    (tmp_path / "mine.sql").write_text(
        '/* flowscan\nid = "mine"\ntype = "nonsense"\nseverity = 11\nneeds = ["colour"]\n*/\n'
        "SELECT 1 FROM contacts\n"
    )
    with pytest.raises(QueryError) as caught:
        catalogue(tmp_path)
    text = str(caught.value)
    for part in ("triage is missing", "type is no", "severity", "'colour' is no field", "role"):
        assert part in text


def test_the_example_of_the_docs_runs(tmp_path):
    text = (HERE.parents[1] / "docs" / "writing-a-detection.md").read_text()
    (tmp_path / "late-database.sql").write_text(re.search(r"```sql\n(.*?)```", text, re.DOTALL)[1])
    calls = Calls()
    calls.add(BEGIN, client="10.0.0.5", server="10.0.1.9", port=5432, count=5, every=60)
    lake = write(tmp_path / "lake", calls.flows(), v2=True)
    detect(lake, Options(only=("late-database",), folder=tmp_path), now=NOW)
    (one,) = store.load(lake)
    assert one.description.startswith("10.0.0.5 called port 5432 of 10.0.1.9 5 times")


def lowest(detection, share):
    """Parameters that accuse sooner than the defaults."""
    return {
        name: max(1, int(p.default * share)) if p.type == "integer" else p.default * share
        for name, p in detection.query.params.items()
        if name.startswith("min_")
    }


@pytest.mark.parametrize("share", [1, 0.3, 0.05])
def test_days_that_cannot_have_rows_have_none(of_cases, judged, share):
    """What `when` says follows from the query: asked all the same, it gives nothing there."""
    folder, lake = of_cases
    given = {name: lowest(d, share) for name, d in DETECTIONS.items()}
    conditions = {
        n: candidates.condition(d.when, d.query, given[n]) for n, d in DETECTIONS.items() if d.when
    }
    end = base(len(CASES))
    accused = 0
    with reading(lake, BEGIN, end) as engine:
        addresses = tables.strangers(engine)
        index = FeedIndex(lake.read("indicators"), now=NOW)
        tables.make_places(engine, addresses, aws_services=True)
        assert tables.make_matches(engine, addresses, index) > 0
        tables.make_geo(engine, addresses, (countries(folder),))
        possible = candidates.possible(engine, conditions, BEGIN, end)
        for name, days in possible.items():
            query = DETECTIONS[name].query
            window = {"since": BEGIN, "until": end} if "since" in query.params else {}
            rows = engine.execute(queries.inline(query, {**given[name], **window}))
            assert set(map(int, rows["day"].unique().to_pylist())) <= days, name
            accused += rows.num_rows
    assert accused > 100


@pytest.mark.parametrize("name", ["$min_what", "$ports.what"])
def test_a_condition_names_what_there_is(name):
    problems = list(candidates.problems(f"port IN $ports.web AND sessions > {name}", {}))
    assert problems == [
        f"when: {name} is no {'list that net knows' if '.' in name else 'parameter'}"
    ]
