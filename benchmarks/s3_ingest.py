"""Many small S3 objects: flowscan's ingest against one-at-a-time boto3 gets, in the same run.

    python benchmarks/s3_ingest.py [--objects 10000] [--records 40] [--latency 0]

A real S3 server (seaweedfs) on loopback holds the objects; it works on the same cores, which is
hard on whoever asks faster. `--latency` (milliseconds) puts a plain TCP relay in between that
delays each answer as a network would: that is what S3 looks like from EC2. boto3 gets and throws
away, flowscan also parses, writes and commits. Prints list, fetch, parse, write and commit, the CPU
time per object of both, and the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from estate import key, text
from s3_server import Server, s3_server

NOW = 1_785_542_400


def fill(server: Server, bucket: str, objects: int, records: int) -> int:
    import obstore
    from obstore.store import S3Store

    env = server.env
    store = S3Store(
        bucket,
        region="us-east-1",
        aws_endpoint_url_s3=server.endpoint,
        access_key_id=env["AWS_ACCESS_KEY_ID"],
        secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
        virtual_hosted_style_request=False,
    )

    def put(number: int) -> int:
        slot = NOW + number % 288 * 300
        body = gzip.compress(text(number, slot, records).encode(), 6)
        obstore.put(store, key(number, slot), body)
        return len(body)

    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(put, range(objects)))


@contextmanager
def delayed(endpoint: str, milliseconds: float) -> Iterator[str]:
    """A TCP relay that holds every answer back for a while, each connection by itself."""
    if not milliseconds:
        yield endpoint
        return
    target = urlsplit(endpoint)
    loop = asyncio.new_event_loop()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float
    ) -> None:
        try:
            while data := await reader.read(1 << 16):
                if delay:
                    await asyncio.sleep(delay)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(pump(reader, up[1], 0), pump(up[0], writer, milliseconds / 1000))

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def boto3_gets(server: Server, endpoint: str, bucket: str, most: int) -> tuple[float, float]:
    """Objects per second of plain gets, one after the other, and CPU seconds of each."""
    client = server.client(endpoint)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page["Contents"]][:most]
    began, cpu = time.perf_counter(), time.process_time()
    for one in keys:
        client.get_object(Bucket=bucket, Key=one)["Body"].read()
    cpu = time.process_time() - cpu
    return len(keys) / (time.perf_counter() - began), cpu / len(keys)


def flowscan_ingest(endpoint: str, bucket: str, folder: Path) -> dict[str, float]:
    from flowscan.ingest import ingest
    from flowscan.lake import Lake
    from flowscan.sources import SourceOptions, open_source

    began, cpu = time.perf_counter(), time.process_time()
    source = open_source(f"s3://{bucket}", SourceOptions(endpoint_url=endpoint))
    result = ingest(Lake.open(folder, create=True), [source])
    wall = time.perf_counter() - began
    return {
        "objects": result.sources,
        "records": result.records,
        "seconds": wall,
        "cpu_seconds": time.process_time() - cpu,
        "objects_per_second": result.sources / wall,
        **{f"{name}_seconds": value for name, value in result.seconds.items() if name != "total"},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--records", type=int, default=40)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--gets", type=int, default=2_000, help="boto3 gets to take the rate of")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    with s3_server() as server:
        os.environ.update(server.env)
        bucket = server.bucket("bench-logs")
        size = fill(server, bucket, chosen.objects, chosen.records)
        print(f"{chosen.objects:,} objects, {size / 1e6:.1f} MB, {chosen.records} records each")
        ratios, costs = [], []
        with delayed(server.endpoint, chosen.latency) as endpoint:
            for _ in range(chosen.runs):
                plain, cost = boto3_gets(server, endpoint, bucket, chosen.gets)
                with tempfile.TemporaryDirectory() as folder:
                    ours = flowscan_ingest(endpoint, bucket, Path(folder) / "lake")
                ratios.append(ours["objects_per_second"] / plain)
                costs.append(cost / (ours["cpu_seconds"] / ours["objects"]))
                boto3 = {"boto3_gets_per_second": plain, "boto3_cpu_per_get": cost}
                told = {**boto3, "ratio": ratios[-1], "cpu_ratio": costs[-1], **ours}
                print(json.dumps({name: round(value, 5) for name, value in told.items()}))
        middle = len(ratios) // 2
        print(f"median ratio: {sorted(ratios)[middle]:.1f}×, of CPU {sorted(costs)[middle]:.1f}×")


if __name__ == "__main__":
    main()
