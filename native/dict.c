/* See dict.h. */
#include "dict.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64, KEEP_SLOTS = 1 << 20 };

#define LOW(n) ((n) >= 8 ? ~0ULL : (1ULL << ((n) % 8 * 8)) - 1)
#define HIGH(n) ((n) <= 8 ? 0ULL : (1ULL << ((n) % 8 * 8)) - 1)
const uint64_t fs_low_mask[16] = {LOW(0), LOW(1), LOW(2),  LOW(3),  LOW(4),  LOW(5),
                                  LOW(6), LOW(7), LOW(8),  LOW(9),  LOW(10), LOW(11),
                                  LOW(12), LOW(13), LOW(14), LOW(15)};
const uint64_t fs_high_mask[16] = {HIGH(0), HIGH(1), HIGH(2),  HIGH(3),  HIGH(4),  HIGH(5),
                                   HIGH(6), HIGH(7), HIGH(8),  HIGH(9),  HIGH(10), HIGH(11),
                                   HIGH(12), HIGH(13), HIGH(14), HIGH(15)};

int fs_dict_init(fs_dict *dict, uint64_t seed) {
    dict->slots = calloc(FIRST_SLOTS, sizeof *dict->slots);
    if (!dict->slots) return FS_NO_MEMORY;
    dict->mask = FIRST_SLOTS - 1;
    dict->used = 0;
    dict->seed = seed;
    return FS_OK;
}

void fs_dict_free(fs_dict *dict) {
    free(dict->slots);
    dict->slots = NULL;
}

void fs_dict_clear(fs_dict *dict) {
    dict->used = 0;
    if (dict->mask >= KEEP_SLOTS) {
        fs_slot *slots = realloc(dict->slots, sizeof *slots * FIRST_SLOTS);
        if (slots) {
            dict->slots = slots;
            dict->mask = FIRST_SLOTS - 1;
        }
    }
    memset(dict->slots, 0, sizeof *dict->slots * (dict->mask + 1));
}

static void put(fs_slot *slots, size_t mask, size_t hash, fs_key key, int32_t index) {
    size_t at = hash & mask;
    while (slots[at].key.high) at = (at + 1) & mask;
    slots[at].key = key;
    slots[at].index = index;
}

static int grow_slots(fs_dict *dict) {
    size_t mask = dict->mask * 2 + 1;
    fs_slot *slots = calloc(mask + 1, sizeof *slots);
    if (!slots) return FS_NO_MEMORY;
    for (size_t at = 0; at <= dict->mask; at++) {
        const fs_slot *slot = &dict->slots[at];
        if (slot->key.high) put(slots, mask, fs_key_hash(dict, slot->key), slot->key, slot->index);
    }
    free(dict->slots);
    dict->slots = slots;
    dict->mask = mask;
    return FS_OK;
}

int32_t fs_dict_add(fs_dict *dict, fs_column *column, fs_key key, const uint8_t *p, size_t len) {
    if (dict->used * 2 > dict->mask) {
        int failed = grow_slots(dict);
        if (failed) return failed;
    }
    int failed = fs_column_append(column, p, len);
    if (failed) return failed;
    int32_t index = (int32_t)column->count - 1;
    put(dict->slots, dict->mask, fs_key_hash(dict, key), key, index);
    dict->used++;
    return index;
}

/* Empty the slot at `hole` and close the gap in the probe sequences that ran over it. */
static void remove_slot(fs_dict *dict, size_t hole) {
    for (size_t at = (hole + 1) & dict->mask; dict->slots[at].key.high;
         at = (at + 1) & dict->mask) {
        size_t home = fs_key_hash(dict, dict->slots[at].key) & dict->mask;
        if (((at - home) & dict->mask) >= ((at - hole) & dict->mask)) {
            dict->slots[hole] = dict->slots[at];
            hole = at;
        }
    }
    dict->slots[hole].key.high = dict->slots[hole].key.low = 0;
}

void fs_dict_truncate(fs_dict *dict, fs_column *column, size_t count) {
    while (column->count > count) {
        size_t value = --column->count;
        const uint8_t *p = column->text + column->offsets[value];
        size_t len = (size_t)(column->offsets[value + 1] - column->offsets[value]);
        fs_key key = fs_key_of(p, len, false, dict->seed);
        size_t at = fs_key_hash(dict, key) & dict->mask;
        while (dict->slots[at].key.high && dict->slots[at].index != (int32_t)value)
            at = (at + 1) & dict->mask;
        if (dict->slots[at].key.high) remove_slot(dict, at);
        column->text_len = (size_t)column->offsets[value];
        dict->used--;
    }
}
