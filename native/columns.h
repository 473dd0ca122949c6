/* Growable typed columns of one batch, in Arrow's memory layout.
 *
 * A batch belongs to the parser while it fills; after that it is shared by reference count
 * between the Arrow arrays made of it, and goes back to its pool with its memory when the last
 * of them is released. Invariant: validity bits from `rows` on are 1, so that only NULLs cost.
 */
#ifndef FLOWSCAN_COLUMNS_H
#define FLOWSCAN_COLUMNS_H

#include <pthread.h>
#include <stdatomic.h>

#include "kernel.h"

typedef enum { FS_INT32, FS_INT64, FS_DICT, FS_TEXT } fs_type;

typedef struct {
    fs_type type;
    void *data;         /* int32 (also dictionary indices) or int64 per row; FS_TEXT has none */
    uint8_t *valid;     /* one bit per row, NULL while no row is NULL */
    int32_t *offsets;   /* FS_DICT, FS_TEXT: count + 1 offsets into text */
    uint8_t *text;
    size_t count;       /* values in text */
    size_t offsets_room;
    size_t text_len, text_room;
} fs_column;

typedef struct fs_batch {
    struct fs_pool *pool;
    struct fs_batch *next;
    atomic_int references;
    size_t rows, room;  /* room: rows that data and valid have space for */
    int n;
    fs_column *columns;
} fs_batch;

/* Where batches rest between uses. It lives as long as its parser and its batches. */
typedef struct fs_pool {
    pthread_mutex_t lock;
    fs_batch *idle;
    int idle_count, alive;
    bool open;
    int n;
    fs_type *types;
} fs_pool;

fs_pool *fs_pool_new(int n, const fs_type *types);
/* The parser is gone: idle batches are freed now, the others when they come back. */
void fs_pool_close(fs_pool *pool);

/* An empty batch with one reference, or NULL without memory. */
fs_batch *fs_batch_get(fs_pool *pool);
void fs_batch_release(fs_batch *batch);

/* Make room for `rows` rows in all columns. */
int fs_batch_reserve(fs_batch *batch, size_t rows);
/* Give a column a validity bitmap. */
int fs_column_nullable(fs_batch *batch, fs_column *column);
/* Append a value to `text`; FS_FULL when 32-bit offsets would not reach it. */
int fs_column_append(fs_column *column, const uint8_t *p, size_t len);
/* Bytes of memory that hold the batch's rows. */
size_t fs_batch_bytes(const fs_batch *batch);

FS_INLINE bool fs_get_valid(const fs_column *column, size_t row) {
    return column->valid == NULL || (column->valid[row >> 3] >> (row & 7) & 1);
}

FS_INLINE void fs_set_valid(fs_column *column, size_t row, bool value) {
    uint8_t bit = (uint8_t)(1u << (row & 7));
    if (value)
        column->valid[row >> 3] |= bit;
    else
        column->valid[row >> 3] &= (uint8_t)~bit;
}

#endif
