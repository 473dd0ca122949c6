"""Ports that should not face the internet: remote control, file shares, databases, caches.

A judgement of the report, not a registry: names of ports come from `flowscan.enrich`.
"""

from __future__ import annotations

from typing import Final

SENSITIVE: Final[frozenset[int]] = frozenset(
    {
        21,
        22,
        23,
        111,
        135,
        137,
        139,
        161,
        389,
        445,
        512,
        513,
        514,
        873,
        1433,
        1521,
        2049,
        2375,
        2376,
        2379,
        3306,
        3389,
        5432,
        5439,
        5601,
        5900,
        5984,
        5985,
        5986,
        6379,
        6443,
        7001,
        8088,
        9042,
        9092,
        9200,
        9300,
        10250,
        11211,
        27017,
    }
)
"""Port numbers, of TCP and UDP alike."""
