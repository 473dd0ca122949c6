"""The server: read-only, for its own host or with its token, and deaf to hostile requests."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from flowscan.errors import ReportError
from flowscan.ingest import ingest
from flowscan.lake import Lake
from flowscan.report.serve import ReportServer
from flowscan.sources import SourceOptions, open_source

DAY = "since=2026-08-03&until=2026-08-04T12:00"


def run(server: ReportServer) -> Iterator[ReportServer]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def server(lake: Lake) -> Iterator[ReportServer]:
    yield from run(ReportServer(lake, port=0))


@pytest.fixture
def open_server(lake: Lake) -> Iterator[ReportServer]:
    yield from run(ReportServer(lake, "0.0.0.0", port=0))


def ask(
    server: ReportServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], str]:
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers={k.title(): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def test_the_report(server: ReportServer) -> None:
    status, headers, page = ask(server, "/")
    assert status == 200
    assert "312/tcp" in page
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Python" not in headers["Server"]


def test_a_period(server: ReportServer) -> None:
    _, _, page = ask(server, "/?since=2026-08-04&until=2026-08-04T06:00")
    assert "04 Aug 2026 00:00" in page
    assert ask(server, "/?since=2026-08-04&until=2026-08-03")[0] == 400


def test_flows_of_an_address(server: ReportServer) -> None:
    status, _, page = ask(server, f"/flows?address=22.41.7.130&{DAY}")
    assert status == 200
    assert page.count("<tr>") == 1 + 200
    _, _, one = ask(server, f"/flows?address=26.73.190.44&port=80&protocol=6&{DAY}")
    assert one.count("<tr>") == 1 + 2
    _, _, none = ask(server, f"/flows?address=10.99.9.9&{DAY}")
    assert "No flow is like that" in none


def test_pages_follow_each_other(server: ReportServer) -> None:
    _, _, first = ask(server, f"/flows?address=22.41.7.130&{DAY}")
    _, _, last = ask(server, f"/flows?address=22.41.7.130&offset=400&{DAY}")
    assert "later" in first
    assert "earlier" not in first
    assert "later" not in last
    assert "earlier" in last


@pytest.mark.parametrize(
    "request_",
    [
        {"address": "x' OR '1'='1"},
        {"address": "1.2.3.4/0"},
        {"address": "<script>alert(1)</script>"},
        {"port": "80; DROP TABLE flows"},
        {"port": "99999"},
        {"port": "٣"},
        {"protocol": "-1"},
        {"action": "ACCEPT' --"},
        {"since": "yesterday'"},
        {"offset": "9" * 40},
    ],
)
def test_hostile_requests_are_refused(server: ReportServer, request_: dict[str, str]) -> None:
    status, _, page = ask(server, "/flows?" + urlencode(request_))
    assert status == 400
    assert "<script>alert" not in page


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/%2e%2e/x", "/static/x", "//x", "/flows/"])
def test_there_are_two_pages(server: ReportServer, path: str) -> None:
    assert ask(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_it_is_read_only(server: ReportServer, method: str) -> None:
    assert ask(server, "/", method)[0] == 501


def test_head(server: ReportServer) -> None:
    status, headers, page = ask(server, "/", "HEAD")
    assert (status, page) == (200, "")
    assert int(headers["Content-Length"]) > 10_000


def test_a_foreign_host_is_not_answered(server: ReportServer) -> None:
    assert ask(server, "/", host="evil.example:80")[0] == 421
    assert ask(server, "/", host=f"localhost:{server.server_address[1]}")[0] == 200


def test_off_loopback_it_wants_the_token(open_server: ReportServer) -> None:
    assert ask(open_server, "/")[0] == 403
    assert ask(open_server, "/?token=x")[0] == 403
    assert ask(open_server, "/", cookie="flowscan=x")[0] == 403
    parts = urlsplit(open_server.url)
    status, headers, _ = ask(open_server, f"{parts.path}?{parts.query}")
    assert status == 303
    assert headers["Location"] == "/"
    assert "HttpOnly; SameSite=Strict" in headers["Set-Cookie"]
    cookie = headers["Set-Cookie"].split(";")[0]
    assert ask(open_server, "/flows", cookie=cookie)[0] == 200


def test_a_live_lake_is_seen(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "live", create=True)
    line = "2 123456789012 eni-1 10.1.1.1 10.2.2.2 1 2 6 1 40 1785715300 1785715301 ACCEPT OK\n"
    (tmp_path / "one.log").write_text(line)
    for server in run(ReportServer(lake, port=0)):
        before = ask(server, f"/flows?address=10.1.1.1&{DAY}")[2]
        assert "There are no flows" in ask(server, "/")[2]
        ingest(lake, [open_source(str(tmp_path / "one.log"), SourceOptions())])
        after = ask(server, f"/flows?address=10.1.1.1&{DAY}")[2]
        assert "No detection has run yet" in ask(server, "/")[2]
    assert before.count("<tr>") == 0
    assert after.count("<tr>") == 2


def test_a_name_is_no_address(lake: Lake) -> None:
    with pytest.raises(ReportError, match="no address"):
        ReportServer(lake, "example.org")


def test_a_taken_port_is_said(lake: Lake, server: ReportServer) -> None:
    with pytest.raises(ReportError, match="cannot listen"):
        ReportServer(lake, port=server.server_address[1])
