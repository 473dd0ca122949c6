"""What listing a bucket costs at 10^5 to 10^7 keys, whole and for one day.

    python -m benchmarks.listing [--keys 1000000]

A made-up bucket of ten accounts and a hundred days answers ListObjectsV2 on loopback, a thousand
keys a page, as S3 does; no object exists. It is a process of its own: the CPU seconds are
flowscan's. S3 itself takes some 100 ms a page, so the number of requests is printed as well.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flowscan.sources import SourceOptions, Window, open_source

ACCOUNTS = [f"{100_000_000_000 + n}" for n in range(10)]
DAYS = [f"{5 + n // 28:02d}/{1 + n % 28:02d}" for n in range(100)]
DAY = 1_777_593_600  # 2026-05-01
HEAD = '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>logs</Name>'


class Handler(BaseHTTPRequestHandler):
    """Answers for a bucket in the default key layout with `per_day` keys a day and account."""

    protocol_version = "HTTP/1.1"
    per_day = 0
    requests: Any = None

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        with self.requests.get_lock():
            self.requests.value += 1
        asked = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        prefix = asked.get("prefix", "")
        if "delimiter" in asked:
            body = self._folders(prefix)
        else:
            body = self._keys(prefix, int(asked.get("continuation-token", 0)))
        data = (HEAD + body + "</ListBucketResult>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _folders(self, prefix: str) -> str:
        levels = [["AWSLogs"], ACCOUNTS, ["vpcflowlogs"], ["us-east-1"], ["2026"]]
        names = levels[min(prefix.count("/"), len(levels) - 1)]
        made = (f"<CommonPrefixes><Prefix>{prefix}{n}/</Prefix></CommonPrefixes>" for n in names)
        return "<IsTruncated>false</IsTruncated>" + "".join(made)

    def _keys(self, prefix: str, first: int) -> str:
        pieces = prefix.rstrip("/").split("/")
        account, base = pieces[1], "/".join(pieces[:5])
        days = [d for d in DAYS if f"{base}/{d}/".startswith(prefix)]
        total = self.per_day * len(days)
        last = min(first + 1000, total)
        parts = []
        for n in range(first, last):
            day, k = days[n // self.per_day], n % self.per_day
            stamp = f"2026{day.replace('/', '')}T{k * 1440 // self.per_day // 60:02d}00Z"
            parts.append(
                f"<Contents><Key>{base}/{day}/{account}_vpcflowlogs_us-east-1_"
                f"fl-0123456789abcdef0_{stamp}_{n:08x}.log.gz</Key>"
                "<LastModified>2026-08-01T00:00:00.000Z</LastModified>"
                f"<ETag>&quot;{n:032x}&quot;</ETag><Size>64000</Size></Contents>"
            )
        more = f"<NextContinuationToken>{last}</NextContinuationToken>" if last < total else ""
        truncated = "true" if more else "false"
        return f"<IsTruncated>{truncated}</IsTruncated>{more}" + "".join(parts)


def serve(per_day: int, port: Any, requests: Any) -> None:
    Handler.per_day, Handler.requests = per_day, requests
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.value = server.server_address[1]
    server.serve_forever()


def measure(keys: int) -> None:
    per_day = max(1, keys // (len(ACCOUNTS) * len(DAYS)))
    port, requests = multiprocessing.Value("i", 0), multiprocessing.Value("i", 0)
    child = multiprocessing.Process(target=serve, args=(per_day, port, requests), daemon=True)
    child.start()
    while not port.value:
        time.sleep(0.01)
    options = SourceOptions(endpoint_url=f"http://127.0.0.1:{port.value}", region_name="us-east-1")
    one_day = Window(since=DAY + 40 * 86_400, until=DAY + 41 * 86_400)
    for name, window in (("all", Window()), ("one day", one_day)):
        requests.value = 0
        started, cpu = time.perf_counter(), time.process_time()
        found = sum(1 for _ in open_source("s3://logs/AWSLogs/", options).list(window))
        took, cpu = time.perf_counter() - started, time.process_time() - cpu
        print(
            f"| {per_day * 1000:,} | {name} | {found:,} | {requests.value:,} | {took:.1f} | "
            f"{cpu:.1f} | {cpu / max(1, found) * 1e6:.0f} |",
            flush=True,
        )
    child.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, nargs="*", default=[100_000, 1_000_000])
    given = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    print("| keys | window | listed | requests | wall s | CPU s | µs a key |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for keys in given.keys:
        measure(keys)


if __name__ == "__main__":
    main()
