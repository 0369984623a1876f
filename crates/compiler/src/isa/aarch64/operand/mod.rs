//! Operands: where an operand's bits are, and how it is written.
//!
//! Each kind is a type, so that the function made from a row knows at compile time
//! what to do. [`Kind`] lists them again as values, for showing words and for tests.
//!
//! Operands that say how the others look (the width, the lanes, the kind of access)
//! come first in a row. They are shown in the mnemonic or not at all.

mod float;
mod memory;
mod scalar;
mod vector;

pub(crate) use float::*;
pub(crate) use memory::*;
pub(crate) use scalar::*;
pub(crate) use vector::*;

use super::regs::{Lanes, Reg, Width};
use std::fmt::Write as _;

/// A kind of operand.
pub(crate) trait Operand {
    type Value: Copy + PartialEq + std::fmt::Debug;

    /// The bits it takes.
    const MASK: u32;

    /// Whether bits it takes are among those of an operand before it, which has to be
    /// readable all the same.
    const SHARES: bool = false;

    /// Whether the value can be encoded behind the operands in `word`.
    fn fits(_value: Self::Value, _word: u32) -> bool {
        true
    }

    /// The bits of a value, given the word with the operands before it. No others are
    /// set even if it does not fit.
    fn put(value: Self::Value, word: u32) -> u32;

    /// The value in a word; none if there is no such value.
    fn get(word: u32) -> Option<Self::Value>;

