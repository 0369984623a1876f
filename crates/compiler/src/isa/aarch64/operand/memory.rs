//! Operands of loads, stores and atomic accesses.

use super::super::regs::{Access, Extend, Index, Order, Pair, Reg, Size, Width};
use super::{Context, Operand, bits, general, operands, signed};
use std::fmt::Write as _;

/// The logarithm of the size of the access in a word.
const fn scale(word: u32) -> u32 {
    if word & 0x0480_0000 == 0x0480_0000 { 4 } else { word >> 30 }
}

/// The logarithm of the size of one of the pair in a word.
const fn pair_scale(word: u32) -> u32 {
    if word & 1 << 26 != 0 { 2 + (word >> 30) } else { 2 + (word >> 31) }
}

/// A register of the bank that the access in the word uses.
fn data(word: u32, shift: u32) -> Option<Reg> {
    let bank = if word & 1 << 26 != 0 { 32 } else { 0 };
    Some(Reg(bits(word, shift, 5) as u8 + bank))
}

fn data_fits(reg: Reg, word: u32) -> bool {
    reg.is_vector() == (word & 1 << 26 != 0)
}

fn show_data(reg: Reg, context: &Context<'_>, out: &mut String) {
    if reg.is_vector() {
        let _ = write!(out, "{}{}", context.letter, reg.enc());
    } else {
        general(reg, context.width, false, out);
    }
}

fn offset9(word: u32) -> Option<i32> {
    Some(signed(word >> 12, 9) as i32)
}

fn offset9_fits(offset: i32) -> bool {
    (-256..256).contains(&offset)
}

fn place9(offset: i32) -> u32 {
    bits(offset as u32, 0, 9) << 12
}

fn pair_offset(word: u32) -> Option<i32> {
    Some((signed(word >> 15, 7) as i32) << pair_scale(word))
}

fn pair_offset_fits(offset: i32, word: u32) -> bool {
    let scaled = offset >> pair_scale(word);
    (-64..64).contains(&scaled) && scaled << pair_scale(word) == offset
}

fn place_pair(offset: i32, word: u32) -> u32 {
    bits((offset >> pair_scale(word)) as u32, 0, 7) << 15
}

#[cfg(test)]
fn offsets9() -> Vec<i32> {
    vec![-256, -255, -16, -1, 0, 1, 8, 255]
}

#[cfg(test)]
fn pair_offsets() -> Vec<i32> {
    let each = [-64, -63, -1, 0, 1, 5, 63];
    each.into_iter().flat_map(|each| [4 * each, 8 * each, 16 * each]).collect()
}

