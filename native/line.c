/* See line.h. The order of the checks is the meaning of a line: length, comment, printable,
 * header, number of tokens, then what a run checks. */
#include "line.h"

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

static bool is_letter(uint8_t c) { return (uint8_t)((c | 0x20) - 'a') <= 25; }

static bool is_name(const uint8_t *p, size_t len) {
    if (len == 0 || !is_letter(p[0])) return false;
    for (size_t i = 1; i < len; i++)
        if (!is_letter(p[i]) && !(p[i] >= '0' && p[i] <= '9') && p[i] != '_' && p[i] != '-')
            return false;
    return true;
}

bool fs_may_be_header(const uint8_t *base, const uint32_t *before, size_t tokens) {
    for (size_t c = 0; c < tokens; c++)
        if (!is_letter(base[before[c] + 1u])) return false;
    return true;
}

/* Cursor over the tokens of a stripped line. */
typedef struct {
    const uint8_t *base;
    size_t at, end;
    bool comma, more;
    size_t from, to; /* the token */
} cursor;

static cursor cursor_over(const uint8_t *base, size_t from, size_t end, bool comma) {
    cursor it = {base, from, end, comma, from < end, 0, 0};
    return it;
}

static bool next_token(cursor *it) {
    if (!it->more) return false;
    size_t i = it->at;
    if (!it->comma) {
        it->from = i;
        while (i < it->end && !is_blank(it->base[i])) i++;
        it->to = i;
        while (i < it->end && is_blank(it->base[i])) i++;
        it->at = i;
        it->more = i < it->end;
        return true;
    }
    const uint8_t *stop = memchr(it->base + i, ',', it->end - i);
    size_t to = stop ? (size_t)(stop - it->base) : it->end;
    it->more = stop != NULL;
    it->at = to + 1;
    while (i < to && is_blank(it->base[i])) i++;
    while (i < to && is_blank(it->base[to - 1])) to--;
    if (to - i > 1 && it->base[i] == '"' && it->base[to - 1] == '"') {
        i++;
        to--;
    }
    it->from = i;
    it->to = to;
    return true;
}

static bool is_printable(const uint8_t *p, size_t len) {
    bool odd = false;
    for (size_t i = 0; i < len; i++) odd |= (p[i] < 0x20 && p[i] != '\t') || p[i] > 0x7e;
    return !odd;
}

static bool is_header(const fs_plan *plan, cursor it) {
    size_t tokens = 0, known = 0;
    while (next_token(&it)) {
        if (!is_name(it.base + it.from, it.to - it.from)) return false;
        tokens++;
        known += fs_plan_knows(plan, it.base + it.from, it.to - it.from);
    }
    return tokens >= (plan->fields == 1 ? 1u : 2u) && 2 * known >= tokens;
}

static fs_line_result reject(fs_parser *parser, const fs_line *line, fs_fed *fed, uint16_t why) {
    fs_keep_reject(parser, fed, line->number, line->origin, why);
    return FS_LINE_DONE;
}

static fs_line_result record(fs_parser *parser, const fs_line *line, fs_fed *fed, cursor it) {
    size_t fields = (size_t)parser->plan.fields, count = 0;
    uint32_t *before = parser->tokens, *after = before + fields;
    for (; next_token(&it); count++) {
        if (count == fields) return reject(parser, line, fed, FS_TOO_MANY);
        before[count] = (uint32_t)it.from - 1u;
        after[count] = (uint32_t)it.to;
    }
    if (count < fields) return reject(parser, line, fed, FS_TOO_FEW);
    fs_run run = {line->base,   line->safe,   before, after,      fields, 1,
                  line->number, line->origin, true,   line->times};
    parser->failed = fs_run_parse(parser, &run, fed);
    return parser->failed ? FS_LINE_FAILED : FS_LINE_DONE;
}

fs_line_result fs_line_parse(fs_parser *parser, const fs_line *line, fs_fed *fed) {
    const uint8_t *base = line->base;
    size_t from = 0, end = line->len;
    if (end && base[end - 1] == '\r') end--;
    if (end > parser->plan.max_line) return reject(parser, line, fed, FS_TOO_LONG);
    while (from < end && is_blank(base[from])) from++;
    while (from < end && is_blank(base[end - 1])) end--;
    if (from == end || base[from] == '#') return FS_LINE_DONE;
    if (!is_printable(base + from, end - from))
        return reject(parser, line, fed, FS_NOT_PRINTABLE);
    cursor it = cursor_over(base, from, end, parser->plan.comma);
    if (is_letter(base[from]) || base[from] == '"') {
        if (is_header(&parser->plan, it)) {
            fed->header = true;
            fed->header_len = line->len;
            return FS_LINE_HEADER;
        }
    }
    return record(parser, line, fed, it);
}
