//! `i8x16.shuffle`: the single instruction that does it, if there is one.
//!
//! Compilers write the interleavings, rotations and blends of other instruction
//! sets as shuffles; those are looked for. What remains are two table look-ups,
//! or one if only one of the vectors is used.

use super::vector::*;
use super::vector_ops::One;
use super::{Assembler, FLOAT_SCRATCH};
use crate::asm::{Reg, Rm};

/// What a shuffle becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shuffle {
    /// Of only one of the vectors: the second, or the first.
    Single { second: bool, how: Single },
    /// One instruction.
    One(One),
    /// Two table look-ups, each with zeros for what comes from the other vector; the
    /// result's register is none of the operands'.
    Tables([[u64; 2]; 2]),
}

/// What a shuffle of one vector becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Single {
    /// The vector as it is.
    Same,
    /// 32-bit lanes by [`PSHUFD`].
    Words(u8),
    /// A table look-up.
    Table([u64; 2]),
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
fn pattern(lanes: &[u8; 16]) -> Option<One> {
    for swapped in [false, true] {
        // What the lanes would be with the vectors exchanged.
        let lanes = lanes.map(|lane| if swapped { lane ^ 16 } else { lane });
        let found = |inst, imm| Some(One { inst, imm, swapped });
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
    Some(One { inst: PBLENDW, imm: Some(blend), swapped: false })
}

fn halves(table: [u8; 16]) -> [u64; 2] {
    let bits = u128::from_le_bytes(table);
    [bits as u64, (bits >> 64) as u64]
}

/// What a shuffle becomes; `same` says that the two vectors are one.
pub(crate) fn shuffle(lanes: [u8; 16], same: bool) -> Shuffle {
    let lanes = if same { lanes.map(|lane| lane % 16) } else { lanes };
    let first = lanes.iter().all(|lane| *lane < 16);
    if first || lanes.iter().all(|lane| *lane >= 16) {
        let lanes = lanes.map(|lane| lane % 16);
        let how = match words(&lanes) {
            Some([0, 1, 2, 3]) => Single::Same,
            Some(words) => Single::Words(selector(words)),
            None => Single::Table(halves(lanes)),
        };
        return Shuffle::Single { second: !first, how };
    }
    if let Some(one) = pattern(&lanes) {
        return Shuffle::One(one);
    }
    // A lane that is not in a vector is looked up as zero.
    let from_first = lanes.map(|lane| if lane < 16 { lane } else { 0x80 });
    let from_second = lanes.map(|lane| if lane < 16 { 0x80 } else { lane - 16 });
    Shuffle::Tables([halves(from_first), halves(from_second)])
}

impl Assembler {
    /// A shuffle of one vector, not [`Single::Same`]; the registers may be the same.
    pub(crate) fn shuffle_single(&mut self, how: Single, d: Reg, a: Reg) {
        match how {
            Single::Same => debug_assert!(false, "nothing to do"),
            Single::Words(selector) => self.v2i(PSHUFD, d, a, selector),
            Single::Table(table) => {
                let table = self.literal(table);
                self.v3(PSHUFB, d, a, table);
            }
        }
    }

    /// A shuffle by two tables; the destination is none of the operands.
    pub(crate) fn shuffle_by_tables(&mut self, tables: [[u64; 2]; 2], d: Reg, a: Reg, b: Reg) {
        let [first, second] = tables.map(|table| Rm::from(self.literal(table)));
        self.v3(PSHUFB, FLOAT_SCRATCH, a, first);
        self.v3(PSHUFB, d, b, second);
        self.v3(POR, d, d, FLOAT_SCRATCH);
    }
}
