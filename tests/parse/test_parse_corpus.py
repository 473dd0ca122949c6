"""Real and published flow logs: what each is, and how many records of which kind it holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from parsing import run

from flowscan.errors import RejectedObject
from flowscan.parse import parse_format

CORPUS = Path(os.environ.get("FLOWSCAN_CORPUS", Path(__file__).parents[3] / "shared/corpus"))
pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus here")

# file: (shape, records, flows, nodata, skipdata, rejects)
GOES_IN = {
    "centralized-logging/vpcflow.log": ("text", 17, 10, 7, 0, 0),
    "coralogix/vpcflow.log.gz": ("text", 2, 2, 0, 0, 0),
    "firehose/firehose_transform_event.json": ("firehose-event", 2, 2, 0, 0, 0),
    "flowlogs-reader/flows.parquet": ("parquet", 3, 1, 1, 0, 1),
    "lambda-promtail/testdata_vpcflowlog.log.gz": ("text", 3, 3, 0, 0, 0),
    "ocsf-examples/mappings_dataprepper_AWS_v1.1.0_VPC_Flow_samples_vpcflowlog.raw": (
        "json-records", 1, 1, 0, 0, 0),
    "ocsf-examples/mappings_markdown_AWS_v1.0.0-rc.2_VPC_Flowlogs_samples_vpcflowlog.raw": (
        "csv", 1, 1, 0, 0, 0),
    "ocsf-examples/mappings_markdown_AWS_v1.1.0_VPC_Flowlogs_samples_vpcflowlog.raw": (
        "csv", 1, 1, 0, 0, 0),
    "ocsf-examples/mappings_markdown_AWS_v1.5.0_VPC_Flowlogs_samples_vpcflowlog.raw": (
        "csv", 1, 1, 0, 0, 0),
    "otel/valid_tgw_flow_log.log": ("text", 1, 1, 0, 0, 0),
    "otel/valid_vpc_flow_cw.json": ("cloudwatch-subscription", 2, 2, 0, 0, 0),
    "otel/valid_vpc_flow_log.log": ("text", 1, 0, 1, 0, 0),
    "otel/valid_vpc_flow_log_ecs.log": ("text", 1, 1, 0, 0, 0),
    "otel/valid_vpc_flow_log_multi.log": ("text", 2, 2, 0, 0, 0),
    "otel/vpc_flow_log_too_few_fields.log": ("text", 1, 0, 0, 0, 1),
    "otel/vpc_flow_log_too_many_fields.log": ("text", 1, 0, 0, 0, 1),
    "sekoia/111111111111_vpcflowlogs_eu-west-3_fl-032a163fae170ae52_20220831T1255Z_2ad4bef5"
    ".parquet": ("parquet", 7, 7, 0, 0, 0),
    "sekoia/test_parquet.parquet": ("parquet", 8, 8, 0, 0, 0),
    "sekoia/test_parquet_result.json": ("json-records", 7, 7, 0, 0, 0),
}  # fmt: skip
REFUSED = {
    "lambda-promtail/testdata_events_cloudwatch-logs-event.json": "no line of it is a record",
    "lambda-promtail/testdata_events_kinesis-event.json": "no line of it is a record",
    "lambda-promtail/testdata_kinesis-event.json": "no line of it is a record",
    "ocsf-examples/encodings_ilf_example_logs_1_1_0_vpcflow.ocsf": "JSON that holds no flow-log",
    "ocsf-examples/mappings_dataprepper_AWS_v1.1.0_VPC_Flow_samples_vpcflowlog.ocsf":
        "JSON that holds no flow-log",
    "ocsf-examples/mappings_markdown_AWS_v1.5.0_VPC_Flowlogs_samples_vpcflowlog.ocsf":
        "JSON that holds no flow-log",
    # these two have neither a header nor AWS's default fields: only their format tells
    "otel/valid_tgw_flow_cw.json": "no line fits AWS's default format",
    "otel/valid_vpc_flow_cw_custom.json": "no line fits AWS's default format",
    "sekoia/test_ocsf.parquet": "Parquet without the columns of flow logs",
}  # fmt: skip


def content(name: str) -> bytes:
    return (CORPUS / "flowlogs" / name).read_bytes()


def test_every_file_is_accounted_for() -> None:
    root = CORPUS / "flowlogs"
    found = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    assert found == set(GOES_IN) | set(REFUSED)


@pytest.mark.parametrize("kernel", ["auto", "arrow"])
@pytest.mark.parametrize("name", GOES_IN)
def test_goes_in(name: str, kernel: str) -> None:
    shape, *numbers = GOES_IN[name]
    got = run(content(name), kernel=kernel)
    assert (got.shape, got.numbers) == (shape, tuple(numbers))


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(RejectedObject, match=REFUSED[name]):
        run(content(name))


def test_formats_of_the_two_that_need_one() -> None:
    custom = parse_format("${version} ${interface-id} ${srcaddr} ${dstaddr}")
    got = run(content("otel/valid_vpc_flow_cw_custom.json"), format=custom)
    assert got.numbers == (2, 2, 0, 0, 0)
    assert [f["start"] for f in got.flows] == [1733430000, 1733430001]
    fields = content("otel/valid_tgw_flow_log.log").split(b"\n")[0].decode().split()
    fields = [f for f in fields if not f.startswith("packets-lost")]
    got = run(content("otel/valid_tgw_flow_cw.json"), format=parse_format(" ".join(fields)))
    assert got.numbers == (1, 1, 0, 0, 0)
    assert got.flows[0]["tgw_attachment_id"] == "tgw-attach-0abc12345def67890"


def test_values_of_converted_parquet() -> None:
    got = run(content("flowlogs-reader/flows.parquet"))
    flow = got.flows[0]
    assert (flow["account_id"], flow["srcport"], flow["bytes"]) == ("123456789010", 443, 840)
    assert got.reasons == [(3, "bad protocol")]
    assert got.coverage[0]["log_status"] == "NODATA"


def test_parquet_and_its_json_say_the_same() -> None:
    json_rows = run(content("sekoia/test_parquet_result.json")).flows
    rows = run(content("sekoia/test_parquet.parquet")).flows
    assert len(json_rows) == 7
    assert all(row in rows for row in json_rows)
