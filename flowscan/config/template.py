"""The flowscan.toml that `flowscan init` writes: every setting, its meaning, its default.

Invariant: it is made from the settings themselves, so it cannot be out of date; read back as it
is, it gives the defaults.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import fields
from typing import Any

from flowscan.config.reader import SECTIONS

__all__ = ["template"]

HEAD = """\
# flowscan: settings of `flowscan run` and of the other commands.
# A line that begins with # shows a default; remove the # to change it. Relative paths are relative
# to this file. The environment goes before this file: FLOWSCAN_INGEST_SOURCES=s3://a,s3://b.
# AWS credentials never stand here: they come from profiles, roles and the instance, as with the
# AWS command line.
"""

DETECT = """\
# Parameters of a detection, by its name (flowscan detect --help):
# [detect.parameters.portscan]
# min_ports = 20

# What is expected here and must raise no finding. A reason is required, an end is wise.
# [[detect.suppress]]
# type = "Recon:*"
# actor = "203.0.113.0/24"
# reason = "our vulnerability scanner"
# until = 2027-01-01
"""


def template(*, sources: tuple[str, ...] = (), lake: str | None = None) -> str:
    """The text of a flowscan.toml; `sources` and `lake` are filled in."""
    given: dict[tuple[str, str], Any] = {}
    if sources:
        given["ingest", "sources"] = list(sources)
    if lake:
        given["lake", "path"] = lake
    parts = [HEAD]
    for name, section in SECTIONS.items():
        summary = (section.__doc__ or "").split("\n\n", 1)[0]
        parts.append(f"\n# {summary}\n[{name}]\n")
        for item in fields(section):
            if "help" not in item.metadata:
                continue
            text = item.metadata["help"]
            if choices := item.metadata.get("choices"):
                text += f" One of: {', '.join(choices)}."
            parts += [f"# {line}\n" for line in textwrap.wrap(text, 96)]
            key = (name, item.name)
            mark = "" if key in given else "# "
            value = given.get(key, item.default)
            parts.append(f"{mark}{item.name} = {_toml(value, item.metadata.get('kind'))}\n")
        if name == "detect":
            parts.append(f"\n{DETECT}")
    return "".join(parts)


def _toml(value: Any, kind: str | None) -> str:
    if kind == "duration":
        return json.dumps(_duration(value))
    if isinstance(value, list | tuple):
        return f"[{', '.join(json.dumps(v) for v in value)}]"
    return json.dumps(value, ensure_ascii=True)


def _duration(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
