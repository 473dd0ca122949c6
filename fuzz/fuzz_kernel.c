/* Coverage-guided fuzzing of the parse kernel's C core, with libFuzzer.
 *
 * The first bytes of an input choose a plan and how the rest, the text, is fed. The text is then
 * parsed whole with the portable scan, and in two blocks with the machine's best one: both must
 * bring the same rows, counts and rejects, in valid Arrow arrays. Anything else aborts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../native/export.h"
#include "../native/parser.h"

#define REQUIRE(what)                                              \
    do {                                                           \
        if (!(what)) {                                             \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #what); \
            abort();                                               \
        }                                                          \
    } while (0)

enum { KINDS = 10, MOST_FIELDS = 24, HEAD = 6 };

static const struct {
    fs_kind kind;
    fs_type type;
    uint64_t max;
} KIND[KINDS] = {{FS_STRING, FS_DICT, 0},
                 {FS_ADDRESS, FS_DICT, 0},
                 {FS_ACTION, FS_DICT, 0},
                 {FS_STATUS, FS_DICT, 0},
                 {FS_INTEGER, FS_INT32, 65535},
                 {FS_INTEGER, FS_INT32, INT32_MAX},
                 {FS_INTEGER, FS_INT64, INT64_MAX},
                 {FS_TIME, FS_INT64, INT64_MAX},
                 {FS_TIME, FS_INT64, INT64_MAX},
                 {FS_INTEGER, FS_INT32, 255}};

static const char KNOWN[] = "version\0srcaddr\0start\0end\0log_status\0bytes\0";

typedef struct {
    const uint8_t *head, *kinds, *text;
    size_t fields, len;
} input;

/* Columns of the default format: the seeds are made for them. */
static const uint8_t DEFAULT_KINDS[14] = {5, 0, 0, 1, 1, 4, 4, 9, 6, 6, 7, 8, 2, 3};

static bool read_input(const uint8_t *data, size_t size, input *in) {
    if (size < HEAD) return false;
    in->head = data;
    in->fields = data[0] % (MOST_FIELDS + 1);
    in->kinds = data + HEAD;
    size_t used = HEAD + in->fields;
    if (in->fields == 0) {
        in->fields = sizeof DEFAULT_KINDS;
        in->kinds = DEFAULT_KINDS;
        used = HEAD;
    }
    if (size < used) return false;
    in->text = data + used;
    in->len = size - used;
    return true;
}

static fs_parser *new_parser(const input *in, const char *instructions) {
    fs_parser *parser = calloc(1, sizeof *parser);
    REQUIRE(parser);
    fs_plan *plan = &parser->plan;
    plan->fields = plan->columns = (int)in->fields;
    plan->comma = in->head[1] & 1;
    plan->max_line = in->head[2] ? in->head[2] : 2000;
    plan->field = calloc(in->fields, sizeof *plan->field);
    plan->known = malloc(sizeof KNOWN - 1);
    REQUIRE(plan->field && plan->known);
    memcpy(plan->known, KNOWN, sizeof KNOWN - 1);
    plan->known_len = sizeof KNOWN - 1;
    plan->start = plan->end = plan->status = -1;
    for (int t = 0; t < FS_COVERAGE_TEXTS; t++) plan->coverage[t] = -1;
    int texts = 0;
    for (int c = 0; c < plan->fields; c++) {
        int k = in->kinds[c] % KINDS;
        plan->field[c] = (fs_field){KIND[k].kind, KIND[k].type, KIND[k].max};
        if (k == 7) plan->start = c;
        if (k == 8) plan->end = c;
        if (k == 3) plan->status = c;
        if (k == 0 && texts < FS_COVERAGE_TEXTS) plan->coverage[texts++] = c;
        if ((k == 1 || k == 6) && plan->traffic_count < FS_TRAFFIC)
            plan->traffic[plan->traffic_count++] = c;
    }
    if (plan->start < 0) plan->start = plan->columns++;
    if (plan->end < 0) plan->end = plan->columns++;
    plan->probe = plan->status >= 0 ? plan->status : plan->traffic_count ? plan->traffic[0] : -1;
    const char *name;
    REQUIRE(fs_parser_init(parser, in->head[3], instructions, &name) == FS_OK);
    return parser;
}

typedef struct {
    fs_fed sum;
    uint64_t rejects; /* checksum of lines, places and reasons */
} outcome;

static void add_block(const fs_parser *parser, const fs_fed *fed, size_t offset, outcome *total) {
    REQUIRE(fed->records >= fed->flows + fed->nodata + fed->skipdata);
    for (size_t i = 0; i < fed->reject_count; i++) {
        const fs_reject *kept = &parser->rejects[i];
        const uint64_t parts[3] = {(uint64_t)(total->sum.lines + kept->line),
                                   offset + kept->offset, kept->reason};
        for (int p = 0; p < 3; p++) total->rejects = fs_mix(total->rejects ^ parts[p], 0x9e3779b97f4a7c15ULL);
    }
    total->sum.consumed += fed->consumed;
    total->sum.lines += fed->lines;
    total->sum.records += fed->records;
    total->sum.flows += fed->flows;
    total->sum.nodata += fed->nodata;
    total->sum.skipdata += fed->skipdata;
    total->sum.reject_count += fed->reject_count;
    total->sum.header |= fed->header;
}

