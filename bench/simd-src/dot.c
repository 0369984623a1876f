// prints: dot 5797d909 ok
//
// Dot products of 16-bit integers and of floats, with two accumulators each.
#include "check.h"

enum { LENGTH = 1 << 14, ROUNDS = 10000 };

static int16_t a[LENGTH], b[LENGTH];
static float x[LENGTH], y[LENGTH];

static int32_t integers(void) {
    v128_t even = wasm_i32x4_splat(0), odd = even;
    for (int i = 0; i < LENGTH; i += 16) {
        even = wasm_i32x4_add(even, wasm_i32x4_dot_i16x8(wasm_v128_load(a + i), wasm_v128_load(b + i)));
        odd = wasm_i32x4_add(odd, wasm_i32x4_dot_i16x8(wasm_v128_load(a + i + 8), wasm_v128_load(b + i + 8)));
    }
    v128_t sum = wasm_i32x4_add(even, odd);
    return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
           wasm_i32x4_extract_lane(sum, 3);
}

static float floats(void) {
    v128_t even = wasm_f32x4_splat(0), odd = even;
    for (int i = 0; i < LENGTH; i += 8) {
        even = wasm_f32x4_add(even, wasm_f32x4_mul(wasm_v128_load(x + i), wasm_v128_load(y + i)));
        odd = wasm_f32x4_add(odd, wasm_f32x4_mul(wasm_v128_load(x + i + 4), wasm_v128_load(y + i + 4)));
    }
    v128_t sum = wasm_f32x4_add(even, odd);
    return wasm_f32x4_extract_lane(sum, 0) + wasm_f32x4_extract_lane(sum, 1) + wasm_f32x4_extract_lane(sum, 2) +
           wasm_f32x4_extract_lane(sum, 3);
}

int main(void) {
    for (int i = 0; i < LENGTH; i++) {
        a[i] = next_random() >> 24;
        b[i] = (int)(next_random() >> 24) - 128;
        // Multiples of 1/16: sums are exact in any order.
        x[i] = (next_random() >> 28) / 16.0f;
        y[i] = (next_random() >> 28) / 16.0f;
    }
    int agrees = 1;
    uint32_t result = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int32_t whole = integers();
        float broken = floats();
        if (round % 1000 == 0) {
            int32_t plain = 0;
            float plainly = 0;
            for (int i = 0; i < LENGTH; i++) {
                plain += a[i] * b[i];
                plainly += x[i] * y[i];
            }
            agrees &= whole == plain && broken == plainly;
        }
        result = result * 31 + whole + (int32_t)(broken * 256);
        a[round % LENGTH] ^= 1;
        x[round % LENGTH] = 1 - x[round % LENGTH];
    }
    return report("dot", result, agrees);
}
