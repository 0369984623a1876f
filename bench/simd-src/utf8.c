// prints: utf8 3a004f11 ok
//
// Tells well-formed UTF-8 from other bytes with three table look-ups per byte
// (the method of Keiser and Lemire), against a decoder that goes byte by byte.
#include "check.h"

enum { LENGTH = 1 << 16, SAMPLE = 512, CHANGES = 3000, ROUNDS = 2500 };

// With a block of zeros at the end, which shows a sequence that is cut there.
static uint8_t text[LENGTH + 16], sample[SAMPLE];

enum {
    SHORT = 1,       // a lead byte not followed by a continuation
    LONG = 2,        // a continuation after ASCII
    OVERLONG3 = 4,
    TOO_LARGE = 8,
    SURROGATE = 16,
    OVERLONG2 = 32,
    OVERLONG4 = 64,  // also more than U+10FFFF
    TWO = 128,       // two continuations, well if the byte before wants them
    CARRY = SHORT | LONG | TWO,
};

static inline v128_t by_nibble(v128_t table, v128_t nibbles) { return wasm_i8x16_swizzle(table, nibbles); }

static int well_formed(const uint8_t *bytes, size_t length) {
    const v128_t high = wasm_i8x16_make(LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, (int8_t)TWO, (int8_t)TWO,
        (int8_t)TWO, (int8_t)TWO, SHORT | OVERLONG2, SHORT, SHORT | OVERLONG3 | SURROGATE,
        SHORT | TOO_LARGE | OVERLONG4);
    const v128_t low = wasm_i8x16_make((int8_t)(CARRY | OVERLONG3 | OVERLONG2 | OVERLONG4), (int8_t)(CARRY | OVERLONG2),
        (int8_t)CARRY, (int8_t)CARRY, (int8_t)(CARRY | TOO_LARGE), (int8_t)(CARRY | TOO_LARGE | OVERLONG4),
        (int8_t)(CARRY | TOO_LARGE | OVERLONG4), (int8_t)(CARRY | TOO_LARGE | OVERLONG4),
        (int8_t)(CARRY | TOO_LARGE | OVERLONG4), (int8_t)(CARRY | TOO_LARGE | OVERLONG4),
        (int8_t)(CARRY | TOO_LARGE | OVERLONG4), (int8_t)(CARRY | TOO_LARGE | OVERLONG4),
        (int8_t)(CARRY | TOO_LARGE | OVERLONG4), (int8_t)(CARRY | TOO_LARGE | OVERLONG4 | SURROGATE),
        (int8_t)(CARRY | TOO_LARGE | OVERLONG4), (int8_t)(CARRY | TOO_LARGE | OVERLONG4));
    const v128_t second = wasm_i8x16_make(SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT,
        (int8_t)(LONG | OVERLONG2 | TWO | OVERLONG3 | OVERLONG4), (int8_t)(LONG | OVERLONG2 | TWO | OVERLONG3 | TOO_LARGE),
        (int8_t)(LONG | OVERLONG2 | TWO | SURROGATE | TOO_LARGE), (int8_t)(LONG | OVERLONG2 | TWO | SURROGATE | TOO_LARGE),
        SHORT, SHORT, SHORT, SHORT);
    const v128_t nibble = wasm_i8x16_splat(15), top = wasm_i8x16_splat((int8_t)0x80);
    v128_t before = wasm_i8x16_splat(0), errors = before;
    for (size_t i = 0; i < length; i += 16) {
        v128_t now = wasm_v128_load(bytes + i);
        v128_t one = wasm_i8x16_shuffle(before, now, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
        v128_t two = wasm_i8x16_shuffle(before, now, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
        v128_t three = wasm_i8x16_shuffle(before, now, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
        v128_t pairs = wasm_v128_and(wasm_v128_and(by_nibble(high, wasm_u8x16_shr(one, 4)), by_nibble(low, wasm_v128_and(one, nibble))),
                                     by_nibble(second, wasm_u8x16_shr(now, 4)));
        // Bytes two or three after a lead of three or four must be continuations.
        v128_t third = wasm_u8x16_sub_sat(two, wasm_i8x16_splat(0xe0 - 0x80));
        v128_t fourth = wasm_u8x16_sub_sat(three, wasm_i8x16_splat(0xf0 - 0x80));
        v128_t wanted = wasm_v128_and(wasm_v128_or(third, fourth), top);
        errors = wasm_v128_or(errors, wasm_v128_xor(pairs, wanted));
        before = now;
    }
    return !wasm_v128_any_true(errors);
}

static int well_formed_plainly(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        uint32_t first = bytes[i], more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : 4;
        if (more == 4) return 0;
        uint32_t code = more ? first & (0x3f >> more) : first;
        for (uint32_t k = 1; k <= more; k++) {
            if (i + k >= length || bytes[i + k] >> 6 != 2) return 0;
            code = code << 6 | (bytes[i + k] & 0x3f);
        }
        static const uint32_t LEAST[] = {0, 0x80, 0x800, 0x10000};
        if (code < LEAST[more] || code > 0x10ffff || code >> 11 == 0x1b) return 0;
        i += more + 1;
    }
    return 1;
}

static size_t append(size_t at, uint32_t code) {
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t LEAD[] = {0, 0xc0, 0xe0, 0xf0};
    text[at++] = LEAD[more] | code >> 6 * more;
    while (more--) text[at++] = 0x80 | (code >> 6 * more & 0x3f);
    return at;
}

int main(void) {
    size_t at = append(0, 'a');
    while (at + 4 <= LENGTH) {
        uint32_t bits = next_random(), code = next_random() >> (bits & 1 ? 25 : bits & 2 ? 21 : bits & 4 ? 16 : 12);
        if (code >> 11 != 0x1b && code <= 0x10ffff) at = append(at, code);
    }
    int agrees = well_formed(text, sizeof text) && well_formed_plainly(text, sizeof text);

    // The start of the text with one byte changed, ended by zeros.
    size_t end = SAMPLE - 16;
    while (text[end] >> 6 == 2) end--;
    memcpy(sample, text, end);
    uint32_t result = 0;
    for (int i = 0; i < CHANGES; i++) {
        size_t where = next_random() % end;
        sample[where] = next_random() >> 24;
        int verdict = well_formed(sample, SAMPLE);
        agrees &= verdict == well_formed_plainly(sample, SAMPLE);
        result += verdict;
        sample[where] = text[where];
    }

    for (int round = 0; round < ROUNDS; round++) {
        text[0] = 'a' + round % 26;
        result = result * 31 + well_formed(text, sizeof text);
    }
    return report("utf8", result, agrees);
}
