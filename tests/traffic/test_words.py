"""What look-ups of the cases say to people: pairs, services, gateways."""

from __future__ import annotations

from pathlib import Path

from cases import Case, low_client_ports, nat_three_legs, scan_from_one_source_port, write
from commands import command

import flowscan


def looked_up(case: Case, address: str, folder: Path) -> str:
    flowscan.ingest(str(write(case, folder)), folder / "lake")
    return command("lookup", address, "--lake", str(folder / "lake"))


def test_our_low_ports_call(tmp_path: Path) -> None:
    shown = looked_up(low_client_ports(), "10.0.1.5", tmp_path)
    assert "called         52.1.2.3 8443/tcp https-alt: 5 times (5 answered)" in shown
    assert "5001" not in shown


def test_a_scan_from_one_port_is_the_strangers(tmp_path: Path) -> None:
    shown = looked_up(scan_from_one_source_port(), "10.30.1.6", tmp_path)
    assert "called by      82.141.245.237 200 ports: 200 times (none answered, 200 reset)" in shown
    assert "200 tried, none answered" in shown


def test_a_prefix_with_a_gateway(tmp_path: Path) -> None:
    shown = looked_up(nat_three_legs(), "10.0.0.0/16", tmp_path)
    assert "gateway        passes on what others send" in shown
    assert "bytes          sent 10.0 GB, received 100.0 MB" in shown
    assert "called         52.216.10.10 443/tcp https: 10 times (10 answered)" in shown
