/* Runs the fuzz target without libFuzzer: each file as it is, then with bytes changed at random.
 *
 *   replay ROUNDS FILE...
 *
 * For machines that the fuzzer is not built for, such as an emulated one. The changes are the
 * same in every run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 1 << 16, CHANGES = 8 };

static uint64_t state = 88172645463325252ULL;

static uint64_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

int main(int argc, char **argv) {
    static uint8_t original[LARGEST], changed[LARGEST];
    static const uint8_t likely[] = " \n\r\t,-\"0192\x7f\x80\xff";
    if (argc < 3) return 2;
    long rounds = atol(argv[1]), runs = 0;
    for (int f = 2; f < argc; f++) {
        FILE *file = fopen(argv[f], "rb");
        if (!file) return perror(argv[f]), 2;
        size_t size = fread(original, 1, sizeof original, file);
        fclose(file);
        for (long round = 0; round <= rounds; round++, runs++) {
            memcpy(changed, original, size);
            for (uint64_t n = round ? next_random() % CHANGES : 0; n && size; n--)
                changed[next_random() % size] = likely[next_random() % (sizeof likely - 1)];
            LLVMFuzzerTestOneInput(changed, size);
        }
    }
    printf("%ld texts in %d files, all agree\n", runs, argc - 2);
    return 0;
}
