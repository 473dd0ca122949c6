/* Block masks with NEON. Included by scan.c only. */
#include <arm_neon.h>

FS_INLINE uint64_t neon_lanes(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
    uint8x16_t cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
    uint8x16_t all = vpaddq_u8(ab, cd);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

FS_INLINE uint8x16_t neon_special(uint8x16_t x, bool comma) {
    uint8x16_t s = vorrq_u8(vcltq_u8(x, vdupq_n_u8(0x21)), vcgeq_u8(x, vdupq_n_u8(0x7f)));
    if (comma)
        s = vorrq_u8(s, vorrq_u8(vceqq_u8(x, vdupq_n_u8(',')), vceqq_u8(x, vdupq_n_u8('"'))));
    return s;
}

FS_INLINE block_masks masks_neon(const uint8_t *p, bool comma) {
    uint8x16_t a = vld1q_u8(p), b = vld1q_u8(p + 16), c = vld1q_u8(p + 32), d = vld1q_u8(p + 48);
    uint8x16_t delimiter = vdupq_n_u8(comma ? ',' : ' '), newline = vdupq_n_u8('\n');
    block_masks m;
    m.special = neon_lanes(neon_special(a, comma), neon_special(b, comma), neon_special(c, comma),
                           neon_special(d, comma));
    m.delimiter = neon_lanes(vceqq_u8(a, delimiter), vceqq_u8(b, delimiter),
                             vceqq_u8(c, delimiter), vceqq_u8(d, delimiter));
    m.newline = neon_lanes(vceqq_u8(a, newline), vceqq_u8(b, newline), vceqq_u8(c, newline),
                           vceqq_u8(d, newline));
    return m;
}

FS_DEFINE_SCAN(scan_neon, , masks_neon)
