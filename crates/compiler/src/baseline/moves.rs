//! Slots of the frame, and moving values to and from them.

use super::Compiler;
use super::select::Select;
use super::state::Class;
use crate::asm::{Mem, Reg, at};
use crate::isa::Size;

impl Class {
    /// What a value of the class takes in the frame.
    fn size(self) -> Size {
        match self {
            Class::Int | Class::Float => Size::B8,
            Class::Vector => Size::B16,
        }
    }
}

/// The offset of a slot in its frame.
pub(super) fn offset(slot: u32) -> i32 {
    // A frame has at most 2^27 slots.
    (slot * 8) as i32
}

impl<A: Select> Compiler<'_, A> {
    /// A slot of the frame.
    pub(crate) fn slot(&self, index: u32) -> Mem {
        at(A::FRAME, offset(index))
    }

    pub(crate) fn load_slot(&mut self, reg: Reg, index: u32, class: Class) {
        self.asm.load(reg, self.slot(index), class.size());
    }

    pub(crate) fn store_slot(&mut self, index: u32, reg: Reg, class: Class) {
        self.asm.store(self.slot(index), reg, class.size());
    }

    /// Writes a constant to a slot; a condition stays.
    pub(crate) fn store_constant(&mut self, index: u32, value: u64) {
        self.asm.store_constant(self.slot(index), value, Size::B8);
    }

    /// Copies `count` slots from `from` down to `dst`.
    pub(crate) fn move_slots(&mut self, dst: u32, from: u32, count: u32) {
        self.asm.copy_words(A::FRAME, offset(dst), offset(from), count);
    }

    /// Clears `count` slots.
    pub(crate) fn zero_slots(&mut self, from: u32, count: u32) {
        self.asm.clear_words(A::FRAME, offset(from), count);
    }
}
