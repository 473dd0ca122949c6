"""The Lambda function's entry point; everything is in `flowscan.batch.aws_lambda`."""

from __future__ import annotations

import logging

from flowscan.batch.aws_lambda import handler

__all__ = ["handler"]

logging.getLogger().setLevel(logging.INFO)
logging.getLogger("botocore").setLevel(logging.WARNING)