operands! {
    /// What is loaded or stored.
    Acc(Access) 0xC4C0_0000 {
        put(access, _) {
            let number = access as u32;
            number >> 3 << 30 | bits(number, 2, 1) << 26 | bits(number, 0, 2) << 22
        }
        get(word) {
            let number = bits(word, 30, 2) << 3 | bits(word, 26, 1) << 2 | bits(word, 22, 2);
            Access::ALL.into_iter().find(|&access| access as u32 == number)
        }
        context(access, context) {
            context.prefix = if access.is_load() { "ld" } else { "st" };
            context.suffix[0] = match access {
                Access::StB | Access::LdB => "b",
                Access::LdSbX | Access::LdSbW => "sb",
                Access::StH | Access::LdH => "h",
                Access::LdShX | Access::LdShW => "sh",
                Access::LdSw => "sw",
                Access::StW | Access::LdW | Access::StX | Access::LdX => "",
                Access::StVb | Access::LdVb | Access::StVq | Access::LdVq => "",
                Access::StVh | Access::LdVh | Access::StVs | Access::LdVs => "",
                Access::StVd | Access::LdVd => "",
            };
            context.letter = ["b", "h", "s", "d", "q"][access.scale() as usize];
            context.width = match access {
                Access::StX | Access::LdX | Access::LdSbX | Access::LdShX | Access::LdSw => Width::X,
                _ => Width::W,
            };
        }
        show(_, _, _out) {}
        samples { Access::ALL.to_vec() }
    }

    /// What is loaded or stored, twice.
    AccPair(Pair) 0xC440_0000 {
        put(pair, _) {
            let number = pair as u32;
            number >> 2 << 30 | bits(number, 1, 1) << 26 | bits(number, 0, 1) << 22
        }
        get(word) {
            let number = bits(word, 30, 2) << 2 | bits(word, 26, 1) << 1 | bits(word, 22, 1);
            Pair::ALL.into_iter().find(|&pair| pair as u32 == number)
        }
        context(pair, context) {
            context.prefix = if pair.is_load() { "ld" } else { "st" };
            context.suffix[0] = if pair == Pair::LdSw { "sw" } else { "" };
            context.letter = ["s", "d", "q"][pair.scale() as usize - 2];
            context.width = match pair {
                Pair::StX | Pair::LdX | Pair::LdSw => Width::X,
                _ => Width::W,
            };
        }
        show(_, _, _out) {}
        samples { Pair::ALL.to_vec() }
    }

    /// The register that is loaded or stored.
    Data(Reg) 0x0000_001F {
        fits(reg, word) { data_fits(reg, word) }
        put(reg, _) { u32::from(reg.enc()) }
        get(word) { data(word, 0) }
        show(reg, context, out) { show_data(reg, context, out) }
        samples { (0..64).map(Reg).collect() }
    }

    /// The second register of a pair.
    Data2(Reg) 0x0000_7C00 {
        fits(reg, word) { data_fits(reg, word) }
        put(reg, _) { u32::from(reg.enc()) << 10 }
        get(word) { data(word, 10) }
        show(reg, context, out) { show_data(reg, context, out) }
        samples { (0..64).map(Reg).collect() }
    }

    /// A multiple of the size of the access, up to 4095 times it.
    Scaled12(u32) 0x003F_FC00 {
        fits(offset, word) {
            let scaled = offset >> scale(word);
            scaled < 4096 && scaled << scale(word) == offset
        }
        put(offset, word) { bits(offset >> scale(word), 0, 12) << 10 }
        get(word) { Some(bits(word, 10, 12) << scale(word)) }
        show(offset, _, out) { let _ = write!(out, "#{offset}]"); }
        samples {
            let each = [0, 1, 2, 3, 7, 16, 255, 2730, 4094, 4095];
            each.into_iter().flat_map(|each| (0..5).map(move |scale| each << scale)).collect()
        }
    }

    /// -256 to 255 bytes.
    Off9(i32) 0x001F_F000 {
        fits(offset, _) { offset9_fits(offset) }
        put(offset, _) { place9(offset) }
        get(word) { offset9(word) }
        show(offset, _, out) { let _ = write!(out, "#{offset}]"); }
        samples { offsets9() }
    }

    /// -256 to 255 bytes by which the base moves before the access.
    Pre9(i32) 0x001F_F000 {
        fits(offset, _) { offset9_fits(offset) }
        put(offset, _) { place9(offset) }
        get(word) { offset9(word) }
        show(offset, _, out) { let _ = write!(out, "#{offset}]!"); }
        samples { offsets9() }
    }

    /// -256 to 255 bytes by which the base moves behind the access.
    Post9(i32) 0x001F_F000 {
        fits(offset, _) { offset9_fits(offset) }
        put(offset, _) { place9(offset) }
        get(word) { offset9(word) }
        show(offset, _, out) { let _ = write!(out, "#{offset}"); }
        samples { offsets9() }
    }

    /// An index register.
    Indexed(Index) 0x001F_F000 {
        fits(index, _) { index.extend as u8 & 2 != 0 && !index.reg.is_vector() }
        put(Index { reg, extend, scaled }, _) {
            u32::from(reg.enc()) << 16 | (extend as u32) << 13 | u32::from(scaled) << 12
        }
        get(word) {
            let extend = Extend::ALL[bits(word, 13, 3) as usize];
            let reg = Reg(bits(word, 16, 5) as u8);
            let index = Index { reg, extend, scaled: bits(word, 12, 1) == 1 };
            Indexed::fits(index, word).then_some(index)
        }
        show(Index { reg, extend, scaled }, context, out) {
            general(reg, if extend.is_64() { Width::X } else { Width::W }, false, out);
            let name = if extend == Extend::Uxtx { "lsl" } else { extend.name() };
            if scaled {
                let _ = write!(out, ", {name} #{}", scale(context.word));
            } else if extend != Extend::Uxtx {
                let _ = write!(out, ", {name}");
            }
            out.push(']');
        }
        samples {
            let extends = [Extend::Uxtw, Extend::Uxtx, Extend::Sxtw, Extend::Sxtx];
            let each = |number: u8| {
                let extend = extends[usize::from(number & 3)];
                Index { reg: Reg(number >> 3), extend, scaled: number & 4 != 0 }
            };
            (0..=255).map(each).collect()
        }
    }

    /// A multiple of the size of one of the pair, from -64 to 63 times it.
    PairOff(i32) 0x003F_8000 {
        fits(offset, word) { pair_offset_fits(offset, word) }
        put(offset, word) { place_pair(offset, word) }
        get(word) { pair_offset(word) }
        show(offset, _, out) { let _ = write!(out, "#{offset}]"); }
        samples { pair_offsets() }
    }

    /// Such a multiple by which the base moves before the access.
    PairPre(i32) 0x003F_8000 {
        fits(offset, word) { pair_offset_fits(offset, word) }
        put(offset, word) { place_pair(offset, word) }
        get(word) { pair_offset(word) }
        show(offset, _, out) { let _ = write!(out, "#{offset}]!"); }
        samples { pair_offsets() }
    }

    /// Such a multiple by which the base moves behind the access.
    PairPost(i32) 0x003F_8000 {
        fits(offset, word) { pair_offset_fits(offset, word) }
        put(offset, word) { place_pair(offset, word) }
        get(word) { pair_offset(word) }
        show(offset, _, out) { let _ = write!(out, "#{offset}"); }
        samples { pair_offsets() }
    }

    /// The size of an atomic access.
    Sized(Size) 0xC000_0000 {
        put(size, _) { (size as u32) << 30 }
        get(word) { Some([Size::B, Size::H, Size::W, Size::X][bits(word, 30, 2) as usize]) }
        context(size, context) {
            context.width = if size == Size::X { Width::X } else { Width::W };
            context.suffix[1] = ["b", "h", "", ""][size as usize];
        }
        show(_, _, _out) {}
        samples { vec![Size::B, Size::H, Size::W, Size::X] }
    }

    /// The order of an atomic operation.
    Ordered(Order) 0x00C0_0000 {
        put(order, _) { (order as u32) << 22 }
        get(word) { Some(order(bits(word, 22, 2))) }
        context(order, context) { context.suffix[0] = order_name(order) }
        show(_, _, _out) {}
        samples { (0..4).map(order).collect() }
    }

    /// The order of a compare-and-swap, whose bits are elsewhere.
    OrderedCas(Order) 0x0040_8000 {
        put(order, _) { (order as u32) >> 1 << 22 | (order as u32 & 1) << 15 }
        get(word) { Some(order(bits(word, 22, 1) << 1 | bits(word, 15, 1))) }
        context(order, context) { context.suffix[0] = order_name(order) }
        show(_, _, _out) {}
        samples { (0..4).map(order).collect() }
    }
}

fn order(number: u32) -> Order {
    [Order::Relaxed, Order::Release, Order::Acquire, Order::Full][number as usize]
}

fn order_name(order: Order) -> &'static str {
    ["", "l", "a", "al"][order as usize]
}
