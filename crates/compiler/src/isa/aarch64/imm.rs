//! Constants: which ones fit into an instruction, and how to make the others.

use super::Inst;
use super::inst;
use super::regs::{Reg, Width, ZR};

/// An unsigned number of 12 bits, or one shifted left by 12, for additions. Bit 12 says
/// that it is shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Imm12(u32);

impl Imm12 {
    pub(crate) const ZERO: Imm12 = Imm12(0);

    /// The constant as such a number, if it is one.
    pub(crate) const fn new(value: u64) -> Option<Imm12> {
        if value < 1 << 12 {
            Some(Imm12(value as u32))
        } else if value < 1 << 24 && value & 0xFFF == 0 {
            Some(Imm12(1 << 12 | (value >> 12) as u32))
        } else {
            None
        }
    }

    pub(super) const fn from_bits(bits: u32) -> Imm12 {
        Imm12(bits & 0x1FFF)
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }
}

/// A constant of logical operations: a run of ones, rotated, in an element of 2, 4, …, 64
/// bits that is repeated. The number is `N:immr:imms` of the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BitMask(u32);

impl BitMask {
    pub(super) const fn from_bits(bits: u32) -> BitMask {
        BitMask(bits & 0x1FFF)
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    /// The constant it stands for, if the bits mean one at this width.
    pub(crate) const fn value(self, width: Width) -> Option<u64> {
        let (n, immr, imms) = (self.0 >> 12, self.0 >> 6 & 63, self.0 & 63);
        // The highest bit of the size that is zero in `imms` tells the element's size.
        let selector = n << 6 | (!imms & 63);
        if selector < 2 || (n == 1 && matches!(width, Width::W)) {
            return None;
        }
        let size = 1 << (31 - selector.leading_zeros());
        let (rotate, ones) = (immr & (size - 1), (imms & (size - 1)) + 1);
        if ones == size {
            return None;
        }
        let run = (1u64 << ones) - 1;
        let mask = u64::MAX >> (64 - size);
        let mut value =
            if rotate == 0 { run } else { run >> rotate | run << (size - rotate) } & mask;
        let mut filled = size;
        while filled < 64 {
            value |= value << filled;
            filled *= 2;
        }
        Some(match width {
            Width::W => value & 0xFFFF_FFFF,
            Width::X => value,
        })
    }
}

/// The constant for a logical operation, if it is one. At 32 bits the upper half is not
/// looked at.
pub(crate) const fn logical_imm(value: u64, width: Width) -> Option<BitMask> {
    let value = match width {
        Width::W => (value & 0xFFFF_FFFF) * 0x1_0000_0001,
        Width::X => value,
    };
    if value == 0 || value == u64::MAX {
        return None;
    }
    let mut size = 64;
    while size > 2 && value.rotate_right(size / 2) == value {
        size /= 2;
    }
    // All halves of that size are equal only if it repeats: go back if one of them did not.
    let mask = u64::MAX >> (64 - size);
    let element = value & mask;
    let ones = element.count_ones();
    // Where the run of ones starts; it may go around the element's end.
    let start = if element & 1 == 1 && element >> (size - 1) == 1 {
        64 - (!element & mask).leading_zeros()
    } else {
        element.trailing_zeros()
    };
    let rotate = (size - start) % size;
    let imms = (!(2 * size - 1) & 63) | (ones - 1);
    let n = (size == 64) as u32;
    let result = BitMask(n << 12 | rotate << 6 | imms);
    // There may be more than one run.
    match result.value(Width::X) {
        Some(found) if found == value => Some(result),
        _ => None,
    }
}

/// A float of a sign, three bits of exponent and four of fraction: ± n/16 × 2^e with n in
/// 16..=31 and e in -3..=4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fp8(u8);

impl Fp8 {
    pub(super) const fn from_bits(bits: u8) -> Fp8 {
        Fp8(bits)
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// The float it stands for.
    pub(crate) const fn value(self) -> f64 {
        let bits = self.0 as u64;
        let exponent = if bits & 0x40 == 0 { 0x400 } else { 0x3FC };
        f64::from_bits(bits >> 7 << 63 | (exponent | bits >> 4 & 3) << 52 | (bits & 15) << 48)
    }
}

/// The float as a constant of `fmov`, if it is one; that of 32 bits converted.
pub(crate) const fn fp_imm8(value: f64) -> Option<Fp8> {
    let bits = value.to_bits();
    let exponent_high = bits >> 54 & 0x1FF;
    if bits & 0x0000_FFFF_FFFF_FFFF != 0 || (exponent_high != 0x100 && exponent_high != 0xFF) {
        return None;
    }
    let small = (exponent_high == 0xFF) as u64;
    Some(Fp8((bits >> 63 << 7 | small << 6 | (bits >> 48 & 0x3F)) as u8))
}

/// The instructions that put a constant into a register, at most four. An iterator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MovPlan {
    words: [u32; 4],
    next: usize,
    len: usize,
}

impl MovPlan {
    fn new() -> MovPlan {
        MovPlan { words: [0; 4], next: 0, len: 0 }
    }

