/* Address validation. It runs once per distinct text of a batch, so it is written for clarity. */
#include "decode.h"

bool fs_is_ipv4(const uint8_t *p, size_t len) {
    if (len < 7 || len > 15) return false;
    unsigned octets = 0, digits = 0, value = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i == len || p[i] == '.') {
            if (digits == 0 || value > 255) return false;
            octets++;
            digits = value = 0;
        } else if (p[i] >= '0' && p[i] <= '9') {
            if (digits == 3 || (digits > 0 && value == 0)) return false;
            value = value * 10 + (p[i] - '0');
            digits++;
        } else {
            return false;
        }
    }
    return octets == 4;
}

static bool is_hex(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool fs_is_ipv6(const uint8_t *p, size_t len) {
    /* The longest text has 7 groups of 4 and a dotted quad: 45 characters. */
    if (len < 2 || len > 45) return false;
    unsigned groups = 0;
    bool compressed = false;
    size_t i = 0;
    if (p[0] == ':') {
        if (p[1] != ':') return false;
        compressed = true;
        i = 2;
        if (i == len) return true;
    }
    for (;;) {
        size_t start = i;
        while (i < len && is_hex(p[i])) i++;
        if (i < len && p[i] == '.') {
            if (!fs_is_ipv4(p + start, len - start)) return false;
            groups += 2;
            break;
        }
        if (i == start || i - start > 4) return false;
        groups++;
        if (i == len) break;
        if (p[i] != ':') return false;
        i++;
        if (i == len) return false; /* a single colon ends it */
        if (p[i] == ':') {
            if (compressed) return false;
            compressed = true;
            i++;
            if (i == len) break;
        }
    }
    return compressed ? groups <= 7 : groups == 8;
}

bool fs_is_address(const uint8_t *p, size_t len) {
    return fs_is_ipv4(p, len) || fs_is_ipv6(p, len);
}
