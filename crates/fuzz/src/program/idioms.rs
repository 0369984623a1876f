//! Expressions that compilers know by their form, and some that are almost one of them:
//! products of 128 bits out of parts, rotations and byte swaps out of shifts, divisions by
//! constants, bits and ranges that are known, counts of bits, carries and borrows.

use super::body::Body;
use super::code::*;
use crate::ops;
use crate::ty::Ty;
use wasm_encoder::Encode;
use zwasm_regir::opcodes::Opcode;

/// What is divided by: powers of two and their neighbours, numbers whose inverse is long,
/// the ends.
const DIVISORS: [i64; 22] = [
    1,
    2,
    3,
    5,
    6,
    7,
    9,
    10,
    11,
    25,
    60,
    100,
    641,
    1000,
    1024,
    4096,
    65537,
    1_000_000,
    0x7fff_ffff,
    -1,
    -2,
    -7,
];

/// Code of integers of one type.
struct Int {
    is_64: bool,
}

impl Int {
    fn constant(&self, value: i64) -> Vec<u8> {
        let mut bytes = vec![if self.is_64 { I64_CONST } else { I32_CONST }];
        if self.is_64 {
            value.encode(&mut bytes)
        } else {
            (value as i32).encode(&mut bytes)
        }
        bytes
    }

    /// An operator by its name for 32 bits; those for 64 are in the same order.
    fn op(&self, op: u8, left: &[u8], right: &[u8]) -> Vec<u8> {
        let op = if self.is_64 { op - I32_ADD + I64_ADD } else { op };
        [left, right, &[op]].concat()
    }

    fn by(&self, op: u8, left: &[u8], right: i64) -> Vec<u8> {
        self.op(op, left, &self.constant(right))
    }

    fn bits(&self) -> i64 {
        if self.is_64 { 64 } else { 32 }
    }

    fn ty(&self) -> Ty {
        if self.is_64 { Ty::I64 } else { Ty::I32 }
    }
}

