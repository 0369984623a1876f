//! The instruction sets. Nothing outside this module encodes an instruction.
//!
//! The neutral half of the compilers speaks to a processor through [`Primitives`]: the
//! roles of registers, and the few things that calls, bounds checks, control flow and
//! objects are made of. Arithmetic is not among them: which instructions an op becomes
//! is selected per instruction set, in `baseline/x64` and `baseline/aarch64`.

#[cfg(feature = "aarch64")]
pub(crate) mod aarch64;
#[cfg(feature = "x64")]
pub(crate) mod x64;

use crate::asm::{AsmLabel, Buffer, Finished, Mem, OutOfReach, Reg, Rm};
use crate::code::TypeForm;
use crate::target::Features;
use std::ops::{DerefMut, Not};

/// How two integers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    /// Unsigned.
    Above,
    /// Unsigned.
    AboveOrEqual,
}

/// An instruction on a register and a register, place in memory or constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
}

/// How a register is shifted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shift {
    Left,
    RightSigned,
    RightUnsigned,
}

/// The size of a value in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    B1,
    B2,
    B4,
    B8,
    B16,
}

impl Size {
    /// The size of so many bytes, a power of two up to 16.
    pub(crate) fn of(bytes: u64) -> Size {
        match bytes {
            1 => Size::B1,
            2 => Size::B2,
            4 => Size::B4,
            8 => Size::B8,
            _ => Size::B16,
        }
    }

    /// The base-2 logarithm of the number of bytes.
    pub(crate) fn log2(self) -> u8 {
        self as u8
    }
}

/// A type of the module in code: its index, and what of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeWord {
    pub(crate) index: u32,
    pub(crate) form: TypeForm,
}

/// What the neutral half of the compilers emits.
///
/// `wide` means 64 bits, otherwise 32, whose results clear the upper half of their
/// register. A condition tells the result of the primitive that made it until the next
/// primitive that compares, computes or loads; moves, loads of slots and constants,
/// and stores leave it alone.
pub(crate) trait Primitives: DerefMut<Target = Buffer> + Sized {
    /// The `vmctx`; pinned.
    const VMCTX: Reg;
    /// The frame; pinned.
    const FRAME: Reg;
    /// The first byte of memory 0; pinned.
    const MEMORY: Reg;
    /// The size of memory 0 in bytes; pinned.
    const MEMORY_LEN: Reg;
    /// The word that is jumped through, on the way in and out.
    const IP: Reg;
    /// The accumulator: the callee's record at a call, the reason at a trap.
    const ACC: Reg;
    /// The callee's body at a call, the caller's `vmctx` at a return.
    const BODY: Reg;
    /// The callee's frame at a call.
    const CALLEE_FRAME: Reg;
    /// Another register for a call or return to work with.
    const SPARE: Reg;
    /// General registers for values; those with special uses last.
    const INT_REGS: &'static [Reg];
    /// The same in code that pays fuel: without [`Primitives::FUEL`].
    const METERED_INT_REGS: &'static [Reg];
    /// The fuel left, in code that pays it.
    const FUEL: Reg;
    /// Where to come back to from what [`Environment::refuel`](crate::Environment::refuel)
    /// names: a scratch register that [`Primitives::jump_through_label`] leaves alone.
    const RESUME: Reg;
    /// Vector registers for values.
    const FLOAT_REGS: &'static [Reg];
    /// A general register that never holds a slot's value.
    const INT_SCRATCH: Reg;
    /// A vector register that never holds a slot's value.
    const FLOAT_SCRATCH: Reg;

    /// What decides about a jump.
    type Condition: Copy + Not<Output = Self::Condition>;

    /// Starts a function. With `far`, all jumps reach all labels of the largest function;
    /// without, they may be shorter, and [`Primitives::finish`] may fail.
    fn new(features: Features, far: bool, listing: bool) -> Self;

    /// Resolves all labels.
    ///
    /// # Errors
    ///
    /// If an instruction cannot reach its label.
    fn finish(self) -> Result<Finished, OutOfReach>;

    // Moves.

