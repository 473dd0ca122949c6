"""Resume: what is kept of an open day so that a fold can go on where an earlier one ended.

Flows that start before `settled` are in it; connections that may go on are carried. Invariant: a
fold resumes only what new flows cannot have changed: all of them start later, none went, and every
address and recorder of before is still taken for what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flowscan.engine import Workspace
from flowscan.lake import Snapshot
from flowscan.lake.lineage import Versions
from flowscan.traffic import derive

BEHIND_S: Final = 1_800
"""How far behind the newest flow a day is settled. Later flows than that are the rule: windows of
ten minutes, and five to ten until they are delivered. Those that come later than this cost the
derivation of the whole day."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The settled part of a day: it ends at `settled` (epoch seconds).

    `rows` flows with `lineage` were there when it was made; `facts` is the digest of what `facts`
    tells of it.
    """

    settled: int
    rows: int
    facts: str
    lineage: Versions

    def mark(self) -> str:
        """As it stands on a part of the lake."""
        return f"{derive.version()} {self.settled} {self.rows} {self.facts}"


def of(snapshot: Snapshot) -> Resume | None:
    """What a fold of a day can resume from; None if it has to begin anew.

    The snapshot is narrowed to the day, here and below.
    """
    own = f"{derive.version()} "
    for entry in snapshot.files("resume_edges"):
        if entry.mark.startswith(own):
            settled, rows, facts = entry.mark.removeprefix(own).split(" ")
            found = Resume(int(settled), int(rows), facts, entry.lineage)
            return found if _stands(found, snapshot) else None
    return None


def _stands(resume: Resume, snapshot: Snapshot) -> bool:
    """Whether the flows of before are all there, and the others start after what is settled."""
    before = set(resume.lineage)
    rows = 0
    for entry in snapshot.files("flows"):
        if before.issuperset(entry.lineage):
            rows += entry.rows
        elif not before.isdisjoint(entry.lineage) or (entry.min_start or 0) < resume.settled:
            return False
    return rows == resume.rows


def end(snapshot: Snapshot) -> int:
    """Where the settled part of a day can end now: at the end of a period."""
    settled = max(entry.max_start or 0 for entry in snapshot.files("flows")) - BEHIND_S
    return settled - settled % derive.period()


def facts(workspace: Workspace, edges: str) -> str:
    """Digest of what is known of the addresses and recorders of a table of edges.

    Whose they are and which recorder speaks: what was derived with other facts is derived again.
    """
    row = workspace.execute(
        f"""
        SELECT CAST(bit_xor(hash(
          e.srcaddr, e.dstaddr, e.pkt_src, e.pkt_dst, e.recorder, l.speaks, l.up, l.to_self,
          p.leg, p.gateway, CAST(p.a_side AS VARCHAR), CAST(p.b_side AS VARCHAR),
          CAST(p.a_home AS VARCHAR), CAST(p.b_home AS VARCHAR), CAST(p.account_id AS VARCHAR),
          CAST(p.recorder AS VARCHAR))) AS VARCHAR) AS digest
        FROM (SELECT DISTINCT srcaddr, dstaddr, pkt_src, pkt_dst, recorder FROM {edges}) e
        LEFT JOIN lanes l ON l.srcaddr = e.srcaddr AND l.dstaddr = e.dstaddr
          AND l.pkt_src = e.pkt_src AND l.pkt_dst = e.pkt_dst AND l.recorder = e.recorder
        LEFT JOIN pairs p ON p.pair = l.pair
        """
    )
    return str(row["digest"][0].as_py() or "none")
