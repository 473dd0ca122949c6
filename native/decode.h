/* Decoding of single tokens: unsigned integers eight digits at a time, and addresses.
 *
 * A token is bytes of the input that hold no blank. Nothing here reads outside the token
 * unless `safe` says that 24 bytes from its start are readable.
 */
#ifndef FLOWSCAN_DECODE_H
#define FLOWSCAN_DECODE_H

#include "kernel.h"

/* Value of 8 ASCII digits in a little-endian word; *bad is set when one is no digit. */
FS_INLINE uint64_t fs_eight_digits(uint64_t word, uint64_t *bad) {
    uint64_t low = word - 0x3030303030303030ULL;
    *bad |= ((word + 0x4646464646464646ULL) | low) & 0x8080808080808080ULL;
    low = low * 10 + (low >> 8);
    return (((low & 0x000000FF000000FFULL) * 0x000F424000000064ULL) +
            (((low >> 16) & 0x000000FF000000FFULL) * 0x0000271000000001ULL)) >>
           32;
}

/* Move the `len` (1-8) first bytes of a word to its end and put zeros (digits) before them. */
FS_INLINE uint64_t fs_right_align(uint64_t word, size_t len) {
    unsigned shift = (unsigned)(8 - len) * 8;
    uint64_t zeros = 0x3030303030303030ULL;
    return shift ? (word << shift) | (zeros >> (64 - shift)) : word;
}

/* Decode 1 to 19 digits. Returns false for anything else or a value above `max`. */
FS_INLINE bool fs_unsigned(const uint8_t *p, size_t len, bool safe, uint64_t max, uint64_t *out) {
    uint64_t bad = 0, value;
    if (FS_UNLIKELY(len == 0 || len > 19)) return false;
    if (len <= 8) {
        value = fs_eight_digits(fs_right_align(fs_load_part(p, len, safe), len), &bad);
    } else {
        size_t head = len <= 16 ? len - 8 : len - 16;
        value = fs_eight_digits(fs_right_align(fs_load_part(p, head, safe), head), &bad);
        if (len > 16) {
            value = value * 100000000u + fs_eight_digits(fs_load64(p + head), &bad);
            head += 8;
        }
        value = value * 100000000u + fs_eight_digits(fs_load64(p + head), &bad);
    }
    *out = value;
    return bad == 0 && value <= max;
}

/* Dotted quad without leading zeros. */
bool fs_is_ipv4(const uint8_t *p, size_t len);
/* IPv6 text as Python's ipaddress.IPv6Address accepts it, without a scope. */
bool fs_is_ipv6(const uint8_t *p, size_t len);
/* Either of them. */
bool fs_is_address(const uint8_t *p, size_t len);

#endif
