#!/bin/sh
# Build the wheel, install it into a clean environment, and use it from an empty folder: the
# queries and the sample logs must have travelled along.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/.venv/bin/python" -m pip wheel -q --no-deps -w "$work/wheel" "$root"
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check "$work"/wheel/*.whl
mkdir "$work/elsewhere"
cd "$work/elsewhere"
logs=$("$work/env/bin/python" -c 'from importlib.resources import files; print(files("flowscan.bundled") / "sample_logs" / "logs")')
"$work/env/bin/flowscan" --version
"$work/env/bin/flowscan" ingest "$logs"
"$work/env/bin/flowscan" query --list | grep -q rejected-ports
"$work/env/bin/flowscan" query rejected-ports --format csv | sed -n 2p | grep -q '^312,'
"$work/env/bin/flowscan" detect >/dev/null
"$work/env/bin/flowscan" report --format html -o report.html
grep -q '</html>' report.html
echo "the wheel works on its own"
