/* Shared ground of the parse kernel: compiler checks and small inline loads.
 *
 * The kernel reads text in place. Words are loaded little-endian, so other machines use the
 * Arrow parser: this file refuses to compile there and the install goes on without it.
 */
#ifndef FLOWSCAN_KERNEL_H
#define FLOWSCAN_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the kernel is little-endian only"
#endif

#if defined(__GNUC__) || defined(__clang__)
#define FS_LIKELY(x) __builtin_expect(!!(x), 1)
#define FS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define FS_INLINE static inline __attribute__((always_inline))
#define FS_NOINLINE __attribute__((noinline))
#else
#error "the kernel needs GCC or Clang"
#endif

#define FS_OK 0
#define FS_NO_MEMORY (-1)
#define FS_FULL (-2) /* a column holds almost 2 GiB of text: drain first */

FS_INLINE uint64_t fs_load64(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Load 8 bytes at p of which `len` count; `safe` tells that all 8 lie inside the input. */
FS_INLINE uint64_t fs_load_part(const uint8_t *p, size_t len, bool safe) {
    if (FS_LIKELY(safe)) return fs_load64(p);
    uint64_t word = 0;
    memcpy(&word, p, len < 8 ? len : 8);
    return word;
}

#endif
