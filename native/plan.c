/* See plan.h. Header lines are rare, so known names are searched one after the other. */
#include "plan.h"

#include <stdlib.h>

void fs_plan_free(fs_plan *plan) {
    free(plan->field);
    free(plan->known);
    plan->field = NULL;
    plan->known = NULL;
}

static uint8_t folded(uint8_t c) {
    if (c >= 'A' && c <= 'Z') return (uint8_t)(c + 32);
    return c == '-' ? '_' : c;
}

bool fs_plan_knows(const fs_plan *plan, const uint8_t *p, size_t len) {
    const char *name = plan->known, *end = plan->known + plan->known_len;
    while (name < end) {
        size_t size = strlen(name), i = 0;
        if (size == len) {
            while (i < len && folded(p[i]) == (uint8_t)name[i]) i++;
            if (i == len) return true;
        }
        name += size + 1;
    }
    return false;
}
