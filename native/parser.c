/* See parser.h. A block is read in windows that stay in the cache: scan, then parse. */
#include "parser.h"

#include <stdlib.h>

#include "line.h"

/* Bytes per window; the fuzzer makes it small, to have many ends of windows in short inputs. */
#ifndef FS_WINDOW
#define FS_WINDOW 16384
#endif
enum { WINDOW = FS_WINDOW, SLACK = 128 };

int fs_parser_init(fs_parser *parser, uint64_t seed, const char *instructions, const char **name) {
    fs_plan *plan = &parser->plan;
    fs_type types[FS_MAX_FIELDS + 2], coverage[FS_COVERAGE_COLUMNS];
    for (int c = 0; c < plan->columns; c++)
        types[c] = c < plan->fields ? plan->field[c].type : FS_INT64;
    for (int c = 0; c < FS_COVERAGE_COLUMNS; c++)
        coverage[c] = c == FS_COVERAGE_TEXTS || c == FS_COVERAGE_TEXTS + 1 ? FS_INT64 : FS_TEXT;
    parser->scan = fs_scan_choose(instructions, name);
    parser->pool = fs_pool_new(plan->columns, types);
    parser->coverage_pool = fs_pool_new(FS_COVERAGE_COLUMNS, coverage);
    if (!parser->pool || !parser->coverage_pool) return FS_NO_MEMORY;
    parser->dicts = calloc((size_t)plan->columns, sizeof *parser->dicts);
    if (!parser->dicts) return FS_NO_MEMORY;
    for (int c = 0; c < plan->columns; c++)
        if (types[c] == FS_DICT && fs_dict_init(&parser->dicts[c], seed)) return FS_NO_MEMORY;
    /* A line's separators are kept until it ends; a longer line is cut off unread. */
    parser->positions_room = plan->max_line + 2 * WINDOW + SLACK;
    parser->flags_room = parser->positions_room;
    parser->positions = malloc(parser->positions_room * sizeof *parser->positions);
    parser->flags = malloc(parser->flags_room * sizeof *parser->flags);
    parser->tokens = malloc(2 * (size_t)plan->fields * sizeof *parser->tokens);
    parser->before = calloc((size_t)plan->columns, sizeof *parser->before);
    parser->rejects = malloc(FS_KEPT_REJECTS * sizeof *parser->rejects);
    bool complete = parser->positions && parser->flags && parser->tokens && parser->before &&
                    parser->rejects;
    return complete ? FS_OK : FS_NO_MEMORY;
}

void fs_parser_free(fs_parser *parser) {
    if (parser->dicts)
        for (int c = 0; c < parser->plan.columns; c++) fs_dict_free(&parser->dicts[c]);
    fs_batch_release(parser->batch);
    fs_batch_release(parser->coverage);
    fs_pool_close(parser->pool);
    fs_pool_close(parser->coverage_pool);
    free(parser->dicts);
    free(parser->positions);
    free(parser->flags);
    free(parser->tokens);
    free(parser->before);
    free(parser->rejects);
    fs_plan_free(&parser->plan);
}

/* The block being read. `start` is the offset of the first line that is not done. */
typedef struct {
    fs_parser *parser;
    const uint8_t *data, *safe;
    size_t len, start, scanned;
    size_t count;  /* separators known from `start` on, at positions[1..count] */
    fs_scan_state scan;
    bool odd_start; /* the part of the first line that earlier windows hold is odd */
    const fs_times *times;
    fs_fed *fed;
} reader;

typedef enum { GO_ON, STOP } verdict;

static fs_run run_of(const reader *r, size_t first, size_t stride, size_t lines) {
    const uint32_t *at = r->parser->positions + first;
    fs_run run = {r->data + r->start, r->safe,  at, at + 1,  stride, lines,
                  r->fed->lines,      r->start, false,  r->times};
    return run;
}

/* Whether the first bytes of a line's tokens tell that it is no flow, or may be none: comments,
 * headers, coverage. */
static bool is_special(const fs_plan *plan, const uint8_t *base, const uint32_t *at) {
    uint8_t first = base[at[0] + 1u];
    if (!fs_starts_record(first) &&
        (first == '#' || fs_may_be_header(base, at, (size_t)plan->fields)))
        return true;
    if (plan->probe < 0) return false;
    uint8_t probe = base[at[plan->probe] + 1u];
    return plan->status >= 0 ? probe == 'N' || probe == 'S' : probe == '-' || probe == ',';
}