    fn push(&mut self, inst: Inst) {
        self.words[self.len] = inst.0;
        self.len += 1;
    }
}

impl Iterator for MovPlan {
    type Item = Inst;

    fn next(&mut self) -> Option<Inst> {
        let word = self.words[..self.len].get(self.next)?;
        self.next += 1;
        Some(Inst(*word))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len - self.next, Some(self.len - self.next))
    }
}

impl ExactSizeIterator for MovPlan {}

fn quarter(value: u64, index: usize) -> u16 {
    (value >> (16 * index)) as u16
}

fn with_quarter(value: u64, index: usize, quarter: u16) -> u64 {
    value & !(0xFFFF << (16 * index)) | u64::from(quarter) << (16 * index)
}

/// The shortest way to put a constant into a register: `movz` or `movn` and a `movk` for
/// each further quarter; or the constant of a logical operation, whole or with up to two
/// quarters put right by `movk`. At 32 bits the upper half of the register becomes zero.
pub(crate) fn mov_constant(width: Width, dst: Reg, value: u64) -> MovPlan {
    let (value, quarters) = match width {
        Width::W => (value & 0xFFFF_FFFF, 2),
        Width::X => (value, 4),
    };
    let mut plan = MovPlan::new();
    let different_from =
        |fill: u16| (0..quarters).filter(move |&index| quarter(value, index) != fill);
    let (from_zeros, from_ones) = (different_from(0).count(), different_from(0xFFFF).count());
    let simple = from_zeros.min(from_ones).max(1);
    if simple > 1
        && let Some((mask, patches)) = logical_plan(width, value, quarters, simple - 1)
    {
        plan.push(inst::orr_imm(width, dst, ZR, mask));
        for index in patches.into_iter().flatten() {
            plan.push(inst::movk(width, dst, quarter(value, index), index as u8));
        }
        return plan;
    }
    let inverted = from_ones < from_zeros;
    let mut todo = different_from(if inverted { 0xFFFF } else { 0 });
    let first = todo.next().unwrap_or(0);
    plan.push(if inverted {
        inst::movn(width, dst, !quarter(value, first), first as u8)
    } else {
        inst::movz(width, dst, quarter(value, first), first as u8)
    });
    for index in todo {
        plan.push(inst::movk(width, dst, quarter(value, index), index as u8));
    }
    plan
}

