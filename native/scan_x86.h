/* Block masks with SSE2 (every x86-64) and AVX2. Included by scan.c only. */
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

FS_INLINE uint64_t sse2_lanes(__m128i a, __m128i b, __m128i c, __m128i d) {
    return (uint64_t)(uint32_t)_mm_movemask_epi8(a) |
           (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}

FS_INLINE __m128i sse2_special(__m128i x, bool comma) {
    /* Signed comparison: bytes from 0x80 are negative, so one test finds them and blanks. */
    __m128i s = _mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x21)),
                             _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f)));
    if (comma)
        s = _mm_or_si128(s, _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(',')),
                                         _mm_cmpeq_epi8(x, _mm_set1_epi8('"'))));
    return s;
}

FS_INLINE block_masks masks_sse2(const uint8_t *p, bool comma) {
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));
    __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + 32));
    __m128i d = _mm_loadu_si128((const __m128i *)(const void *)(p + 48));
    __m128i delimiter = _mm_set1_epi8(comma ? ',' : ' '), newline = _mm_set1_epi8('\n');
    block_masks m;
    m.special = sse2_lanes(sse2_special(a, comma), sse2_special(b, comma), sse2_special(c, comma),
                           sse2_special(d, comma));
    m.delimiter = sse2_lanes(_mm_cmpeq_epi8(a, delimiter), _mm_cmpeq_epi8(b, delimiter),
                             _mm_cmpeq_epi8(c, delimiter), _mm_cmpeq_epi8(d, delimiter));
    m.newline = sse2_lanes(_mm_cmpeq_epi8(a, newline), _mm_cmpeq_epi8(b, newline),
                           _mm_cmpeq_epi8(c, newline), _mm_cmpeq_epi8(d, newline));
    return m;
}

FS_DEFINE_SCAN(scan_sse2, , masks_sse2)

AVX2 FS_INLINE uint64_t avx2_lanes(__m256i a, __m256i b) {
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(a) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

AVX2 FS_INLINE __m256i avx2_special(__m256i x, bool comma) {
    __m256i s = _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(0x21), x),
                                _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x7f)));
    if (comma)
        s = _mm256_or_si256(s, _mm256_or_si256(_mm256_cmpeq_epi8(x, _mm256_set1_epi8(',')),
                                               _mm256_cmpeq_epi8(x, _mm256_set1_epi8('"'))));
    return s;
}

AVX2 FS_INLINE block_masks masks_avx2(const uint8_t *p, bool comma) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    __m256i delimiter = _mm256_set1_epi8(comma ? ',' : ' '), newline = _mm256_set1_epi8('\n');
    block_masks m;
    m.special = avx2_lanes(avx2_special(a, comma), avx2_special(b, comma));
    m.delimiter = avx2_lanes(_mm256_cmpeq_epi8(a, delimiter), _mm256_cmpeq_epi8(b, delimiter));
    m.newline = avx2_lanes(_mm256_cmpeq_epi8(a, newline), _mm256_cmpeq_epi8(b, newline));
    return m;
}

FS_DEFINE_SCAN(scan_avx2, AVX2, masks_avx2)
