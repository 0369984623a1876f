//! x86-64: what is selected for it.

pub mod stubs;

use super::shape::Registers;
use crate::asm::Reg;
use crate::isa::x64::{R8, R9, RAX, RCX, RDX, RSI};

/// The registers of arguments, the first of them also those of results.
pub(crate) const PASSED: Registers = Registers {
    ints: [RAX, RCX, RDX, RSI, R8, R9],
    floats: [
        Reg::vector(0),
        Reg::vector(1),
        Reg::vector(2),
        Reg::vector(3),
        Reg::vector(4),
        Reg::vector(5),
        Reg::vector(6),
        Reg::vector(7),
    ],
};
