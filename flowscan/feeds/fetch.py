"""HTTPS downloads that a hostile server cannot turn against the host.

Invariant: only https, before and after redirects; at most MAX_REDIRECTS of them, and never from a
public server to a private one; the answer is bounded in bytes and the whole exchange in time.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from flowscan.errors import FeedError

MAX_REDIRECTS: Final = 5
USER_AGENT: Final = "flowscan (threat feed reader)"
_STALL: Final = 15.0
_LOOK_UP: Final = 5.0
_BLOCK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one download: bytes of the answer, seconds in all."""

    max_bytes: int = 256 << 20
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `body` is empty for 304; header names are case-insensitive."""

    status: int
    headers: Message
    body: bytes
    url: str


def get(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """GET an https URL, following redirects; any final status is returned.

    Raises:
        FeedError: not https, unreachable, too large, too slow, or a redirect that is not allowed.
    """
    limits = limits or Limits()
    deadline = time.monotonic() + limits.seconds
    context = context or ssl.create_default_context()
    private: bool | None = None
    for _ in range(MAX_REDIRECTS + 1):
        parts = _checked(url)
        with _connected(parts, context, deadline) as connection:
            private = _still_allowed(connection, private, url)
            answer = _exchange(connection, parts, url, headers or {}, limits, deadline)
        if answer.status not in {301, 302, 303, 307, 308}:
            return answer
        url = urljoin(url, answer.headers.get("Location", ""))
    raise FeedError("too many redirects", where=shown(url))


def shown(url: str) -> str:
    """Show a URL without what may be a secret: user, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise FeedError("not a URL", where=repr(url)[:100]) from None
    if parts.scheme != "https" or not host:
        raise FeedError("only https is fetched", where=shown(url))
    if any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise FeedError("a URL with blanks or control characters", where=repr(url)[:100])
    return parts


@contextlib.contextmanager
def _connected(
    parts: SplitResult, context: ssl.SSLContext, deadline: float
) -> Iterator[http.client.HTTPSConnection]:
    """Open a connection that is cut off at the deadline, wherever the exchange stands then."""
    host, port = str(parts.hostname), parts.port or 443
    proxy = _proxy(host)
    left = max(0.1, deadline - time.monotonic())
    connection = http.client.HTTPSConnection(
        *(proxy or (host, port)), timeout=min(_STALL, left), context=context
    )
    if proxy:
        connection.set_tunnel(host, port)
    watchdog: threading.Timer | None = None
    try:
        _resolve(*(proxy or (host, port)), left)
        connection.connect()
        assert connection.sock is not None
        watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [connection.sock])
        watchdog.daemon = True
        watchdog.start()
        yield connection
    except TimeoutError:
        raise FeedError("no answer in time", where=shown(parts.geturl())) from None
    except (OSError, http.client.HTTPException) as error:
        late = time.monotonic() >= deadline
        what = (
            "no answer in time" if late else f"cannot be fetched: {error or type(error).__name__}"
        )
        raise FeedError(what, where=shown(parts.geturl())) from error
    finally:
        if watchdog:
            watchdog.cancel()
        connection.close()


def _resolve(host: str, port: int, seconds: float) -> None:
    """Look a name up within a time limit, which the system's resolver does not know.

    Raises:
        FeedError: there is no such name, or no answer in time.
    """
    outcome: list[OSError | None] = []

    def look_up() -> None:
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            outcome.append(OSError(str(error)))
        else:
            outcome.append(None)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(min(seconds, _LOOK_UP))
    if not outcome:
        raise FeedError(f"the name {host!r} is not resolved in time")
    if outcome[0] is not None:
        raise FeedError(f"the name {host!r} cannot be resolved")


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _proxy(host: str) -> tuple[str, int] | None:
    """Find the proxy of the system for https, if it wants one for this host."""
    given = urllib.request.getproxies().get("https")
    if not given or urllib.request.proxy_bypass(host):
        return None
    parts = urlsplit(given if "://" in given else f"http://{given}")
    return (parts.hostname, parts.port or 3128) if parts.hostname else None


def _still_allowed(connection: http.client.HTTPSConnection, private: bool | None, url: str) -> bool:
    """Tell whether the peer is private; a redirect must not lead from a public one to such."""
    peer = ipaddress.ip_address(connection.sock.getpeername()[0].partition("%")[0])
    now = not peer.is_global
    if private is False and now:
        raise FeedError("a redirect to a private address", where=shown(url))
    return now if private is None else private


def _exchange(
    connection: http.client.HTTPSConnection,
    parts: SplitResult,
    url: str,
    headers: Mapping[str, str],
    limits: Limits,
    deadline: float,
) -> Answer:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request(
        "GET", target, headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **headers}
    )
    response = connection.getresponse()
    body = b""
    if response.status == 200:
        body = _body(response, url, limits, deadline)
        if time.monotonic() >= deadline:
            raise FeedError("no answer in time", where=shown(url))
    return Answer(response.status, response.headers, body, url)


def _body(response: http.client.HTTPResponse, url: str, limits: Limits, deadline: float) -> bytes:
    """Read the answer, expanding gzip as it comes; both forms count against the limit."""
    packed = response.headers.get("Content-Encoding", "").lower() == "gzip"
    inflate = zlib.decompressobj(wbits=31) if packed else None
    blocks: list[bytes] = []
    wire = size = 0
    too_large = FeedError(f"larger than {limits.max_bytes >> 10} kB", where=shown(url))
    while block := response.read(_BLOCK):
        wire += len(block)
        if inflate is not None:
            try:
                block = inflate.decompress(block, limits.max_bytes - size + 1)
            except zlib.error as error:
                raise FeedError(f"a damaged answer: {error}", where=shown(url)) from error
        size += len(block)
        if max(wire, size) > limits.max_bytes:
            raise too_large
        if time.monotonic() >= deadline:
            raise FeedError("no answer in time", where=shown(url))
        blocks.append(block)
    length = response.headers.get("Content-Length")
    if (length and length.isdigit() and wire < int(length)) or (inflate and not inflate.eof):
        raise FeedError("the answer ends early", where=shown(url))
    return b"".join(blocks)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Content of a location; `data` None means unchanged since the version asked about."""

    data: bytes | None
    etag: str | None = None
    last_modified: str | None = None


def fetch(
    url: str,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    limits: Limits | None = None,
    context: ssl.SSLContext | None = None,
) -> Fetched:
    """Download a feed, unless it is still the version that `etag` or `last_modified` name.

    Raises:
        FeedError: as `get`, or the server answers with an error.
    """
    conditions = {}
    if etag:
        conditions["If-None-Match"] = etag
    if last_modified:
        conditions["If-Modified-Since"] = last_modified
    answer = get(url, headers=conditions, limits=limits, context=context)
    if answer.status == 304 and conditions:
        return Fetched(None, etag, last_modified)
    if answer.status != 200:
        raise FeedError(f"the server answered {answer.status}", where=shown(url))
    return Fetched(
        answer.body, _header(answer.headers, "ETag"), _header(answer.headers, "Last-Modified")
    )


def _header(headers: Message, name: str) -> str | None:
    """Return a header that may be sent back: printable ASCII of sane length."""
    value = headers.get(name)
    return (
        value if value and len(value) <= 500 and value.isascii() and value.isprintable() else None
    )
