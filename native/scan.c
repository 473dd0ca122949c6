/* Delimiter scan, one body for every instruction set; the set is chosen at run time. */
#include "scan.h"

/* Bit i of each mask is byte i of the block. */
typedef struct {
    uint64_t special, delimiter, newline;
} block_masks;

FS_INLINE block_masks masks_plain(const uint8_t *p, bool comma) {
    block_masks m = {0, 0, 0};
    for (unsigned i = 0; i < 64; i++) {
        uint8_t c = p[i];
        uint64_t bit = 1ULL << i;
        if (c <= 0x20 || c >= 0x7f || (comma && (c == ',' || c == '"'))) m.special |= bit;
        if (c == (comma ? ',' : ' ')) m.delimiter |= bit;
        if (c == '\n') m.newline |= bit;
    }
    return m;
}

/* Write the positions of the set bits, STEP at a time: nearly all blocks have at most so many,
 * which spares the processor a guess. */
enum { STEP = 8 };

FS_INLINE uint32_t *write_positions(uint64_t bits, uint32_t at, uint32_t *out) {
    unsigned count = (unsigned)__builtin_popcountll(bits), done = 0;
    do {
        for (unsigned i = 0; i < STEP; i++) {
            /* Past the last bit this writes garbage that the next block overwrites. */
            out[done + i] = at + (uint32_t)__builtin_ctzll(bits | 1ULL << 63);
            bits &= bits - 1;
        }
        done += STEP;
    } while (FS_UNLIKELY(done < count));
    return out + count;
}

FS_INLINE uint32_t *one_block(block_masks m, uint32_t at, bool comma, uint32_t *out,
                              fs_scan_state *state) {
    /* In blank-separated text no separator may follow another; in comma text no newline may. */
    uint64_t lone = comma ? m.newline : m.delimiter | m.newline;
    state->odd |= (m.special & ~(m.delimiter | m.newline)) | (lone & ((lone << 1) | state->carry));
    state->carry = lone >> 63;
    state->newlines += (size_t)__builtin_popcountll(m.newline);
    return write_positions(m.special, at, out);
}

#define FS_DEFINE_SCAN(NAME, ATTRIBUTES, MASKS)                                                  \
    ATTRIBUTES static size_t NAME(const uint8_t *data, size_t len, uint32_t offset, bool comma,  \
                                  uint32_t *out, fs_scan_state *state) {                         \
        uint32_t *next = out;                                                                    \
        size_t i = 0;                                                                            \
        for (; i + 64 <= len; i += 64)                                                           \
            next = one_block(MASKS(data + i, comma), offset + (uint32_t)i, comma, next, state);  \
        if (i < len) {                                                                           \
            uint8_t rest[64];                                                                    \
            memset(rest, 'x', sizeof rest);                                                      \
            memcpy(rest, data + i, len - i);                                                     \
            next = one_block(MASKS(rest, comma), offset + (uint32_t)i, comma, next, state);      \
            uint8_t last = rest[len - i - 1];                                                    \
            state->carry = last == '\n' || (!comma && last == ' ');                              \
        }                                                                                        \
        return (size_t)(next - out);                                                             \
    }

FS_DEFINE_SCAN(scan_plain, , masks_plain)

#if defined(__x86_64__)
#include "scan_x86.h"
#elif defined(__aarch64__)
#include "scan_arm.h"
#endif

static bool wanted(const char *want, const char *have) {
    return want == NULL || *want == 0 || strcmp(want, have) == 0;
}

fs_scan_function fs_scan_choose(const char *want, const char **name) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (wanted(want, "avx2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")) {
        *name = "avx2";
        return scan_avx2;
    }
    if (wanted(want, "sse2")) {
        *name = "sse2";
        return scan_sse2;
    }
#elif defined(__aarch64__)
    if (wanted(want, "neon")) {
        *name = "neon";
        return scan_neon;
    }
#endif
    *name = "plain";
    return scan_plain;
}
