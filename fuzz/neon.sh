#!/bin/sh
# Build the kernel's C core for 64-bit ARM and run the fuzz target's comparison (the NEON scan in
# two blocks against the portable scan) on an emulated machine.
#
#   sh fuzz/neon.sh [ROUNDS]
#
# Fails where the cross compiler or the emulator is missing: a check that did not run is not passed.
set -eu
cd "$(dirname "$0")/.."
out=build/neon
mkdir -p "$out"
core=$(ls native/*.c | grep -v module.c)
aarch64-linux-gnu-gcc -O2 -std=gnu11 -Wall -static -o "$out/replay" fuzz/replay.c fuzz/fuzz_kernel.c $core
qemu-aarch64 "$out/replay" "${1:-300}" fuzz/seeds/*
