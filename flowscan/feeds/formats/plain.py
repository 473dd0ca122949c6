"""Line formats: addresses, CIDRs and ranges with comments, netsets, DROP, Tor, hosts, P2P.

What varies between such lists is where the entry stands in the line, so there is one parser per
place. Invariant: a line that is neither blank nor a comment yields exactly one entry (a hosts
line one per name).
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

from flowscan.feeds.model import Entry, ReadOptions
from flowscan.feeds.spelling import loose_interval
from flowscan.net.address import parse_address

_COMMENT = ("#", ";", "//", "!")
_SPLIT = re.compile(r"[\s,;#]")
_SPACED_RANGE = re.compile(r"(\S+)\s+-\s+([^\s,;#]+)")
_P2P = re.compile(r".*:\s*([0-9A-Fa-f.:]+\s*-\s*[0-9A-Fa-f.:]+)\s*")
_HOSTS_TARGETS = ("0.0.0.0 ", "127.0.0.1 ", "::1 ", ":: ", "0.0.0.0\t", "127.0.0.1\t")


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Numbered, stripped lines that are neither blank nor comments."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        stripped = significant(line)
        if stripped:
            yield number, stripped


def significant(line: str) -> str:
    """A line without blanks around it; empty where it is blank or a comment."""
    stripped = line.strip()
    return "" if stripped.startswith(_COMMENT) else stripped


def starts_with_address(text: str) -> bool:
    """Tell a list whose first line is a bracketed IPv6 address from JSON."""
    return loose_interval(text[:64].lstrip().partition("\n")[0].strip()) is not None


def parse_plain(text: str, options: ReadOptions) -> Iterator[Entry]:
    """One address, CIDR or range per line; what follows it is its description.

    Covers plain lists, FireHOL netsets and ipsets, Spamhaus DROP text, DROP-like and
    score-after-tab lists.
    """
    for number, line in lines(text):
        yield plain_entry(number, line)


def plain_entry(number: int, line: str) -> Entry:
    """Entry of one stripped line, see `parse_plain`."""
    if not _SPLIT.search(line):
        return Entry(number, line)
    spaced = _SPACED_RANGE.match(line)
    if spaced:
        return Entry(number, f"{spaced[1]}-{spaced[2]}", line[spaced.end() :].strip(" \t,;#")[:200])
    token = _SPLIT.split(line, maxsplit=1)[0]
    return Entry(number, token or line[:200], line[len(token) :].strip(" \t,;#")[:200])


def parse_alienvault(text: str, options: ReadOptions) -> Iterator[Entry]:
    """AlienVault reputation: `address#reliability#risk#activity#country#city#lat,lon#id`."""
    for number, line in lines(text):
        parts = line.split("#")
        yield Entry(number, parts[0].strip(), parts[3].strip() if len(parts) > 3 else "")


def parse_tor(text: str, options: ReadOptions) -> Iterator[Entry]:
    """Tor exit list: `ExitNode`, `Published`, `LastStatus` and `ExitAddress ADDRESS TIME`."""
    for number, line in lines(text):
        word, _, rest = line.partition(" ")
        if word == "ExitAddress":
            yield Entry(number, rest.partition(" ")[0], "Tor exit address")
        elif word not in {"ExitNode", "Published", "LastStatus"}:
            yield Entry(number, line)


def parse_hosts(text: str, options: ReadOptions) -> Iterator[Entry]:
    """Hosts file: `0.0.0.0 name name`; the names are the entries, the address is a dummy."""
    for number, line in lines(text):
        target, *names = line.partition("#")[0].split()
        if not names:
            yield Entry(number, target)
        for name in names:
            if name not in {"localhost", "local", "broadcasthost", "0.0.0.0"}:  # noqa: S104
                yield Entry(number, name)


def parse_p2p(text: str, options: ReadOptions) -> Iterator[Entry]:
    """PeerGuardian: `name:first-last`; the name may hold colons."""
    for number, line in lines(text):
        found = _P2P.fullmatch(line)
        if found:
            yield Entry(number, found[1].replace(" ", ""), line[: found.start(1)].strip(" :")[:200])
        else:
            yield Entry(number, line)


def parse_dshield(text: str, options: ReadOptions) -> Iterator[Entry]:
    """DShield block list, by tabs: first, last, prefix length, attacks, name, country, mail."""
    for number, line in lines(text):
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) >= 3 and parts[0].lower() != "start":
            yield Entry(number, f"{parts[0]}/{parts[2]}", " ".join(parts[4:6]).strip())
        elif parts[0].lower() != "start":
            yield Entry(number, line)


parsers: dict[str, Callable[[str, ReadOptions], Iterator[Entry]]] = {
    "plain": parse_plain,
    "alienvault": parse_alienvault,
    "tor": parse_tor,
    "hosts": parse_hosts,
    "p2p": parse_p2p,
    "dshield": parse_dshield,
}


def detect(text: str) -> str:
    """Name of the line format: what most of the first 100 lines look like."""
    votes = Counter(_looks_like(line) for _, line in islice(lines(text), 100))
    return votes.most_common(1)[0][0] if votes else "plain"


def _looks_like(line: str) -> str:
    if line.count("#") >= 6 and " #" not in line:
        return "alienvault"
    if line.startswith(("ExitAddress ", "ExitNode ", "Published ", "LastStatus ")):
        return "tor"
    if line.startswith(_HOSTS_TARGETS) and not parse_address(line.split()[1]):
        return "hosts"
    parts = line.split("\t")
    if len(parts) >= 3 and (
        parts[0].lower() == "start"
        or (parse_address(parts[0].strip()) and parse_address(parts[1].strip()))
    ):
        return "dshield"
    if _P2P.fullmatch(line) and loose_interval(line) is None:
        return "p2p"
    return "plain"
