//! Operands of instructions on general registers, besides the registers.

use super::super::imm::{BitMask, Imm12};
use super::super::regs::{Barrier, Cond, Extend, Reg, Shift, SysReg, Width};
use super::{Context, Operand, bits, general, operands, width_of};
use std::fmt::Write as _;

/// The number of the highest bit at the width of the word.
const fn top(word: u32) -> u8 {
    width_of(word).bits() as u8 - 1
}

fn shift(word: u32) -> Option<(Shift, u8)> {
    let amount = bits(word, 10, 6) as u8;
    (amount <= top(word)).then(|| (Shift::ALL[bits(word, 22, 2) as usize], amount))
}

fn place_shift((shift, amount): (Shift, u8)) -> u32 {
    (shift as u32) << 22 | bits(u32::from(amount), 0, 6) << 10
}

fn show_shift((shift, amount): (Shift, u8), out: &mut String) {
    let _ = write!(out, "{} #{amount}", shift.name());
}

fn condition(number: u32) -> Option<Cond> {
    Cond::ALL.get(number as usize).copied()
}

operands! {
    /// A register that is both of two operands.
    RnTwice(Reg) 0x001F_03E0 {
        fits(reg, _) { !reg.is_vector() }
        put(reg, _) { u32::from(reg.enc()) << 5 | u32::from(reg.enc()) << 16 }
        get(word) {
            let reg = bits(word, 5, 5);
            (reg == bits(word, 16, 5)).then_some(Reg(reg as u8))
        }
        show(reg, context, out) { general(reg, context.width, false, out) }
        samples { (0..32).map(Reg).collect() }
    }

    /// A register of which one bit is looked at.
    RtBit(Reg) 0x0000_001F {
        fits(reg, _) { !reg.is_vector() }
        put(reg, _) { u32::from(reg.enc()) }
        get(word) { Some(Reg(bits(word, 0, 5) as u8)) }
        show(reg, context, out) { general(reg, width_of(context.word), false, out) }
        samples { (0..32).map(Reg).collect() }
    }

    /// A register that is extended.
    RmExt(Reg) 0x001F_0000 {
        fits(reg, _) { !reg.is_vector() }
        put(reg, _) { u32::from(reg.enc()) << 16 }
        get(word) { Some(Reg(bits(word, 16, 5) as u8)) }
        show(reg, context, out) {
            let is_64 = Extend::ALL[bits(context.word, 13, 3) as usize].is_64();
            general(reg, if is_64 { Width::X } else { Width::W }, false, out);
        }
        samples { (0..32).map(Reg).collect() }
    }

    /// A constant of additions.
    Add12(Imm12) 0x007F_FC00 {
        put(value, _) { value.bits() << 10 }
        get(word) { Some(Imm12::from_bits(word >> 10)) }
        show(value, _, out) {
            let _ = write!(out, "#{}", value.bits() & 0xFFF);
            if value.bits() >> 12 == 1 {
                out.push_str(", lsl #12");
            }
        }
        samples {
            let values = [0, 1, 2, 16, 4095, 0x1000, 0xA5_5000, 0xFF_F000];
            values.into_iter().filter_map(Imm12::new).collect()
        }
    }

    /// How the last operand of an addition or comparison is shifted.
    ShiftAdd((Shift, u8)) 0x00C0_FC00 {
        fits((shift, amount), word) { shift != Shift::Ror && amount <= top(word) }
        put(value, _) { place_shift(value) }
        get(word) { shift(word).filter(|(shift, _)| *shift != Shift::Ror) }
        show(value, _, out) { show_shift(value, out) }
        samples { ShiftLogic::samples() }
    }

    /// How the last operand of a logical operation is shifted.
    ShiftLogic((Shift, u8)) 0x00C0_FC00 {
        fits((_, amount), word) { amount <= top(word) }
        put(value, _) { place_shift(value) }
        get(word) { shift(word) }
        show(value, _, out) { show_shift(value, out) }
        samples {
            let amounts = [0, 1, 12, 31, 32, 63];
            Shift::ALL.iter().flat_map(|&shift| amounts.map(|amount| (shift, amount))).collect()
        }
    }

    /// How the last operand is extended, and then shifted by at most 4.
    Ext((Extend, u8)) 0x0000_FC00 {
        fits((extend, amount), word) {
            amount <= 4 && (width_of(word) == Width::X || !extend.is_64())
        }
        put((extend, amount), _) { (extend as u32) << 13 | bits(u32::from(amount), 0, 3) << 10 }
        get(word) {
            let value = (Extend::ALL[bits(word, 13, 3) as usize], bits(word, 10, 3) as u8);
            Ext::fits(value, word).then_some(value)
        }
        show((extend, amount), _, out) { let _ = write!(out, "{} #{amount}", extend.name()); }
        samples {
            let amounts = 0..=4;
            let with = |extend| amounts.clone().map(move |amount| (extend, amount));
            Extend::ALL.into_iter().flat_map(with).collect()
        }
    }

    /// A constant of logical operations.
    Logic(BitMask) 0x007F_FC00 {
        fits(value, word) { value.value(width_of(word)).is_some() }
        put(value, _) { value.bits() << 10 }
        get(word) {
            let value = BitMask::from_bits(word >> 10);
            value.value(width_of(word)).map(|_| value)
        }
        show(value, context, out) {
            let _ = write!(out, "#{:#x}", value.value(width_of(context.word)).unwrap_or(0));
        }
        samples {
            let values = [
                1, 0xFF, 0xFFFF_FFFF, 0xFFFF_FFFE, 0x8000_0000, 0x7FFF_FFFF, 0x5555_5555_5555_5555,
                0x0707_0707_0707_0707, 0x8001_8001_8001_8001, 0xC000_0001_C000_0001, 1 << 63,
                (1 << 63) - 1, 0x8000_0000_0000_0001, 0x00FF_FF00_0000_0000, u64::MAX - 1,
            ];
            let both = |value| [Width::W, Width::X].map(|width| super::super::imm::logical_imm(value, width));
            values.into_iter().flat_map(both).flatten().collect()
        }
    }

    /// Which quarter of a register `movz` and its like set, 0 to 3.
    Quarter(u8) 0x0060_0000 {
        fits(value, word) { u32::from(value) < width_of(word).bits() / 16 }
        put(value, _) { bits(u32::from(value), 0, 2) << 21 }
        get(word) { Some(bits(word, 21, 2) as u8).filter(|&value| Quarter::fits(value, word)) }
        show(value, _, out) {
            if value != 0 {
                let _ = write!(out, "lsl #{}", 16 * value);
            }
        }
        samples { vec![0, 1, 2, 3] }
    }

    /// The amount of a shift to the left.
    Lsl(u8) 0x003F_FC00 {
        fits(amount, word) { amount <= top(word) }
        put(amount, word) {
            let top = top(word);
            u32::from(amount.wrapping_neg() & top) << 16 | u32::from((top - amount) & top) << 10
        }
        get(word) {
            let (immr, imms) = (bits(word, 16, 6) as u8, bits(word, 10, 6) as u8);
            let amount = top(word).checked_sub(imms)?;
            (immr == amount.wrapping_neg() & top(word)).then_some(amount)
        }
        show(amount, _, out) { let _ = write!(out, "#{amount}"); }
        samples { (0..64).collect() }
    }

    /// The amount of a shift to the right.
    Lsr(u8) 0x003F_FC00 {
        fits(amount, word) { amount <= top(word) }
        put(amount, word) { u32::from(amount & 63) << 16 | u32::from(top(word)) << 10 }
        get(word) {
            let (immr, imms) = (bits(word, 16, 6) as u8, bits(word, 10, 6) as u8);
            (imms == top(word) && immr <= imms).then_some(immr)
        }
        show(amount, _, out) { let _ = write!(out, "#{amount}"); }
        samples { (0..64).collect() }
    }

    /// How many bits a field has that is read, from [`super::Lsb`] on.
    FieldWidth(u8) 0x0000_FC00 {
        fits(width, word) { width >= 1 && bits(word, 16, 6) as u8 + width - 1 <= top(word) }
        put(width, word) { bits(bits(word, 16, 6) + u32::from(width) - 1, 0, 6) << 10 }
        get(word) {
            let (immr, imms) = (bits(word, 16, 6) as u8, bits(word, 10, 6) as u8);
            (immr <= imms && imms <= top(word)).then(|| imms - immr + 1)
        }
        show(width, _, out) { let _ = write!(out, "#{width}"); }
        samples { (1..=64).collect() }
    }

    /// The lowest bit of a field that is written.
    InsertLsb(u8) 0x003F_0000 {
        fits(lsb, word) { lsb <= top(word) }
        put(lsb, word) { u32::from(lsb.wrapping_neg() & top(word)) << 16 }
        get(word) {
            let immr = bits(word, 16, 6) as u8;
            (immr <= top(word)).then(|| immr.wrapping_neg() & top(word))
        }
        show(lsb, _, out) { let _ = write!(out, "#{lsb}"); }
        samples { (0..64).collect() }
    }

    /// How many bits a field has that is written, from [`InsertLsb`] on.
    InsertWidth(u8) 0x0000_FC00 {
        fits(width, word) {
            let lsb = InsertLsb::get(word).unwrap_or(0);
            width >= 1 && lsb + width - 1 <= top(word)
        }
        put(width, _) { bits(u32::from(width) - 1, 0, 6) << 10 }
        get(word) {
            let width = bits(word, 10, 6) as u8 + 1;
            InsertWidth::fits(width, word).then_some(width)
        }
        show(width, _, out) { let _ = write!(out, "#{width}"); }
        samples { (1..=64).collect() }
    }

    Condition(Cond) 0x0000_F000 {
        put(cond, _) { (cond as u32) << 12 }
        get(word) { condition(bits(word, 12, 4)) }
        show(cond, _, out) { out.push_str(cond.name()) }
        samples { Cond::ALL.to_vec() }
    }

    /// A condition that is encoded as its opposite.
    Inverted(Cond) 0x0000_F000 {
        put(cond, _) { (cond.not() as u32) << 12 }
        get(word) { condition(bits(word, 12, 4)).map(Cond::not) }
        show(cond, _, out) { out.push_str(cond.name()) }
        samples { Cond::ALL.to_vec() }
    }

    /// The condition of a branch, part of the mnemonic.
    BranchOn(Cond) 0x0000_000F {
        put(cond, _) { cond as u32 }
        get(word) { condition(bits(word, 0, 4)) }
        context(cond, context) { context.suffix[0] = cond.name() }
        show(_, _, _out) {}
        samples { Cond::ALL.to_vec() }
    }

    /// Which bit is looked at.
    Bit(u8) 0x80F8_0000 {
        fits(bit, _) { bit < 64 }
        put(bit, _) { bits(u32::from(bit), 5, 1) << 31 | bits(u32::from(bit), 0, 5) << 19 }
        get(word) { Some((bits(word, 31, 1) << 5 | bits(word, 19, 5)) as u8) }
        show(bit, _, out) { let _ = write!(out, "#{bit}"); }
        samples { (0..64).collect() }
    }

    System(SysReg) 0x000F_FFE0 {
        put(reg, _) {
            match reg {
                SysReg::Nzcv => 0xB_4200,
                SysReg::Fpcr => 0xB_4400,
                SysReg::Fpsr => 0xB_4420,
            }
        }
        get(word) {
            let all = System::all();
            all.into_iter().map(|(reg, _)| reg).find(|&reg| System::put(reg, 0) == word & System::MASK)
        }
        show(reg, _, out) {
            let name = System::all().into_iter().find(|(each, _)| *each == reg);
            out.push_str(name.map_or("", |(_, name)| name));
        }
        samples { System::all().into_iter().map(|(reg, _)| reg).collect() }
    }

    Dmb(Barrier) 0x0000_0F00 {
        put(barrier, _) { (barrier as u32) << 8 }
        get(word) {
            let all = [Barrier::IshLd, Barrier::IshSt, Barrier::Ish];
            all.into_iter().find(|&each| each as u32 == bits(word, 8, 4))
        }
        show(barrier, _, out) {
            out.push_str(match barrier {
                Barrier::IshLd => "ishld",
                Barrier::IshSt => "ishst",
                Barrier::Ish => "ish",
            });
        }
        samples { vec![Barrier::IshLd, Barrier::IshSt, Barrier::Ish] }
    }
}

impl System {
    const fn all() -> [(SysReg, &'static str); 3] {
        [(SysReg::Nzcv, "nzcv"), (SysReg::Fpcr, "fpcr"), (SysReg::Fpsr, "fpsr")]
    }
}
