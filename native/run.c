/* Column passes over a run of regular lines.
 *
 * Each pass reads one token per line and writes one column, in a loop without other work, which
 * is what lets the processor overlap lines. Lines that turn out to be rejects or coverage are
 * flagged, and taken out of the columns and dictionaries again after the last pass.
 */
#include "run.h"

#include "decode.h"

typedef struct {
    fs_column *column;
    fs_dict *dict;
    const fs_field *field;
    int number;
} pass_target;

#define TOKEN(run, c, i)                                                      \
    size_t from = (run)->before[(i) * (run)->stride + (size_t)(c)] + 1u;      \
    size_t len = (run)->after[(i) * (run)->stride + (size_t)(c)] - from;      \
    const uint8_t *p = (run)->base + from

static bool allowed(fs_kind kind, const uint8_t *p, size_t len) {
    switch (kind) {
    case FS_ADDRESS:
        return fs_is_address(p, len);
    case FS_ACTION:
        return len == 6 && (memcmp(p, "ACCEPT", 6) == 0 || memcmp(p, "REJECT", 6) == 0);
    case FS_STATUS:
        return (len == 2 && memcmp(p, "OK", 2) == 0) || (len == 6 && memcmp(p, "NODATA", 6) == 0) ||
               (len == 8 && memcmp(p, "SKIPDATA", 8) == 0);
    default:
        return true;
    }
}

/* First sight of a token: validate it and give it an index. -1: not allowed, below: no room. */
static FS_NOINLINE int32_t first_sight(const pass_target *to, fs_key key, const uint8_t *p,
                                       size_t len) {
    if (!allowed(to->field->kind, p, len)) return -1;
    int32_t index = fs_dict_add(to->dict, to->column, key, p, len);
    return index >= 0 ? index : index - 1;
}

static FS_NOINLINE int set_null(fs_parser *parser, fs_column *column, size_t row) {
    if (fs_column_nullable(parser->batch, column)) return FS_NO_MEMORY;
    fs_set_valid(column, row, false);
    return FS_OK;
}

/* A token that its first slot does not hold: NULL, further along the probe sequence, or new.
 * Returns its index, FS_NULL_INDEX for NULL and for a bad one, or less for a failure. */
static FS_NOINLINE int32_t look_further(fs_parser *parser, const fs_run *run, const pass_target *to,
                                        size_t i, size_t *nulls) {
    TOKEN(run, to->number, i);
    if (len == 0 || (len == 1 && *p == '-')) {
        ++*nulls;
        int failed = set_null(parser, to->column, parser->batch->rows + i);
        return failed ? failed - 1 : FS_NULL_INDEX;
    }
    fs_key key = fs_key_of(p, len, p <= run->safe, to->dict->seed);
    int32_t index = fs_dict_find(to->dict, to->column, key, p, len);
    if (index >= 0) return index;
    index = first_sight(to, key, p, len);
    if (index == -1 && !parser->flags[i]) parser->flags[i] = (uint16_t)(to->number + 1);
    return index;
}

/* Keys and slots are computed for a number of lines ahead, so that the slots are on their way
 * from memory when they are compared. */
enum { AHEAD = 64 };

static FS_NOINLINE int pass_text(fs_parser *parser, const fs_run *run, const pass_target *to,
                                 size_t *nulls) {
    int32_t *out = (int32_t *)to->column->data + parser->batch->rows;
    const fs_dict *dict = to->dict;
    fs_key keys[AHEAD];
    uint32_t slots[AHEAD];
    for (size_t done = 0; done < run->lines; done += AHEAD) {
        size_t count = run->lines - done < AHEAD ? run->lines - done : AHEAD;
        size_t mask = dict->mask;
        for (size_t j = 0; j < count; j++) {
            TOKEN(run, to->number, done + j);
            keys[j] = fs_key_of(p, len, p <= run->safe, dict->seed);
            slots[j] = (uint32_t)(fs_key_hash(dict, keys[j]) & mask);
            __builtin_prefetch(&dict->slots[slots[j]]);
        }
        for (size_t j = 0; j < count; j++) {
            /* The table may have grown since; slots[j] lies in it nevertheless. */
            const fs_slot *slot = &dict->slots[slots[j]];
            int32_t index = slot->index;
            TOKEN(run, to->number, done + j);
            if (FS_UNLIKELY((slot->key.low ^ keys[j].low) | (slot->key.high ^ keys[j].high)) ||
                (keys[j].high >= FS_LONG && !fs_same_text(to->column, index, p, len)) ||
                FS_UNLIKELY(keys[j].high == 0)) {
                index = look_further(parser, run, to, done + j, nulls);
                if (FS_UNLIKELY(index < FS_NULL_INDEX)) return index + 1;
                if (index == FS_NULL_INDEX) index = 0;
            }
            out[done + j] = index;
        }
    }
    return FS_OK;
}

