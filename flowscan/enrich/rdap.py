"""Registration of an address, by ipwhois RDAP: opt-in, cached in the lake, bounded, polite.

Invariant: only public addresses are asked about, only over https, at most one request per
`pause`, and never again in a run after the service proved unreachable. The answer is text of a
stranger: capped in size, depth and length, made printable, and only what is needed is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from flowscan.errors import FeedError
from flowscan.net.address import format_address, parse_address, parse_interval
from flowscan.net.ranges import kind_of
from flowscan.text import plain

if TYPE_CHECKING:
    import ssl

    from flowscan.lake import Lake

BOOTSTRAP: Final = "https://rdap-bootstrap.arin.net/bootstrap"
"""ARIN's bootstrap service: it redirects to the registry that an address belongs to."""
MAX_BYTES: Final = 512 << 10
_BLOB: Final = "rdap"
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Registration:
    """Who registered the network of an address; `status` "ok", "unavailable" or "not public".

    `at` is when the registry was asked, epoch seconds; `note` says why there is nothing.
    """

    status: str
    name: str | None = None
    handle: str | None = None
    country: str | None = None
    first: str | None = None
    last: str | None = None
    organisation: str | None = None
    abuse: str | None = None
    at: int | None = None
    note: str | None = None


class Registrar:
    """Asks for registrations on behalf of one run.

    `lifetime` and `budget` in seconds: how long an answer is used, and how long all questions of
    the run may take together. Not thread-safe.
    """

    def __init__(
        self,
        lake: Lake | None = None,
        *,
        base: str = BOOTSTRAP,
        lifetime: int = 30 * 86400,
        budget: float = 30.0,
        timeout: float = 5.0,
        pause: float = 1.0,
        context: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Keep answers in `lake` if given; nothing is asked before `lookup`."""
        self._lake, self._base, self._lifetime = lake, base.rstrip("/"), lifetime
        self._budget, self._timeout, self._pause = budget, timeout, pause
        self._context, self._now = context, now
        self._last = 0.0
        self._down: str | None = None
        self.requests = 0

    def lookup(self, address: str) -> Registration:
        """Registration of an address; never raises, at worst "unavailable"."""
        one = parse_address(address)
        if one is None or kind_of(*one) != "public":
            return Registration("not public")
        kept = self._kept(*one)
        if kept is not None:
            return kept
        if self._down:
            return Registration("unavailable", note=self._down)
        if self._budget <= 0:
            return Registration("unavailable", note="time for registrations is used up")
        started = time.monotonic()
        try:
            answer = self._ask(format_address(*one))
        except FeedError as error:
            self._down = plain(error.what)[:_LONGEST]
            return Registration("unavailable", note=self._down)
        finally:
            self._budget -= time.monotonic() - started
        if answer.status == "ok":
            self._keep(*one, answer)
        return answer

    # -- cache ----------------------------------------------------------------------------

    def _slot(self, family: int, value: int) -> str:
        """Neighbours share an answer: one slot per /24 or /48."""
        return f"{family} {value >> (8 if family == 4 else 80):x}"

    def _kept(self, family: int, value: int) -> Registration | None:
        data = self._lake.get_blob(_BLOB, self._slot(family, value)) if self._lake else None
        if data is None:
            return None
        try:
            kept = Registration(**json.loads(data))
        except (ValueError, TypeError):
            return None
        span = parse_interval(f"{kept.first}-{kept.last}")
        fresh = kept.at is not None and self._now() - kept.at < self._lifetime
        holds = span is not None and span.family == family and span.first <= value <= span.last
        return kept if fresh and holds else None

    def _keep(self, family: int, value: int, answer: Registration) -> None:
        if self._lake:
            slot = self._slot(family, value)
            self._lake.put_blob(_BLOB, slot, json.dumps(asdict(answer)).encode())

    # -- the question ---------------------------------------------------------------------

    def _ask(self, address: str) -> Registration:
        wait = self._last + self._pause - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, self._budget))
        self._last = time.monotonic()
        self.requests += 1
        body = self._fetch(f"{self._base}/ip/{address}")
        try:
            parsed = _parse(address, body)
        except Exception:  # noqa: BLE001 - ipwhois raises whatever a strange answer provokes
            return Registration("unavailable", note="the registry's answer is not understood")
        return _registration(parsed, address, int(self._now()))

    def _fetch(self, url: str) -> Any:
        from flowscan.feeds.fetch import Limits, get  # what speaks HTTP takes a while to load

        limits = Limits(MAX_BYTES, min(self._timeout, max(self._budget, 0.1)))
        answer = get(
            url,
            headers={"Accept": "application/rdap+json, application/json"},
            limits=limits,
            context=self._context,
        )
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise FeedError(f"the registry answered {answer.status}")
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            return None


def _parse(address: str, body: Any) -> dict[str, Any]:
    """Let ipwhois read an RDAP answer; it makes no request of its own."""
    from ipwhois.net import Net
    from ipwhois.rdap import RDAP

    class Offline(Net):  # type: ignore[misc]
        """The part of ipwhois that would ask the network, without a network."""

        def __init__(self) -> None:
            self.address_str = address

        def get_http_json(self, *_: object, **__: object) -> Any:
            raise FeedError("ipwhois asked the network")

    found: dict[str, Any] = RDAP(Offline()).lookup(
        response=body, bootstrap=True, retry_count=0, root_ent_check=False
    )
    return found


def _registration(parsed: dict[str, Any], address: str, now: int) -> Registration:
    network = parsed.get("network") or {}
    first, last = _text(network.get("start_address")), _text(network.get("end_address"))
    span = parse_interval(f"{first}-{last}")
    one = parse_address(address)
    assert one is not None
    if span is None or span.family != one[0] or not span.first <= one[1] <= span.last:
        return Registration("unavailable", note="the answer is about another network")
    objects = parsed.get("objects") or {}
    return Registration(
        status="ok",
        name=_text(network.get("name")),
        handle=_text(network.get("handle")),
        country=_text(network.get("country")),
        first=first,
        last=last,
        organisation=_contact(objects, "registrant", "name"),
        abuse=_contact(objects, "abuse", "email"),
        at=now,
    )


def _contact(objects: dict[str, Any], role: str, member: str) -> str | None:
    for entity in objects.values():
        contact = entity.get("contact") if role in (entity.get("roles") or ()) else None
        value = contact.get(member) if isinstance(contact, dict) else None
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = value[0].get("value")
        if text := _text(value):
            return text
    return None


def _text(value: Any) -> str | None:
    return plain(value.strip())[:_LONGEST] or None if isinstance(value, str) else None
