/* The parser: text blocks in, typed columns, coverage rows and rejects out.
 *
 * No global state; one parser is used by one thread at a time. Invariant: after every feed,
 * records == flows + nodata + skipdata + rejects, and the batch holds only whole accepted rows.
 */
#ifndef FLOWSCAN_PARSER_H
#define FLOWSCAN_PARSER_H

#include "dict.h"
#include "plan.h"
#include "scan.h"

enum { FS_KEPT_REJECTS = 1000 };

/* Why a line is no flow. 1..fields: the token of that number is bad. */
enum {
    FS_GOOD = 0,
    FS_TOO_LONG = 0xff01,
    FS_NOT_PRINTABLE,
    FS_TOO_FEW,
    FS_TOO_MANY,
    FS_NO_TIME,
    FS_REVERSED,
    FS_NODATA, /* from here on no rejects but coverage */
    FS_SKIPDATA
};

typedef struct {
    int64_t line;   /* counted from the first line of the feed, 0-based */
    size_t offset;  /* of the line in the data */
    uint16_t reason;
} fs_reject;

typedef struct {
    size_t consumed;
    int64_t lines, records, flows, nodata, skipdata;
    size_t reject_count; /* kept ones */
    bool header;         /* stopped before a header line, `header_len` bytes without its end */
    size_t header_len;
} fs_fed;

typedef struct {
    fs_plan plan;
    fs_scan_function scan;
    fs_pool *pool, *coverage_pool;
    fs_batch *batch, *coverage; /* NULL until the first feed after a drain */
    fs_dict *dicts; /* one per column, used by FS_DICT columns */
    /* scratch of a feed */
    uint32_t *positions; /* of separators, relative to the line that the window starts with */
    size_t positions_room;
    uint16_t *flags;     /* per line of a run */
    size_t flags_room;
    uint32_t *tokens;    /* starts - 1, then ends, of an irregular line's tokens */
    size_t *before;      /* values per dictionary before a run */
    fs_reject *rejects;
    int failed;          /* memory ran out in the middle of a run: nothing held is to be used */
} fs_parser;

/* Times of records without one: a value per line of the feed (-1: none), or one for all. */
typedef struct {
    const int64_t *each;
    size_t each_count;
    int64_t all;
    bool has_all;
} fs_times;

/* `parser->plan` is filled in by the caller before and freed by fs_parser_free. */
int fs_parser_init(fs_parser *parser, uint64_t seed, const char *instructions, const char **name);
void fs_parser_free(fs_parser *parser);

/* Parse the whole lines of data[0..len); with `final` also what follows the last line end. */
int fs_parser_feed(fs_parser *parser, const uint8_t *data, size_t len, bool final,
                   const fs_times *times, fs_fed *fed);

/* Take the batches out; the caller owns the reference. */
int fs_parser_drain(fs_parser *parser, fs_batch **flows, fs_batch **coverage);

/* Lowest and highest start of a batch; false when it has no rows. */
bool fs_parser_range(const fs_parser *parser, const fs_batch *flows, long long *first,
                     long long *last);

#endif
