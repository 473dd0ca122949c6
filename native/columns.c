/* See columns.h. Memory grows in large steps, since untouched pages cost nothing but moving rows
 * does, and is kept for the next batch, since fresh pages are dear. */
#include "columns.h"

#include <stdlib.h>

#ifndef FS_FIRST_ROWS
#define FS_FIRST_ROWS 256
#endif
enum { LARGE_ROWS = 1 << 21, KEEP_IDLE = 2, FIRST_ROWS = FS_FIRST_ROWS, FIRST_VALUES = 16, FIRST_TEXT = 256 };
#define KEEP_TEXT ((size_t)64 << 20) /* larger text buffers are not kept */

static size_t width_of(fs_type type) {
    return type == FS_INT64 ? 8 : type == FS_TEXT ? 0 : 4;
}

static void free_columns(fs_batch *batch) {
    for (int c = 0; c < batch->n; c++) {
        fs_column *column = &batch->columns[c];
        free(column->data);
        free(column->valid);
        free(column->offsets);
        free(column->text);
    }
    free(batch->columns);
    free(batch);
}

static void pool_free(fs_pool *pool) {
    pthread_mutex_destroy(&pool->lock);
    free(pool->types);
    free(pool);
}

fs_pool *fs_pool_new(int n, const fs_type *types) {
    fs_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->types = malloc(sizeof *types * (size_t)n);
    if (!pool->types || pthread_mutex_init(&pool->lock, NULL) != 0) {
        free(pool->types);
        free(pool);
        return NULL;
    }
    memcpy(pool->types, types, sizeof *types * (size_t)n);
    pool->n = n;
    pool->open = true;
    return pool;
}

void fs_pool_close(fs_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->open = false;
    while (pool->idle) {
        fs_batch *batch = pool->idle;
        pool->idle = batch->next;
        pool->alive--;
        free_columns(batch);
    }
    bool last = pool->alive == 0;
    pthread_mutex_unlock(&pool->lock);
    if (last) pool_free(pool);
}

static fs_batch *batch_new(fs_pool *pool) {
    fs_batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    batch->pool = pool;
    batch->n = pool->n;
    batch->columns = calloc((size_t)pool->n, sizeof *batch->columns);
    if (!batch->columns) {
        free(batch);
        return NULL;
    }
    for (int c = 0; c < pool->n; c++) {
        fs_column *column = &batch->columns[c];
        column->type = pool->types[c];
        if (column->type != FS_DICT && column->type != FS_TEXT) continue;
        column->offsets = malloc(sizeof(int32_t) * FIRST_VALUES);
        column->text = malloc(FIRST_TEXT);
        column->offsets_room = FIRST_VALUES;
        column->text_room = FIRST_TEXT;
        if (!column->offsets || !column->text) {
            free_columns(batch);
            return NULL;
        }
        column->offsets[0] = 0;
    }
    return batch;
}

fs_batch *fs_batch_get(fs_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    fs_batch *batch = pool->idle;
    if (batch) {
        pool->idle = batch->next;
        pool->idle_count--;
    } else if ((batch = batch_new(pool)) != NULL) {
        pool->alive++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (batch) atomic_store(&batch->references, 1);
    return batch;
}

/* Empty a batch and keep its memory, save what one odd batch has blown up. */
static void batch_clear(fs_batch *batch) {
    batch->rows = 0;
    for (int c = 0; c < batch->n; c++) {
        fs_column *column = &batch->columns[c];
        free(column->valid);
        column->valid = NULL;
        column->count = column->text_len = 0;
        if (column->text_room > KEEP_TEXT) {
            uint8_t *less = realloc(column->text, FIRST_TEXT);
            if (less) {
                column->text = less;
                column->text_room = FIRST_TEXT;
            }
        }
    }
}

void fs_batch_release(fs_batch *batch) {
    if (!batch || atomic_fetch_sub(&batch->references, 1) != 1) return;
    fs_pool *pool = batch->pool;
    batch_clear(batch);
    pthread_mutex_lock(&pool->lock);
    bool keep = pool->open && pool->idle_count < KEEP_IDLE;
    if (keep) {
        batch->next = pool->idle;
        pool->idle = batch;
        pool->idle_count++;
    } else {
        pool->alive--;
    }
    bool last = !pool->open && pool->alive == 0;
    pthread_mutex_unlock(&pool->lock);
    if (!keep) free_columns(batch);
    if (last) pool_free(pool);
}

static int grow(void *pointer, size_t bytes) {
    void **at = pointer, *more = realloc(*at, bytes);
    if (!more) return FS_NO_MEMORY;
    *at = more;
    return FS_OK;
}

int fs_batch_reserve(fs_batch *batch, size_t rows) {
    if (FS_LIKELY(rows <= batch->room)) return FS_OK;
    size_t room = batch->room + batch->room / 2;
    if (batch->room < LARGE_ROWS) room = batch->room < LARGE_ROWS / 16 ? batch->room * 8 : LARGE_ROWS;
    if (room < rows) room = rows;
    if (room < FIRST_ROWS) room = FIRST_ROWS;
    room = (room + 63) & ~(size_t)63;
    for (int c = 0; c < batch->n; c++) {
        fs_column *column = &batch->columns[c];
        size_t width = width_of(column->type);
        if (width && grow(&column->data, room * width)) return FS_NO_MEMORY;
        if (column->valid) {
            if (grow(&column->valid, room / 8)) return FS_NO_MEMORY;
            memset(column->valid + batch->room / 8, 0xff, (room - batch->room) / 8);
        }
    }
    batch->room = room;
    return FS_OK;
}

int fs_column_nullable(fs_batch *batch, fs_column *column) {
    if (column->valid) return FS_OK;
    column->valid = malloc(batch->room / 8);
    if (!column->valid) return FS_NO_MEMORY;
    memset(column->valid, 0xff, batch->room / 8);
    return FS_OK;
}

int fs_column_append(fs_column *column, const uint8_t *p, size_t len) {
    size_t end = column->text_len + len;
    if (end > INT32_MAX || column->count + 1 >= INT32_MAX) return FS_FULL;
    if (end > column->text_room) {
        size_t room = end + end / 2;
        if (grow(&column->text, room)) return FS_NO_MEMORY;
        column->text_room = room;
    }
    if (column->count + 2 > column->offsets_room) {
        size_t room = column->offsets_room + column->offsets_room / 2;
        if (grow(&column->offsets, room * sizeof(int32_t))) return FS_NO_MEMORY;
        column->offsets_room = room;
    }
    memcpy(column->text + column->text_len, p, len);
    column->text_len = end;
    column->offsets[++column->count] = (int32_t)end;
    return FS_OK;
}

size_t fs_batch_bytes(const fs_batch *batch) {
    size_t bytes = 0;
    for (int c = 0; c < batch->n; c++) {
        const fs_column *column = &batch->columns[c];
        bytes += batch->rows * width_of(column->type) + column->text_len + column->count * 4;
    }
    return bytes;
}
