//! Division by constants: a multiplication and shifts.
//!
//! All follow Granlund and Montgomery, "Division by invariant integers using
//! multiplication" (PLDI 1994): for a divisor `d` there are `m` and `s` such that `m` is
//! just above `2^(N + s) / d`, and the product with `m`, shifted right by `N + s`, is the
//! quotient. Where the least such `m` has a bit more than a register, 32-bit numbers use
//! another shift, as their products have room, and 64-bit numbers add the dividend
//! separately. What the numbers are is computed here and tested against division.

use super::{Data, Inst, Select, Src};
use crate::isa::Alu;
use crate::isa::x64::integer::{Shift, immediate};
use crate::isa::x64::{RAX, RDX};
use crate::lower::machine::{read, read_in, write, write_in, write_over};
use crate::ssa::InstData;
use regalloc2::VReg;
use zwasm_regir::Type;

use super::regs::preg;

/// How to divide an unsigned number by a constant that is no power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unsigned {
    /// The factor; if `adds`, less `2^N`.
    factor: u64,
    /// What the upper half of the product is shifted by.
    shift: u8,
    /// Whether the dividend is added to the upper half.
    adds: bool,
}

impl Unsigned {
    /// For numbers of so many bits.
    fn of(divisor: u64, bits: u32) -> Unsigned {
        // The least shift with which the factor is close enough, from the largest one that
        // makes the factor fit.
        let log = u64::BITS - (divisor - 1).leading_zeros();
        for shift in 0..=log {
            let power = 1u128 << (bits + shift).min(127);
            let factor = power.div_ceil(u128::from(divisor));
            let error = factor * u128::from(divisor) - power;
            let fits = bits + shift < 128 && factor < 1 << bits;
            if fits && error <= 1 << shift {
                return Unsigned { factor: factor as u64, shift: shift as u8, adds: false };
            }
        }
        // Of one more bit.
        let above = (1u128 << log) - u128::from(divisor);
        let factor = (above << bits) / u128::from(divisor) + 1;
        Unsigned { factor: factor as u64, shift: log as u8, adds: true }
    }
}

/// How to divide a signed number of 64 bits by a positive constant that is no power of
/// two: the factor, of which `2^64` may be missing, and the shift.
fn signed_64(divisor: u64) -> (u64, u8) {
    let log = u64::BITS - (divisor - 1).leading_zeros();
    let factor = (1u128 << (63 + log)) / u128::from(divisor) + 1;
    (factor as u64, log as u8 - 1)
}

