//! Registers, and the small choices that instructions offer: widths, conditions,
//! shifts, kinds of accesses. Each is a number as the encoding has it.

pub(crate) use crate::asm::Reg;

/// A general register.
pub(crate) const fn x(number: u8) -> Reg {
    Reg(number & 31)
}

/// A vector register.
pub(crate) const fn v(number: u8) -> Reg {
    Reg::vector(number & 31)
}

/// Reads as zero, forgets what is written; where an instruction does not mean the
/// stack pointer, which has the same number.
pub(crate) const ZR: Reg = Reg(31);

/// The width of an operation on general registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// 32 bits; the upper half of the result is zero.
    W = 0,
    /// 64 bits.
    X = 1,
}

impl Width {
    pub(crate) const fn bits(self) -> u32 {
        match self {
            Width::W => 32,
            Width::X => 64,
        }
    }
}

/// A condition on the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cond {
    Eq = 0,
    Ne = 1,
    /// Carry set, that is unsigned greater or equal.
    Hs = 2,
    /// Carry clear, that is unsigned less.
    Lo = 3,
    /// Negative; of floats, less.
    Mi = 4,
    /// Not negative; of floats, greater, equal or unordered.
    Pl = 5,
    /// Overflow; of floats, unordered.
    Vs = 6,
    /// No overflow; of floats, ordered.
    Vc = 7,
    /// Unsigned greater.
    Hi = 8,
    /// Unsigned less or equal; of floats, less or equal.
    Ls = 9,
    /// Signed greater or equal; of floats as well.
    Ge = 10,
    /// Signed less; of floats, less or unordered.
    Lt = 11,
    /// Signed greater; of floats as well.
    Gt = 12,
    /// Signed less or equal; of floats, less, equal or unordered.
    Le = 13,
}

impl Cond {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Cond; 14] = [
        Cond::Eq,
        Cond::Ne,
        Cond::Hs,
        Cond::Lo,
        Cond::Mi,
        Cond::Pl,
        Cond::Vs,
        Cond::Vc,
        Cond::Hi,
        Cond::Ls,
        Cond::Ge,
        Cond::Lt,
        Cond::Gt,
        Cond::Le,
    ];

    /// The opposite condition. Of floats, the opposite of one that is false for
    /// unordered operands is true for them.
    pub(crate) const fn not(self) -> Cond {
        Cond::ALL[self as usize ^ 1]
    }

    pub(crate) const fn name(self) -> &'static str {
        const NAMES: [&str; 14] =
            ["eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"];
        NAMES[self as usize]
    }
}

/// A shift of the last operand. `Ror` is for logical operations alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Shift {
    Lsl = 0,
    Lsr = 1,
    Asr = 2,
    Ror = 3,
}

impl Shift {
    pub(crate) const ALL: [Shift; 4] = [Shift::Lsl, Shift::Lsr, Shift::Asr, Shift::Ror];

    pub(crate) const fn name(self) -> &'static str {
        ["lsl", "lsr", "asr", "ror"][self as usize]
    }
}

/// An extension of the last operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Extend {
    Uxtb = 0,
    Uxth = 1,
    Uxtw = 2,
    /// None: all 64 bits, unlike with [`Shift::Lsl`] also beside the stack pointer.
    Uxtx = 3,
    Sxtb = 4,
    Sxth = 5,
    Sxtw = 6,
    Sxtx = 7,
}

impl Extend {
    pub(crate) const ALL: [Extend; 8] = [
        Extend::Uxtb,
        Extend::Uxth,
        Extend::Uxtw,
        Extend::Uxtx,
        Extend::Sxtb,
        Extend::Sxth,
        Extend::Sxtw,
        Extend::Sxtx,
    ];

    pub(crate) const fn name(self) -> &'static str {
        ["uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"][self as usize]
    }

    /// Whether it takes a 64-bit register.
    pub(crate) const fn is_64(self) -> bool {
        matches!(self, Extend::Uxtx | Extend::Sxtx)
    }
}

/// An index that is added to the base of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) reg: Reg,
    /// `Uxtw`, `Uxtx`, `Sxtw` or `Sxtx`.
    pub(crate) extend: Extend,
    /// Whether it is multiplied by the size of the access.
    pub(crate) scaled: bool,
}

/// A load or store of one register. The number has the bits that say the size, the
/// bank of registers and the direction: `size << 3 | vector << 2 | opc`.
///
/// The letter is the size: b, h, w, x for 1, 2, 4 and 8 bytes of a general register;
/// with `V`, b, h, s, d and q for 1 to 16 bytes of a vector register, whose other
/// bytes a load clears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Access {
    StB = 0o00,
    LdB = 0o01,
    LdSbX = 0o02,
    LdSbW = 0o03,
    StH = 0o10,
    LdH = 0o11,
    LdShX = 0o12,
    LdShW = 0o13,
    StW = 0o20,
    LdW = 0o21,
    LdSw = 0o22,
    StX = 0o30,
    LdX = 0o31,
    StVb = 0o04,
    LdVb = 0o05,
    StVq = 0o06,
    LdVq = 0o07,
    StVh = 0o14,
    LdVh = 0o15,
    StVs = 0o24,
    LdVs = 0o25,
    StVd = 0o34,
    LdVd = 0o35,
}

