//! Operands of instructions on vectors.
//!
//! Sizes of lanes are often said together with a number: a field is a one at a bit that
//! tells the size, and below it or above it the number of a lane or the amount of a
//! shift. The lanes come first and set that bit; the number shares the field.

use super::super::imm::Fp8;
use super::super::regs::{Elem, Float, Lanes, Reg, Width};
use super::{Context, Operand, bits, general, operands};
use std::fmt::Write as _;

/// Lanes of twice the size that fill a register.
fn doubled(lanes: Lanes) -> Lanes {
    Lanes::new(Elem::ALL[(lanes.elem() as usize + 1).min(3)], true)
}

fn tell(lanes: Lanes, context: &mut Context<'_>) {
    context.lanes = lanes;
    context.wide = doubled(lanes);
    context.letter = lanes.elem().letter();
}

/// The mnemonic says whether the upper half of a register is meant.
fn tell_half(lanes: Lanes, context: &mut Context<'_>) {
    tell(lanes, context);
    context.suffix[0] = if lanes.is_full() { "2" } else { "" };
}

/// Pairs of lanes become one.
fn tell_pairs(lanes: Lanes, context: &mut Context<'_>) {
    tell(lanes, context);
    context.wide = Lanes::new(doubled(lanes).elem(), lanes.is_full());
}

/// All lanes become one number, larger than they.
fn tell_sum(lanes: Lanes, context: &mut Context<'_>) {
    tell(lanes, context);
    context.letter = doubled(lanes).elem().letter();
}

const fn full(lanes: Lanes) -> u32 {
    (lanes.is_full() as u32) << 30
}

/// The size at bit 22.
const fn at22(lanes: Lanes) -> u32 {
    full(lanes) | (lanes.elem() as u32) << 22
}

/// 32 or 64 bits, by bit 22.
const fn float22(lanes: Lanes) -> u32 {
    full(lanes) | (lanes.elem() as u32 & 1) << 22
}

/// The size at bit 10.
const fn at10(lanes: Lanes) -> u32 {
    full(lanes) | (lanes.elem() as u32) << 10
}

/// The size as the lowest one from bit 16 on.
const fn lowest16(lanes: Lanes) -> u32 {
    full(lanes) | 1 << (16 + lanes.elem() as u32)
}

/// The size as the highest one from bit 19 on.
const fn highest19(lanes: Lanes) -> u32 {
    full(lanes) | 1 << (19 + lanes.elem() as u32)
}

/// As it is.
const fn exact(word: u32) -> u32 {
    word
}

/// Without the number of a lane.
const fn without_lane(word: u32) -> u32 {
    let field = bits(word, 16, 5);
    word & 1 << 30 | (field & field.wrapping_neg()) << 16
}

/// Without the amount of a shift.
const fn without_amount(word: u32) -> u32 {
    match bits(word, 16, 7).checked_ilog2() {
        Some(highest) => word & 1 << 30 | 1 << (16 + highest),
        None => 0,
    }
}

