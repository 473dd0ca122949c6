"""Downloads from real servers on loopback, with TLS from a throw-away authority."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from flowscan.errors import FeedError
from flowscan.feeds.fetch import Limits, fetch, get, shown

Handler = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """An https server whose paths are functions; counts what it was asked."""

    def __init__(self) -> None:
        self.paths: dict[str, Handler] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        authority = trustme.CA()
        self.context = ssl.create_default_context()
        authority.configure_trust(self.context)
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(server_context)
        site = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, dict(self.headers)))
                site.paths[self.path.partition("?")[0]](self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.server.socket = server_context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def text(self, path: str, body: bytes, **headers: str) -> None:
        self.paths[path] = lambda request: reply(request, 200, body, **headers)


def reply(request: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def site() -> Iterator[Site]:
    one = Site()
    yield one
    one.close()


def test_conditional_requests(site: Site) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("If-None-Match") == '"v1"':
            reply(request, 304)
        else:
            reply(
                request,
                200,
                b"45.1.2.3\n",
                ETag='"v1"',
                Last_Modified="Mon, 03 Aug 2026 00:00:00 GMT",
            )

    site.paths["/list"] = answer
    first = fetch(f"{site.url}/list?key=1", context=site.context)
    assert (first.data, first.etag) == (b"45.1.2.3\n", '"v1"')
    again = fetch(
        f"{site.url}/list", etag=first.etag, last_modified=first.last_modified, context=site.context
    )
    assert again.data is None
    assert again.etag == '"v1"'
    assert site.asked[1][1]["If-Modified-Since"] == "Mon, 03 Aug 2026 00:00:00 GMT"
    assert site.asked[0][0] == "/list?key=1"


def test_an_unknown_certificate_is_refused(site: Site) -> None:
    site.text("/list", b"x")
    with pytest.raises(FeedError, match="certificate"):
        fetch(f"{site.url}/list")


@pytest.mark.parametrize(
    "url",
    ["http://localhost/x", "file:///etc/passwd", "ftp://localhost/x", "https:///x", "localhost/x",
     "https://local host/x", "https://localhost/\r\nX: y", "https://localhost:99999/", "data:,x"],
)  # fmt: skip
def test_only_https(url: str) -> None:
    with pytest.raises(FeedError):
        get(url)


@pytest.mark.parametrize(
    "target", ["http://localhost/x", "file:///etc/passwd", "ftp://localhost/", "//", "https://"]
)
def test_redirects_stay_on_https(site: Site, target: str) -> None:
    site.paths["/a"] = lambda request: reply(request, 302, Location=target)
    with pytest.raises(FeedError):
        fetch(f"{site.url}/a", context=site.context)


def test_redirects_are_followed_and_bounded(site: Site) -> None:
    site.paths["/a"] = lambda request: reply(request, 301, Location="/b")
    site.text("/b", b"45.1.2.3\n")
    site.paths["/loop"] = lambda request: reply(request, 302, Location="/loop")
    assert fetch(f"{site.url}/a", context=site.context).data == b"45.1.2.3\n"
    with pytest.raises(FeedError, match="too many redirects"):
        fetch(f"{site.url}/loop", context=site.context)
    assert len(site.asked) == 2 + 6


def test_a_public_server_cannot_lead_to_a_private_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowscan.feeds import fetch as module

    site.paths["/a"] = lambda request: reply(request, 302, Location="/b")
    site.text("/b", b"secret")
    real, calls = module._still_allowed, []

    def first_is_public(connection: object, private: bool | None, url: str) -> bool:
        calls.append(url)
        return False if len(calls) == 1 else real(connection, private, url)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_still_allowed", first_is_public)
    with pytest.raises(FeedError, match="private address"):
        fetch(f"{site.url}/a", context=site.context)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_errors_of_the_server(site: Site, status: int) -> None:
    site.paths["/x"] = lambda request: reply(request, status, b"no")
    with pytest.raises(FeedError, match=str(status)):
        fetch(f"{site.url}/x", context=site.context)


def test_too_large(site: Site) -> None:
    site.text("/big", b"x" * 5000)
    site.text("/bomb", gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")
    for path in ("/big", "/bomb"):
        with pytest.raises(FeedError, match="larger than"):
            fetch(f"{site.url}{path}", limits=Limits(max_bytes=4096), context=site.context)


def test_an_endless_answer_stops(site: Site) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"x")
                request.wfile.flush()
                time.sleep(0.05)
        except OSError:
            request.close_connection = True

    def drip_headers(request: BaseHTTPRequestHandler) -> None:
        try:
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                request.wfile.write(b"X")
                request.wfile.flush()
                time.sleep(0.05)
        except OSError:
            request.close_connection = True

    site.paths |= {"/body": drip, "/headers": drip_headers}
    for path in ("/body", "/headers"):
        started = time.monotonic()
        with pytest.raises(FeedError, match="in time"):
            fetch(f"{site.url}{path}", limits=Limits(seconds=0.7), context=site.context)
        assert time.monotonic() - started < 5


def test_an_answer_that_ends_early(site: Site) -> None:
    def short(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"45.1.2.3\n")
        request.close_connection = True

    whole = gzip.compress(b"45.1.2.3\n" * 1000)
    site.paths["/short"] = short
    site.text("/gzip", whole[:-10], Content_Encoding="gzip")
    site.text("/noise", b"not gzip", Content_Encoding="gzip")
    for path in ("/short", "/gzip", "/noise"):
        with pytest.raises(FeedError):
            fetch(f"{site.url}{path}", context=site.context)


def test_nobody_listens() -> None:
    started = time.monotonic()
    with pytest.raises(FeedError):
        get("https://127.0.0.1:9/x")
    with pytest.raises(FeedError, match="resolved"):
        get("https://no-such-host.invalid/x")
    assert time.monotonic() - started < 15


def test_urls_are_shown_without_secrets() -> None:
    assert shown("https://me:secret@example.org:8443/a?token=1#x") == "https://example.org:8443/a"
    assert shown("https://[") == "(not a URL)"
