//! Registers and places in memory, as all instruction sets name them.

use super::AsmLabel;

/// A register: 0 to 31 are general ones, 32 to 63 vector ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reg(pub(crate) u8);

impl Reg {
    /// How many numbers there are.
    pub(crate) const COUNT: usize = 64;

    /// The vector register with a number.
    pub(crate) const fn vector(number: u8) -> Reg {
        Reg(32 + number)
    }

    /// The number in the encoding.
    pub(crate) const fn enc(self) -> u8 {
        self.0 & 31
    }

    /// Whether this is a vector register.
    pub(crate) const fn is_vector(self) -> bool {
        self.0 >= 32
    }
}

/// A place in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mem {
    pub(crate) base: Reg,
    /// A register and the logarithm of its scale.
    pub(crate) index: Option<(Reg, u8)>,
    pub(crate) disp: i32,
}

/// Where a register points, plus a distance.
pub(crate) fn at(base: Reg, disp: i32) -> Mem {
    Mem { base, index: None, disp }
}

/// A register or a place in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rm {
    Reg(Reg),
    Mem(Mem),
    /// At a label.
    Label(AsmLabel),
}

impl From<Reg> for Rm {
    fn from(reg: Reg) -> Rm {
        Rm::Reg(reg)
    }
}

impl From<Mem> for Rm {
    fn from(mem: Mem) -> Rm {
        Rm::Mem(mem)
    }
}

impl From<AsmLabel> for Rm {
    fn from(label: AsmLabel) -> Rm {
        Rm::Label(label)
    }
}
