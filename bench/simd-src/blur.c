// prints: blur 373fb22a ok
//
// Blurs a grey image with the weights 1 4 6 4 1, along rows and then columns,
// in 16-bit lanes.
#include "check.h"

enum { WIDTH = 512, HEIGHT = 512, ROUNDS = 250 };

static uint8_t image[HEIGHT][WIDTH], between[HEIGHT][WIDTH], blurred[HEIGHT][WIDTH];
static uint8_t expected[HEIGHT][WIDTH];

static inline v128_t wide(const uint8_t *at) { return wasm_u16x8_load8x8(at); }

static inline v128_t weigh(v128_t a, v128_t b, v128_t c, v128_t d, v128_t e) {
    v128_t outer = wasm_i16x8_add(a, e);
    v128_t inner = wasm_i16x8_shl(wasm_i16x8_add(b, d), 2);
    v128_t middle = wasm_i16x8_mul(c, wasm_i16x8_splat(6));
    v128_t sum = wasm_i16x8_add(wasm_i16x8_add(outer, inner), middle);
    return wasm_u16x8_shr(wasm_i16x8_add(sum, wasm_i16x8_splat(8)), 4);
}

static inline void store_narrow(uint8_t *at, v128_t lanes) {
    wasm_v128_store64_lane(at, wasm_u8x16_narrow_i16x8(lanes, lanes), 0);
}

static void blur(void) {
    memcpy(between, image, sizeof image);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 2; x + 10 <= WIDTH; x += 8) {
            const uint8_t *at = &image[y][x];
            store_narrow(&between[y][x], weigh(wide(at - 2), wide(at - 1), wide(at), wide(at + 1), wide(at + 2)));
        }
    memcpy(blurred, between, sizeof image);
    for (int y = 2; y + 2 < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x += 8)
            store_narrow(&blurred[y][x], weigh(wide(&between[y - 2][x]), wide(&between[y - 1][x]), wide(&between[y][x]),
                                               wide(&between[y + 1][x]), wide(&between[y + 2][x])));
}

static int weighed(int a, int b, int c, int d, int e) { return (a + 4 * b + 6 * c + 4 * d + e + 8) >> 4; }

static void blur_plainly(void) {
    memcpy(between, image, sizeof image);
    int end = 2 + (WIDTH - 4) / 8 * 8;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 2; x < end; x++) {
            const uint8_t *at = &image[y][x];
            between[y][x] = weighed(at[-2], at[-1], at[0], at[1], at[2]);
        }
    memcpy(expected, between, sizeof image);
    for (int y = 2; y + 2 < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            expected[y][x] = weighed(between[y - 2][x], between[y - 1][x], between[y][x], between[y + 1][x], between[y + 2][x]);
}

int main(void) {
    fill_random(image, sizeof image);
    int agrees = 1;
    for (int round = 0; round < ROUNDS; round++) {
        if (round == 0) blur_plainly();
        blur();
        if (round == 0) agrees = !memcmp(blurred, expected, sizeof expected);
        memcpy(image, blurred, sizeof image);
    }
    return report("blur", hash(blurred, sizeof blurred), agrees);
}
