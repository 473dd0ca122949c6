"""Which connections the records cannot tell the caller of, whatever reads them.

Strict: only when nothing in all records of the estate differs between "A called B" and "B called
A". Invariant: a mark is an excuse to say `undecided`, never to name the wrong side.
"""

from __future__ import annotations

from collections import defaultdict

from .model import BACK, OUT, Talk

_ENOUGH = 3  # talks of one end that together tell its role


def undecidable(talks: list[Talk], fmt: str) -> set[int]:
    """Numbers of the talks that records of the format cannot decide."""
    pings = _pings(talks)
    if fmt != "v2":
        # Flags decide TCP; UDP with equal sizes remains.
        return pings | _alike([t for t in talks if t.protocol == 17])
    return pings | _alike([t for t in talks if t.protocol in (6, 17)])


def _symmetric(talk: Talk) -> bool:
    """As much, as large, in the same second both ways, at every interface that logged it."""
    out, back = talk.sums[OUT], talk.sums[BACK]
    return talk.same_second and out == back and not out[2] and out[0] == 1


def _alike(talks: list[Talk]) -> set[int]:
    """Single equal packets whose ends meet nobody else, between ports that tell nothing."""
    ends: dict[tuple[str, int, int], int] = defaultdict(int)
    addresses: dict[tuple[str, int], int] = defaultdict(int)
    for talk in talks:
        for end, port in ((talk.client, talk.client_port), (talk.server, talk.server_port)):
            ends[end.address, port, talk.protocol] += 1
        # What a stranger's other tries tell; our own hosts do both, call and answer.
        if not talk.client.ours:
            addresses[talk.client.address, talk.protocol] += 1
    marks = set()
    for talk in talks:
        lone = (
            ends[talk.client.address, talk.client_port, talk.protocol] < _ENOUGH
            and ends[talk.server.address, talk.server_port, talk.protocol] < _ENOUGH
            and addresses[talk.client.address, talk.protocol] < _ENOUGH
        )
        telling = talk.server_port < 32768 <= talk.client_port
        if lone and not telling and _symmetric(talk):
            marks.add(talk.number)
    return marks


def _pings(talks: list[Talk]) -> set[int]:
    """Echoes: types are not logged, so only losses, time and who pings many can tell."""
    peers: dict[str, set[str]] = defaultdict(set)
    asked: dict[str, set[str]] = defaultdict(set)
    pairs: dict[frozenset[str], set[str]] = defaultdict(set)
    pings = [t for t in talks if t.protocol in (1, 58) and t.scored]
    for talk in pings:
        client, server = talk.client.address, talk.server.address
        peers[client].add(server)
        asked[server].add(client)
        pairs[frozenset((client, server))].add(client)
    marks = set()
    for talk in pings:
        client, server = talk.client.address, talk.server.address
        both_ways = len(pairs[frozenset((client, server))]) > 1
        alike = talk.same_second and talk.sums[OUT] == talk.sums[BACK]
        fan_client = len(peers[client] | asked[client])
        fan_server = len(peers[server] | asked[server])
        if both_ways or (alike and not fan_client > 2 * fan_server):
            marks.add(talk.number)
    return marks
