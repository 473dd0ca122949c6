"""A small web server for the report of a live lake.

Invariant: answers GET and HEAD, writes nothing, and listens on loopback unless told otherwise.
On loopback only requests that name it as their host are answered, so that no foreign page reaches
it by rebinding DNS; elsewhere every request needs the token, which a cookie carries afterwards.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flowscan.errors import FlowscanError, ReportError, UsageError
from flowscan.lake import Lake
from flowscan.report import html
from flowscan.report.assemble import Options
from flowscan.report.site import Site
from flowscan.text import plain

log = logging.getLogger(__name__)

COOKIE = "flowscan"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ReportServer(ThreadingHTTPServer):
    """Serves the pages of a lake; `token` is None on loopback."""

    daemon_threads = True

    def __init__(
        self, lake: Lake, host: str = "127.0.0.1", port: int = 8312, options: Options | None = None
    ) -> None:
        """Bind to `host` and `port` (0 picks a free one).

        Raises:
            ReportError: the host is no address, or the port is taken.
        """
        try:
            address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            raise ReportError(f"{host[:60]!r} is no address to listen on") from None
        self.site = Site(lake, options or Options())
        self.token = None if address.is_loopback else secrets.token_urlsafe(24)
        if address.version == 6:
            import socket

            self.address_family = socket.AF_INET6
        try:
            super().__init__((str(address), port), _Handler)
        except OSError as error:
            raise ReportError(
                f"cannot listen: {error.strerror}",
                where=f"{host}:{port}",
                hint="another port: --port 0",
            ) from None
        self.host = f"[{address}]" if address.version == 6 else str(address)

    @property
    def url(self) -> str:
        """Where a browser finds it, the token included."""
        query = f"?token={self.token}" if self.token else ""
        return f"http://{self.host}:{self.server_address[1]}/{query}"

    def server_close(self) -> None:
        """Stop listening, and give up what is kept of the lake."""
        super().server_close()
        self.site.close()

    def allows_host(self, name: str | None) -> bool:
        """Tell whether a Host header names this server."""
        port = self.server_address[1]
        return name in {f"{self.host}:{port}", f"localhost:{port}"}


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer
    server_version = "flowscan"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        request = dict(parse_qsl(parts.query, max_num_fields=20))
        if self.server.token is None:
            if not self.server.allows_host(self.headers.get("Host")):
                self._say(HTTPStatus.MISDIRECTED_REQUEST, "this server is for its own host only")
                return
        elif not self._may_enter(parts.path, request):
            return
        pages = {"/": self.server.site.report, "/flows": self.server.site.flows}
        page = pages.get(parts.path)
        if page is None:
            self._say(HTTPStatus.NOT_FOUND, "there is no such page")
            return
        try:
            self._send(HTTPStatus.OK, page(request))
        except UsageError as error:
            self._say(HTTPStatus.BAD_REQUEST, str(error))
        except FlowscanError as error:
            log.warning("%s", error)
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def _may_enter(self, path: str, request: dict[str, str]) -> bool:
        """Take the token from the address once, then from the cookie."""
        token = self.server.token or ""
        if hmac.compare_digest(request.get("token", "").encode(), token.encode()):
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Location", "/" if path != "/flows" else path)
            self.send_header("Set-Cookie", f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/")
            self._finish(b"")
            return False
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        if cookie is not None and hmac.compare_digest(cookie.value.encode(), token.encode()):
            return True
        self._say(HTTPStatus.FORBIDDEN, "open the address that flowscan serve printed")
        return False

    def _say(self, status: HTTPStatus, text: str) -> None:
        self._send(status, html.page("message.html", live={}, title=status.phrase, text=text))

    def _send(self, status: HTTPStatus, page: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self._finish(page.encode())

    def _finish(self, body: bytes) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - overridden
        # The request line may hold the token.
        log.debug("%s %s", self.client_address[0], plain(format % args).split("?", 1)[0])