/* Whether a line's separators are single delimiters and one line end, with tokens between. */
static bool is_plain(const fs_plan *plan, const uint8_t *base, const uint32_t *at, size_t stride) {
    size_t fields = (size_t)plan->fields, shortest = plan->comma ? 1 : 2;
    uint8_t delimiter = plan->comma ? ',' : ' ';
    uint32_t end = at[fields];
    if (stride > fields && (base[end] != '\r' || at[stride] != end + 1)) return false;
    for (size_t c = 1; c < fields; c++)
        if (base[at[c]] != delimiter || (uint32_t)(at[c] - at[c - 1]) < shortest) return false;
    /* The only token of a line must not be empty even in comma text: the line would be. */
    return (uint32_t)(end - at[fields - 1]) >= (fields == 1 ? 2 : shortest);
}

/* Number of lines from position `first` on that consist of exactly the plan's tokens, `stride`
 * separators each, and are flows at first sight. With `close` every separator is looked at;
 * without, the caller knows that they are in their places. */
static size_t regular_lines(const reader *r, size_t first, size_t stride, bool close) {
    const fs_plan *plan = &r->parser->plan;
    const uint8_t *base = r->data + r->start;
    const uint32_t *at = r->parser->positions + first;
    size_t lines = 0, known = close ? r->count : r->scan.newlines * (size_t)plan->fields;
    for (size_t left = known - first; left >= stride; left -= stride, at += stride, lines++) {
        if (close && (base[at[stride]] != '\n' || !is_plain(plan, base, at, stride))) break;
        if ((uint32_t)(at[plan->fields] - at[0] - 1u) > plan->max_line) break;
        if (is_special(plan, base, at)) break;
    }
    return lines;
}

/* Whether the window holds nothing but single delimiters and lines of `fields` separators. */
static bool is_regular(const reader *r, size_t fields) {
    const uint8_t *base = r->data + r->start;
    const uint32_t *at = r->parser->positions + fields;
    if (r->scan.odd != 0 || r->odd_start || r->count < r->scan.newlines * fields) return false;
    for (size_t i = 0; i < r->scan.newlines; i++, at += fields)
        if (base[*at] != '\n') return false;
    return true;
}

static verdict run_lines(reader *r, size_t *first, size_t stride, size_t lines) {
    fs_run run = run_of(r, *first, stride, lines);
    if ((r->parser->failed = fs_run_parse(r->parser, &run, r->fed))) return STOP;
    r->fed->lines += (int64_t)lines;
    *first += stride * lines;
    return GO_ON;
}

static verdict one_line(reader *r, const uint8_t *base, size_t len, size_t origin,
                        const uint8_t *safe) {
    fs_line line = {base, len, origin, safe, r->fed->lines, r->times};
    if (fs_line_parse(r->parser, &line, r->fed) != FS_LINE_DONE) return STOP;
    r->fed->lines++;
    return GO_ON;
}

/* Parse the line whose separators start after position *first, when all of it is scanned. */
static verdict irregular_line(reader *r, size_t *first, bool *partial) {
    const uint8_t *base = r->data + r->start;
    const uint32_t *positions = r->parser->positions;
    size_t at = *first + 1;
    while (at <= r->count && base[positions[at]] != '\n') at++;
    *partial = at > r->count;
    if (*partial) return GO_ON;
    size_t from = positions[*first] + 1u;
    if (one_line(r, base + from, positions[at] - from, r->start + from, r->safe) == STOP)
        return STOP;
    *first = at;
    return GO_ON;
}

/* Parse all whole lines of the window. *first: position of the last line end done with. */
static verdict window_lines(reader *r, size_t *first) {
    size_t fields = (size_t)r->parser->plan.fields;
    bool close = !is_regular(r, fields), partial = false;
    while (!partial) {
        size_t stride = fields, lines = regular_lines(r, *first, fields, close);
        if (lines == 0 && close) lines = regular_lines(r, *first, ++stride, close);
        verdict next = lines ? run_lines(r, first, stride, lines)
                             : irregular_line(r, first, &partial);
        if (next == STOP) return STOP;
    }
    return GO_ON;
}