/// The constant of a logical operation from which at most two quarters of a value differ,
/// and these; in fewer than `limit` + 1 instructions.
fn logical_plan(
    width: Width,
    value: u64,
    quarters: usize,
    limit: usize,
) -> Option<(BitMask, [Option<usize>; 2])> {
    if let Some(mask) = logical_imm(value, width) {
        return Some((mask, [None; 2]));
    }
    // What `movk` will put right can be anything that completes a pattern: another
    // quarter where the pattern repeats, zeros or ones inside a run.
    let fills = |index: usize| {
        (0..quarters).map(move |each| quarter(value, (index + each) % quarters)).chain([0, 0xFFFF])
    };
    if limit >= 2 {
        for index in 0..quarters {
            for fill in fills(index) {
                if let Some(mask) = logical_imm(with_quarter(value, index, fill), width) {
                    return Some((mask, [Some(index), None]));
                }
            }
        }
    }
    if limit >= 3 {
        for (first, second) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            for fill in fills(first) {
                for other in fills(second) {
                    let filled = with_quarter(with_quarter(value, first, fill), second, other);
                    if let Some(mask) = logical_imm(filled, width) {
                        return Some((mask, [Some(first), Some(second)]));
                    }
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::aarch64::regs::x;
    use std::collections::HashSet;

    /// All constants of logical operations, made as the architecture describes them.
    fn all_masks() -> HashSet<u64> {
        let mut all = HashSet::new();
        for size in [2, 4, 8, 16, 32, 64] {
            for ones in 1..size {
                for rotate in 0..size {
                    let bit = |index: u32| (index + rotate) % size < ones;
                    let mask = (0..64).filter(|index| bit(index % size));
                    all.insert(mask.map(|index| 1 << index).sum());
                }
            }
        }
        all
    }

    #[test]
    fn every_logical_constant_is_found() {
        let all = all_masks();
        assert_eq!(all.len(), 5334);
        let mut encodings = HashSet::new();
        for &value in &all {
            let mask = logical_imm(value, Width::X).unwrap();
            assert_eq!(mask.value(Width::X), Some(value), "{value:#x}");
            assert!(encodings.insert(mask.bits()));
            let narrow = logical_imm(value, Width::W);
            let repeats = (value & 0xFFFF_FFFF) * 0x1_0000_0001;
            assert_eq!(narrow.is_some(), all.contains(&repeats), "{value:#x}");
            if let Some(narrow) = narrow {
                assert_eq!(narrow.value(Width::W), Some(value & 0xFFFF_FFFF));
            }
        }
    }

    #[test]
    fn what_bits_mean_is_what_is_encoded() {
        let all = all_masks();
        let meant =
            |width| (0..1 << 13).filter_map(move |bits| BitMask::from_bits(bits).value(width));
        assert_eq!(meant(Width::X).collect::<HashSet<u64>>(), all);
        let narrow: HashSet<u64> = meant(Width::W).collect();
        assert!(narrow.iter().all(|value| all.contains(&(value * 0x1_0000_0001))));
    }

    #[test]
    fn other_constants_are_not_logical() {
        let all = all_masks();
        let mut value = 1u64;
        for round in 0..200_000u32 {
            value = value.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            // Sparse and dense ones, and near misses.
            let near = logical_imm(value, Width::X).map_or(0, BitMask::bits);
            let other = BitMask::from_bits(value as u32 ^ near).value(Width::X).unwrap_or(0);
            for each in [value, value & value << 3, value | value >> 5, other ^ 1 << (round % 64)] {
                assert_eq!(logical_imm(each, Width::X).is_some(), all.contains(&each), "{each:#x}");
            }
        }
        for value in [0, u64::MAX] {
            assert_eq!(logical_imm(value, Width::X), None);
            assert_eq!(logical_imm(value, Width::W), None);
        }
        assert_eq!(logical_imm(0xFFFF_FFFF_0000_0000, Width::W), None);
    }

    /// What the instructions leave in the register.
    fn run(width: Width, plan: MovPlan) -> u64 {
        let mut value: u64 = 0xDEAD_BEEF_DEAD_BEEF;
        for Inst(word) in plan {
            assert_eq!(word & 31, 3, "the destination");
            assert_eq!(word >> 31 == 1, width == Width::X);
            let (shift, imm) = (16 * (word >> 21 & 3), u64::from(word >> 5 & 0xFFFF));
            let mask = 0xFFFF << shift;
            value = match word & 0x7F80_0000 {
                0x5280_0000 => imm << shift,
                0x1280_0000 => !(imm << shift),
                0x7280_0000 => value & !mask | imm << shift,
                0x3200_0000 => {
                    assert_eq!(word >> 5 & 31, 31, "from zero");
                    BitMask::from_bits(word >> 10).value(width).unwrap()
                }
                other => panic!("{other:#x}"),
            };
            if width == Width::W {
                value &= 0xFFFF_FFFF;
            }
        }
        value
    }

    #[test]
    fn constants_arrive() {
        let mut values = vec![0, 1, 0xFFFF, 0x1_0000, u64::MAX, i64::MIN as u64, 0xFFFF_FFFF];
        let quarters = [0, 0xFFFF, 0x1234, 0x5555, 0x8001, 0xFF00];
        for a in quarters {
            for b in quarters {
                for c in quarters {
                    for d in quarters {
                        values.push(a << 48 | b << 32 | c << 16 | d);
                    }
                }
            }
        }
        let mut value = 1u64;
        for _ in 0..10_000 {
            value = value.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            values.extend([value, value >> 32, value >> 48, value | 0xFFFF << 16]);
        }
        for value in values {
            let plan = mov_constant(Width::X, x(3), value);
            assert_eq!(run(Width::X, plan), value, "{value:#x}");
            let simple = |fill| (0..4).filter(|&index| quarter(value, index) != fill).count();
            assert!(plan.len() <= simple(0).min(simple(0xFFFF)).max(1), "{value:#x}");
            let plan = mov_constant(Width::W, x(3), value);
            assert_eq!(run(Width::W, plan), value & 0xFFFF_FFFF, "{value:#x}");
            assert!(plan.len() <= 2);
        }
    }

    #[test]
    fn constants_take_few_instructions() {
        let count = |value| mov_constant(Width::X, x(3), value).len();
        for value in [0, 0x1234 << 48, !0, !0x1234, 0x5555_5555_5555_5555, 0x00FF_FFFF_FFF0_0000] {
            assert_eq!(count(value), 1, "{value:#x}");
        }
        for value in [0x1234_0000_5678, 0x1234_5555_5555_5555, 0xFFFF_1234_FFFF_5678] {
            assert_eq!(count(value), 2, "{value:#x}");
        }
        for value in [0x1234_5555_5678_5555, 0x1234_0FFF_FFFF_5678, 0x1234_5678_0000_9ABC] {
            assert_eq!(count(value), 3, "{value:#x}");
        }
        assert_eq!(count(0x1234_5678_9ABC_DEF1), 4);
        let narrow = |value| mov_constant(Width::W, x(3), value).len();
        assert_eq!(narrow(0xFFFF_1234), 1);
        assert_eq!(narrow(0x7FFF_FFFF), 1);
        assert_eq!(narrow(0x1234_5678), 2);
    }

    #[test]
    fn every_float_of_eight_bits_is_found() {
        for bits in 0..=255 {
            let value = Fp8::from_bits(bits);
            assert_eq!(fp_imm8(value.value()), Some(value));
            let (n, e) = (16.0 + f64::from(bits & 15), i32::from(bits >> 4 & 3));
            let e = if bits & 0x40 == 0 { e + 1 } else { e - 3 };
            let sign = if bits & 0x80 == 0 { 1.0 } else { -1.0 };
            assert_eq!(value.value(), sign * n / 16.0 * f64::from(e).exp2());
        }
        for value in [0.0, -0.0, 0.1, 32.0, 0.12, 1.03125, f64::NAN, f64::INFINITY, 1e300, 1e-300] {
            assert_eq!(fp_imm8(value), None, "{value}");
        }
    }

    #[test]
    fn constants_of_additions() {
        for value in [0, 1, 4095, 0x1000, 0x1000 * 4095] {
            assert!(Imm12::new(value).is_some(), "{value:#x}");
        }
        for value in [4097, 0x1001, 0x100_0000, u64::MAX] {
            assert_eq!(Imm12::new(value), None, "{value:#x}");
        }
    }
}
