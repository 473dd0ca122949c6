/* The compiled plan of a text: what each token becomes, and where the special columns are.
 *
 * Columns 0..fields-1 are the tokens' own; start and end follow where the text lacks them.
 */
#ifndef FLOWSCAN_PLAN_H
#define FLOWSCAN_PLAN_H

#include "columns.h"

typedef enum { FS_STRING, FS_ADDRESS, FS_ACTION, FS_STATUS, FS_INTEGER, FS_TIME } fs_kind;

typedef struct {
    fs_kind kind;
    fs_type type;
    uint64_t max; /* of an integer */
} fs_field;

enum { FS_MAX_FIELDS = 1024, FS_COVERAGE_TEXTS = 5, FS_COVERAGE_COLUMNS = 8, FS_TRAFFIC = 4 };

typedef struct {
    int fields;  /* tokens of a line */
    int columns; /* fields, plus start and end where they are no field */
    bool comma;
    size_t max_line;
    fs_field *field;
    int start, end, status;               /* columns; status -1 when there is none */
    int coverage[FS_COVERAGE_TEXTS];      /* fields of the coverage table's texts, -1: none */
    int traffic[FS_TRAFFIC], traffic_count; /* fields that are all NULL on an idle line */
    int probe;       /* field whose first byte tells that a line may be coverage, -1: none */
    char *known;                          /* field names of flow logs, each ended by NUL */
    size_t known_len;
} fs_plan;

void fs_plan_free(fs_plan *plan);
/* Whether a header token names a known field: any case, `-` as `_`. */
bool fs_plan_knows(const fs_plan *plan, const uint8_t *p, size_t len);

#endif
