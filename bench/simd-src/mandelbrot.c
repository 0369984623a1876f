// prints: mandelbrot 79aae30d ok
//
// Counts the iterations until z * z + c leaves a circle, for four points at once.
#include "check.h"

enum { WIDTH = 512, HEIGHT = 512, LIMIT = 1000 };

static int32_t counts[HEIGHT][WIDTH], expected[HEIGHT][WIDTH];

static float real(int x) { return x * (3.0f / WIDTH) - 2.25f; }
static float imaginary(int y) { return y * (2.5f / HEIGHT) - 1.25f; }

static v128_t escape(v128_t cr, v128_t ci) {
    v128_t zr = wasm_f32x4_splat(0), zi = zr, count = wasm_i32x4_splat(0);
    v128_t four = wasm_f32x4_splat(4);
    for (int i = 0; i < LIMIT; i++) {
        v128_t rr = wasm_f32x4_mul(zr, zr), ii = wasm_f32x4_mul(zi, zi);
        v128_t inside = wasm_f32x4_le(wasm_f32x4_add(rr, ii), four);
        if (!wasm_v128_any_true(inside)) break;
        // A lane inside is -1.
        count = wasm_i32x4_sub(count, inside);
        v128_t ri = wasm_f32x4_mul(zr, zi);
        zi = wasm_f32x4_add(wasm_f32x4_add(ri, ri), ci);
        zr = wasm_f32x4_add(wasm_f32x4_sub(rr, ii), cr);
    }
    return count;
}

static int escape_plainly(float cr, float ci) {
    float zr = 0, zi = 0;
    for (int i = 0; i < LIMIT; i++) {
        float rr = zr * zr, ii = zi * zi;
        if (!(rr + ii <= 4)) return i;
        float ri = zr * zi;
        zi = ri + ri + ci;
        zr = rr - ii + cr;
    }
    return LIMIT;
}

int main(void) {
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x += 4) {
            v128_t cr = wasm_f32x4_make(real(x), real(x + 1), real(x + 2), real(x + 3));
            wasm_v128_store(&counts[y][x], escape(cr, wasm_f32x4_splat(imaginary(y))));
        }
    // One row of eight, which is enough to find a mistake and leaves the time to vectors.
    int agrees = 1;
    for (int y = 0; y < HEIGHT; y += 8) {
        for (int x = 0; x < WIDTH; x++) expected[y][x] = escape_plainly(real(x), imaginary(y));
        agrees &= !memcmp(expected[y], counts[y], sizeof counts[y]);
    }
    return report("mandelbrot", hash(counts, sizeof counts), agrees);
}
