"""Which connections the records cannot tell the caller of, whatever reads them.

Strict: only when nothing in all records of the estate differs between "A called B" and "B called
A". Invariant: a mark is an excuse to say `undecided`, never to name the wrong side.
"""

from __future__ import annotations

from collections import defaultdict

from .model import BACK, OUT, Talk

_ENOUGH = 3  # talks of one end that together tell its role
_DYNAMIC = 32768  # the lowest port that systems give to clients


def undecidable(talks: list[Talk], fmt: str) -> set[int]:
    """Numbers of the talks that records of the format cannot decide."""
    # Flags decide TCP where they are written down.
    silent = (6, 17) if fmt == "v2" else (17,)
    return _pings(talks) | _alike([t for t in talks if t.protocol in silent])


def _tells_nothing(talk: Talk) -> bool:
    """Neither time, nor sizes, nor ports of the connection itself tell who called."""
    out, back = talk.sums[OUT], talk.sums[BACK]
    if not talk.same_second or out[2] or back[2]:
        return False
    if not out[0]:
        return True  # an answer alone
    if min(talk.client_port, talk.server_port) >= _DYNAMIC and back[0]:
        return True
    return out == back and out[0] == 1 and not talk.server_port < _DYNAMIC <= talk.client_port


def _alike(talks: list[Talk]) -> set[int]:
    """Connections that tell nothing, and whose ends meet nobody else who would."""
    ends: dict[tuple[str, int, int], int] = defaultdict(int)
    tries: dict[tuple[str, int], int] = defaultdict(int)
    for talk in talks:
        for end, port in ((talk.client, talk.client_port), (talk.server, talk.server_port)):
            ends[end.address, port, talk.protocol] += 1
        # A stranger's other tries tell of him; hosts of ours both call and answer.
        if not talk.client.ours:
            tries[talk.client.address, talk.protocol] += 1
    return {
        talk.number
        for talk in talks
        if _tells_nothing(talk)
        and ends[talk.client.address, talk.client_port, talk.protocol] < _ENOUGH
        and ends[talk.server.address, talk.server_port, talk.protocol] < _ENOUGH
        and tries[talk.client.address, talk.protocol] < _ENOUGH
    }


def _pings(talks: list[Talk]) -> set[int]:
    """Echoes: types are not logged, so losses, time and who pings many must tell."""
    peers: dict[str, set[str]] = defaultdict(set)
    losers: set[str] = set()  # who was seen to ask in vain
    pings = [t for t in talks if t.protocol in (1, 58) and t.scored]
    for talk in pings:
        client, server = talk.client.address, talk.server.address
        peers[client].add(server)
        peers[server].add(client)
        if talk.sums[OUT][0] + talk.sums[OUT][2] > talk.sums[BACK][0]:
            losers.add(client)
    marks = set()
    for talk in pings:
        client, server = talk.client.address, talk.server.address
        alike = talk.same_second and talk.sums[OUT] == talk.sums[BACK]
        told = client in losers and server not in losers
        if alike and not told and not len(peers[client]) > 2 * len(peers[server]):
            marks.add(talk.number)
    return marks | _crossing(pings)


def _crossing(pings: list[Talk]) -> set[int]:
    """Two hosts that ping each other at one time: one record holds both."""
    by_pair: dict[frozenset[str], list[Talk]] = defaultdict(list)
    for talk in pings:
        by_pair[frozenset((talk.client.address, talk.server.address))].append(talk)
    return {
        talk.number
        for found in by_pair.values()
        for talk in found
        for other in found
        if other.client is not talk.client
        and other.first < talk.last + 600
        and talk.first < other.last + 600
    }
