"""`flowscan lookup`: everything known about an address or a prefix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscan.cli.options import LakeOption, SinceOption, UntilOption
from flowscan.cli.render import Format

if TYPE_CHECKING:
    from flowscan.lookup import Lookup

_SPARKS = " ▁▂▃▄▅▆▇█"


def command(
    target: Annotated[str, typer.Argument(help="Address, prefix or range.", show_default=False)],
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    mmdb: Annotated[
        list[Path] | None,
        typer.Option("--mmdb", help="MMDB files with country, city or AS; adds to flowscan.toml."),
    ] = None,
    whois: Annotated[
        bool, typer.Option("--whois", help="Ask the registries (RDAP); kept in the lake.")
    ] = False,
    format_: Annotated[
        Format, typer.Option("--format", help="table (for people) or json.")
    ] = Format.table,
) -> None:
    """Tell everything known about an address: lists, activity, country, AS, registration.

    Example: flowscan lookup 203.0.113.7 --whois
    """
    from flowscan.cli.options import moment, open_lake
    from flowscan.config import load
    from flowscan.enrich import Geo, Registrar
    from flowscan.lookup import lookup

    settings = load().enrich
    opened = open_lake(lake)
    paths = [*(mmdb or ()), *settings.mmdb]
    with Geo(paths) as geo:
        found = lookup(
            opened,
            target,
            since=moment(since),
            until=moment(until),
            geo=geo if paths else None,
            registrar=Registrar(opened, base=settings.rdap) if whois else None,
        )
    if format_ is Format.table:
        _show(found)
    else:
        typer.echo(_json(found))


def _json(found: Lookup) -> str:
    import json
    from dataclasses import asdict

    data = asdict(found)
    data["network"]["roles"] = sorted(found.network.roles)
    return json.dumps(data, indent=2)


def _line(name: str, value: object) -> None:
    from flowscan.cli.render import plain

    typer.echo(f"{name:<14} {plain(value)}")


def _show(found: Lookup) -> None:
    network = found.network
    span = found.first if found.first == found.last else f"{found.first} – {found.last}"
    _line("address", span)
    roles = ", ".join(sorted(network.roles))
    _line(
        "kind",
        network.kind
        + (f": {network.name}" if network.name else "")
        + (f" ({roles})" if roles else ""),
    )
    if found.place:
        place = found.place
        _line(
            "country",
            " ".join(v for v in (place.country, place.country_name, place.city) if v)
            or "not in the files",
        )
        _line("AS", f"AS{place.asn} {place.as_name or ''}" if place.asn else "not in the files")
    if found.registration:
        _registration(found.registration)
    _lists(found)
    _activity(found)
    for note in found.notes:
        _line("note", note)


def _registration(registration: Any) -> None:
    if registration.status != "ok":
        note = f": {registration.note}" if registration.note else ""
        _line("registration", registration.status + note)
        return
    parts = (registration.name, registration.organisation, registration.country)
    _line("registration", ", ".join(p for p in parts if p))
    _line("network", f"{registration.first} – {registration.last} ({registration.handle})")
    if registration.abuse:
        _line("abuse", registration.abuse)


def _lists(found: Lookup) -> None:
    if not found.lists:
        _line("lists", "on no list")
    for row in found.lists[:20]:
        about = f" – {row['description']}" if row["description"] else ""
        kind = "trusted" if row["trusted"] else f"{row['category']}, confidence {row['confidence']}"
        _line("list", f"{row['feed']} ({kind}): {row['indicator']}{about}")
    if len(found.lists) > 20:
        _line("", f"… and {len(found.lists) - 20:,} more indicators")


def _activity(found: Lookup) -> None:
    from flowscan.cli.render import human_bytes, utc

    seen = found.activity
    if seen.gateway:
        _line("gateway", "passes on what others send, which counts as theirs")
    if not seen.flows:
        _line("activity", "none in the lake")
        return
    _line("activity", f"{seen.flows:,} flows: {seen.accepted:,} accepted, {seen.refused:,} refused")
    _line("seen", f"{utc(seen.first_seen)} to {utc(seen.last_seen)}")
    _line("", sparkline(seen.sparkline))
    _line(
        "bytes", f"sent {human_bytes(seen.bytes_sent)}, received {human_bytes(seen.bytes_received)}"
    )
    _line("side", ", ".join(seen.sides))
    several = seen.addresses > 1
    for way, rows in (
        ("called", seen.called),
        ("called_by", seen.called_by),
        ("undecided", seen.undecided),
    ):
        for row in rows:
            _line(way.replace("_", " "), _pair(row, several))
        if seen.more.get(way):
            _line("", f"… and {seen.more[way]:,} more")
    _services(found)
    for row in seen.interfaces:
        _line("interface", f"{row['interface_id'] or 'unknown'}: {_counts(row)}")
    if several:
        _line("addresses", f"{seen.addresses:,} seen")
        for row in seen.busiest:
            _line("", _flows(row))


def _services(found: Lookup) -> None:
    from flowscan.cli.render import human_bytes
    from flowscan.net.services import port_label

    seen = found.activity
    for row in seen.services:
        if row["answered"]:
            size = human_bytes(row["bytes_sent"])
            label = port_label(row["port"], row["protocol"])
            callers = f"{row['callers']:,} caller{'s' if row['callers'] != 1 else ''}"
            _line("service", f"{label}: {callers}, {_outcome(row)}, sent {size}")
    if seen.services_tried:
        opened = f"{seen.services_open:,}" if seen.services_open else "none"
        _line("services", f"{seen.services_tried:,} tried, {opened} answered")


def _pair(row: dict[str, Any], several: bool) -> str:
    """Say what one address had to do with another; `several`: which of those looked up."""
    from flowscan.cli.render import human_bytes
    from flowscan.net.services import port_label

    names = ", ".join(port_label(one["port"], one["protocol"]) for one in row["services"])
    services = names if row["ports"] <= len(row["services"]) else f"{row['ports']:,} ports"
    mine = f"{row['mine']}, " if several else ""
    sizes = f"sent {human_bytes(row['bytes_sent'])}, received {human_bytes(row['bytes_received'])}"
    return f"{mine}{row['peer']} {services}: {_outcome(row)}, {sizes}"


def _outcome(row: dict[str, Any]) -> str:
    times = f"{row['sessions']:,} time{'s' if row['sessions'] != 1 else ''}"
    parts = [f"{row['answered'] or 'none'} answered"]
    parts += [f"{row[name]:,} {name}" for name in ("reset", "unanswered", "refused") if row[name]]
    return f"{times} ({', '.join(parts)})"


def _flows(row: dict[str, Any]) -> str:
    from flowscan.cli.render import human_bytes

    size = human_bytes(row["bytes"])
    return f"{row['address']}: {row['flows']:,} flows, {row['refused']:,} refused, {size}"


def _counts(row: dict[str, Any]) -> str:
    from flowscan.cli.render import human_bytes

    return f"{row['accepted']:,} accepted, {row['refused']:,} refused, {human_bytes(row['bytes'])}"


def sparkline(values: tuple[int, ...]) -> str:
    """Draw counts as one line of blocks; anything above zero shows."""
    most = max(values, default=0)
    steps = len(_SPARKS) - 1
    return "".join(_SPARKS[-(-value * steps // most) if most else 0] for value in values)
