//! Constants of vectors: which ones an instruction makes.

use super::imm::fp_imm8;
use super::regs::{Float, Lanes, Reg};
use super::{Inst, inst, vec};

/// The instruction that puts a constant, given as its lower and upper half, into a vector
/// register; none if no instruction makes it. Then it has to be loaded.
pub(crate) fn vector_constant(dst: Reg, halves: [u64; 2]) -> Option<Inst> {
    let [value, upper] = halves;
    if value != upper {
        // The lower half alone clears the upper one.
        return if upper == 0 { half(dst, value) } else { None };
    }
    if let Some(mask) = byte_mask(value) {
        return Some(vec::movi_d(dst, mask));
    }
    let word = value as u32;
    if u64::from(word) * 0x1_0000_0001 == value
        && let Some(inst) = repeated(dst, word, true)
    {
        return Some(inst);
    }
    Some(vec::fmov_d_imm(dst, fp_imm8(f64::from_bits(value))?))
}

/// A constant whose upper half is zero.
fn half(dst: Reg, value: u64) -> Option<Inst> {
    if let Some(mask) = byte_mask(value) {
        return Some(vec::movi_d_scalar(dst, mask));
    }
    if value >> 32 == value & 0xFFFF_FFFF {
        return repeated(dst, value as u32, false);
    }
    let float = fp_imm8(f64::from_bits(value))?;
    Some(inst::fmov_imm(Float::D, dst, float))
}

/// A bit for each byte, if all are zeros or ones.
fn byte_mask(value: u64) -> Option<u8> {
    let bits = value & 0x0101_0101_0101_0101;
    if bits * 0xFF != value {
        return None;
    }
    // Gathers the bits in the highest byte.
    Some((bits.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8)
}

/// 32 bits that are repeated, in the whole register or its lower half.
fn repeated(dst: Reg, word: u32, full: bool) -> Option<Inst> {
    let (bytes, halves, words) = match full {
        true => (Lanes::B16, Lanes::H8, Lanes::S4),
        false => (Lanes::B8, Lanes::H4, Lanes::S2),
    };
    if word == (word & 0xFF) * 0x0101_0101 {
        return Some(vec::movi_b(bytes, dst, word as u8));
    }
    if word == (word & 0xFFFF) * 0x0001_0001 {
        for shift in [0, 8] {
            let value = word as u16;
            let (plain, inverted) = ((value >> shift) as u8, (!value >> shift) as u8);
            if value == u16::from(plain) << shift {
                return Some(vec::movi_h(halves, dst, plain, shift));
            }
            if !value == u16::from(inverted) << shift {
                return Some(vec::mvni_h(halves, dst, inverted, shift));
            }
        }
    }
    for shift in [0, 8, 16, 24] {
        let (plain, inverted) = ((word >> shift) as u8, (!word >> shift) as u8);
        if word == u32::from(plain) << shift {
            return Some(vec::movi_s(words, dst, plain, shift));
        }
        if !word == u32::from(inverted) << shift {
            return Some(vec::mvni_s(words, dst, inverted, shift));
        }
    }
    for shift in [8, 16] {
        let (plain, inverted) = ((word >> shift) as u8, (!word >> shift) as u8);
        let ones = (1 << shift) - 1;
        if word == u32::from(plain) << shift | ones {
            return Some(vec::movi_s_ones(words, dst, plain, shift));
        }
        if !word == u32::from(inverted) << shift | ones {
            return Some(vec::mvni_s_ones(words, dst, inverted, shift));
        }
    }
    let float = fp_imm8(f64::from(f32::from_bits(word)))?;
    Some(vec::fmov_s_imm(words, dst, float))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::aarch64::imm::Fp8;
    use crate::isa::aarch64::regs::v;
    use std::collections::HashSet;

    /// What the architecture says the operation bit, `cmode` and the byte mean.
    fn expand(op: u32, cmode: u32, byte: u64) -> Option<u64> {
        let twice = |word: u64| word << 32 | word;
        let four = |half: u64| half * 0x0001_0001_0001_0001;
        let value = match (op, cmode) {
            (_, 0 | 2 | 4 | 6) => twice(byte << (4 * cmode)),
            (_, 8 | 10) => four(byte << (4 * (cmode - 8))),
            (_, 12) => twice(byte << 8 | 0xFF),
            (_, 13) => twice(byte << 16 | 0xFFFF),
            (0, 14) => byte * 0x0101_0101_0101_0101,
            (1, 14) => (0..8).map(|bit| ((byte >> bit & 1) * 0xFF) << (8 * bit)).sum(),
            (0, 15) => {
                let exponent = if byte & 0x40 == 0 { 0x80 } else { 0x7C };
                twice(byte >> 7 << 31 | (exponent | byte >> 4 & 3) << 23 | (byte & 15) << 19)
            }
            (1, 15) => {
                let exponent = if byte & 0x40 == 0 { 0x400 } else { 0x3FC };
                byte >> 7 << 63 | (exponent | byte >> 4 & 3) << 52 | (byte & 15) << 48
            }
            _ => return None,
        };
        Some(if op == 1 && cmode < 14 { !value } else { value })
    }

    /// What an instruction leaves in register 7.
    fn run(inst: Inst) -> [u64; 2] {
        let word = inst.0;
        assert_eq!(word & 31, 7, "the destination");
        if word & 0xFFE0_1FE0 == 0x1E60_1000 {
            return [Fp8::from_bits((word >> 13 & 0xFF) as u8).value().to_bits(), 0];
        }
        assert_eq!(word & 0x9FF8_0C00, 0x0F00_0400, "{word:#x}");
        let byte = u64::from(word >> 16 & 7) << 5 | u64::from(word >> 5 & 31);
        let value = expand(word >> 29 & 1, word >> 12 & 15, byte).unwrap();
        [value, if word >> 30 & 1 == 1 { value } else { 0 }]
    }

    /// All constants that one of these instructions makes.
    fn all() -> HashSet<u64> {
        let mut all = HashSet::new();
        for op in 0..2 {
            for cmode in 0..16 {
                all.extend((0..256).filter_map(|byte| expand(op, cmode, byte)));
            }
        }
        all
    }

    #[test]
    fn every_constant_of_one_instruction_is_found() {
        for value in all() {
            for halves in [[value, value], [value, 0]] {
                let inst = vector_constant(v(7), halves);
                let inst = inst.unwrap_or_else(|| panic!("{halves:#x?}"));
                assert_eq!(run(inst), halves);
            }
        }
    }

    #[test]
    fn others_are_not() {
        let all = all();
        for value in &all {
            for bit in 0..64 {
                let near = value ^ 1 << bit;
                let inst = vector_constant(v(7), [near, near]);
                assert_eq!(inst.is_some(), all.contains(&near), "{near:#x}");
                if let Some(inst) = inst {
                    assert_eq!(run(inst), [near, near]);
                }
            }
        }
        assert_eq!(vector_constant(v(7), [0, 1]), None);
        assert_eq!(vector_constant(v(7), [1, 2]), None);
    }
}
