#!/bin/sh
# Fuzz the kernel's C core with libFuzzer, AddressSanitizer, UBSan and leak detection.
#
#   sh fuzz/run.sh [SECONDS]
#
# Fails where Clang with libFuzzer cannot be had: a check that did not run is not passed.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
out=build/fuzz
mkdir -p "$out/corpus"

build() {
    command -v clang >/dev/null &&
        clang -std=c11 -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
            -fno-sanitize-recover=all -DFS_WINDOW=192 -DFS_FIRST_ROWS=64 -o "$out/fuzz_kernel" fuzz/fuzz_kernel.c native/columns.c \
            native/decode.c native/dict.c native/export.c native/line.c native/parser.c \
            native/plan.c native/run.c native/scan.c -lpthread
}

if ! build 2>"$out/build.log"; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q clang
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" || true
    fi
    if ! build; then
        echo "fuzz: needs clang with libFuzzer (Debian: clang, libclang-rt-*-dev); nothing was fuzzed" >&2
        exit 1
    fi
fi

export UBSAN_OPTIONS=print_stacktrace=1
exec "$out/fuzz_kernel" -max_total_time="$seconds" -max_len=6000 -dict=fuzz/flow.dict \
    -print_final_stats=1 -artifact_prefix="$out/" "$out/corpus" fuzz/seeds