/* Milliseconds become seconds; what is too large even then is no time. */
#define MILLISECONDS 100000000000ULL

FS_INLINE int pass_integer(fs_parser *parser, const fs_run *run, const pass_target *to,
                           size_t *nulls, bool wide, bool time) {
    size_t row = parser->batch->rows;
    int32_t *narrow_out = (int32_t *)to->column->data + (wide ? 0 : row);
    int64_t *wide_out = (int64_t *)to->column->data + (wide ? row : 0);
    uint16_t *flags = parser->flags;
    uint64_t max = to->field->max;
    for (size_t i = 0; i < run->lines; i++) {
        TOKEN(run, to->number, i);
        uint64_t value = 0;
        if (FS_UNLIKELY(!fs_unsigned(p, len, p <= run->safe, max, &value))) {
            value = 0;
            if (len == 0 || (len == 1 && *p == '-')) {
                ++*nulls;
                if (set_null(parser, to->column, row + i)) return FS_NO_MEMORY;
            } else if (!flags[i]) {
                flags[i] = (uint16_t)(to->number + 1);
            }
        }
        if (time && FS_UNLIKELY(value >= MILLISECONDS)) {
            value /= 1000;
            if (value >= MILLISECONDS && !flags[i]) flags[i] = (uint16_t)(to->number + 1);
        }
        if (wide)
            wide_out[i] = (int64_t)value;
        else
            narrow_out[i] = (int32_t)value;
    }
    return FS_OK;
}

static FS_NOINLINE int pass_int32(fs_parser *parser, const fs_run *run, const pass_target *to, size_t *nulls) {
    return pass_integer(parser, run, to, nulls, false, false);
}

static FS_NOINLINE int pass_int64(fs_parser *parser, const fs_run *run, const pass_target *to, size_t *nulls) {
    return pass_integer(parser, run, to, nulls, true, false);
}

static FS_NOINLINE int pass_time(fs_parser *parser, const fs_run *run, const pass_target *to, size_t *nulls) {
    return pass_integer(parser, run, to, nulls, true, true);
}

static int one_pass(fs_parser *parser, const fs_run *run, int c, size_t *nulls) {
    pass_target to = {&parser->batch->columns[c], &parser->dicts[c], &parser->plan.field[c], c};
    switch (to.field->kind) {
    case FS_INTEGER:
        return to.field->type == FS_INT32 ? pass_int32(parser, run, &to, nulls)
                                          : pass_int64(parser, run, &to, nulls);
    case FS_TIME:
        return pass_time(parser, run, &to, nulls);
    default:
        return pass_text(parser, run, &to, nulls);
    }
}

/* Time of line i from outside the record. */
static bool outer_time(const fs_run *run, size_t i, int64_t *time) {
    const fs_times *times = run->times;
    size_t line = (size_t)run->first + i;
    if (!times->each) {
        *time = times->all;
        return times->has_all;
    }
    *time = line < times->each_count ? times->each[line] : -1;
    return *time >= 0;
}

/* Fill in times that the lines lack: start from end, end from start, both from outside. */
static void fill_times(fs_parser *parser, const fs_run *run) {
    const fs_plan *plan = &parser->plan;
    fs_column *first = &parser->batch->columns[plan->start];
    fs_column *last = &parser->batch->columns[plan->end];
    size_t row = parser->batch->rows;
    int64_t *starts = (int64_t *)first->data + row, *ends = (int64_t *)last->data + row;
    bool no_start = plan->start >= plan->fields, no_end = plan->end >= plan->fields;
    for (size_t i = 0; i < run->lines; i++) {
        bool lacks_start = no_start || !fs_get_valid(first, row + i);
        bool lacks_end = no_end || !fs_get_valid(last, row + i);
        if (lacks_start && lacks_end) {
            if (!outer_time(run, i, &starts[i])) {
                starts[i] = 0;
                if (!parser->flags[i]) parser->flags[i] = FS_NO_TIME;
            }
            ends[i] = starts[i];
        } else if (lacks_start) {
            starts[i] = ends[i];
        } else if (lacks_end) {
            ends[i] = starts[i];
        }
        if (lacks_start && !no_start) fs_set_valid(first, row + i, true);
        if (lacks_end && !no_end) fs_set_valid(last, row + i, true);
    }
}

