#!/bin/sh
# The two-minute tour: ingest the sample logs, match the sample feeds, detect, report.
# Usage: sh sample_logs/demo.sh [LAKE]
set -eu
here=$(dirname "$0")
lake=${1:-demo_lake}
rm -rf "$lake"
run() { printf '\n$ flowscan %s\n' "$*"; flowscan "$@"; }
run ingest "$here/logs" --lake "$lake"
run feeds add "$here/feeds/sample-blocklist.txt" --category c2 --lake "$lake"
run feeds add "$here/feeds/sample-tor.txt" --category tor --lake "$lake"
run match --lake "$lake"
run detect --lake "$lake"
run report --lake "$lake"
run report --lake "$lake" --format html -o report.html
run query rejected-ports --lake "$lake"
printf '\nThe report is %s/report.html\n' "$(pwd)"
