//! AArch64: registers and their roles, the encoder, and the primitives.
//!
//! Compiled code keeps the convention of the interpreter's handlers: `x0` is the `vmctx`,
//! `x1` the frame, `x4` and `x5` base and size of memory 0. `x2` is the instruction pointer
//! and `x3` the accumulator only on the way in and out. `x30` holds where the first handler
//! returns to, so nothing here calls; `x18` is the system's. `x15`, `x16`, `x17`, `v30` and
//! `v31` are never allocated: they are for what needs a register for an instruction or two.
//!
//! Integers of 32 bits are zero-extended in their registers, as they are in slots; bits 32
//! to 63 of the vector register of an `f32` are zero, so that the whole lower half is its
//! slot.
//!
//! # The encoder
//!
//! An instruction is a row in one of the tables below this module: a name, what
//! assemblers call it, the bits that never change, and its operands in the order in
//! which they are written. From a row come
//!
//! - a function that takes the operands and makes the word, `inst::add(X, d, n, m)`,
//!   which is a few `or`s once it is inlined,
//! - the text of a word ([`text`]), in the syntax that GNU `as` reads back,
//! - the cases of the test that compares every form with an assembler.
//!
//! Operands are types ([`operand::Operand`]): where their bits are, how a value gets
//! in and out, how it is written. So nothing about a form stands twice. Text is made
//! from the finished word and not from the operands: emitting code costs nothing for
//! it, and any code can be shown. An alias (`cmp`, `lsl` by a constant) is a row in
//! front of the one it stands for, since the first row that fits is shown.
//!
//! What varies at run time in a compiler is an operand: the width, the lanes, which
//! kind of load or store. Functions with equal operands have equal types, so tables
//! from operations to instructions hold the functions themselves.
//!
//! Branches give a word without a distance and the kind of distance it wants
//! ([`fixup::Labelled`]).

mod assembler;
pub(crate) mod fixup;
mod form;
pub(crate) mod imm;
mod operand;
mod primitives;
pub(crate) mod regs;
mod text;
#[cfg(any(feature = "simd", test))]
pub(crate) mod vector_imm;

mod atomic;
mod branch;
mod float;
mod integer;
mod memory;
mod vector;

#[cfg(test)]
mod tests;

/// The instructions, but for those on vectors.
pub(crate) mod inst {
    pub(crate) use super::atomic::*;
    pub(crate) use super::branch::*;
    pub(crate) use super::float::*;
    pub(crate) use super::integer::*;
    pub(crate) use super::memory::*;
}

/// The instructions on vectors, which have names that others have.
pub(crate) mod vec {
    pub(crate) use super::vector::*;
}

pub(crate) use assembler::Assembler;
pub(crate) use primitives::{Condition, alu_short, width};
use regs::{Reg, v, x};

/// A general register that never holds a slot's value.
pub(crate) const INT_SCRATCH: Reg = x(16);
/// The primitives' register for addresses and constants.
pub(crate) const ADDRESS: Reg = x(17);
/// The primitives' register for values.
pub(crate) const VALUE: Reg = x(15);
/// A vector register that never holds a slot's value.
pub(crate) const FLOAT_SCRATCH: Reg = v(31);
/// Another.
#[cfg(feature = "simd")]
pub(crate) const VECTOR_SCRATCH: Reg = v(30);

/// The vector registers for values.
const FLOAT_REGS: [Reg; 30] = {
    let mut regs = [v(0); 30];
    let mut index = 0;
    while index < regs.len() {
        regs[index] = v(index as u8);
        index += 1;
    }
    regs
};

/// An instruction's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an instruction does nothing until it is emitted"]
pub(crate) struct Inst(pub(crate) u32);

/// All tables, for showing words and for tests.
const TABLES: &[form::Table] =
    &[branch::TABLE, integer::TABLE, memory::TABLE, atomic::TABLE, float::TABLE, vector::TABLE];
