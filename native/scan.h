/* The delimiter scan: positions of every byte that ends a token or does not belong in one.
 *
 * One pass over the text in blocks of 64 bytes. Invariant: the positions are exactly those of
 * bytes <= 0x20 or >= 0x7f, and in comma text also of `,` and `"`.
 */
#ifndef FLOWSCAN_SCAN_H
#define FLOWSCAN_SCAN_H

#include "kernel.h"

typedef struct {
    uint64_t carry;    /* 1: the byte before was a separator that must not repeat */
    uint64_t odd;      /* not 0: something was seen that plain lines do not have */
    size_t newlines;   /* line ends seen */
} fs_scan_state;

/* Scan data[0..len); write positions plus `offset` to out (room for len + 128) and return their
 * number. `odd` collects bytes that are neither the delimiter nor a newline, and separators
 * that follow each other (blank runs, empty lines). */
typedef size_t (*fs_scan_function)(const uint8_t *data, size_t len, uint32_t offset, bool comma,
                                   uint32_t *out, fs_scan_state *state);

/* The fastest scan that this machine can run. `name` gets "avx2", "sse2", "neon" or "plain". */
fs_scan_function fs_scan_choose(const char *want, const char **name);

#endif
