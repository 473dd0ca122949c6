/* See export.h. Every array holds a reference to the batch, so a consumer may keep any of them. */
#include "export.h"

#include <stdlib.h>

static void release_array(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = array->children[i];
        if (child && child->release) child->release(child);
        free(child);
    }
    if (array->dictionary) {
        if (array->dictionary->release) array->dictionary->release(array->dictionary);
        free(array->dictionary);
    }
    free(array->children);
    free((void *)array->buffers);
    fs_batch_release(array->private_data);
    array->release = NULL;
}

static struct ArrowArray *new_array(fs_batch *batch, int64_t length, int64_t n_buffers) {
    struct ArrowArray *array = calloc(1, sizeof *array);
    if (!array) return NULL;
    array->buffers = calloc((size_t)n_buffers, sizeof *array->buffers);
    if (!array->buffers) {
        free(array);
        return NULL;
    }
    atomic_fetch_add(&batch->references, 1);
    array->length = length;
    array->n_buffers = n_buffers;
    array->release = release_array;
    array->private_data = batch;
    return array;
}

/* Values of a text column: of its dictionary, or of the column itself. */
static struct ArrowArray *text_array(fs_batch *batch, const fs_column *column) {
    struct ArrowArray *array = new_array(batch, (int64_t)column->count, 3);
    if (!array) return NULL;
    array->buffers[1] = column->offsets;
    array->buffers[2] = column->text;
    return array;
}

static struct ArrowArray *column_array(fs_batch *batch, const fs_column *column) {
    struct ArrowArray *array = column->type == FS_TEXT ? text_array(batch, column)
                                                       : new_array(batch, (int64_t)batch->rows, 2);
    if (!array) return NULL;
    array->null_count = column->valid ? -1 : 0;
    array->buffers[0] = column->valid;
    if (column->type != FS_TEXT) array->buffers[1] = column->data;
    if (column->type == FS_DICT) {
        array->dictionary = text_array(batch, column);
        if (!array->dictionary) {
            array->release(array);
            free(array);
            return NULL;
        }
    }
    return array;
}

struct ArrowArray *fs_export(fs_batch *batch) {
    struct ArrowArray *array = NULL;
    /* Arrow wants an address even for the buffers of no rows. */
    if (fs_batch_reserve(batch, 1) == FS_OK) array = new_array(batch, (int64_t)batch->rows, 1);
    if (array) {
        array->children = calloc((size_t)batch->n, sizeof *array->children);
        bool complete = array->children != NULL;
        for (int c = 0; complete && c < batch->n; c++) {
            array->children[c] = column_array(batch, &batch->columns[c]);
            complete = array->children[c] != NULL;
            array->n_children = c + 1;
        }
        if (!complete) {
            array->release(array);
            free(array);
            array = NULL;
        }
    }
    fs_batch_release(batch);
    return array;
}
