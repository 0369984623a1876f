//! x86-64: the encoder, and what the baseline compiler emits for each op.
//!
//! Compiled code keeps the convention of the interpreter's handlers: `rdi` is the
//! `vmctx`, `rsi` the frame, `r8` and `r9` base and size of memory 0, and `rsp`
//! does not move. `rdx` is the instruction pointer and `rcx` the accumulator only
//! on the way in and out. `r11` and `xmm15` are never allocated: they are for what
//! needs a register for an instruction or two.
//!
//! Integers of 32 bits are zero-extended in their registers, as they are in slots;
//! bits 32 to 63 of the vector register of an `f32` are zero, so that the whole
//! lower half is its slot.

mod allocate;
mod asm;
mod atomic;
mod bounds;
mod calls;
mod checks;
mod control;
mod float;
mod gc;
mod integer;
mod memory;
mod moves;
#[cfg(feature = "simd")]
mod simd;
#[cfg(feature = "simd")]
mod simd_memory;
#[cfg(feature = "simd")]
mod simd_ops;
#[cfg(feature = "simd")]
mod simd_shuffle;
mod state;
#[cfg(feature = "simd")]
mod vector;
mod wide;

pub(crate) use asm::{AsmLabel, Assembler, Reg, Rm};
pub(crate) use control::{Condition, Late};

const RAX: Reg = Reg(0);
const RCX: Reg = Reg(1);
const RDX: Reg = Reg(2);
const RBX: Reg = Reg(3);
const RBP: Reg = Reg(5);
const RSI: Reg = Reg(6);
const RDI: Reg = Reg(7);
const R8: Reg = Reg(8);
const R9: Reg = Reg(9);
const R10: Reg = Reg(10);
const R11: Reg = Reg(11);

/// The `vmctx`.
const VMCTX: Reg = RDI;
/// The frame.
const FRAME: Reg = RSI;
/// The first byte of memory 0.
const MEMORY: Reg = R8;
/// The size of memory 0 in bytes.
const MEMORY_LEN: Reg = R9;

/// General registers for values; those that shifts and divisions need come last.
pub(crate) const INT_REGS: &[Reg] =
    &[RBX, RBP, R10, Reg(12), Reg(13), Reg(14), Reg(15), RAX, RDX, RCX];

/// Vector registers for values.
pub(crate) const FLOAT_REGS: &[Reg] = &[
    Reg(16),
    Reg(17),
    Reg(18),
    Reg(19),
    Reg(20),
    Reg(21),
    Reg(22),
    Reg(23),
    Reg(24),
    Reg(25),
    Reg(26),
    Reg(27),
    Reg(28),
    Reg(29),
    Reg(30),
];

/// A general register that never holds a slot's value.
pub(crate) const INT_SCRATCH: Reg = R11;
/// A vector register that never holds a slot's value.
pub(crate) const FLOAT_SCRATCH: Reg = Reg(31);
