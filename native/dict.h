/* Per-column dictionaries: text of a token → index of its first occurrence in the batch.
 *
 * Open addressing, at most half full. A token of up to 15 bytes (every IPv4 address) is its own
 * 16-byte key, so a hit costs one line of cache; a longer one is keyed by hash and length and
 * then compared. Hashes are seeded, so that chosen tokens cannot be made to collide.
 * Invariant: slots hold exactly the `count` values of the column.
 */
#ifndef FLOWSCAN_DICT_H
#define FLOWSCAN_DICT_H

#include "columns.h"

typedef struct {
    uint64_t low, high; /* high holds the length in its top byte, 255 for long tokens */
} fs_key;

typedef struct {
    fs_key key;         /* high 0: free */
    int32_t index;
} fs_slot;

typedef struct {
    fs_slot *slots;
    size_t mask, used;
    uint64_t seed;
} fs_dict;

#define FS_NULL_INDEX (-1)
#define FS_LONG ((uint64_t)255 << 56)

extern const uint64_t fs_low_mask[16], fs_high_mask[16];

int fs_dict_init(fs_dict *dict, uint64_t seed);
void fs_dict_free(fs_dict *dict);
/* Forget all values: the column was given away. */
void fs_dict_clear(fs_dict *dict);
/* Add a token that is not in it. Returns its index, or FS_NO_MEMORY / FS_FULL. */
int32_t fs_dict_add(fs_dict *dict, fs_column *column, fs_key key, const uint8_t *p, size_t len);
/* Take back the values from index `count` on. */
void fs_dict_truncate(fs_dict *dict, fs_column *column, size_t count);

FS_INLINE uint64_t fs_mix(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

FS_INLINE uint64_t fs_hash_long(const uint8_t *p, size_t len, uint64_t seed) {
    uint64_t h = seed;
    size_t i = 0;
    for (; i + 16 < len; i += 16)
        h = fs_mix(fs_load64(p + i) ^ h, fs_load64(p + i + 8) ^ 0x9e3779b97f4a7c15ULL ^ seed);
    return fs_mix(fs_load64(p + len - 16) ^ h, fs_load64(p + len - 8) ^ 0xd6e8feb86659fd93ULL);
}

/* Key of a token; `safe`: 16 bytes from p on are readable. */
FS_INLINE fs_key fs_key_of(const uint8_t *p, size_t len, bool safe, uint64_t seed) {
    fs_key key;
    if (FS_LIKELY(len < 16)) {
        if (FS_LIKELY(safe)) {
            key.low = fs_load64(p) & fs_low_mask[len];
            key.high = fs_load64(p + 8) & fs_high_mask[len];
        } else {
            uint8_t padded[16] = {0};
            memcpy(padded, p, len);
            key.low = fs_load64(padded);
            key.high = fs_load64(padded + 8);
        }
        key.high |= (uint64_t)len << 56;
    } else {
        key.low = fs_hash_long(p, len, seed);
        key.high = FS_LONG | len;
    }
    return key;
}

FS_INLINE size_t fs_key_hash(const fs_dict *dict, fs_key key) {
    if (key.high >= FS_LONG) return (size_t)key.low;
    return (size_t)fs_mix(key.low ^ dict->seed, key.high ^ 0xa0761d6478bd642fULL);
}

/* Compare a token of at least 16 bytes with a value of the same length. */
FS_INLINE bool fs_same_text(const fs_column *column, int32_t index, const uint8_t *p, size_t len) {
    const uint8_t *q = column->text + column->offsets[index];
    uint64_t other = (fs_load64(p) ^ fs_load64(q)) | (fs_load64(p + 8) ^ fs_load64(q + 8)) |
                     (fs_load64(p + len - 16) ^ fs_load64(q + len - 16)) |
                     (fs_load64(p + len - 8) ^ fs_load64(q + len - 8));
    return other == 0 && (len <= 32 || memcmp(p + 16, q + 16, len - 32) == 0);
}

/* Index of a token, -1 when it is not in the dictionary. */
FS_INLINE int32_t fs_dict_find(const fs_dict *dict, const fs_column *column, fs_key key,
                               const uint8_t *p, size_t len) {
    for (size_t at = fs_key_hash(dict, key) & dict->mask;; at = (at + 1) & dict->mask) {
        const fs_slot *slot = &dict->slots[at];
        if (FS_LIKELY(slot->key.low == key.low && slot->key.high == key.high)) {
            if (key.high < FS_LONG || fs_same_text(column, slot->index, p, len))
                return slot->index;
        } else if (slot->key.high == 0) {
            return -1;
        }
    }
}

#endif
