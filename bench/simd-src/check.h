// What the programs share: inputs that are the same everywhere, and the report.
//
// Each program computes with vector intrinsics and once more with plain loops,
// and prints its name, a hash of the result and whether both agree. The first
// line of its source is the line it has to print.
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wasm_simd128.h>

static uint32_t seed = 2463534242u;

// Marsaglia's xorshift.
static inline uint32_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static inline void fill_random(void *bytes, size_t length) {
    uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) at[i] = next_random() >> 24;
}

// Between 0 and 1, with few enough bits that sums of products stay exact for long.
static inline float small_fraction(void) { return (next_random() >> 24) / 256.0f; }

// FNV-1a.
static inline uint32_t hash(const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint32_t result = 2166136261u;
    for (size_t i = 0; i < length; i++) result = (result ^ at[i]) * 16777619u;
    return result;
}

static inline int report(const char *name, uint32_t result, int agrees) {
    printf("%s %08x %s\n", name, (unsigned)result, agrees ? "ok" : "WRONG");
    return !agrees;
}

#endif