/* Flag lines that end before they start; true when a line of the run is flagged. */
static FS_NOINLINE bool check_order(fs_parser *parser, const fs_run *run) {
    size_t row = parser->batch->rows;
    const int64_t *starts = (int64_t *)parser->batch->columns[parser->plan.start].data + row;
    const int64_t *ends = (int64_t *)parser->batch->columns[parser->plan.end].data + row;
    unsigned flagged = 0;
    for (size_t i = 0; i < run->lines; i++) {
        if (FS_UNLIKELY(ends[i] < starts[i]) && !parser->flags[i]) parser->flags[i] = FS_REVERSED;
        flagged |= parser->flags[i];
    }
    return flagged != 0;
}

/* Flag coverage lines by their status. */
static FS_NOINLINE bool flag_status(fs_parser *parser, const fs_run *run) {
    bool flagged = false;
    for (size_t i = 0; i < run->lines; i++) {
        TOKEN(run, parser->plan.status, i);
        if (parser->flags[i] || len < 6) continue;
        parser->flags[i] = *p == 'N' ? FS_NODATA : FS_SKIPDATA;
        flagged = true;
    }
    return flagged;
}

/* Without a status, a line without any traffic is coverage. */
static bool flag_idle(fs_parser *parser, const fs_run *run) {
    const fs_plan *plan = &parser->plan;
    bool flagged = false;
    for (size_t i = 0; i < run->lines; i++) {
        bool idle = true;
        for (int t = 0; t < plan->traffic_count && idle; t++)
            idle = !fs_get_valid(&parser->batch->columns[plan->traffic[t]], parser->batch->rows + i);
        if (idle && !parser->flags[i]) {
            parser->flags[i] = FS_NODATA;
            flagged = true;
        }
    }
    return flagged;
}

static int add_coverage(fs_parser *parser, const fs_run *run, size_t i) {
    const fs_plan *plan = &parser->plan;
    fs_batch *to = parser->coverage;
    size_t row = to->rows, from_row = parser->batch->rows + i;
    if (fs_batch_reserve(to, row + 1)) return FS_NO_MEMORY;
    for (int t = 0; t < FS_COVERAGE_TEXTS; t++) {
        int failed = FS_OK;
        int c = plan->coverage[t];
        bool null = c < 0;
        if (!null) {
            TOKEN(run, c, i);
            null = len == 0 || (len == 1 && *p == '-');
            if (!null) failed = fs_column_append(&to->columns[t], p, len);
        }
        if (null) {
            failed = fs_column_append(&to->columns[t], (const uint8_t *)"", 0);
            if (!failed) failed = fs_column_nullable(to, &to->columns[t]);
            if (!failed) fs_set_valid(&to->columns[t], row, false);
        }
        if (failed) return failed;
    }
    for (int t = 0; t < 2; t++) {
        const fs_column *time = &parser->batch->columns[t ? plan->end : plan->start];
        ((int64_t *)to->columns[FS_COVERAGE_TEXTS + t].data)[row] =
            ((const int64_t *)time->data)[from_row];
    }
    bool nodata = parser->flags[i] == FS_NODATA;
    int failed = fs_column_append(&to->columns[FS_COVERAGE_COLUMNS - 1],
                                  (const uint8_t *)(nodata ? "NODATA" : "SKIPDATA"), nodata ? 6 : 8);
    if (!failed) to->rows++;
    return failed;
}

void fs_keep_reject(fs_parser *parser, fs_fed *fed, int64_t line, size_t offset,
                    uint16_t reason) {
    fed->records++;
    if (fed->reject_count == FS_KEPT_REJECTS) return;
    fs_reject *kept = &parser->rejects[fed->reject_count++];
    kept->line = line;
    kept->offset = offset;
    kept->reason = reason;
}

