#!/bin/sh
# Run tests/parse, tests/native and tests/test_arrays.py on a kernel built with AddressSanitizer
# and UBSan.
#
#   sh native/sanitize.sh PYTHON [PYTEST ARGUMENTS]
#
# The build and the tests work on a copy in build/sanitize, so that the normal kernel stays. Fails
# where the sanitizers cannot be had: a check that did not run is not passed.
set -eu
cd "$(dirname "$0")/.."
case $1 in
*/*) python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1") ;;
*) python=$1 ;;
esac
shift
root=$PWD
copy=build/sanitize
export FLOWSCAN_CORPUS="${FLOWSCAN_CORPUS:-$root/../shared/corpus}"

asan=$(gcc -print-file-name=libasan.so) && ubsan=$(gcc -print-file-name=libubsan.so)
case "$asan$ubsan" in
/*/*) ;;
*) echo "sanitize: needs gcc with libasan and libubsan; nothing was checked" >&2 && exit 1 ;;
esac

rm -rf "$copy"
mkdir -p "$copy/tests"
cp -R flowscan native queries sample_logs setup.py pyproject.toml LICENSE "$copy/"
[ ! -f README.md ] || cp README.md "$copy/"
cp -R tests/parse tests/native "$copy/tests/"
cp tests/*.py "$copy/tests/"
rm -f "$copy"/flowscan/parse/_kernel*.so
cd "$copy"
CC=gcc CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" \
    LDFLAGS="-fsanitize=address,undefined" "$python" setup.py -q build_ext --inplace
nm -D flowscan/parse/_kernel*.so | grep -q __asan_init ||
    { echo "sanitize: the kernel was built without sanitizers" >&2 && exit 1; }

# PYTHONMALLOC: every bytes object is a block of its own, so a read past its end is seen. Leaks
# are looked for by the fuzzer and by a test that watches memory; the interpreter has its own.
export PYTHONPATH="$PWD" PYTHONMALLOC=malloc LD_PRELOAD="$asan $ubsan"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
"$python" -c 'from flowscan.parse import native_text; assert native_text.available(); print(native_text.__file__)'
exec "$python" -m pytest -q -p no:cacheprovider -m "not slow" tests/native tests/parse tests/test_arrays.py "$@"
