// prints: matrix 1159a4cc ok
//
// Multiplies square matrices of floats, a block of 4 by 8 results in registers.
#include "check.h"

enum { SIZE = 192, ROUNDS = 60 };

static float a[SIZE][SIZE], b[SIZE][SIZE], product[SIZE][SIZE], expected[SIZE][SIZE];

static void multiply(void) {
    for (int row = 0; row < SIZE; row += 4)
        for (int column = 0; column < SIZE; column += 8) {
            v128_t sums[4][2];
            for (int i = 0; i < 4; i++) sums[i][0] = sums[i][1] = wasm_f32x4_splat(0);
            for (int k = 0; k < SIZE; k++) {
                v128_t left = wasm_v128_load(&b[k][column]), right = wasm_v128_load(&b[k][column + 4]);
#pragma clang loop unroll(full)
                for (int i = 0; i < 4; i++) {
                    v128_t factor = wasm_v128_load32_splat(&a[row + i][k]);
                    sums[i][0] = wasm_f32x4_add(sums[i][0], wasm_f32x4_mul(factor, left));
                    sums[i][1] = wasm_f32x4_add(sums[i][1], wasm_f32x4_mul(factor, right));
                }
            }
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) {
                wasm_v128_store(&product[row + i][column], sums[i][0]);
                wasm_v128_store(&product[row + i][column + 4], sums[i][1]);
            }
        }
}

static void multiply_plainly(void) {
    for (int row = 0; row < SIZE; row++)
        for (int column = 0; column < SIZE; column++) {
            float sum = 0;
            for (int k = 0; k < SIZE; k++) sum += a[row][k] * b[k][column];
            expected[row][column] = sum;
        }
}

int main(void) {
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = small_fraction() - 0.5f;
            b[i][j] = small_fraction() - 0.5f;
        }
    multiply_plainly();
    int agrees = 1;
    uint32_t result = 0;
    for (int round = 0; round < ROUNDS; round++) {
        multiply();
        if (round == 0) agrees = !memcmp(product, expected, sizeof expected);
        result = result * 31 + hash(product, sizeof product);
        b[round][round] += 1;
    }
    return report("matrix", result, agrees);
}