/* Move the rows of unflagged lines together. */
static FS_NOINLINE void compact(fs_parser *parser, const fs_run *run, fs_column *column) {
    size_t row = parser->batch->rows, to = row;
    bool wide = column->type == FS_INT64;
    for (size_t i = 0; i < run->lines; i++) {
        if (parser->flags[i]) continue;
        if (wide)
            ((int64_t *)column->data)[to] = ((int64_t *)column->data)[row + i];
        else
            ((int32_t *)column->data)[to] = ((int32_t *)column->data)[row + i];
        if (column->valid) fs_set_valid(column, to, fs_get_valid(column, row + i));
        to++;
    }
    if (!column->valid) return;
    for (; to < row + run->lines; to++) fs_set_valid(column, to, true);
}

/* A flagged line may have brought new values into a dictionary: take back the run's and enter
 * those of its good lines again (their data is already moved together). */
static int renew_values(fs_parser *parser, const fs_run *run, int c) {
    pass_target to = {&parser->batch->columns[c], &parser->dicts[c], &parser->plan.field[c], c};
    fs_dict_truncate(to.dict, to.column, parser->before[c]);
    size_t row = parser->batch->rows;
    for (size_t i = 0; i < run->lines; i++) {
        if (parser->flags[i]) continue;
        size_t at = row++;
        if (!fs_get_valid(to.column, at)) continue;
        TOKEN(run, c, i);
        fs_key key = fs_key_of(p, len, p <= run->safe, to.dict->seed);
        int32_t index = fs_dict_find(to.dict, to.column, key, p, len);
        if (index < 0) index = fs_dict_add(to.dict, to.column, key, p, len);
        if (index < 0) return index;
        ((int32_t *)to.column->data)[at] = index;
    }
    return FS_OK;
}

/* Take flagged lines out of the columns, into rejects and coverage. */
static FS_NOINLINE int set_aside(fs_parser *parser, const fs_run *run, fs_fed *fed) {
    const fs_plan *plan = &parser->plan;
    size_t good = 0;
    for (size_t i = 0; i < run->lines; i++) {
        uint16_t flag = parser->flags[i];
        if (!flag) {
            good++;
        } else if (flag >= FS_NODATA) {
            int failed = add_coverage(parser, run, i);
            if (failed) return failed;
            fed->records++;
            *(flag == FS_NODATA ? &fed->nodata : &fed->skipdata) += 1;
        } else {
            size_t from = run->irregular ? 0 : run->before[i * run->stride] + 1u;
            fs_keep_reject(parser, fed, run->first + (int64_t)i, run->origin + from, flag);
        }
    }
    for (int c = 0; c < plan->columns; c++) {
        fs_column *column = &parser->batch->columns[c];
        compact(parser, run, column);
        if (column->type == FS_DICT && column->count > parser->before[c]) {
            int failed = renew_values(parser, run, c);
            if (failed) return failed;
        }
    }
    fed->records += (int64_t)good;
    fed->flows += (int64_t)good;
    parser->batch->rows += good;
    return FS_OK;
}

int fs_run_parse(fs_parser *parser, const fs_run *run, fs_fed *fed) {
    const fs_plan *plan = &parser->plan;
    fs_batch *batch = parser->batch;
    if (fs_batch_reserve(batch, batch->rows + run->lines)) return FS_NO_MEMORY;
    memset(parser->flags, 0, sizeof *parser->flags * run->lines);
    size_t idle_nulls = 0, time_nulls = 0;
    for (int c = 0; c < plan->fields; c++) {
        parser->before[c] = batch->columns[c].count;
        size_t nulls = 0;
        int failed = one_pass(parser, run, c, &nulls);
        if (failed) return failed;
        if (c == plan->start || c == plan->end) time_nulls += nulls;
        for (int t = 0; t < plan->traffic_count; t++)
            if (c == plan->traffic[t] && nulls) idle_nulls++;
    }
    if (time_nulls || plan->columns > plan->fields) fill_times(parser, run);
    bool flagged = check_order(parser, run);
    if (plan->status >= 0) {
        /* Other runs are made of lines whose status is no coverage. */
        if (run->irregular) flagged |= flag_status(parser, run);
    } else if (plan->traffic_count && idle_nulls == (size_t)plan->traffic_count) {
        flagged |= flag_idle(parser, run);
    }
    if (FS_UNLIKELY(flagged)) return set_aside(parser, run, fed);
    fed->records += (int64_t)run->lines;
    fed->flows += (int64_t)run->lines;
    batch->rows += run->lines;
    return FS_OK;
}
