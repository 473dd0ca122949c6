"""Derive an open day from where its settled part ends, and settle more of it.

The query files do the work; what they cannot know, the part before, is put beside them as `edges`,
`carried` and `remembered`, and what they give is split in two at the new end of the settled part.
Invariant: the tables that it leaves are those that deriving the whole day at once gives.
"""

from __future__ import annotations

from typing import Final

from flowscan.engine import Workspace
from flowscan.traffic import derive, resume
from flowscan.traffic.adding import MOST, added
from flowscan.traffic.days import DAY_S

IDLE_S: Final = 350
"""A connection that was silent so long has ended: the longest idle time of `connections`."""
_RUN_S: Final = 14_400
_MEMORY: Final = f"CASE protocol WHEN 6 THEN {_RUN_S} ELSE 900 END"
"""Seconds after which a five-tuple begins another run, as in `connections`."""


class FactsChangedError(Exception):
    """New flows changed what is known of addresses in the part that was settled."""


class Partly:
    """One open day in a workspace that shows its flows from `begin` on.

    `begin` is where the settled part ends, and `end` where it will; `before` is that part, None
    for a day of which nothing is settled. After `make` the workspace has the tables of traffic
    of the whole day (`edges`, `hosts`, `contacts`, `tallies`), of the part from `begin` on
    (`sessions`) or from its hour on (`volumes`), and new tables to resume from.
    """

    def __init__(
        self, workspace: Workspace, day: int, end: int, before: resume.Resume | None
    ) -> None:
        """Derive nothing yet."""
        self.workspace, self.day, self.end, self.before = workspace, day, end, before
        self.begin = before.settled if before else day
        self.advances = end > self.begin
        self.settled = f"last_seen < {end - IDLE_S}"
        """Condition on sessions that nothing can go on with."""
        self.facts = ""

    def make(self) -> None:
        """Make the tables.

        Raises:
            FactsChangedError: the day has to be derived as a whole.
            EngineError: it failed.
        """
        steps = {
            "edges": self._edges,
            "slices": self._slices,
            "connections": self._connections,
            "amounts": self._amounts,
            "contacts": self._contacts,
            "tallies": lambda: self._split_flows("tallies"),
            "volumes": self._volumes,
        }
        if self.before:
            steps["carried"] = lambda: self.workspace.make("carried", _CARRIED)
            steps["remembered"] = lambda: self.workspace.make("remembered", _REMEMBERED)
        needed = (
            "lanes",
            "pairs",
            "slices",
            "carried",
            "connections",
            "uses",
            "firsts",
            "later",
            "verdicts",
            "amounts",
        )
        derive.make(self.workspace, self.begin, self.day + DAY_S, steps, needed)
        if self.advances:
            self._carry()
            self._remember()

    # -- what adds up ----------------------------------------------------------------------

    def _edges(self) -> None:
        self._split_flows("edges")

    def _split_flows(self, table: str) -> None:
        """A table that is made of flows alone: what is settled now, and what is not."""
        windows = {"early": (self.begin, self.end), "late": (self.end, self.day + DAY_S)}
        for name, (since, until) in windows.items():
            if since < until:
                select = derive.select(self.workspace, table, since, until)
                self.workspace.make(f"{name}_{table}", select)
        self._add(table)

    def _add(self, table: str) -> None:
        """All of the day; of what was settled, what is settled now, and what may still change."""
        make, late, settled = self.workspace.make, f"late_{table}", f"resume_{table}"
        if self.advances:
            before = [settled] if self.before else []
            settled = f"new_{settled}"
            make(settled, added(table, [*before, f"early_{table}"], -MOST))
        make(table, added(table, [settled, late] if self.before or self.advances else [late]))

    def _contacts(self) -> None:
        sessions = self._select("sessions")
        conditions = {"early": self.settled, "late": f"NOT ({self.settled})"}
        for name, condition in conditions.items():
            self.workspace.view("sessions", f"SELECT * FROM ({sessions}) s WHERE {condition}")
            self.workspace.make(f"{name}_contacts", self._select("contacts"))
        self.workspace.view("sessions", sessions)
        self._add("contacts")

    def _amounts(self) -> None:
        self.workspace.make("all_amounts", self._select("amounts", settled=self.end))
        self.workspace.view("amounts", "SELECT * FROM all_amounts")

    def _volumes(self) -> None:
        for name, settled in (("early", 1), ("late", 0)):
            rows = f"SELECT * FROM all_amounts WHERE settled = {settled}"
            self.workspace.view("amounts", rows)
            self.workspace.make(f"{name}_volumes", self._select("volumes", least=float(-MOST)))
        self._add("volumes")

    # -- connections -----------------------------------------------------------------------

    def _slices(self) -> None:
        self.workspace.make("all_slices", self._select("slices"))
        self.workspace.view("slices", "SELECT * FROM all_slices")

    def _connections(self) -> None:
        if self.before and resume.facts(self.workspace, "resume_edges") != self.before.facts:
            raise FactsChangedError
        if self.advances:
            self.facts = resume.facts(self.workspace, "new_resume_edges")
        self.workspace.make("connections", self._select("connections"))

    def _select(self, name: str, **values: float) -> str:
        return derive.select(self.workspace, name, self.begin, self.day + DAY_S, **values)

    def _carry(self) -> None:
        """Connections that may go on, and the last of each five-tuple, as they were at the end."""
        make, end = self.workspace.make, self.end
        make(
            "across",
            f"SELECT DISTINCT k, m FROM connections WHERE began < {end} AND last >= {end}",
        )
        self.workspace.view(
            "slices",
            """SELECT s.* FROM all_slices s
            JOIN across x ON x.k = s.k AND x.m = mod((s.l - mod(s.l, 4)) / 4, 16777216)""",
        )
        make("cut", self._select("connections", before=end))
        rows = _CARRY.format(end=end, idle=IDLE_S, run=_RUN_S, memory=_MEMORY)
        if self.before:
            rows += _AS_BEFORE.format(end=end, memory=_MEMORY)
        make("new_resume_connections", rows)

    def _remember(self) -> None:
        """What came to be known of addresses and ports."""
        period = (self.end - self.day) // derive.period()
        self.workspace.make("new_resume_endpoints", _REMEMBER.format(period=period))