    /// Tells how other operands look.
    fn context(_value: Self::Value, _context: &mut Context<'_>) {}

    /// Writes it, or nothing.
    fn show(value: Self::Value, context: &Context<'_>, out: &mut String);

    /// Values to test, among them the extreme ones and some that do not always fit.
    #[cfg(test)]
    fn samples() -> Vec<Self::Value>;
}

/// What showing an operand needs to know of the others.
pub(crate) struct Context<'a> {
    pub(super) word: u32,
    label: Option<&'a str>,
    /// In front of the mnemonic.
    pub(super) prefix: &'static str,
    /// Behind the mnemonic.
    pub(super) suffix: [&'static str; 2],
    width: Width,
    /// The letter of vector registers that hold one number.
    letter: &'static str,
    /// The lanes of vector registers.
    lanes: Lanes,
    /// The lanes of those whose numbers have twice the bits.
    wide: Lanes,
}

impl<'a> Context<'a> {
    pub(super) fn new(word: u32, label: Option<&'a str>) -> Context<'a> {
        Context {
            word,
            label,
            prefix: "",
            suffix: [""; 2],
            width: Width::X,
            letter: "",
            lanes: Lanes::B16,
            wide: Lanes::H8,
        }
    }
}

/// Declares a kind of operand with what is special about it.
macro_rules! operands {
    ($(
        $(#[$doc:meta])*
        $name:ident($type:ty) $mask:literal $($shares:ident)? {
            $(fits($fits_value:pat, $fits_word:pat) $fits:block)?
            put($put_value:pat, $put_word:pat) $put:block
            get($get_word:ident) $get:block
            $(context($context_value:pat, $context:ident) $tell:block)?
            show($show_value:pat, $show_context:pat, $out:ident) $show:block
            samples $samples:block
        }
    )*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Operand for $name {
            type Value = $type;
            const MASK: u32 = $mask;
            $(operands!(@$shares);)?

            $(fn fits($fits_value: $type, $fits_word: u32) -> bool $fits)?

            #[inline]
            fn put($put_value: $type, $put_word: u32) -> u32 $put

            fn get($get_word: u32) -> Option<$type> $get

            $(fn context($context_value: $type, $context: &mut Context<'_>) $tell)?

            fn show($show_value: $type, $show_context: &Context<'_>, $out: &mut String) $show

            #[cfg(test)]
            fn samples() -> Vec<$type> $samples
        }
    )*};
    (@shares) => { const SHARES: bool = true; };
}
use operands;

macro_rules! kinds {
    ($($kind:ident)*) => {
        /// Every kind of operand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Kind {
            /// No more operands.
            None,
            $($kind),*
        }

        impl Kind {
            pub(super) const fn mask(self) -> u32 {
                match self {
                    Kind::None => 0,
                    $(Kind::$kind => <$kind as Operand>::MASK),*
                }
            }

            pub(super) const fn shares(self) -> bool {
                match self {
                    Kind::None => false,
                    $(Kind::$kind => <$kind as Operand>::SHARES),*
                }
            }

            /// Takes note of it; false if the word has no such operand.
            pub(super) fn context(self, context: &mut Context<'_>) -> bool {
                match self {
                    Kind::None => true,
                    $(Kind::$kind => match <$kind as Operand>::get(context.word) {
                        Some(value) => {
                            <$kind as Operand>::context(value, context);
                            true
                        }
                        None => false,
                    }),*
                }
            }

            pub(super) fn show(self, context: &Context<'_>, out: &mut String) {
                match self {
                    Kind::None => {}
                    $(Kind::$kind => {
                        if let Some(value) = <$kind as Operand>::get(context.word) {
                            <$kind as Operand>::show(value, context, out);
                        }
                    })*
                }
            }

            /// The bits of the value in `word`, behind the operands in `before`.
            #[cfg(test)]
            pub(super) fn again(self, word: u32, before: u32) -> u32 {
                match self {
                    Kind::None => 0,
                    $(Kind::$kind => {
                        let value = <$kind as Operand>::get(word);
                        let value = value.unwrap_or_else(|| panic!("{word:#010x} {self:?}"));
                        <$kind as Operand>::put(value, before)
                    }),*
                }
            }

            /// The bits of all samples that fit behind the operands in `word`.
            #[cfg(test)]
            pub(super) fn samples(self, word: u32) -> Vec<u32> {
                match self {
                    Kind::None => vec![0],
                    $(Kind::$kind => <$kind as Operand>::samples()
                        .into_iter()
                        .filter(|&value| <$kind as Operand>::fits(value, word))
                        .map(|value| {
                            let bits = <$kind as Operand>::put(value, word);
                            assert_eq!(
                                <$kind as Operand>::get(word | bits),
                                Some(value),
                                "{self:?} behind {word:#x}"
                            );
                            assert_eq!(bits & !self.mask(), 0, "{self:?} {value:?}");
                            bits
                        })
                        .collect()),*
                }
            }
        }
    };
}

kinds! {
    Branch26 Branch19 Branch14 Adr21 AdrPage21
    Sf SfN SfRev Double
    Rd RdSp Rn RnSp RnTwice Rm Ra Rt Rt2 Rs RtBit RmExt
    Xd Xn Xm Xa Xt Wd Wn Wm Wt Ws
    Add12 ShiftAdd ShiftLogic Ext Logic Imm16 Quarter Immr Imms Lsl Lsr
    Lsb FieldWidth InsertLsb InsertWidth Imm5 Nzcv Condition Inverted BranchOn Bit
    Udf Hint7 System Dmb
    Acc AccPair Data Data2 Base BaseOnly At Scaled12 Off9 Pre9 Post9 Indexed
    PairOff PairPre PairPost
    Sized Ordered OrderedCas
    Fp Word Sd Sn Sm Sa St Dt Qt Ss Ds FpImm FpZero
    Arr ArrBhs ArrBh ArrHs ArrB ArrH ArrS ArrFp ArrLong ArrCvt ArrPairs ArrAcross
    ArrAcrossLong ArrDot ArrDup ArrElem ArrShift ArrShiftLong ArrExtend ArrLoad FpPair
    Vd Vn Vm VnTwice VdWide VnWide VnBytes VmBytes VdDoubles VnDoubles
    ElemAny ElemUmov ElemSmov ElemMem RnElem VdLane VnLane VnLane4 VmIndexed VtLane
    Lane Lane4 LaneIndexed MemLane List Table1 Table2 Table3 Table4
    ShiftLeft ShiftRight Imm8 LslH LslS Msl ByteMask VecFp Zero ExtIndex
}

/// The bits `0..count` at `shift`, shifted down.
pub(super) const fn bits(word: u32, shift: u32, count: u32) -> u32 {
    word >> shift & ((1 << count) - 1)
}

/// Writes a general register.
fn general(reg: Reg, width: Width, sp: bool, out: &mut String) {
    let number = reg.enc();
    let letter = match width {
        Width::W => "w",
        Width::X => "x",
    };
    let _ = match (number, sp, width) {
        (31, true, Width::X) => write!(out, "sp"),
        (31, true, Width::W) => write!(out, "wsp"),
        (31, false, _) => write!(out, "{letter}zr"),
        _ => write!(out, "{letter}{number}"),
    };
}

fn of_width(reg: Reg, context: &Context<'_>, out: &mut String) {
    general(reg, context.width, false, out);
}

fn of_width_or_sp(reg: Reg, context: &Context<'_>, out: &mut String) {
    general(reg, context.width, true, out);
}

fn wide(reg: Reg, _: &Context<'_>, out: &mut String) {
    general(reg, Width::X, false, out);
}

fn narrow(reg: Reg, _: &Context<'_>, out: &mut String) {
    general(reg, Width::W, false, out);
}

fn base(reg: Reg, _: &Context<'_>, out: &mut String) {
    out.push('[');
    general(reg, Width::X, true, out);
}

fn base_only(reg: Reg, context: &Context<'_>, out: &mut String) {
    base(reg, context, out);
    out.push(']');
}

macro_rules! registers {
    ($($(#[$doc:meta])* $name:ident $shift:literal $show:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Operand for $name {
            type Value = Reg;
            const MASK: u32 = 31 << $shift;

            fn fits(reg: Reg, _: u32) -> bool {
                !reg.is_vector()
            }

            #[inline]
            fn put(reg: Reg, _: u32) -> u32 {
                u32::from(reg.enc()) << $shift
            }

            fn get(word: u32) -> Option<Reg> {
                Some(Reg(bits(word, $shift, 5) as u8))
            }

            fn show(reg: Reg, context: &Context<'_>, out: &mut String) {
                $show(reg, context, out);
            }

            #[cfg(test)]
            fn samples() -> Vec<Reg> {
                (0..32).map(Reg).collect()
            }
        }
    )*};
}

registers! {
    /// The destination; number 31 is zero.
    Rd 0 of_width;
    /// The destination; number 31 is the stack pointer.
    RdSp 0 of_width_or_sp;
    Rn 5 of_width;
    RnSp 5 of_width_or_sp;
    Rm 16 of_width;
    Ra 10 of_width;
    Rt 0 of_width;
    Rt2 10 of_width;
    Rs 16 of_width;
    Xd 0 wide;
    Xn 5 wide;
    Xm 16 wide;
    Xa 10 wide;
    Xt 0 wide;
    Wt 0 narrow;
    Wd 0 narrow;
    Wn 5 narrow;
    Wm 16 narrow;
    /// The base of an access that has an offset.
    Base 5 base;
    /// The base of an access without an offset.
    BaseOnly 5 base_only;
    /// The base of an access behind which it moves.
    At 5 base_only;
    /// What becomes the outcome of a conditional store.
    Ws 16 narrow;
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident $shift:literal $count:literal $type:ty;)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Operand for $name {
            type Value = $type;
            const MASK: u32 = ((1 << $count) - 1) << $shift;

            fn fits(value: $type, _: u32) -> bool {
                u32::from(value) < 1 << $count
            }

            #[inline]
            fn put(value: $type, _: u32) -> u32 {
                bits(u32::from(value), 0, $count) << $shift
            }

            fn get(word: u32) -> Option<$type> {
                Some(bits(word, $shift, $count) as $type)
            }

            fn show(value: $type, _: &Context<'_>, out: &mut String) {
                let _ = write!(out, "#{value}");
            }

            #[cfg(test)]
            fn samples() -> Vec<$type> {
                let top = ((1u32 << $count) - 1) as $type;
                let some = (0..$count).map(|bit| 1 << bit);
                some.chain([0, 5, 7, top / 3, top - 1, top]).collect()
            }
        }
    )*};
}

numbers! {
    Imm16 5 16 u16;
    Imm5 16 5 u8;
    /// Flags: N is 8, Z 4, C 2, V 1.
    Nzcv 0 4 u8;
    Udf 0 16 u16;
    Hint7 5 7 u8;
}

/// A number below the width: of `ubfm` and its like.
fn below_width(value: u8, word: u32) -> bool {
    u32::from(value) < width_of(word).bits()
}

/// The width that bit 31 says.
const fn width_of(word: u32) -> Width {
    if word >> 31 == 0 { Width::W } else { Width::X }
}

macro_rules! below_width {
    ($($(#[$doc:meta])* $name:ident $shift:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Operand for $name {
            type Value = u8;
            const MASK: u32 = 63 << $shift;

            fn fits(value: u8, word: u32) -> bool {
                below_width(value, word)
            }

            #[inline]
            fn put(value: u8, _: u32) -> u32 {
                bits(u32::from(value), 0, 6) << $shift
            }

            fn get(word: u32) -> Option<u8> {
                Some(bits(word, $shift, 6) as u8).filter(|&value| below_width(value, word))
            }

            fn show(value: u8, _: &Context<'_>, out: &mut String) {
                let _ = write!(out, "#{value}");
            }

            #[cfg(test)]
            fn samples() -> Vec<u8> {
                (0..64).collect()
            }
        }
    )*};
}

below_width! {
    Immr 16;
    Imms 10;
    /// The lowest bit of a field that is read.
    Lsb 16;
}

macro_rules! widths {
    ($($(#[$doc:meta])* $name:ident $mask:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Operand for $name {
            type Value = Width;
            const MASK: u32 = $mask;

            #[inline]
            fn put(width: Width, _: u32) -> u32 {
                match width {
                    Width::W => 0,
                    Width::X => Self::MASK,
                }
            }

            fn get(word: u32) -> Option<Width> {
                match word & Self::MASK {
                    0 => Some(Width::W),
                    Self::MASK => Some(Width::X),
                    _ => None,
                }
            }

            fn context(width: Width, context: &mut Context<'_>) {
                context.width = width;
            }

            fn show(_: Width, _: &Context<'_>, _: &mut String) {}

            #[cfg(test)]
            fn samples() -> Vec<Width> {
                vec![Width::W, Width::X]
            }
        }
    )*};
}

widths! {
    /// The width, bit 31.
    Sf 0x8000_0000;
    /// The width of bit fields, which is said twice.
    SfN 0x8040_0000;
    /// The width of `rev`, which is an operation of its own for each.
    SfRev 0x8000_0400;
    /// The width of a pair, bit 30.
    Double 0x4000_0000;
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident $unit:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Operand for $name {
            /// In bytes.
            type Value = i64;
            const MASK: u32 = Self::place(!0);

            fn fits(distance: i64, _: u32) -> bool {
                super::fixup::Fixup::$name.reaches(distance)
            }

            #[inline]
            fn put(distance: i64, _: u32) -> u32 {
                Self::place((distance / $unit) as u32)
            }

            fn get(word: u32) -> Option<i64> {
                Some(Self::find(word) * $unit)
            }

            fn show(distance: i64, context: &Context<'_>, out: &mut String) {
                match context.label {
                    Some(label) => out.push_str(label),
                    None => {
                        let _ = write!(out, ".{distance:+}");
                    }
                }
            }

            #[cfg(test)]
            fn samples() -> Vec<i64> {
                let range = super::fixup::Fixup::$name.range();
                let far = [-range, range / 3 / $unit * $unit, range - $unit];
                [-$unit, 0, $unit, 24 * $unit].into_iter().chain(far).collect()
            }
        }
    )*};
}

labels! {
    Branch26 4;
    Branch19 4;
    Branch14 4;
    Adr21 1;
    AdrPage21 4096;
}

/// `bits` low bits as a signed number.
const fn signed(value: u32, bits: u32) -> i64 {
    ((value << (32 - bits)) as i32 >> (32 - bits)) as i64
}

impl Branch26 {
    const fn place(value: u32) -> u32 {
        bits(value, 0, 26)
    }

    const fn find(word: u32) -> i64 {
        signed(word, 26)
    }
}

impl Branch19 {
    const fn place(value: u32) -> u32 {
        bits(value, 0, 19) << 5
    }

    const fn find(word: u32) -> i64 {
        signed(word >> 5, 19)
    }
}

impl Branch14 {
    const fn place(value: u32) -> u32 {
        bits(value, 0, 14) << 5
    }

    const fn find(word: u32) -> i64 {
        signed(word >> 5, 14)
    }
}

impl Adr21 {
    const fn place(value: u32) -> u32 {
        bits(value, 0, 2) << 29 | bits(value, 2, 19) << 5
    }

    const fn find(word: u32) -> i64 {
        signed(bits(word, 5, 19) << 2 | bits(word, 29, 2), 21)
    }
}

impl AdrPage21 {
    const fn place(value: u32) -> u32 {
        Adr21::place(value)
    }

    const fn find(word: u32) -> i64 {
        Adr21::find(word)
    }
}
