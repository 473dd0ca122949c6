"""Findings in the forms of other systems, checked against the real schemas where there are some."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache

import pytest

from flowscan.errors import ReportError, UsageError
from flowscan.export import FORMATS, asff, lines, ocsf, siem, write
from flowscan.findings import Actor, Counts, Day, Finding, finding_id, from_row, to_row

DAY = 1_767_225_600


def finding(n=0, **more):
    counts = Counts(DAY + 10, DAY + 900, 40, 900, 54_000)
    actors = (
        Actor(
            "81.20.30.40", counts, {"feed": "a-feed", "category": "c2", "indicator": "81.20.0.0/16"}
        ),
        Actor("2001:db8::7", Counts(DAY, DAY, 1, 1, 60)),
    )
    evidence = {"what": "it|did=so\\", "port": 22, "protocol": 6, "attempts": 40, "sql": "SELECT 1",
                "samples": [{"actor": "81.20.30.40", "flows": 40}]}  # fmt: skip
    day = Day(DAY, counts, 5.0, actors, 2, evidence)
    values = dict(  # noqa: C408
        id=finding_id("UnauthorizedAccess:EC2/SSHBruteForce", f"eni-{n}", "inbound 22"),
        detection="ssh-brute-force", type="UnauthorizedAccess:EC2/SSHBruteForce",
        title="Passwords are guessed", description="=it|did=so\\\nand \x1b[31mmore",
        resource=f"eni-{n}", resource_role="TARGET", dedup_key="inbound 22", confidence="full",
        account_id="123456789012", region="eu-west-1",
        details={"address": "10.0.0.5", "interface_id": f"eni-{n}", "instance_id": "i-1",
                 "vpc_id": "vpc-1", "subnet_id": "subnet-1", "direction": "inbound",
                 "attack": ["TA0006:T1110.001"]},
        days=(day,), created=DAY + 1000, updated=DAY + 1000,
    )  # fmt: skip
    return Finding(**{**values, **more})


BARE = {
    "account_id": None,
    "region": None,
    "resource": "10.0.0.9",
    "details": {"address": "10.0.0.9"},
}


@cache
def shape(service, name):
    import botocore.session

    return botocore.session.get_session().get_service_model(service).shape_for(name)


def problems(value, model, where=""):
    """What of a value the service's model does not know; botocore's own validator, and enums."""
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(value, model)
    return (report.generate_report() if report.has_errors() else "") + "".join(enums(value, model))


def enums(value, model, where=""):
    if model.type_name == "structure":
        for name, member in value.items():
            if name not in model.members:
                yield f"{where}.{name} unknown; "
            else:
                yield from enums(member, model.members[name], f"{where}.{name}")
    elif model.type_name == "list":
        for item in value:
            yield from enums(item, model.member, where)
    elif model.type_name == "string" and model.enum and value not in model.enum:
        yield f"{where}: {value} is none of {model.enum}; "


@pytest.mark.parametrize("more", [{}, BARE, {"type": "Recon:EC2/PortProbeUnprotectedPort"}])
def test_guardduty_is_the_apis_shape(more):
    for document in map(json.loads, lines([finding(**more)], "guardduty")):
        assert problems(document, shape("guardduty", "Finding")) == ""
        assert document["Service"]["Count"] == 40
        assert json.loads(document["Service"]["AdditionalInfo"]["Value"])["actors"][1]["count"] == 1


@pytest.mark.parametrize("more", [{}, BARE, {"status": "archived"}, {"status": "suppressed"}])
def test_asff_is_the_apis_shape(more):
    for document in map(json.loads, lines([finding(**more)], "asff")):
        assert problems(document, shape("securityhub", "AwsSecurityFinding")) == ""
        assert document["Severity"]["Label"] == "MEDIUM"
        assert 40 <= document["Severity"]["Normalized"] <= 69
        assert re.fullmatch(r"TTPs/[A-Z][A-Za-z ]+/[^/]+", document["Types"][0])


def test_asff_goes_in_batches_of_a_hundred():
    assert [len(b) for b in asff.batches([finding(n) for n in range(250)])] == [100, 100, 50]


def test_asff_send_uses_the_real_call(monkeypatch):
    from moto import mock_aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        taken, refused = asff.send([finding(n) for n in range(130)], "eu-west-1")
    assert (taken, refused) == (130, [])


def test_asff_send_fails_in_one_line(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ReportError, match="Security Hub"):
        asff.send([finding()], "eu-west-1")


BASE = {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata"}


def check_ocsf(document, class_uid):
    assert document.keys() >= BASE
    assert document["class_uid"] == class_uid
    assert document["category_uid"] == class_uid // 1000
    assert document["type_uid"] == class_uid * 100 + document["activity_id"]
    assert document["metadata"]["version"] == "1.5.0"
    assert document["metadata"]["product"]["name"]
    assert document["cloud"]["provider"] == "AWS"
    assert document["time"] > 10**12


@pytest.mark.parametrize("more", [{}, BARE, {"updated": DAY + 2000}])
def test_ocsf_detection_finding(more):
    document = ocsf.detection_finding(finding(**more))
    check_ocsf(document, 2004)
    assert document["finding_info"]["uid"]
    assert document["finding_info"]["title"]
    assert document["activity_id"] == (2 if "updated" in more else 1)
    assert document["severity_id"] == 3
    for evidence in document["evidences"]:
        assert evidence["connection_info"]["direction_id"] == 1
        assert evidence["src_endpoint"]["ip"] in ("81.20.30.40", "2001:db8::7")


@pytest.mark.parametrize(("action", "activity", "action_id"), [("ACCEPT", 6, 1), ("REJECT", 5, 2)])
def test_ocsf_network_activity(action, activity, action_id):
    flow = {"account_id": "123456789012", "interface_id": "eni-1", "srcaddr": "10.0.0.5",
            "dstaddr": "81.20.30.40", "srcport": 4000, "dstport": 443, "protocol": 6, "packets": 3,
            "bytes": 200, "start": DAY, "end": DAY + 9, "action": action, "log_status": "OK",
            "flow_direction": "egress", "traffic_path": 8}  # fmt: skip
    document = ocsf.network_activity(flow)
    check_ocsf(document, 4001)
    assert (document["activity_id"], document["action_id"]) == (activity, action_id)
    assert document["connection_info"]["direction_id"] == 2
    assert document["src_endpoint"] == {"ip": "10.0.0.5", "port": 4000, "interface_uid": "eni-1"}
    assert document["traffic"] == {"bytes": 200, "packets": 3}
    assert document["unmapped"] == {"traffic_path": 8}


def test_ecs():
    document = siem.ecs(finding())
    assert document["event"]["kind"] == "alert"
    assert document["source"] == {"ip": "81.20.30.40"}
    assert document["destination"] == {"ip": "10.0.0.5", "port": 22}
    assert document["threat"]["indicator"]["provider"] == "a-feed"
    assert document["network"]["iana_number"] == "6"


def test_community_id_is_the_specifications():
    # Baseline of the specification: TCP 128.232.110.120:34855 → 66.35.250.204:80.
    got = siem.community_id("128.232.110.120", 34855, "66.35.250.204", 80, 6)
    assert got == siem.community_id("66.35.250.204", 80, "128.232.110.120", 34855, 6)
    assert got == "1:LQU9qZlK+B5F3KDmev6m5PMibrg="


def test_cef_escapes():
    line = siem.cef(finding(title="a|b\\c"))
    head, extension = re.match(r"((?:[^|\\]|\\.)*(?:\|(?:[^|\\]|\\.)*){6})\|(.*)", line).groups()
    assert head.endswith("|a\\|b\\\\c|5")
    assert "\n" not in line
    assert "\x1b" not in line
    assert "msg=\\=it|did\\=so\\\\\\nand ?[31mmore" in extension


def test_csv_is_safe_for_spreadsheets():
    (row,) = csv.DictReader(io.StringIO("\n".join(lines([finding()], "csv"))))
    assert row["description"].startswith("'=")
    assert row["sessions"] == "40"


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_takes_nothing_and_one(form):
    assert list(lines([], form)) in ([], ["[]"])
    assert list(lines([finding()], form))


def test_plain_documents_are_the_row_with_its_texts_read():
    one = finding()
    row = to_row(one)
    texts = ("actors", "evidence", "details", "days")
    expected = {k: json.loads(v) if k in texts else v for k, v in row.items()}
    assert [json.loads(line) for line in lines([one, one], "ndjson")] == [expected, expected]
    for many in (0, 1, 3):
        assert json.loads("\n".join(lines([one] * many, "json"))) == [expected] * many


@pytest.mark.parametrize("form", FORMATS)
def test_findings_are_written_as_they_come(form):
    taken = []

    def coming():
        for n in range(5):
            taken.append(n)
            yield finding()

    written = lines(coming(), form)
    next(written)
    assert len(taken) <= 1
    stream = io.StringIO()
    assert write(coming(), form, stream) == 5
    assert stream.getvalue().endswith("\n")


def test_unknown_form():
    with pytest.raises(UsageError):
        list(lines([], "sarif"))


def test_rows_of_the_lake_round_trip():
    one = finding()
    assert from_row(to_row(one)) == one