_CARRIED: Final = """
SELECT c.k, c.m, c.t, c.last, c.s, c.e, c.records, c.rejected, c.packets_ab, c.packets_ba,
  c.bytes_ab, c.bytes_ba, c.refused_ab, c.refused_ba, c.refused_bytes_ab, c.refused_bytes_ba,
  c.flags, c.path, c.kept, c.given_score, c.given_by, c.run_score
FROM (
  SELECT r.*, p.pair * 65536 + r.ap AS k, CAST(r.bp * 256 + r.protocol AS BIGINT) AS m
  FROM resume_connections r
  JOIN pairs p ON p.day = r.day AND p.a = r.a AND p.b = r.b
) c
-- What only a run goes on from is wanted where something goes on.
WHERE c.kept IN (1, 3) OR EXISTS (
  SELECT 1 FROM all_slices s
  WHERE s.k = c.k AND mod((s.l - mod(s.l, 4)) / 4, 16777216) = c.m)
"""

_AS_BEFORE: Final = """
UNION ALL
SELECT r.* FROM resume_connections r
JOIN pairs p ON p.day = r.day AND p.a = r.a AND p.b = r.b
LEFT JOIN carried c ON c.k = p.pair * 65536 + r.ap AND c.m = r.bp * 256 + r.protocol
WHERE c.k IS NULL AND r.e >= {end} - {memory}
"""

_REMEMBERED: Final = """
WITH used AS (
  SELECT (p.a_n * 65536 + mod(c.k, 65536)) * 256 + mod(c.m, 256) AS key
  FROM connections c JOIN pairs p ON p.pair = c.k / 65536
  UNION
  SELECT p.b_n * 16777216 + c.m
  FROM connections c JOIN pairs p ON p.pair = c.k / 65536
),
ends AS (
  SELECT a AS address, a_n AS n FROM pairs UNION SELECT b, b_n FROM pairs
)
SELECT u.key, min(r.port) AS port, min(r.first_port) AS first_port, max(r.last_port) AS last_port,
  sum(r.open) AS open, sum(r.served) AS served, min(f.n) AS first_peer, max(l.n) AS last_peer,
  sum(r.tried) AS tried, sum(r.hit) AS hit, sum(r.equal) AS equal, sum(r.low) AS low,
  min(r.first_tried) AS first_tried, max(r.last_tried) AS last_tried, sum(r.hit_low) AS hit_low,
  min(r.first_hit) AS first_hit, max(r.last_hit) AS last_hit
FROM resume_endpoints r
JOIN ends n ON n.address = r.address
JOIN used u ON u.key = (n.n * 65536 + r.port) * 256 + r.protocol
JOIN ends f ON f.address = r.first_peer
JOIN ends l ON l.address = r.last_peer
GROUP BY u.key
"""

