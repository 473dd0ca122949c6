/* A run: lines of exactly the plan's tokens, parsed column by column. */
#ifndef FLOWSCAN_RUN_H
#define FLOWSCAN_RUN_H

#include "parser.h"

/* Token c of line i spans base[before[i * stride + c] + 1 .. after[i * stride + c]). */
typedef struct {
    const uint8_t *base;
    const uint8_t *safe; /* 24 bytes from any address up to here are readable */
    const uint32_t *before, *after;
    size_t stride, lines;
    int64_t first;       /* number of the first line within the feed */
    size_t origin;       /* offset of base in the data of the feed */
    bool irregular;      /* one line, which starts at base and not with its first token */
    const fs_times *times;
} fs_run;

int fs_run_parse(fs_parser *parser, const fs_run *run, fs_fed *fed);
/* Count a reject and keep the first ones. */
void fs_keep_reject(fs_parser *parser, fs_fed *fed, int64_t line, size_t offset, uint16_t reason);

#endif
