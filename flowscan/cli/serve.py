"""`flowscan serve`: the report of a live lake in a browser, with a period picker and drill-down."""

from __future__ import annotations

from typing import Annotated

import typer

from flowscan.cli.options import LakeOption
from flowscan.cli.report import MmdbOption


def command(
    lake: LakeOption = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but loopback asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8312,
    mmdb: MmdbOption = None,
) -> None:
    """Serve the report over the lake as it is now; stop with Ctrl-C.

    Example: flowscan serve --port 8080
    """
    from flowscan.cli.options import open_lake
    from flowscan.config import load
    from flowscan.enrich import Geo
    from flowscan.report import Options
    from flowscan.report.serve import ReportServer

    paths = [*(mmdb or ()), *load().enrich.mmdb]
    with Geo(paths) as geo, ReportServer(open_lake(lake), host, port, Options(geo=geo)) as server:
        typer.echo(f"flowscan report on {server.url}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