_CARRY: Final = """
WITH seen AS (
  SELECT c.* FROM connections c
  LEFT JOIN across x ON x.k = c.k AND x.m = c.m
  LEFT JOIN later l ON l.k = CASE WHEN c.again = 1 THEN c.k END AND l.m = c.m
    AND l.began = c.began
  WHERE x.k IS NULL AND c.last < {end} AND (c.e >= {end} - {run} OR l.k IS NOT NULL)
  UNION ALL
  SELECT c.* FROM cut c JOIN across x ON x.k = c.k AND x.m = c.m
),
summed AS (
  SELECT k, m, began, mod(m, 256) AS protocol, min(s) AS s, max(e) AS e, max(last) AS last,
    sum(records) AS records, sum(rejected) AS rejected,
    sum(packets_ab) AS packets_ab, sum(packets_ba) AS packets_ba, sum(bytes_ab) AS bytes_ab,
    sum(bytes_ba) AS bytes_ba, sum(refused_ab) AS refused_ab, sum(refused_ba) AS refused_ba,
    sum(refused_bytes_ab) AS refused_bytes_ab, sum(refused_bytes_ba) AS refused_bytes_ba,
    bit_or(flags) AS flags, max(CASE WHEN late = 0 THEN path END) AS path,
    max(kept) AS kept, max(run) AS run, max(CASE WHEN late = 0 THEN turn END) AS turn
  FROM seen
  GROUP BY k, m, began
),
latest AS (
  SELECT *, row_number() OVER (PARTITION BY k, m ORDER BY began DESC) AS place
  FROM summed
  WHERE e >= {end} - {memory}
),
decided AS (
  SELECT c.*, COALESCE(g.given_score, v.score) AS score, COALESCE(g.given_by, v.initiator) AS way,
    CASE WHEN g.k IS NOT NULL THEN g.run_score WHEN f.k IS NOT NULL THEN f.first_score
      WHEN c.turn = 0 THEN v.score END AS first_score, c.e >= {end} - {idle} AS open
  FROM latest c
  LEFT JOIN carried g ON g.k = c.k AND g.m = c.m AND g.s = c.began
  LEFT JOIN verdicts v ON v.k = c.k AND v.m = c.m AND v.s = c.s
  LEFT JOIN firsts f ON f.k = c.k AND f.m = c.m AND f.run = c.run
  WHERE c.place = 1 OR c.e >= {end} - {idle}
)
SELECT p.day, CAST(p.a AS VARCHAR) AS a, CAST(p.b AS VARCHAR) AS b, mod(c.k, 65536) AS ap,
  c.m / 256 AS bp, c.protocol, c.began - mod(c.began, 60) AS t, c.last, c.s, c.e,
  CASE WHEN open THEN records ELSE 0 END AS records,
  CASE WHEN open THEN rejected ELSE 0 END AS rejected,
  CASE WHEN open THEN packets_ab ELSE 0 END AS packets_ab,
  CASE WHEN open THEN packets_ba ELSE 0 END AS packets_ba,
  CASE WHEN open THEN bytes_ab ELSE 0 END AS bytes_ab,
  CASE WHEN open THEN bytes_ba ELSE 0 END AS bytes_ba,
  CASE WHEN open THEN refused_ab ELSE 0 END AS refused_ab,
  CASE WHEN open THEN refused_ba ELSE 0 END AS refused_ba,
  CASE WHEN open THEN refused_bytes_ab ELSE 0 END AS refused_bytes_ab,
  CASE WHEN open THEN refused_bytes_ba ELSE 0 END AS refused_bytes_ba,
  flags, c.path,
  CASE WHEN score IS NULL THEN 2 ELSE 0 END + CASE WHEN open THEN 1 ELSE 2 END AS kept,
  score AS given_score, way AS given_by, first_score AS run_score
FROM decided c
JOIN pairs p ON p.pair = c.k / 65536
WHERE open OR protocol IN (6, 17, 132)
"""

_REMEMBER: Final = """
WITH ends AS (
  SELECT CAST(a AS VARCHAR) AS address, a_n AS n, day FROM pairs
  UNION
  SELECT CAST(b AS VARCHAR), b_n, day FROM pairs
),
summed AS (
  SELECT key, min(port) AS port, min(first_port) AS first_port, max(last_port) AS last_port,
    sum(open) AS open, sum(served) AS served, min(first_peer) AS first_peer,
    max(last_peer) AS last_peer, sum(tried) AS tried, sum(hit) AS hit, sum(equal) AS equal,
    sum(low) AS low, min(first_tried) AS first_tried, max(last_tried) AS last_tried,
    sum(hit_low) AS hit_low, min(first_hit) AS first_hit, max(last_hit) AS last_hit
  FROM uses
  WHERE period >= 0 AND period < {period}
  GROUP BY key
)
SELECT n.day, n.address, s.port, mod(s.key, 256) AS protocol, s.first_port, s.last_port, s.open,
  s.served, f.address AS first_peer, l.address AS last_peer, s.tried, s.hit, s.equal, s.low,
  s.first_tried, s.last_tried, s.hit_low, s.first_hit, s.last_hit
FROM summed s
JOIN ends n ON n.n = (s.key - mod(s.key, 16777216)) / 16777216
JOIN ends f ON f.n = s.first_peer
JOIN ends l ON l.n = s.last_peer
"""