impl Access {
    pub(crate) const ALL: [Access; 23] = [
        Access::StB,
        Access::LdB,
        Access::LdSbX,
        Access::LdSbW,
        Access::StH,
        Access::LdH,
        Access::LdShX,
        Access::LdShW,
        Access::StW,
        Access::LdW,
        Access::LdSw,
        Access::StX,
        Access::LdX,
        Access::StVb,
        Access::LdVb,
        Access::StVq,
        Access::LdVq,
        Access::StVh,
        Access::LdVh,
        Access::StVs,
        Access::LdVs,
        Access::StVd,
        Access::LdVd,
    ];

    /// The logarithm of the size in bytes.
    pub(crate) const fn scale(self) -> u32 {
        match self {
            Access::StVq | Access::LdVq => 4,
            _ => self as u32 >> 3,
        }
    }

    pub(crate) const fn is_load(self) -> bool {
        self as u8 & 3 != 0 && !matches!(self, Access::StVq)
    }
}

/// A load or store of two registers, `opc << 2 | vector << 1 | load`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Pair {
    StW = 0o00,
    LdW = 0o01,
    StVs = 0o02,
    LdVs = 0o03,
    LdSw = 0o05,
    StVd = 0o06,
    LdVd = 0o07,
    StX = 0o10,
    LdX = 0o11,
    StVq = 0o12,
    LdVq = 0o13,
}

impl Pair {
    pub(crate) const ALL: [Pair; 11] = [
        Pair::StW,
        Pair::LdW,
        Pair::StVs,
        Pair::LdVs,
        Pair::LdSw,
        Pair::StVd,
        Pair::LdVd,
        Pair::StX,
        Pair::LdX,
        Pair::StVq,
        Pair::LdVq,
    ];

    /// The logarithm of the size of each in bytes.
    pub(crate) const fn scale(self) -> u32 {
        match self {
            Pair::StW | Pair::LdW | Pair::StVs | Pair::LdVs | Pair::LdSw => 2,
            Pair::StX | Pair::LdX | Pair::StVd | Pair::LdVd => 3,
            Pair::StVq | Pair::LdVq => 4,
        }
    }

    pub(crate) const fn is_load(self) -> bool {
        self as u8 & 1 != 0
    }
}

/// The size of an atomic access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Size {
    B = 0,
    H = 1,
    W = 2,
    X = 3,
}

/// Which other accesses an atomic one is ordered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Order {
    Relaxed = 0,
    Release = 1,
    Acquire = 2,
    /// Both.
    Full = 3,
}

/// The precision of an operation on one float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Float {
    /// 32 bits.
    S = 0,
    /// 64 bits.
    D = 1,
}

/// The size of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Elem {
    B = 0,
    H = 1,
    S = 2,
    D = 3,
}

impl Elem {
    pub(crate) const ALL: [Elem; 4] = [Elem::B, Elem::H, Elem::S, Elem::D];

    /// The number of bits.
    #[cfg(any(feature = "simd", test))]
    pub(crate) const fn bits(self) -> u32 {
        8 << self as u32
    }

    pub(crate) const fn letter(self) -> &'static str {
        ["b", "h", "s", "d"][self as usize]
    }
}

/// The lanes of a vector register: their size, and whether they fill the register or its
/// lower half. The number is `size << 1 | full`.
///
/// A result in the lower half clears the upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Lanes {
    B8 = 0,
    B16 = 1,
    H4 = 2,
    H8 = 3,
    S2 = 4,
    S4 = 5,
    D1 = 6,
    D2 = 7,
}

impl Lanes {
    pub(crate) const ALL: [Lanes; 8] =
        [Lanes::B8, Lanes::B16, Lanes::H4, Lanes::H8, Lanes::S2, Lanes::S4, Lanes::D1, Lanes::D2];

    pub(crate) const fn new(elem: Elem, full: bool) -> Lanes {
        Lanes::ALL[(elem as usize) << 1 | full as usize]
    }

    pub(crate) const fn elem(self) -> Elem {
        Elem::ALL[self as usize >> 1]
    }

    /// Whether they fill the register.
    pub(crate) const fn is_full(self) -> bool {
        self as u8 & 1 == 1
    }

    pub(crate) const fn name(self) -> &'static str {
        ["8b", "16b", "4h", "8h", "2s", "4s", "1d", "2d"][self as usize]
    }
}

/// A system register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SysReg {
    Nzcv,
    Fpcr,
    Fpsr,
}

/// What a barrier waits for, in the inner shareable domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Barrier {
    /// Loads before it, loads and stores behind.
    IshLd = 9,
    /// Stores.
    IshSt = 10,
    /// All.
    Ish = 11,
}
