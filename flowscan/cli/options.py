"""Options that several verbs share, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flowscan.lake import Lake, StoreOptions
    from flowscan.sources import Window

LakeOption = Annotated[
    str | None,
    typer.Option(
        "--lake",
        help="Folder or s3:// prefix of the lake; default: FLOWSCAN_LAKE, flowscan.toml, "
        "./flowscan-lake.",
        show_default=False,
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="Start: 2026-08-01, 2026-08-01T12:00Z, 24h or 7d (ago)."),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="End, not included; same forms as --since.")
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout.")
]


def lake_path(given: str | None) -> str:
    """Where the lake is: the option, the environment, flowscan.toml, or the default folder."""
    from flowscan.config import default_lake

    return given or default_lake()


def open_lake(given: str | None, *, create: bool = False) -> Lake:
    """Open the lake of a command, reached as the settings say; `create` makes one if need be.

    Raises:
        LakeError: there is none.
    """
    from flowscan.config import load
    from flowscan.lake import Lake

    where = given or load().lake.path
    return Lake.open(where, create=create, options=store_options())


def store_options() -> StoreOptions:
    """How S3 is reached for the lake, and for what belongs to it: as the settings say."""
    from flowscan.config import load
    from flowscan.lake import StoreOptions

    settings = load().lake
    return StoreOptions(
        endpoint_url=settings.endpoint_url or None,
        region_name=settings.region or None,
        profile=settings.profile or None,
        role_arn=settings.role_arn or None,
    )


def moment(text: str | None) -> int | None:
    """Epoch seconds of a `--since` or `--until` text.

    Raises:
        UsageError: the text names no time.
    """
    from datetime import UTC, datetime

    from flowscan.config import parse_time

    return None if text is None else parse_time(text, datetime.now(UTC))


def window(
    since: str | None,
    until: str | None,
    accounts: list[str] | None = None,
    regions: list[str] | None = None,
) -> Window:
    """Window of objects that the options ask for."""
    from flowscan.sources import Window

    return Window(
        since=moment(since),
        until=moment(until),
        accounts=frozenset(accounts or ()),
        regions=frozenset(regions or ()),
    )
