//! `i8x16.shuffle`: the single instruction that does it, if there is one.
//!
//! Compilers write the interleavings, rotations and blends of other instruction
//! sets as shuffles; those are looked for. What remains are two table look-ups,
//! or one if only one of the vectors is used.

use crate::asm::Rm;
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::x64::vector::*;
use crate::isa::x64::{Assembler, FLOAT_SCRATCH};
use zwasm_regir::Slot;

/// A shuffle of two vectors by one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pattern {
    inst: Vector,
    imm: Option<u8>,
    /// Whether `b` is the first operand.
    swapped: bool,
}

/// Interleavings and their units in bytes; those of upper halves are the second.
const INTERLEAVINGS: [(usize, [Vector; 2]); 4] = [
    (1, [PUNPCKLBW, PUNPCKHBW]),
    (2, [PUNPCKLWD, PUNPCKHWD]),
    (4, [PUNPCKLDQ, PUNPCKHDQ]),
    (8, [PUNPCKLQDQ, PUNPCKHQDQ]),
];

/// The four 32-bit lanes that a shuffle takes, if it takes whole ones.
fn words(lanes: &[u8; 16]) -> Option<[u8; 4]> {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(lanes.chunks_exact(4)) {
        *word = bytes[0] / 4;
        let whole = bytes.iter().enumerate().all(|(i, byte)| *byte == *word * 4 + i as u8);
        if !whole {
            return None;
        }
    }
    Some(words)
}

/// The immediate of instructions that take four 32-bit lanes of four.
fn selector(words: [u8; 4]) -> u8 {
    words.iter().rev().fold(0, |imm, word| (imm << 2) | (word % 4))
}

/// The instruction for a shuffle that uses both vectors.
fn pattern(lanes: &[u8; 16]) -> Option<Pattern> {
    for swapped in [false, true] {
        // What the lanes would be with the vectors exchanged.
        let lanes = lanes.map(|lane| if swapped { lane ^ 16 } else { lane });
        let found = |inst, imm| Some(Pattern { inst, imm, swapped });
        for (unit, insts) in INTERLEAVINGS {
            for (half, inst) in insts.into_iter().enumerate() {
                let expected = |i: usize| {
                    let (pair, second) = (i / (2 * unit), i / unit % 2);
                    (8 * half + pair * unit + i % unit + 16 * second) as u8
                };
                if (0..16).all(|i| lanes[i] == expected(i)) {
                    return found(inst, None);
                }
            }
        }
        // The instruction's second operand is the lower one.
        if lanes[0] > 16 && (0..16).all(|i| lanes[usize::from(i)] == (lanes[0] + i) % 32) {
            return found(PALIGNR, Some(lanes[0] - 16));
        }
        if let Some(words) = words(&lanes)
            && words[..2].iter().all(|word| *word < 4)
            && words[2..].iter().all(|word| *word >= 4)
        {
            return found(SHUFPS, Some(selector(words)));
        }
    }
    let mut blend = 0;
    for (i, pair) in lanes.chunks_exact(2).enumerate() {
        match [pair[0], pair[1]].map(usize::from) {
            [low, high] if low % 16 == 2 * i && high == low + 1 => {
                blend |= u8::from(low >= 16) << i;
            }
            _ => return None,
        }
    }
    Some(Pattern { inst: PBLENDW, imm: Some(blend), swapped: false })
}

impl Compiler<'_, Assembler> {
    pub(super) fn shuffle(&mut self, dst: Slot, a: Slot, b: Slot, lanes: [u8; 16]) {
        let lanes = if a == b { lanes.map(|lane| lane % 16) } else { lanes };
        let one = if lanes.iter().all(|lane| *lane < 16) {
            Some((a, b))
        } else if lanes.iter().all(|lane| *lane >= 16) {
            Some((b, a))
        } else {
            None
        };
        if let Some((used, unused)) = one {
            if unused != used {
                self.consume(unused);
            }
            return self.shuffle_one(dst, used, lanes.map(|lane| lane % 16));
        }
        if let Some(Pattern { inst, imm, swapped }) = pattern(&lanes) {
            let (first, second) = if swapped { (b, a) } else { (a, b) };
            return self.in_one(dst, first, second, inst, imm);
        }
        let (first, second) = (self.vector_operand(a), self.vector_operand(b));
        self.consume(a);
        self.consume(b);
        let reg = self.alloc(Class::Vector, Some(dst.0));
        // A lane that is not in a vector is looked up as zero.
        let from_first = self.table(lanes.map(|lane| if lane < 16 { lane } else { 0x80 }));
        let from_second = self.table(lanes.map(|lane| if lane < 16 { 0x80 } else { lane - 16 }));
        self.asm.v3(PSHUFB, FLOAT_SCRATCH, first, from_first);
        self.asm.v3(PSHUFB, reg, second, from_second);
        self.asm.v3(POR, reg, reg, FLOAT_SCRATCH);
        self.define(reg, dst, Class::Vector);
    }

    fn shuffle_one(&mut self, dst: Slot, a: Slot, lanes: [u8; 16]) {
        let words = words(&lanes);
        if words == Some([0, 1, 2, 3]) {
            return self.unchanged(dst, a);
        }
        let src = self.vector_operand(a);
        self.consume(a);
        let reg = self.result(dst);
        match words {
            Some(words) => self.asm.v2i(PSHUFD, reg, src, selector(words)),
            None => {
                let table = self.table(lanes);
                self.asm.v3(PSHUFB, reg, src, table);
            }
        }
        self.define(reg, dst, Class::Vector);
    }

    fn table(&mut self, lanes: [u8; 16]) -> Rm {
        let bits = u128::from_le_bytes(lanes);
        self.literal([bits as u64, (bits >> 64) as u64])
    }
}
