#!/usr/bin/env bash
# The proof on a real Trino (what Athena engine v3 is): fetch it once, start it, compare.
# Needs Maven and a JDK of at least 24; keeps the server in ~/.cache/flowscan.
set -euo pipefail
cd "$(dirname "$0")/../.."
export FLOWSCAN_TRINO_VERSION="${FLOWSCAN_TRINO_VERSION:-476}"
export FLOWSCAN_TRINO_HOME="${FLOWSCAN_TRINO_HOME:-$HOME/.cache/flowscan/trino-$FLOWSCAN_TRINO_VERSION}"
if [ ! -x "$FLOWSCAN_TRINO_HOME/bin/launcher" ]; then
  part="$FLOWSCAN_TRINO_HOME.part"
  rm -rf "$part" && mkdir -p "$part/zip"
  get="org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
  for artifact in trino-server-core:$FLOWSCAN_TRINO_VERSION:tar.gz trino-hive:$FLOWSCAN_TRINO_VERSION:zip; do
    mvn -B -q "$get" -Dartifact="io.trino:$artifact" -DoutputDirectory="$part/zip"
  done
  tar -xzf "$part"/zip/trino-server-core-*.tar.gz -C "$part" --strip-components=1
  python3 -m zipfile -e "$part"/zip/trino-hive-*.zip "$part/plugin"
  mv "$part/plugin/trino-hive-$FLOWSCAN_TRINO_VERSION" "$part/plugin/hive"
  rm -rf "$part/zip" && mv "$part" "$FLOWSCAN_TRINO_HOME"
fi
if [ -x .venv/bin/python ]; then python=.venv/bin/python; else python=python3; fi
exec "$python" -m pytest tests/engines -m engines --timeout=900 "$@"