impl Body<'_> {
    /// The code that `make` writes, which is not written yet.
    pub fn recorded(&mut self, make: impl FnOnce(&mut Self)) -> Vec<u8> {
        let before = std::mem::take(&mut self.code.0);
        let simple = std::mem::replace(&mut self.simple, true);
        make(self);
        self.simple = simple;
        std::mem::replace(&mut self.code.0, before)
    }

    /// Code of a value that can stand anywhere, and again.
    pub fn recorded_value(&mut self, ty: Ty, depth: u32) -> Vec<u8> {
        self.recorded(|body| body.value(ty, depth))
    }

    /// Mostly a local, for an operand that is used again.
    fn operand(&mut self, int: &Int) -> Vec<u8> {
        let depth = self.rng.below(2) as u32;
        self.recorded_value(int.ty(), depth)
    }

    /// A value that compilers may know by its form.
    pub fn idiom(&mut self, ty: Ty) {
        let int = match ty {
            Ty::I32 => Int { is_64: false },
            Ty::I64 => Int { is_64: true },
            _ => return self.value(ty, 1),
        };
        let bytes = match self.rng.below(9) {
            0 | 1 => self.rotation(&int),
            2 => self.swapped_bytes(&int),
            3 | 4 => self.divided(&int),
            5 => self.counted_bits(&int),
            6 if int.is_64 => self.product(),
            7 => self.carried(&int),
            _ => self.known(&int),
        };
        self.code.0.extend(bytes);
    }

    /// A number, at times one beside it.
    fn about(&mut self, number: i64) -> i64 {
        if self.once_in(6) { number.wrapping_add(self.rng.below(3) as i64 - 1) } else { number }
    }

    /// A sum or difference with the answer of a comparison, mostly a carry or borrow.
    fn carried(&mut self, int: &Int) -> Vec<u8> {
        let (a, b) = (self.operand(int), self.operand(int));
        let (join, other) = if self.once_in(2) { (I32_ADD, I32_SUB) } else { (I32_SUB, I32_ADD) };
        let (compared, with) = match self.rng.below(3) {
            0 => (int.op(I32_ADD, &a, &b), a.clone()),
            1 => (a.clone(), b.clone()),
            _ => (a.clone(), int.constant(self.rng.below(3) as i64 - 1)),
        };
        let compare = if int.is_64 { I64_EQZ + 1 } else { I32_EQZ + 1 };
        let compare = compare + self.rng.below(10) as u8;
        let mut answer = [&compared[..], &with, &[compare]].concat();
        if int.is_64 {
            answer.push(I64_EXTEND_I32_U);
        }
        let sum = match self.rng.below(3) {
            0 => int.op(join, &b, &a),
            1 => int.op(other, &b, &a),
            _ => b,
        };
        if self.once_in(3) { int.op(join, &answer, &sum) } else { int.op(join, &sum, &answer) }
    }

    /// Two shifts whose results are put together.
    fn rotation(&mut self, int: &Int) -> Vec<u8> {
        let value = self.operand(int);
        let (left, right) = if self.once_in(2) {
            let by = 1 + self.rng.below(int.bits() as usize - 1) as i64;
            let other = self.about(int.bits() - by);
            (int.constant(by), int.constant(other))
        } else {
            let by = self.operand(int);
            let other = match self.rng.below(3) {
                0 => int.op(I32_SUB, &int.constant(0), &by),
                1 => int.op(I32_SUB, &int.constant(int.bits()), &by),
                _ => {
                    let mask = self.about(int.bits() - 1);
                    int.by(I32_AND, &int.op(I32_SUB, &int.constant(0), &by), mask)
                }
            };
            let mask = self.about(int.bits() - 1);
            let by = if self.once_in(2) { int.by(I32_AND, &by, mask) } else { by };
            (by, other)
        };
        let (one, two) = if self.once_in(2) { (left, right) } else { (right, left) };
        let high = int.op(I32_SHL, &value, &one);
        let low = int.op(I32_SHR_U, &value, &two);
        let join = [I32_OR, I32_OR, I32_ADD, I32_XOR][self.rng.below(4)];
        if self.once_in(2) { int.op(join, &high, &low) } else { int.op(join, &low, &high) }
    }

    /// Each byte masked and moved to the other end.
    fn swapped_bytes(&mut self, int: &Int) -> Vec<u8> {
        let value = self.operand(int);
        let bytes = int.bits() / 8;
        let mut all: Option<Vec<u8>> = None;
        for byte in 0..bytes {
            let by = (bytes - 1 - 2 * byte) * 8;
            let mask = 0xffi64 << (8 * byte);
            let mask = if self.once_in(40) { mask >> 1 } else { mask };
            let shift = |value: &[u8], by: i64| match by {
                0.. => int.by(I32_SHL, value, by),
                _ => int.by(I32_SHR_U, value, -by),
            };
            // The outermost bytes need no mask.
            let part = match byte {
                _ if byte == 0 || byte == bytes - 1 => shift(&value, by),
                _ if self.once_in(2) => shift(&int.by(I32_AND, &value, mask), by),
                _ => {
                    let mask = 0xffi64 << (8 * (bytes - 1 - byte));
                    int.by(I32_AND, &shift(&value, by), mask)
                }
            };
            all = Some(match all {
                Some(all) => int.op(I32_OR, &all, &part),
                None => part,
            });
        }
        all.unwrap_or_default()
    }

    /// A quotient or a rest, or what is made of both.
    fn divided(&mut self, int: &Int) -> Vec<u8> {
        let value = self.operand(int);
        let divisor = match self.rng.below(8) {
            0 => 1i64 << self.rng.below(int.bits() as usize),
            1 => i64::MIN >> (64 - int.bits()),
            2 => self.rng.bits() as i64 | 1,
            _ => DIVISORS[self.rng.below(DIVISORS.len())],
        };
        let op = I32_DIV_S + self.rng.below(4) as u8;
        let one = int.by(op, &value, divisor);
        match self.rng.below(4) {
            0 => {
                let two = int.by(I32_DIV_S + self.rng.below(4) as u8, &value, divisor);
                int.op(I32_XOR, &one, &two)
            }
            // The rest by hand.
            1 => int.op(I32_SUB, &value, &int.by(I32_MUL, &one, divisor)),
            _ => one,
        }
    }

    /// Bits counted in pairs, fours and bytes.
    fn counted_bits(&mut self, int: &Int) -> Vec<u8> {
        let value = self.operand(int);
        let mask = |byte: i64| i64::from_ne_bytes([byte as u8; 8]) >> (64 - int.bits());
        let half = int.by(I32_AND, &int.by(I32_SHR_U, &value, 1), mask(0x55));
        let pairs = int.op(I32_SUB, &value, &half);
        let upper = int.by(I32_AND, &int.by(I32_SHR_U, &pairs, 2), mask(0x33));
        let fours = int.op(I32_ADD, &int.by(I32_AND, &pairs, mask(0x33)), &upper);
        if self.once_in(2) {
            return fours;
        }
        let folded = int.op(I32_ADD, &fours, &int.by(I32_SHR_U, &fours, 4));
        let bytes = int.by(I32_AND, &folded, mask(0x0f));
        int.by(I32_SHR_U, &int.by(I32_MUL, &bytes, mask(0x01)), int.bits() - 8)
    }

    /// The upper half of a product of two words, out of four of their halves.
    fn product(&mut self) -> Vec<u8> {
        let int = Int { is_64: true };
        let (a, b) = (self.operand(&int), self.operand(&int));
        let mask = if self.once_in(8) { 0x7fff_ffff } else { 0xffff_ffff };
        let low = |value: &[u8]| int.by(I32_AND, value, mask);
        let by = self.about(32);
        let high = |value: &[u8]| int.by(I32_SHR_U, value, by);
        let times = |one: &[u8], two: &[u8]| int.op(I32_MUL, one, two);
        let plus = |one: &[u8], two: &[u8]| int.op(I32_ADD, one, two);
        let lows = times(&low(&a), &low(&b));
        let middle = plus(&times(&high(&a), &low(&b)), &high(&lows));
        let other = plus(&times(&low(&a), &high(&b)), &low(&middle));
        let upper = plus(&plus(&times(&high(&a), &high(&b)), &high(&middle)), &high(&other));
        if self.once_in(2) {
            return upper;
        }
        // Both halves.
        let lower = if self.once_in(2) {
            times(&a, &b)
        } else {
            int.op(I32_OR, &int.by(I32_SHL, &other, 32), &low(&lows))
        };
        int.op(I32_XOR, &upper, &lower)
    }

    /// Something of which bits or the range are known: what can be left out, and what can
    /// not quite.
    fn known(&mut self, int: &Int) -> Vec<u8> {
        let value = self.operand(int);
        let bits = 1 + self.rng.below(int.bits() as usize - 1) as i64;
        let mask = ((1u64 << bits) - 1) as i64;
        let small = int.by(I32_AND, &value, mask);
        let bound = self.about(mask);
        match self.rng.below(8) {
            0 => int.by(I32_AND, &int.by(I32_OR, &small, mask), self.about(mask)),
            1 => int.by(I32_SHR_U, &int.by(I32_SHL, &value, bits), self.about(bits)),
            2 => int.by(I32_SHL, &int.by(I32_SHR_U, &value, bits), self.about(bits)),
            3 => int.by(I32_AND, &int.by(I32_SHR_U, &value, int.bits() - bits), bound),
            4 => int.by(I32_SHL, &value, int.bits() + self.rng.below(4) as i64 - 1),
            5 => int.op(I32_SUB, &int.op(I32_ADD, &value, &small), &value),
            6 => int.op(I32_XOR, &int.op(I32_XOR, &value, &small), &value),
            // A comparison with what it cannot exceed, as a number.
            _ => {
                let compare = if int.is_64 { I64_EQZ + 1 } else { I32_EQZ + 1 };
                let compare = compare + self.rng.below(10) as u8;
                let answer = [&small[..], &int.constant(bound), &[compare]].concat();
                if int.is_64 { [&answer[..], &[I64_EXTEND_I32_U]].concat() } else { answer }
            }
        }
    }

    /// A small copy or fill, of a constant or a short length.
    pub fn short_bulk(&mut self) {
        let memory = self.rng.below(self.layout.memories.len()) as u32;
        let int = Int { is_64: self.layout.memories[memory as usize] };
        let base = self.operand(&int);
        let near = |body: &mut Self| {
            // Often where the first page ends.
            let at = match body.rng.below(3) {
                0 => int.by(I32_OR, &int.by(I32_AND, &base, 0x3f), 0xff80),
                _ => int.by(I32_AND, &base, 0xfff8),
            };
            let by = body.rng.below(48) as i64;
            if body.once_in(3) { at } else { int.by(I32_ADD, &at, by) }
        };
        let to = near(self);
        let length = if self.once_in(3) {
            let most = [7, 15, 63][self.rng.below(3)];
            int.by(I32_AND, &self.operand(&int), most)
        } else {
            let most = [5, 17, 34, 70, 135][self.rng.below(5)];
            int.constant(self.rng.below(most) as i64)
        };
        self.code.0.extend(to);
        if self.once_in(2) {
            self.value(Ty::I32, 1);
            self.code.0.extend(length);
            ops::push_opcode(&mut self.code.0, Opcode::MemoryFill);
        } else {
            let from = near(self);
            self.code.0.extend(from);
            self.code.0.extend(length);
            ops::push_opcode(&mut self.code.0, Opcode::MemoryCopy);
            self.code.number(memory);
        }
        self.code.number(memory);
    }
}