/* Make the line after position `first` the new start. */
static void move_start(reader *r, size_t first) {
    uint32_t *positions = r->parser->positions;
    r->odd_start = r->scan.odd != 0 || (first == 0 && r->odd_start);
    r->scan.odd = 0;
    if (first == 0) return;
    uint32_t done = positions[first] + 1u;
    r->start += done;
    r->count -= first;
    for (size_t i = 1; i <= r->count; i++) positions[i] = positions[first + i] - done;
}

/* The line at `start` is already too long: go to its end, without the scan. */
static verdict skip_long_line(reader *r, bool final) {
    const uint8_t *end = memchr(r->data + r->scanned, '\n', r->len - r->scanned);
    if (!end && !final) return STOP;
    size_t stop = end ? (size_t)(end - r->data) : r->len;
    verdict next = one_line(r, r->data + r->start, stop - r->start, r->start, r->safe);
    r->start = r->scanned = stop + (end != NULL);
    r->count = 0;
    r->scan = (fs_scan_state){1, 0, 0};
    r->odd_start = false;
    return next;
}

/* The last line has no line end. */
static verdict last_line(reader *r) {
    verdict next = one_line(r, r->data + r->start, r->len - r->start, r->start, r->safe);
    if (next == GO_ON) r->start = r->len;
    return next;
}

/* Batches are taken as late as can be, for the last ones may have come back by then. */
static int have_batches(fs_parser *parser) {
    if (!parser->batch) parser->batch = fs_batch_get(parser->pool);
    if (!parser->coverage) parser->coverage = fs_batch_get(parser->coverage_pool);
    return parser->batch && parser->coverage ? FS_OK : FS_NO_MEMORY;
}

int fs_parser_feed(fs_parser *parser, const uint8_t *data, size_t len, bool final,
                   const fs_times *times, fs_fed *fed) {
    memset(fed, 0, sizeof *fed);
    if (parser->failed || have_batches(parser)) return parser->failed ? parser->failed : FS_NO_MEMORY;
    reader r = {.parser = parser, .data = data, .len = len, .times = times, .fed = fed};
    r.safe = len >= 24 ? data + len - 24 : NULL;
    r.scan.carry = 1;
    uint32_t *positions = parser->positions;
    verdict next = GO_ON;
    while (next == GO_ON && r.scanned < len) {
        size_t size = len - r.scanned < WINDOW ? len - r.scanned : WINDOW;
        positions[0] = (uint32_t)-1;
        r.scan.newlines = 0;
        r.count += parser->scan(data + r.scanned, size, (uint32_t)(r.scanned - r.start),
                                parser->plan.comma, positions + 1 + r.count, &r.scan);
        r.scanned += size;
        size_t first = 0;
        next = window_lines(&r, &first);
        move_start(&r, first);
        /* CR and LF do not count, hence the 2. */
        if (next == GO_ON && r.scanned - r.start > parser->plan.max_line + 2)
            next = skip_long_line(&r, final);
    }
    if (next == GO_ON && final && r.start < len) last_line(&r);
    fed->consumed = r.start;
    return parser->failed;
}

int fs_parser_drain(fs_parser *parser, fs_batch **flows, fs_batch **coverage) {
    if (parser->failed) return parser->failed;
    if (have_batches(parser)) return FS_NO_MEMORY;
    *flows = parser->batch;
    *coverage = parser->coverage;
    parser->batch = parser->coverage = NULL;
    for (int c = 0; c < parser->plan.fields; c++)
        if (parser->dicts[c].slots) fs_dict_clear(&parser->dicts[c]);
    return FS_OK;
}

bool fs_parser_range(const fs_parser *parser, const fs_batch *flows, long long *first,
                     long long *last) {
    const int64_t *starts = flows->columns[parser->plan.start].data;
    if (flows->rows == 0) return false;
    int64_t low = starts[0], high = starts[0];
    for (size_t i = 1; i < flows->rows; i++) {
        low = starts[i] < low ? starts[i] : low;
        high = starts[i] > high ? starts[i] : high;
    }
    *first = low;
    *last = high;
    return true;
}
