/* Batches as Arrow arrays, through the Arrow C data interface and without a copy.
 *
 * Source of the structure: Apache Arrow, "The Arrow C data interface" (the ABI is frozen).
 */
#ifndef FLOWSCAN_EXPORT_H
#define FLOWSCAN_EXPORT_H

#include "columns.h"

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

/* A struct array over the batch's columns. Takes over the caller's reference to the batch, also
 * when it fails. NULL without memory; free() it after its release. */
struct ArrowArray *fs_export(fs_batch *batch);

#endif
