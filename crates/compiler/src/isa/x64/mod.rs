//! x86-64: registers and their roles, the encoder, and the primitives.
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

pub(crate) mod assembler;
pub(crate) mod atomic;
pub(crate) mod float;
pub(crate) mod integer;
#[cfg(feature = "optimize")]
mod native;
mod primitives;
#[cfg(feature = "simd")]
pub(crate) mod vector;
#[cfg(feature = "simd")]
pub(crate) mod vector_lanes;
#[cfg(feature = "simd")]
pub(crate) mod vector_ops;
#[cfg(feature = "simd")]
mod vector_sequences;
#[cfg(feature = "simd")]
pub(crate) mod vector_shuffle;

use crate::asm::Reg;
pub(crate) use assembler::{Assembler, Cond, emit};
pub(crate) use primitives::Condition;

pub(crate) const RAX: Reg = Reg(0);
pub(crate) const RCX: Reg = Reg(1);
pub(crate) const RDX: Reg = Reg(2);
pub(crate) const RBX: Reg = Reg(3);
#[cfg(feature = "optimize")]
pub(crate) const RSP: Reg = Reg(4);
pub(crate) const RBP: Reg = Reg(5);
pub(crate) const RSI: Reg = Reg(6);
pub(crate) const RDI: Reg = Reg(7);
pub(crate) const R8: Reg = Reg(8);
pub(crate) const R9: Reg = Reg(9);
pub(crate) const R10: Reg = Reg(10);
pub(crate) const R11: Reg = Reg(11);
pub(crate) const R12: Reg = Reg(12);
pub(crate) const R13: Reg = Reg(13);
pub(crate) const R14: Reg = Reg(14);
pub(crate) const R15: Reg = Reg(15);

/// A general register that never holds a slot's value.
pub(crate) const INT_SCRATCH: Reg = R11;
/// A vector register that never holds a slot's value.
pub(crate) const FLOAT_SCRATCH: Reg = Reg::vector(15);
/// The frame.
pub(crate) const FRAME: Reg = RSI;
