//! Operands of instructions on one float.

use super::super::imm::Fp8;
use super::super::regs::{Float, Reg, Width};
use super::{Context, Operand, bits, operands};
use std::fmt::Write as _;

macro_rules! scalars {
    ($($(#[$doc:meta])* $name:ident $mask:literal $shift:literal $letter:expr;)*) => {$(
        operands! {
            $(#[$doc])*
            $name(Reg) $mask {
                fits(reg, _) { reg.is_vector() }
                put(reg, _) { u32::from(reg.enc()) << $shift }
                get(word) { Some(Reg(32 + bits(word, $shift, 5) as u8)) }
                show(reg, context, out) {
                    let letter: fn(&Context<'_>) -> &'static str = $letter;
                    let _ = write!(out, "{}{}", letter(context), reg.enc());
                }
                samples { (32..64).map(Reg).collect() }
            }
        }
    )*};
}

scalars! {
    Sd 0x0000_001F 0 |context| context.letter;
    Sn 0x0000_03E0 5 |context| context.letter;
    Sm 0x001F_0000 16 |context| context.letter;
    Sa 0x0000_7C00 10 |context| context.letter;
    /// A destination of a certain size.
    St 0x0000_001F 0 |_| "s";
    Dt 0x0000_001F 0 |_| "d";
    Qt 0x0000_001F 0 |_| "q";
    /// A source of a certain size.
    Ss 0x0000_03E0 5 |_| "s";
    Ds 0x0000_03E0 5 |_| "d";
}

operands! {
    /// The precision.
    Fp(Float) 0x00C0_0000 {
        put(float, _) { (float as u32) << 22 }
        get(word) { [Float::S, Float::D].get(bits(word, 22, 2) as usize).copied() }
        context(float, context) {
            context.letter = match float {
                Float::S => "s",
                Float::D => "d",
            };
        }
        show(_, _, _out) {}
        samples { vec![Float::S, Float::D] }
    }

    /// The width of bits that are copied from one bank of registers to the other.
    Word(Width) 0x8040_0000 {
        put(width, _) {
            match width {
                Width::W => 0,
                Width::X => Word::MASK,
            }
        }
        get(word) {
            match word & Word::MASK {
                0 => Some(Width::W),
                Word::MASK => Some(Width::X),
                _ => None,
            }
        }
        context(width, context) {
            context.width = width;
            context.letter = match width {
                Width::W => "s",
                Width::X => "d",
            };
        }
        show(_, _, _out) {}
        samples { vec![Width::W, Width::X] }
    }

    FpImm(Fp8) 0x001F_E000 {
        put(value, _) { u32::from(value.bits()) << 13 }
        get(word) { Some(Fp8::from_bits(bits(word, 13, 8) as u8)) }
        show(value, _, out) { let _ = write!(out, "#{:?}", value.value()); }
        samples { (0..=255).map(Fp8::from_bits).collect() }
    }

    /// Nothing but `#0.0`.
    FpZero(()) 0x0000_0000 {
        put(_, _) { 0 }
        get(_word) { Some(()) }
        show(_, _, out) { out.push_str("#0.0") }
        samples { vec![()] }
    }
}