macro_rules! lanes {
    ($(
        $(#[$doc:meta])*
        $name:ident $mask:literal $place:ident $clean:ident $tell:ident [$($lanes:ident)*];
    )*) => {$(
        operands! {
            $(#[$doc])*
            $name(Lanes) $mask {
                fits(lanes, _) { matches!(lanes, $(Lanes::$lanes)|*) }
                put(lanes, _) { $place(lanes) & $mask }
                get(word) {
                    let word = $clean(word & $mask);
                    [$(Lanes::$lanes),*].into_iter().find(|&lanes| $place(lanes) == word)
                }
                context(lanes, context) { $tell(lanes, context) }
                show(_, _, _out) {}
                samples { vec![$(Lanes::$lanes),*] }
            }
        }
    )*};
}

/// Lanes whose size the instruction fixes.
const fn only_full(lanes: Lanes) -> u32 {
    full(lanes)
}

lanes! {
    Arr 0x40C0_0000 at22 exact tell [B8 B16 H4 H8 S2 S4 D2];
    ArrBhs 0x40C0_0000 at22 exact tell [B8 B16 H4 H8 S2 S4];
    ArrBh 0x40C0_0000 at22 exact tell [B8 B16 H4 H8];
    ArrHs 0x40C0_0000 at22 exact tell [H4 H8 S2 S4];
    ArrB 0x4000_0000 only_full exact tell [B8 B16];
    ArrH 0x4000_0000 only_full exact tell [H4 H8];
    ArrS 0x4000_0000 only_full exact tell [S2 S4];
    ArrFp 0x4040_0000 float22 exact tell [S2 S4 D2];
    /// The lanes of an operand, or the result, that is half as wide as the other: the
    /// lower half, or the upper one if they fill the register.
    ArrLong 0x40C0_0000 at22 exact tell_half [B8 B16 H4 H8 S2 S4];
    /// Such lanes of floats; the others are of 64 bits.
    ArrCvt 0x4000_0000 only_full exact tell_half [S2 S4];
    ArrPairs 0x40C0_0000 at22 exact tell_pairs [B8 B16 H4 H8 S2 S4];
    ArrAcross 0x40C0_0000 at22 exact tell [B8 B16 H4 H8 S4];
    ArrAcrossLong 0x40C0_0000 at22 exact tell_sum [B8 B16 H4 H8 S4];
    /// The lanes of sums of products of bytes.
    ArrDot 0x4000_0000 only_full exact tell [S2 S4];
    ArrDup 0x401F_0000 lowest16 exact tell [B8 B16 H4 H8 S2 S4 D2];
    ArrElem 0x401F_0000 lowest16 without_lane tell [B8 B16 H4 H8 S2 S4 D2];
    ArrShift 0x407F_0000 highest19 without_amount tell [B8 B16 H4 H8 S2 S4 D2];
    ArrShiftLong 0x407F_0000 highest19 without_amount tell_half [B8 B16 H4 H8 S2 S4];
    ArrExtend 0x407F_0000 highest19 exact tell_half [B8 B16 H4 H8 S2 S4];
    ArrLoad 0x4000_0C00 at10 exact tell [B8 B16 H4 H8 S2 S4 D1 D2];
}

macro_rules! vectors {
    ($($(#[$doc:meta])* $name:ident $mask:literal $shift:literal $show:expr;)*) => {$(
        operands! {
            $(#[$doc])*
            $name(Reg) $mask {
                fits(reg, _) { reg.is_vector() }
                put(reg, _) { u32::from(reg.enc()) << $shift }
                get(word) { Some(Reg(32 + bits(word, $shift, 5) as u8)) }
                show(reg, context, out) {
                    let show: fn(u8, &Context<'_>, &mut String) = $show;
                    show(reg.enc(), context, out);
                }
                samples { (32..64).map(Reg).collect() }
            }
        }
    )*};
}

fn show(number: u8, lanes: Lanes, out: &mut String) {
    let _ = write!(out, "v{number}.{}", lanes.name());
}

/// Registers that follow each other, around behind the last.
fn show_list(first: u8, count: u8, lanes: Lanes, out: &mut String) {
    for index in 0..count {
        out.push_str(if index == 0 { "{" } else { ", " });
        show((first + index) % 32, lanes, out);
    }
    out.push('}');
}

fn show_lane(number: u8, elem: Elem, lane: u32, out: &mut String) {
    let _ = write!(out, "v{number}.{}[{lane}]", elem.letter());
}

/// The size of lanes that the lowest one from bit 16 on tells.
fn elem16(word: u32) -> Elem {
    Elem::ALL[(bits(word, 16, 5).trailing_zeros() as usize).min(3)]
}

fn lane16(word: u32) -> u32 {
    bits(word, 16, 5) >> (elem16(word) as u32 + 1)
}

vectors! {
    Vd 0x0000_001F 0 |number, context, out| show(number, context.lanes, out);
    Vn 0x0000_03E0 5 |number, context, out| show(number, context.lanes, out);
    Vm 0x001F_0000 16 |number, context, out| show(number, context.lanes, out);
    VdWide 0x0000_001F 0 |number, context, out| show(number, context.wide, out);
    VnWide 0x0000_03E0 5 |number, context, out| show(number, context.wide, out);
    VnBytes 0x0000_03E0 5 |number, context, out| {
        show(number, Lanes::new(Elem::B, context.lanes.is_full()), out);
    };
    VmBytes 0x001F_0000 16 |number, context, out| {
        show(number, Lanes::new(Elem::B, context.lanes.is_full()), out);
    };
    VdDoubles 0x0000_001F 0 |number, _, out| show(number, Lanes::D2, out);
    VnDoubles 0x0000_03E0 5 |number, _, out| show(number, Lanes::D2, out);
    /// A lane of the destination; [`Lane`] says which.
    VdLane 0x0000_001F 0 |number, context, out| {
        show_lane(number, elem16(context.word), lane16(context.word), out);
    };
    /// A lane of the source; [`Lane`] says which.
    VnLane 0x0000_03E0 5 |number, context, out| {
        show_lane(number, elem16(context.word), lane16(context.word), out);
    };
    /// A lane of the source; [`Lane4`] says which.
    VnLane4 0x0000_03E0 5 |number, context, out| {
        let elem = elem16(context.word);
        show_lane(number, elem, bits(context.word, 11, 4) >> elem as u32, out);
    };
    /// A lane of a factor; [`LaneIndexed`] says which.
    VmIndexed 0x001F_0000 16 |number, context, out| {
        let lane = LaneIndexed::get(context.word).unwrap_or(0);
        show_lane(number, context.lanes.elem(), u32::from(lane), out);
    };
    /// A lane that is loaded or stored; [`MemLane`] says which.
    VtLane 0x0000_001F 0 |number, context, out| {
        let elem = ElemMem::get(context.word).unwrap_or(Elem::B);
        let lane = MemLane::get(context.word).unwrap_or(0);
        let _ = write!(out, "{{v{number}.{}}}[{lane}]", elem.letter());
    };
    /// What is loaded, as a list of one.
    List 0x0000_001F 0 |number, context, out| show_list(number, 1, context.lanes, out);
    /// One register of 16 bytes to look up in.
    Table1 0x0000_03E0 5 |number, _, out| show_list(number, 1, Lanes::B16, out);
    /// Two registers that follow each other.
    Table2 0x0000_03E0 5 |number, _, out| show_list(number, 2, Lanes::B16, out);
    Table3 0x0000_03E0 5 |number, _, out| show_list(number, 3, Lanes::B16, out);
    Table4 0x0000_03E0 5 |number, _, out| show_list(number, 4, Lanes::B16, out);
}

/// The number of bits of the lanes that the highest one from bit 19 on tells.
fn shift_bits(word: u32) -> u32 {
    bits(word, 16, 7).checked_ilog2().map_or(0, |highest| 1 << highest)
}

operands! {
    /// A register that is both of two operands.
    VnTwice(Reg) 0x001F_03E0 {
        fits(reg, _) { reg.is_vector() }
        put(reg, _) { u32::from(reg.enc()) << 5 | u32::from(reg.enc()) << 16 }
        get(word) {
            let reg = bits(word, 5, 5);
            (reg == bits(word, 16, 5)).then_some(Reg(32 + reg as u8))
        }
        show(reg, context, out) { show(reg.enc(), context.lanes, out) }
        samples { (32..64).map(Reg).collect() }
    }

    /// The size of a lane of which [`Lane`] tells the number.
    ElemAny(Elem) 0x001F_0000 {
        put(elem, _) { 1 << (16 + elem as u32) }
        get(word) { (bits(word, 16, 4) != 0).then(|| elem16(word)) }
        context(elem, context) { context.letter = elem.letter() }
        show(_, _, _out) {}
        samples { Elem::ALL.to_vec() }
    }

    /// Such a size, which also says how wide the general register is.
    ElemUmov(Elem) 0x401F_0000 {
        put(elem, _) { 1 << (16 + elem as u32) | u32::from(elem == Elem::D) << 30 }
        get(word) {
            let elem = ElemAny::get(word)?;
            ((elem == Elem::D) == (bits(word, 30, 1) == 1)).then_some(elem)
        }
        context(elem, context) {
            context.width = if elem == Elem::D { Width::X } else { Width::W };
        }
        show(_, _, _out) {}
        samples { Elem::ALL.to_vec() }
    }

    /// Such a size, less than that of the general register.
    ElemSmov(Elem) 0x001F_0000 {
        fits(elem, word) { elem < Elem::S || elem == Elem::S && bits(word, 30, 1) == 1 }
        put(elem, _) { 1 << (16 + elem as u32) }
        get(word) { ElemAny::get(word).filter(|&elem| ElemSmov::fits(elem, word)) }
        show(_, _, _out) {}
        samples { Elem::ALL.to_vec() }
    }

    /// The size of a lane that is loaded or stored, of which [`MemLane`] tells the number.
    ElemMem(Elem) 0x4000_FC00 {
        put(elem, _) { [0, 0x4000, 0x8000, 0x8400][elem as usize] }
        get(word) {
            match (bits(word, 13, 3), bits(word, 10, 2), bits(word, 12, 1)) {
                (0, _, _) => Some(Elem::B),
                (2, 0 | 2, _) => Some(Elem::H),
                (4, 0, _) => Some(Elem::S),
                (4, 1, 0) => Some(Elem::D),
                _ => None,
            }
        }
        show(_, _, _out) {}
        samples { Elem::ALL.to_vec() }
    }

    /// The number of a lane.
    MemLane(u8) 0x4000_1C00 shares {
        fits(lane, word) { ElemMem::get(word).is_some_and(|elem| lane < 16 >> elem as u32) }
        put(lane, word) {
            // As if lanes were bytes.
            let size = ElemMem::get(word).map_or(0, |elem| elem as u32);
            let byte = u32::from(lane) << size;
            bits(byte, 3, 1) << 30 | bits(byte, 0, 3) << 10
        }
        get(word) {
            let elem = ElemMem::get(word)?;
            let byte = bits(word, 30, 1) << 3 | bits(word, 10, 3);
            Some((byte >> elem as u32) as u8)
        }
        show(_, _, _out) {}
        samples { (0..16).collect() }
    }

    /// A general register as wide as a lane, or wider.
    RnElem(Reg) 0x0000_03E0 {
        fits(reg, _) { !reg.is_vector() }
        put(reg, _) { u32::from(reg.enc()) << 5 }
        get(word) { Some(Reg(bits(word, 5, 5) as u8)) }
        show(reg, context, out) {
            let is_64 = elem16(context.word) == Elem::D;
            general(reg, if is_64 { Width::X } else { Width::W }, false, out);
        }
        samples { (0..32).map(Reg).collect() }
    }

    /// The number of a lane, shown with its register.
    Lane(u8) 0x001F_0000 shares {
        fits(lane, word) { lane < 16 >> elem16(word) as u32 }
        put(lane, word) { bits(u32::from(lane) << (elem16(word) as u32 + 1), 0, 5) << 16 }
        get(word) { Some(lane16(word) as u8) }
        show(_, _, _out) {}
        samples { (0..16).collect() }
    }

    /// The number of the source's lane.
    Lane4(u8) 0x0000_7800 {
        fits(lane, word) { lane < 16 >> elem16(word) as u32 }
        put(lane, word) { bits(u32::from(lane) << elem16(word) as u32, 0, 4) << 11 }
        get(word) { Some((bits(word, 11, 4) >> elem16(word) as u32) as u8) }
        show(_, _, _out) {}
        samples { (0..16).collect() }
    }

    /// The number of a factor's lane, of 32 or 64 bits.
    LaneIndexed(u8) 0x0020_0800 {
        fits(lane, word) { u32::from(lane) < 4 >> bits(word, 22, 1) }
        put(lane, word) {
            let lane = u32::from(lane) << bits(word, 22, 1);
            bits(lane, 1, 1) << 11 | bits(lane, 0, 1) << 21
        }
        get(word) {
            let lane = bits(word, 11, 1) << 1 | bits(word, 21, 1);
            let size = bits(word, 22, 1);
            (lane & size == 0).then_some((lane >> size) as u8)
        }
        show(_, _, _out) {}
        samples { vec![0, 1, 2, 3] }
    }

    /// The amount of a shift to the left, less than the bits of a lane.
    ShiftLeft(u8) 0x007F_0000 shares {
        fits(amount, word) { u32::from(amount) < shift_bits(word) }
        put(amount, _) { bits(u32::from(amount), 0, 6) << 16 }
        get(word) { Some((bits(word, 16, 7) - shift_bits(word)) as u8) }
        show(amount, _, out) { let _ = write!(out, "#{amount}"); }
        samples { (0..64).collect() }
    }

    /// The amount of a shift to the right, from 1 to the bits of a lane.
    ShiftRight(u8) 0x007F_0000 shares {
        fits(amount, word) { 1 <= amount && u32::from(amount) <= shift_bits(word) }
        put(amount, word) { bits(shift_bits(word).wrapping_sub(u32::from(amount)), 0, 6) << 16 }
        get(word) { (2 * shift_bits(word)).checked_sub(bits(word, 16, 7)).map(|amount| amount as u8) }
        show(amount, _, out) { let _ = write!(out, "#{amount}"); }
        samples { (1..=64).collect() }
    }

    Imm8(u8) 0x0007_03E0 {
        put(value, _) { place8(value) }
        get(word) { Some(find8(word)) }
        show(value, _, out) { let _ = write!(out, "#{value}"); }
        samples { (0..=255).collect() }
    }

    /// Eight bits that each become a byte of zeros or ones.
    ByteMask(u8) 0x0007_03E0 {
        put(value, _) { place8(value) }
        get(word) { Some(find8(word)) }
        show(value, _, out) {
            let bytes = (0..8).filter(|bit| value >> bit & 1 == 1);
            let mask = bytes.fold(0, |mask, byte| mask | 0xFFu64 << (8 * byte));
            let _ = write!(out, "#{mask:#x}");
        }
        samples { (0..=255).collect() }
    }

    VecFp(Fp8) 0x0007_03E0 {
        put(value, _) { place8(value.bits()) }
        get(word) { Some(Fp8::from_bits(find8(word))) }
        show(value, _, out) { let _ = write!(out, "#{:?}", value.value()); }
        samples { (0..=255).map(Fp8::from_bits).collect() }
    }

    /// How far a constant of 16 bits is shifted: 0 or 8.
    LslH(u8) 0x0000_2000 {
        fits(amount, _) { matches!(amount, 0 | 8) }
        put(amount, _) { bits(u32::from(amount), 3, 1) << 13 }
        get(word) { Some(bits(word, 13, 1) as u8 * 8) }
        show(amount, _, out) { let _ = write!(out, "lsl #{amount}"); }
        samples { vec![0, 8] }
    }

    /// How far a constant of 32 bits is shifted: 0, 8, 16 or 24.
    LslS(u8) 0x0000_6000 {
        fits(amount, _) { matches!(amount, 0 | 8 | 16 | 24) }
        put(amount, _) { bits(u32::from(amount), 3, 2) << 13 }
        get(word) { Some(bits(word, 13, 2) as u8 * 8) }
        show(amount, _, out) { let _ = write!(out, "lsl #{amount}"); }
        samples { vec![0, 8, 16, 24] }
    }

    /// How far a constant of 32 bits is shifted while ones come in: 8 or 16.
    Msl(u8) 0x0000_1000 {
        fits(amount, _) { matches!(amount, 8 | 16) }
        put(amount, _) { bits(u32::from(amount), 4, 1) << 12 }
        get(word) { Some(bits(word, 12, 1) as u8 * 8 + 8) }
        show(amount, _, out) { let _ = write!(out, "msl #{amount}"); }
        samples { vec![8, 16] }
    }

    /// Nothing but `#0`.
    Zero(()) 0x0000_0000 {
        put(_, _) { 0 }
        get(_word) { Some(()) }
        show(_, _, out) { out.push_str("#0") }
        samples { vec![()] }
    }

    /// From which byte of the first operand on.
    ExtIndex(u8) 0x0000_7800 {
        fits(index, word) { u32::from(index) < 8 << bits(word, 30, 1) }
        put(index, _) { bits(u32::from(index), 0, 4) << 11 }
        get(word) { Some(bits(word, 11, 4) as u8).filter(|&index| ExtIndex::fits(index, word)) }
        show(index, _, out) { let _ = write!(out, "#{index}"); }
        samples { (0..16).collect() }
    }

    /// The precision of two floats of which one is made.
    FpPair(Float) 0x0040_0000 {
        put(float, _) { (float as u32) << 22 }
        get(word) { Some([Float::S, Float::D][bits(word, 22, 1) as usize]) }
        context(float, context) {
            (context.letter, context.lanes) = match float {
                Float::S => ("s", Lanes::S2),
                Float::D => ("d", Lanes::D2),
            };
        }
        show(_, _, _out) {}
        samples { vec![Float::S, Float::D] }
    }
}

fn place8(value: u8) -> u32 {
    bits(u32::from(value), 5, 3) << 16 | bits(u32::from(value), 0, 5) << 5
}

fn find8(word: u32) -> u8 {
    (bits(word, 16, 3) << 5 | bits(word, 5, 5)) as u8
}