impl Select<'_> {
    fn shifted(&mut self, op: Shift, wide: bool, value: VReg, count: u8) -> VReg {
        let dst = self.fresh(Type::I64);
        self.shift_to(dst, op, wide, value, count)
    }

    fn shift_to(&mut self, dst: VReg, op: Shift, wide: bool, value: VReg, count: u8) -> VReg {
        self.put(Inst::Shift { op, wide, count }, &[write_over(dst, 1), read(value)]);
        dst
    }

    fn combined(&mut self, op: Alu, wide: bool, a: VReg, b: VReg) -> VReg {
        let dst = self.fresh(Type::I64);
        self.combine_to(dst, op, wide, a, b)
    }

    fn combine_to(&mut self, dst: VReg, op: Alu, wide: bool, a: VReg, b: VReg) -> VReg {
        let inst = Inst::Alu { op, wide, src: Src::Operand };
        self.put(inst, &[write_over(dst, 1), read(a), read(b)]);
        dst
    }

    fn times(&mut self, wide: bool, value: VReg, factor: u64) -> VReg {
        let dst = self.fresh(Type::I64);
        match immediate(factor, wide) {
            Some(by) => {
                let inst = Inst::MulImm { wide, src: Src::Operand, by };
                self.put(inst, &[write(dst), read(value)]);
            }
            None => {
                let factor = self.constant(Type::I64, factor);
                let inst = Inst::Mul { wide, src: Src::Operand };
                self.put(inst, &[write_over(dst, 1), read(factor), read(value)]);
            }
        }
        dst
    }

    /// The upper half of a product of 64 bits each.
    fn upper_product(&mut self, signed: bool, value: VReg, factor: u64) -> VReg {
        let high = self.fresh(Type::I64);
        self.upper_product_to(high, signed, value, factor)
    }

    fn upper_product_to(&mut self, high: VReg, signed: bool, value: VReg, factor: u64) -> VReg {
        let factor = self.constant(Type::I64, factor);
        let low = self.fresh(Type::I64);
        self.sequence(
            |e, regs, data| {
                let (_, _, _) = (regs.reg(), regs.reg(), regs.reg());
                let factor = regs.reg();
                e.asm.multiply_wide(data.bits != 0, factor.into());
            },
            Data::bits(signed.into()),
            &[
                write_in(high, preg(RDX)),
                write_in(low, preg(RAX)),
                read_in(value, preg(RAX)),
                read(factor),
            ],
        );
        high
    }

    /// Divides by a constant that is known to be neither 0 nor, if signed, -1; whether it has
    /// a shorter way than to divide.
    pub(super) fn divide_by(
        &mut self,
        wide: bool,
        signed: bool,
        remainder: bool,
        data: &InstData,
        divisor: u64,
    ) -> bool {
        let magnitude = match (signed, wide) {
            (false, _) => divisor,
            (true, true) => (divisor as i64).unsigned_abs(),
            (true, false) => u64::from((divisor as u32 as i32).unsigned_abs()),
        };
        let largest = if wide { 1 << 63 } else { 1 << 31 };
        if magnitude < 2 || signed && magnitude == largest {
            return false;
        }
        let is_negative = signed && magnitude != divisor;
        let power = magnitude.is_power_of_two().then(|| magnitude.trailing_zeros() as u8);
        // Products of unsigned numbers need the zeros above 32 bits.
        let needs_zeros = wide || !signed && power.is_none();
        let value = if needs_zeros { self.reg(data.args[0]) } else { self.reg_32(data.args[0]) };
        if let (false, true, Some(power)) = (signed, remainder, power) {
            self.keep_low_bits(wide, value, power, data);
            return true;
        }
        let dst = self.result(data);
        let goal = if remainder || is_negative { self.fresh(Type::I64) } else { dst };
        let quotient = match (signed, wide, power) {
            (false, _, Some(power)) => {
                self.shift_to(goal, Shift::RightUnsigned, wide, value, power)
            }
            (true, _, Some(power)) => self.divide_by_power(goal, wide, value, power),
            (false, false, None) => self.divide_u32(goal, value, magnitude),
            (false, true, None) => self.divide_u64(goal, value, magnitude),
            (true, false, None) => self.divide_i32(goal, value, magnitude),
            (true, true, None) => self.divide_i64(goal, value, magnitude),
        };
        if remainder {
            // That of a negative divisor is the same.
            let product = match power {
                Some(power) => self.shifted(Shift::Left, wide, quotient, power),
                None => self.times(wide, quotient, magnitude),
            };
            self.combine_to(dst, Alu::Sub, wide, value, product);
        } else if is_negative {
            self.put(Inst::Negate { wide }, &[write_over(dst, 1), read(quotient)]);
        }
        true
    }

    fn keep_low_bits(&mut self, wide: bool, value: VReg, bits: u8, data: &InstData) {
        let mask = (1u64 << bits) - 1;
        let dst = self.result(data);
        match immediate(mask, wide) {
            Some(mask) => {
                let wide = wide && mask < 0;
                let inst = Inst::Alu { op: Alu::And, wide, src: Src::Imm(mask) };
                self.put(inst, &[write_over(dst, 1), read(value)]);
            }
            None => {
                let mask = self.constant(Type::I64, mask);
                let inst = Inst::Alu { op: Alu::And, wide, src: Src::Operand };
                self.put(inst, &[write_over(dst, 1), read(mask), read(value)]);
            }
        }
    }

    /// Negative numbers are rounded up: one less than the divisor is added to them.
    fn divide_by_power(&mut self, dst: VReg, wide: bool, value: VReg, power: u8) -> VReg {
        let bits = if wide { 64 } else { 32 };
        let sign = self.shifted(Shift::RightSigned, wide, value, power - 1);
        let added = self.shifted(Shift::RightUnsigned, wide, sign, bits - power);
        let sum = self.combined(Alu::Add, wide, added, value);
        self.shift_to(dst, Shift::RightSigned, wide, sum, power)
    }

    fn divide_u32(&mut self, dst: VReg, value: VReg, divisor: u64) -> VReg {
        let Unsigned { factor, shift, adds } = Unsigned::of(divisor, 32);
        if adds {
            // Products of 32-bit numbers with 2^64 divided by the divisor, rounded up, have
            // the quotient above 64 bits (Lemire, Kaser and Kurz, 2019).
            return self.upper_product_to(dst, false, value, u64::MAX / divisor + 1);
        }
        let product = self.times(true, value, factor);
        self.shift_to(dst, Shift::RightUnsigned, true, product, 32 + shift)
    }

    fn divide_u64(&mut self, dst: VReg, value: VReg, divisor: u64) -> VReg {
        let Unsigned { factor, shift, adds } = Unsigned::of(divisor, 64);
        let upper = self.upper_product(false, value, factor);
        if !adds {
            return self.shift_to(dst, Shift::RightUnsigned, true, upper, shift);
        }
        // Half the sum, which has a bit too many: half the difference first.
        let rest = self.combined(Alu::Sub, true, value, upper);
        let half = self.shifted(Shift::RightUnsigned, true, rest, 1);
        let sum = self.combined(Alu::Add, true, half, upper);
        self.shift_to(dst, Shift::RightUnsigned, true, sum, shift - 1)
    }

    /// The product is rounded down, and one is added for negative dividends; of 32-bit
    /// numbers it fits 64 bits.
    fn divide_i32(&mut self, dst: VReg, value: VReg, divisor: u64) -> VReg {
        let log = u32::BITS - (divisor as u32 - 1).leading_zeros();
        let shift = 31 + log;
        let factor = (1u64 << shift) / divisor + 1;
        let extended = self.fresh(Type::I64);
        self.sequence(
            |e, regs, _| {
                let (dst, src) = (regs.reg(), regs.reg());
                crate::isa::x64::emit!(e.asm, movslq_rm(dst, src));
            },
            Data::bits(0),
            &[write(extended), read(value)],
        );
        let product = self.times(true, extended, factor);
        let quotient = self.shifted(Shift::RightSigned, true, product, shift as u8);
        let one = self.shifted(Shift::RightUnsigned, true, product, 63);
        self.combine_to(dst, Alu::Add, false, quotient, one)
    }

    fn divide_i64(&mut self, dst: VReg, value: VReg, divisor: u64) -> VReg {
        let (factor, shift) = signed_64(divisor);
        let mut upper = self.upper_product(true, value, factor);
        if factor as i64 <= 0 {
            upper = self.combined(Alu::Add, true, upper, value);
        }
        let quotient = self.shifted(Shift::RightSigned, true, upper, shift);
        let one = self.shifted(Shift::RightUnsigned, true, value, 63);
        self.combine_to(dst, Alu::Add, true, quotient, one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divisors() -> impl Iterator<Item = u64> {
        let powers = (1..64).flat_map(|bit| [(1u64 << bit) - 1, (1u64 << bit) + 1]);
        let small = 3..1000;
        let odd = [641, 6_700_417, 0xFFFF_FFFB, 1_000_000_007, u64::MAX - 58, 10_u64.pow(18)];
        powers.chain(small).chain(odd).filter(|divisor| *divisor > 2 && !divisor.is_power_of_two())
    }

    fn dividends(divisor: u64) -> impl Iterator<Item = u64> {
        let edges = [0, 1, 2, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, i64::MAX as u64, 1 << 63];
        let near = [0u64, 1, 2, 3, 1 << 20, u64::MAX / divisor, u64::MAX / divisor - 1]
            .map(|times| times.wrapping_mul(divisor))
            .into_iter()
            .flat_map(|product| [product.wrapping_sub(1), product, product.wrapping_add(1)]);
        let mut state = divisor;
        let random = (0..64).map(move |_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state
        });
        let all = edges.into_iter().chain(near).chain(random);
        all.flat_map(|value| [value, value.wrapping_neg(), value >> 32])
    }

    #[test]
    fn unsigned_quotients_are_those_of_division() {
        for divisor in divisors() {
            let by = Unsigned::of(divisor, 64);
            for value in dividends(divisor) {
                let upper = ((u128::from(value) * u128::from(by.factor)) >> 64) as u64;
                let quotient = match by.adds {
                    false => upper >> by.shift,
                    true => ((value - upper) / 2 + upper) >> (by.shift - 1),
                };
                assert_eq!(quotient, value / divisor, "{value} / {divisor}");
            }
            let Ok(divisor) = u32::try_from(divisor) else { continue };
            let by = Unsigned::of(divisor.into(), 32);
            for value in dividends(divisor.into()).map(|value| value as u32) {
                let quotient = match by.adds {
                    false => u64::from(value).wrapping_mul(by.factor) >> (32 + by.shift),
                    true => {
                        let factor = u64::MAX / u64::from(divisor) + 1;
                        ((u128::from(value) * u128::from(factor)) >> 64) as u64
                    }
                };
                assert_eq!(quotient, u64::from(value / divisor), "{value} / {divisor}");
            }
        }
    }

    #[test]
    fn signed_quotients_are_those_of_division() {
        for divisor in divisors().filter(|divisor| *divisor < 1 << 63) {
            let (factor, shift) = signed_64(divisor);
            for value in dividends(divisor).map(|value| value as i64) {
                let upper = ((i128::from(value) * i128::from(factor as i64)) >> 64) as i64;
                let upper = if factor as i64 <= 0 { upper.wrapping_add(value) } else { upper };
                let quotient = (upper >> shift) + i64::from(value < 0);
                assert_eq!(quotient, value / divisor as i64, "{value} / {divisor}");
            }
        }
    }
}
