//! Saving all registers, for what leaves for a handler where nobody expects it: a place in
//! the frame, where the collector looks, and two pieces of code.
//!
//! The place is part of the frame, so that the stack pointer is where it is at every call.

use super::emit::Emitter;
use super::regs::{FLOATS, INTS, allocated};
use crate::asm::{AsmLabel, Mem, Reg, at};
use crate::isa::x64::RBP;
use crate::isa::{Primitives, Size};

/// Words of the frame that all registers fill.
pub(super) const SAVED_WORDS: usize = INTS.len() + 2 * FLOATS as usize;

/// Where a register is saved: from behind the word that keeps the `vmctx` on.
pub(super) fn saved(reg: Reg) -> Mem {
    let words = match INTS.iter().position(|each| *each == reg) {
        Some(index) => 1 + index,
        None => INTS.len() + 2 * usize::from(reg.enc()) + 2,
    };
    at(RBP, (words as i32 + 1) * -8)
}

fn size(reg: Reg) -> Size {
    if reg.is_vector() { Size::B16 } else { Size::B8 }
}

impl Emitter<'_> {
    /// The two pieces of code that save all registers, and bring them back; both are called.
    pub(super) fn save_and_restore(&mut self, save: AsmLabel, restore: AsmLabel) {
        self.asm.bind(save);
        for reg in allocated() {
            self.asm.store(saved(reg), reg, size(reg));
        }
        self.asm.ret();
        self.asm.bind(restore);
        for reg in allocated() {
            self.asm.load(reg, saved(reg), size(reg));
        }
        self.asm.ret();
    }
}
