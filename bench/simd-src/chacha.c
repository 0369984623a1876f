// prints: chacha 62ed3219 ok
//
// The ChaCha20 key stream, four blocks at a time with a word of each in a vector.
#include "check.h"

enum { BLOCKS = 4096, ROUNDS = 100 };

static uint32_t stream[BLOCKS * 16], expected[16];

static inline v128_t rotate(v128_t lanes, int by) {
    return wasm_v128_or(wasm_i32x4_shl(lanes, by), wasm_u32x4_shr(lanes, 32 - by));
}

static inline v128_t rotate_16(v128_t lanes) {
    return wasm_i8x16_shuffle(lanes, lanes, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

#define QUARTER(a, b, c, d)                                          \
    x[a] = wasm_i32x4_add(x[a], x[b]), x[d] = rotate_16(wasm_v128_xor(x[d], x[a]));  \
    x[c] = wasm_i32x4_add(x[c], x[d]), x[b] = rotate(wasm_v128_xor(x[b], x[c]), 12); \
    x[a] = wasm_i32x4_add(x[a], x[b]), x[d] = rotate(wasm_v128_xor(x[d], x[a]), 8);  \
    x[c] = wasm_i32x4_add(x[c], x[d]), x[b] = rotate(wasm_v128_xor(x[b], x[c]), 7)

static void four_blocks(const uint32_t key[16], uint32_t counter, uint32_t *out) {
    v128_t start[16], x[16];
    for (int i = 0; i < 16; i++) start[i] = wasm_i32x4_splat(key[i]);
    start[12] = wasm_i32x4_make(counter, counter + 1, counter + 2, counter + 3);
    memcpy(x, start, sizeof x);
    for (int i = 0; i < 10; i++) {
        QUARTER(0, 4, 8, 12);
        QUARTER(1, 5, 9, 13);
        QUARTER(2, 6, 10, 14);
        QUARTER(3, 7, 11, 15);
        QUARTER(0, 5, 10, 15);
        QUARTER(1, 6, 11, 12);
        QUARTER(2, 7, 8, 13);
        QUARTER(3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i += 4) {
        v128_t w[4];
        for (int k = 0; k < 4; k++) w[k] = wasm_i32x4_add(x[i + k], start[i + k]);
        // From a word of four blocks per vector to four words of a block.
        v128_t a = wasm_i32x4_shuffle(w[0], w[1], 0, 4, 1, 5), b = wasm_i32x4_shuffle(w[2], w[3], 0, 4, 1, 5);
        v128_t c = wasm_i32x4_shuffle(w[0], w[1], 2, 6, 3, 7), d = wasm_i32x4_shuffle(w[2], w[3], 2, 6, 3, 7);
        wasm_v128_store(out + i, wasm_i64x2_shuffle(a, b, 0, 2));
        wasm_v128_store(out + 16 + i, wasm_i64x2_shuffle(a, b, 1, 3));
        wasm_v128_store(out + 32 + i, wasm_i64x2_shuffle(c, d, 0, 2));
        wasm_v128_store(out + 48 + i, wasm_i64x2_shuffle(c, d, 1, 3));
    }
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    *a += *b, *d ^= *a, *d = *d << 16 | *d >> 16;
    *c += *d, *b ^= *c, *b = *b << 12 | *b >> 20;
    *a += *b, *d ^= *a, *d = *d << 8 | *d >> 24;
    *c += *d, *b ^= *c, *b = *b << 7 | *b >> 25;
}

static void block_plainly(const uint32_t key[16], uint32_t counter, uint32_t *out) {
    uint32_t start[16];
    memcpy(start, key, sizeof start);
    start[12] = counter;
    memcpy(out, start, sizeof start);
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 4; k++) quarter(out + k, out + 4 + k, out + 8 + k, out + 12 + k);
        for (int k = 0; k < 4; k++) quarter(out + k, out + 4 + (k + 1) % 4, out + 8 + (k + 2) % 4, out + 12 + (k + 3) % 4);
    }
    for (int i = 0; i < 16; i++) out[i] += start[i];
}

int main(void) {
    uint32_t key[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (int i = 4; i < 16; i++) key[i] = next_random();
    int agrees = 1;
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < BLOCKS; i += 4) four_blocks(key, i, stream + i * 16);
        for (uint32_t i = round; i < BLOCKS; i += 97) {
            block_plainly(key, i, expected);
            agrees &= !memcmp(expected, stream + i * 16, sizeof expected);
        }
        key[13] = stream[round];
    }
    return report("chacha", hash(stream, sizeof stream), agrees);
}