    /// Copies a register, from one file to the other if need be.
    fn mov(&mut self, dst: Reg, src: Reg);
    /// The lower 32 bits of a register; the upper ones become zero.
    fn narrow(&mut self, dst: Reg, src: Reg);
    /// Loads a constant; a condition stays.
    fn constant(&mut self, dst: Reg, value: u64);
    /// Loads what a type is.
    fn type_constant(&mut self, dst: Reg, word: TypeWord);
    /// Loads a value; what is smaller than a general register is zero-extended, what is
    /// smaller than a vector is followed by zeros.
    fn load(&mut self, dst: Reg, mem: Mem, size: Size);
    /// Loads an integer of at most 4 bytes, sign-extended.
    fn load_signed(&mut self, dst: Reg, mem: Mem, size: Size, wide: bool);
    /// Comes before a store of so many bytes that may lie across the end of what can be
    /// accessed, and gives its place from there on: faults if it does, where the store
    /// would fault only when it has written some of them.
    fn reach(&mut self, mem: Mem, bytes: u64) -> Mem {
        let _ = bytes;
        mem
    }
    /// Stores the lower bytes of a register.
    fn store(&mut self, mem: Mem, src: Reg, size: Size);
    /// Whether [`Primitives::store_constant`] is good for a value.
    fn can_store(&self, value: u64, size: Size) -> bool;
    /// Stores a constant of at most 8 bytes; a condition stays.
    fn store_constant(&mut self, mem: Mem, value: u64, size: Size);
    /// Stores what a type is, in 4 bytes.
    fn store_type(&mut self, mem: Mem, word: TypeWord);
    /// Copies words from a distance from a register down to another.
    fn copy_words(&mut self, base: Reg, dst: i32, src: i32, count: u32);
    /// Clears words at a distance from a register.
    fn clear_words(&mut self, base: Reg, dst: i32, count: u32);

    /// Writes the three words of a header at a distance from the frame: the instruction
    /// pointer, the frame, the `vmctx`.
    fn write_header(&mut self, disp: i32);
    /// Reads a header that [`Primitives::write_header`] wrote; the `vmctx` into
    /// [`Primitives::BODY`].
    fn read_header(&mut self, disp: i32);

    // Computing.

    /// The address of a place in memory, cut to 32 bits unless `wide`.
    fn address_of(&mut self, dst: Reg, mem: Mem, wide: bool);
    /// `dst = dst op src`.
    fn alu(&mut self, op: Alu, wide: bool, dst: Reg, src: Rm);
    /// `dst = dst op value`.
    fn alu_immediate(&mut self, op: Alu, wide: bool, dst: Reg, value: i32);
    /// Shifts a register by a constant.
    fn shift(&mut self, op: Shift, wide: bool, reg: Reg, count: u8);

    // Conditions.

    /// How a register compares with an operand.
    fn compare(&mut self, relation: Relation, wide: bool, a: Reg, b: Rm) -> Self::Condition;
    /// How an operand compares with a constant.
    fn compare_immediate(
        &mut self,
        relation: Relation,
        wide: bool,
        a: Rm,
        value: i32,
    ) -> Self::Condition;
    /// Whether 4 bytes are those of a type.
    fn is_type(&mut self, a: Rm, word: TypeWord) -> Self::Condition;
    /// Whether a register is zero.
    fn is_zero(&mut self, reg: Reg, wide: bool) -> Self::Condition;
    /// Whether all of these lower bits of a register are zero.
    fn are_clear(&mut self, reg: Reg, bits: u8) -> Self::Condition;
    /// `dst = dst + src`, 64 bits; whether the sum has more.
    fn add_carries(&mut self, dst: Reg, src: Reg) -> Self::Condition;
    /// `reg = reg - 1`, 32 bits; whether something is left.
    fn count_down(&mut self, reg: Reg) -> Self::Condition;
    /// `reg = reg - cost`, 64 bits; whether the result is negative, which no difference
    /// is too small for. The scratch register is overwritten.
    fn pay(&mut self, reg: Reg, cost: u32) -> Self::Condition;
    /// Subtracts from the 8 bytes at a place; whether the result is negative. The scratch
    /// register, which may be part of the place, is overwritten.
    fn charge(&mut self, mem: Mem, cost: i32) -> Self::Condition;

    // Control.

    fn jump(&mut self, label: AsmLabel);
    fn jump_if(&mut self, condition: Self::Condition, label: AsmLabel);
    /// Jumps if a float is no number.
    fn jump_if_nan(&mut self, single: bool, reg: Reg, label: AsmLabel);
    /// Jumps through the word that a register points at.
    fn jump_through(&mut self, word: Reg);
    /// Jumps through the word at a label.
    fn jump_through_label(&mut self, word: AsmLabel);
    /// The address of a label.
    fn label_address(&mut self, dst: Reg, label: AsmLabel);
    /// Jumps to the entry of a table that stands behind; what is beyond its end goes to
    /// the last entry. The register `target` is free.
    fn jump_table(&mut self, index: Reg, target: Reg, entries: &[AsmLabel]);
    /// Fills up with instructions that do nothing until the offset is a multiple of
    /// `align`.
    fn align_with_nops(&mut self, align: usize);
}

/// A list of registers without one that is in it, so that `N` are left.
const fn without<const N: usize>(all: &[Reg], one: Reg) -> [Reg; N] {
    let mut left = [one; N];
    let (mut from, mut to) = (0, 0);
    while from < all.len() {
        if all[from].enc() != one.enc() || all[from].is_vector() != one.is_vector() {
            left[to] = all[from];
            to += 1;
        }
        from += 1;
    }
    left
}
