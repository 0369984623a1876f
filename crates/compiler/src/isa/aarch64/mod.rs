//! Encodes instructions of AArch64, and shows them.
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

// Not used before the compiler of this instruction set is built on it.
#![allow(dead_code, unused_imports)]

pub(crate) mod fixup;
mod form;
pub(crate) mod imm;
mod operand;
pub(crate) mod regs;
pub(crate) mod text;
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

/// An instruction's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an instruction does nothing until it is emitted"]
pub(crate) struct Inst(pub(crate) u32);

/// All tables, for showing words and for tests.
const TABLES: &[form::Table] =
    &[branch::TABLE, integer::TABLE, memory::TABLE, atomic::TABLE, float::TABLE, vector::TABLE];