/* Feed text[0..len) from a copy of its own, so that a read past its end is seen. */
static void feed_block(fs_parser *parser, const input *in, size_t from, size_t len, bool final,
                       outcome *total) {
    uint8_t *block = malloc(len ? len : 1);
    REQUIRE(block);
    memcpy(block, in->text + from, len);
    fs_times times = {.all = 1700000000, .has_all = in->head[4] & 1};
    fs_fed fed;
    REQUIRE(fs_parser_feed(parser, block, len, final, &times, &fed) == FS_OK);
    REQUIRE(fed.consumed <= len);
    REQUIRE(fed.header || !final || fed.consumed == len);
    add_block(parser, &fed, from, total);
    free(block);
}

static outcome parse(fs_parser *parser, const input *in, size_t split) {
    outcome total = {0};
    feed_block(parser, in, 0, split, split == in->len, &total);
    if (split < in->len && !total.sum.header)
        feed_block(parser, in, total.sum.consumed, in->len - total.sum.consumed, true, &total);
    return total;
}

static bool is_valid(const uint8_t *bits, int64_t row) {
    return bits == NULL || (bits[row >> 3] >> (row & 7) & 1);
}

static uint64_t text_hash(const struct ArrowArray *texts, int64_t i, uint64_t seed) {
    const int32_t *offsets = texts->buffers[1];
    REQUIRE(i >= 0 && i < texts->length);
    REQUIRE(offsets[0] == 0 && offsets[i] <= offsets[i + 1]);
    const uint8_t *p = (const uint8_t *)texts->buffers[2] + offsets[i];
    for (int32_t b = 0; b < offsets[i + 1] - offsets[i]; b++) {
        REQUIRE((p[b] >= 0x20 && p[b] < 0x7f) || p[b] == '\t'); /* a comma text's token may hold a tab */
        seed = (seed ^ p[b]) * 0x100000001b3ULL;
    }
    return seed;
}

static uint64_t value_hash(const struct ArrowArray *column, fs_type type, int64_t row, uint64_t h) {
    h = (h + 1) * 0x100000001b3ULL;
    if (!is_valid(column->buffers[0], row)) return h ^ 0x55;
    switch (type) {
    case FS_INT32:
        return fs_mix(h ^ (uint64_t)((const int32_t *)column->buffers[1])[row], 0xa0761d6478bd642fULL);
    case FS_INT64:
        return fs_mix(h ^ (uint64_t)((const int64_t *)column->buffers[1])[row], 0xa0761d6478bd642fULL);
    case FS_DICT:
        return text_hash(column->dictionary, ((const int32_t *)column->buffers[1])[row], h);
    default:
        return text_hash(column, row, h);
    }
}

/* Checksum of all values of a batch, which it consumes. */
static uint64_t drain_one(fs_batch *batch) {
    fs_type types[FS_MAX_FIELDS + 2];
    for (int c = 0; c < batch->n; c++) types[c] = batch->columns[c].type;
    struct ArrowArray *array = fs_export(batch);
    REQUIRE(array);
    uint64_t hash = 7;
    for (int64_t c = 0; c < array->n_children; c++)
        for (int64_t row = 0; row < array->length; row++)
            hash = value_hash(array->children[c], types[c], row, hash);
    array->release(array);
    free(array);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in;
    if (!read_input(data, size, &in)) return 0;
    fs_parser *whole = new_parser(&in, "plain"), *parts = new_parser(&in, "");
    size_t split = in.len ? (in.head[5] * 257u) % (in.len + 1) : 0;
    for (int round = 0; round < 2; round++) { /* the second one reuses memory */
        outcome a = parse(whole, &in, in.len), b = parse(parts, &in, split);
        REQUIRE(a.rejects == b.rejects);
        REQUIRE(memcmp(&a.sum, &b.sum, offsetof(fs_fed, header)) == 0);
        REQUIRE(a.sum.header == b.sum.header);
        REQUIRE((int64_t)whole->batch->rows == a.sum.flows);
        fs_batch *flows[2], *coverage[2];
        REQUIRE(fs_parser_drain(whole, &flows[0], &coverage[0]) == FS_OK);
        REQUIRE(fs_parser_drain(parts, &flows[1], &coverage[1]) == FS_OK);
        REQUIRE(drain_one(flows[0]) == drain_one(flows[1]));
        REQUIRE(drain_one(coverage[0]) == drain_one(coverage[1]));
    }
    fs_parser_free(whole);
    fs_parser_free(parts);
    free(whole);
    free(parts);
    return 0;
}
