// prints: base64 ca2610f0 ok
//
// Encodes bytes as base64 and decodes them again, twelve bytes to sixteen
// letters at a time.
#include "check.h"

enum { LENGTH = 48 * 1024, LETTERS = LENGTH / 3 * 4, ROUNDS = 800 };

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Loads and stores of a whole vector reach over the end.
static uint8_t bytes[LENGTH + 16], decoded[LENGTH + 16];
static char letters[LETTERS + 16], expected[LETTERS];

static inline v128_t select(v128_t letter, v128_t from, v128_t offset, v128_t otherwise) {
    return wasm_v128_bitselect(offset, otherwise, wasm_u8x16_ge(letter, from));
}

static void encode(void) {
    for (size_t i = 0, at = 0; i < LENGTH; i += 12, at += 16) {
        v128_t in = wasm_v128_load(bytes + i);
        // In each lane of 32 bits the three bytes, the first one highest.
        v128_t lanes = wasm_i8x16_shuffle(in, in, 2, 1, 0, 0, 5, 4, 3, 3, 8, 7, 6, 6, 11, 10, 9, 9);
        v128_t sixes = wasm_v128_or(
            wasm_v128_or(wasm_v128_and(wasm_u32x4_shr(lanes, 18), wasm_i32x4_splat(0x3f)),
                         wasm_v128_and(wasm_u32x4_shr(lanes, 4), wasm_i32x4_splat(0x3f00))),
            wasm_v128_or(wasm_v128_and(wasm_i32x4_shl(lanes, 10), wasm_i32x4_splat(0x3f0000)),
                         wasm_v128_and(wasm_i32x4_shl(lanes, 24), wasm_i32x4_splat(0x3f000000))));
        // What to add to a value, by the range it lies in.
        v128_t offset = wasm_i8x16_splat('A');
        offset = select(sixes, wasm_i8x16_splat(26), wasm_i8x16_splat('a' - 26), offset);
        offset = select(sixes, wasm_i8x16_splat(52), wasm_i8x16_splat('0' - 52), offset);
        offset = select(sixes, wasm_i8x16_splat(62), wasm_i8x16_splat('+' - 62), offset);
        offset = select(sixes, wasm_i8x16_splat(63), wasm_i8x16_splat('/' - 63), offset);
        wasm_v128_store(letters + at, wasm_i8x16_add(sixes, offset));
    }
}

static void decode(void) {
    for (size_t i = 0, at = 0; i < LETTERS; i += 16, at += 12) {
        v128_t in = wasm_v128_load(letters + i);
        v128_t offset = wasm_i8x16_splat(62 - '+');
        offset = select(in, wasm_i8x16_splat('/'), wasm_i8x16_splat(63 - '/'), offset);
        offset = select(in, wasm_i8x16_splat('0'), wasm_i8x16_splat(52 - '0'), offset);
        offset = select(in, wasm_i8x16_splat('A'), wasm_i8x16_splat(-'A'), offset);
        offset = select(in, wasm_i8x16_splat('a'), wasm_i8x16_splat(26 - 'a'), offset);
        v128_t sixes = wasm_i8x16_add(in, offset);
        v128_t lanes = wasm_v128_or(
            wasm_v128_or(wasm_i32x4_shl(wasm_v128_and(sixes, wasm_i32x4_splat(0x3f)), 18),
                         wasm_i32x4_shl(wasm_v128_and(sixes, wasm_i32x4_splat(0x3f00)), 4)),
            wasm_v128_or(wasm_u32x4_shr(wasm_v128_and(sixes, wasm_i32x4_splat(0x3f0000)), 10), wasm_u32x4_shr(sixes, 24)));
        wasm_v128_store(decoded + at, wasm_i8x16_shuffle(lanes, lanes, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 3, 3, 3));
    }
}

static void encode_plainly(void) {
    for (size_t i = 0, at = 0; i < LENGTH; i += 3, at += 4) {
        uint32_t lane = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
        for (int k = 0; k < 4; k++) expected[at + k] = ALPHABET[lane >> (18 - 6 * k) & 0x3f];
    }
}

int main(void) {
    fill_random(bytes, LENGTH);
    encode_plainly();
    encode();
    int agrees = !memcmp(letters, expected, LETTERS);
    for (int round = 0; round < ROUNDS; round++) {
        encode();
        decode();
        agrees &= !memcmp(decoded, bytes, LENGTH);
        bytes[next_random() % LENGTH] ^= round;
    }
    return report("base64", hash(letters, LETTERS), agrees);
}
