/* Irregular lines: whatever the column passes do not take, one at a time and exactly. */
#ifndef FLOWSCAN_LINE_H
#define FLOWSCAN_LINE_H

#include "run.h"

typedef enum { FS_LINE_DONE, FS_LINE_HEADER, FS_LINE_FAILED } fs_line_result;

/* One line without its LF, at base[0..len), which lies at offset `origin` of the feed's data. */
typedef struct {
    const uint8_t *base;
    size_t len, origin;
    const uint8_t *safe;
    int64_t number;
    const fs_times *times;
} fs_line;

fs_line_result fs_line_parse(fs_parser *parser, const fs_line *line, fs_fed *fed);

/* Whether a line whose first byte is `first` can be taken for a record at first sight: it is
 * neither a comment nor can it be a header. */
FS_INLINE bool fs_starts_record(uint8_t first) {
    uint8_t letter = (uint8_t)((first | 0x20) - 'a');
    return letter > 25 && first != '#';
}

/* Whether tokens, which all start with a letter, digit or sign, may be a header: see
 * fs_line_parse for the exact answer. */
bool fs_may_be_header(const uint8_t *base, const uint32_t *before, size_t tokens);

#endif
