"""Where records come from: files, S3, CloudWatch Logs, SQS notifications.

Invariant: listing and reading change nothing at the source; only `done`, after the commit, may.
"""

from __future__ import annotations

from flowscan.errors import UsageError
from flowscan.sources.model import Payload, Source, SourceObject, SourceOptions, Window

__all__ = ["Payload", "Source", "SourceObject", "SourceOptions", "Window", "open_source"]


def open_source(uri: str, options: SourceOptions | None = None) -> Source:
    """The source that a word on the command line names.

    A path, folder, glob or `-`; `s3://bucket[/prefix]`; `cloudwatch://log-group`;
    `sqs://queue-url`. Raises UsageError for anything else.
    """
    from flowscan.sources.local import LocalSource, StdinSource

    options = options or SourceOptions()
    if uri == "-":
        return StdinSource()
    scheme, found, _ = uri.partition("://")
    if not found:
        return LocalSource(uri, options)
    if scheme == "file":
        return LocalSource(uri.removeprefix("file://"), options)
    if scheme == "s3":
        from flowscan.sources.s3 import S3Source

        return S3Source(uri, options)
    if scheme == "cloudwatch":
        from flowscan.sources.cloudwatch import CloudWatchSource

        return CloudWatchSource(uri, options)
    if scheme == "sqs":
        from flowscan.sources.sqs import SqsSource

        return SqsSource(uri, options)
    raise UsageError(
        f"unknown kind of source {scheme!r}", hint="use a path, s3://, cloudwatch:// or sqs://"
    )
