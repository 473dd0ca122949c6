"""A reverse proxy on loopback that breaks what passes through it, as networks and S3 do.

`proxy.fault = function(Request) -> Fault | None` decides per request; requests are recorded.
The Host header passes unchanged, so that signatures stay valid.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    number: int
    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Fault:
    """`status` answers without asking the server; `lost` asks it and drops the answer; `cut`
    sends only so many bytes of the body, then resets; `delay` waits seconds before; `stall` sends
    only so many bytes of the body, then nothing for `delay` seconds; `before` is run first (to
    change the server's state)."""

    status: int | None = None
    code: str = "InternalError"
    lost: bool = False
    cut: int | None = None
    delay: float = 0
    stall: int | None = None
    before: Callable[[], object] | None = None


@dataclass
class Proxy:
    endpoint: str
    fault: Callable[[Request], Fault | None] = lambda _: None
    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def fault_proxy(target: str) -> Iterator[Proxy]:
    proxy = Proxy("")

    class Handler(_Handler):
        upstream = urlsplit(target)
        state = proxy

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: object
    state: Proxy

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client went away
            super().handle()

    def _serve(self) -> None:
        body = self._body()
        state = self.state
        with state.lock:
            request = Request(
                len(state.requests) + 1, self.command, self.path, dict(self.headers.items())
            )
            state.requests.append(request)
        fault = state.fault(request) or Fault()
        if fault.before:
            fault.before()
        if fault.delay and fault.stall is None:
            time.sleep(fault.delay)
        if fault.status:
            text = f"<Error><Code>{fault.code}</Code><Message>injected</Message></Error>"
            return self._answer(fault.status, {"Content-Type": "application/xml"}, text.encode())
        status, headers, data = self._forward(body)
        if fault.lost:
            return self._reset()
        if fault.stall is not None:
            return self._answer(status, headers, data, fault.stall, fault.delay)
        return self._answer(status, headers, data, fault.cut)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        host, port = self.upstream.hostname, self.upstream.port
        connection = http.client.HTTPConnection(host, port, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            dropped = ("connection", "transfer-encoding", "content-length", "expect")
            for name, value in self.headers.items():
                if name.lower() not in dropped:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _answer(
        self,
        status: int,
        headers: dict[str, str],
        data: bytes,
        cut: int | None = None,
        wait: float = 0,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[:cut])
        if cut is not None:
            self.wfile.flush()
            time.sleep(wait)
            self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
