// prints: blend f08dfa31 ok
//
// Lays translucent pixels over others: each channel is over + under * (255 - alpha) / 255,
// four pixels at a time.
#include "check.h"

enum { PIXELS = 1 << 16, ROUNDS = 1000 };

static uint8_t under[PIXELS * 4], over[PIXELS * 4], blended[PIXELS * 4], expected[PIXELS * 4];

// Divides 16-bit lanes of at most 255 * 255 by 255, rounding.
static inline v128_t by_255(v128_t lanes) {
    v128_t rounded = wasm_i16x8_add(lanes, wasm_i16x8_splat(128));
    return wasm_u16x8_shr(wasm_i16x8_add(rounded, wasm_u16x8_shr(rounded, 8)), 8);
}

static void blend(void) {
    for (size_t at = 0; at < sizeof under; at += 16) {
        v128_t top = wasm_v128_load(over + at), bottom = wasm_v128_load(under + at);
        v128_t alpha = wasm_i8x16_shuffle(top, top, 3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15);
        v128_t rest = wasm_v128_not(alpha);
        v128_t low = by_255(wasm_u16x8_extmul_low_u8x16(bottom, rest));
        v128_t high = by_255(wasm_u16x8_extmul_high_u8x16(bottom, rest));
        wasm_v128_store(blended + at, wasm_u8x16_add_sat(top, wasm_u8x16_narrow_i16x8(low, high)));
    }
}

static void blend_plainly(void) {
    for (size_t at = 0; at < sizeof under; at++) {
        unsigned rest = 255 - over[at | 3];
        unsigned sum = over[at] + (under[at] * rest * 2 + 255) / 510;
        expected[at] = sum > 255 ? 255 : sum;
    }
}

int main(void) {
    fill_random(under, sizeof under);
    fill_random(over, sizeof over);
    blend_plainly();
    int agrees = 1;
    for (int round = 0; round < ROUNDS; round++) {
        blend();
        if (round == 0) agrees = !memcmp(blended, expected, sizeof expected);
        memcpy(under, blended, sizeof under);
        over[next_random() % sizeof over] ^= round;
    }
    return report("blend", hash(blended, sizeof blended), agrees);
}
