//! Where fuel is paid and epochs are checked.
//!
//! The instructions of a function fall into straight runs: one starts at the
//! function's entry, at each label and behind each conditional branch. Its first
//! instruction that costs anything is preceded by one [`Inst::Fuel`] for the whole
//! run, so that a run is paid for before any of it happens, and what a program
//! costs follows from its text and its way through it alone: not from what
//! becomes of the instructions here, in the interpreter or in a compiler. A run
//! that a trap or an exception cuts short has been paid for whole, and a call is
//! no end of a run: what follows it is paid for with it.

use super::Translator;
use crate::inst::Inst;
use crate::opcodes::Opcode;
use crate::tuning;

/// The instructions that do nothing by themselves.
const FREE: [Opcode; 8] = [
    Opcode::Unreachable,
    Opcode::Nop,
    Opcode::Block,
    Opcode::Loop,
    Opcode::Else,
    Opcode::End,
    Opcode::Return,
    Opcode::Drop,
];

/// What an instruction costs, by its first byte: one, and nothing if it is free.
///
/// Entering a function costs one as well. So a program costs what it costs in
/// wasmtime, but for the bulk operations, large objects and functions with very many
/// locals, which also pay by size.
fn cost(first: u8) -> u32 {
    u32::from(!FREE.iter().any(|free| *free as u16 == u16::from(first)))
}

impl Translator<'_> {
    /// Adds the instruction about to be translated to the run that it is in, where fuel
    /// is wanted.
    pub(super) fn pay(&mut self, first: u8) {
        self.add_cost(cost(first));
    }

    fn add_cost(&mut self, cost: u32) {
        if let Some(Inst::Fuel { cost: sum }) =
            self.fuel.and_then(|index| self.function.insts.get_mut(index))
            && let Some(total) = sum.checked_add(cost)
        {
            *sum = total;
        } else if cost > 0 {
            // A run that costs more than fits is paid for in parts.
            self.fuel = Some(self.function.insts.len());
            self.emit(Inst::Fuel { cost });
        }
    }

    /// Adds what making a large structure costs by its size.
    pub(super) fn pay_struct(&mut self, ty: u32) {
        if self.checks.fuel {
            let bytes = self.types.struct_bytes(ty);
            self.add_cost((bytes.saturating_sub(tuning::FREE_STRUCT_BYTES) / 8) as u32);
        }
    }

    /// At the entry of a function, also of one that is inlined.
    pub(super) fn pay_entry(&mut self) {
        if self.checks.fuel {
            self.add_cost(1);
        }
    }

    /// At the entry of the function translated, which zeroes so many slots.
    pub(super) fn check_entry(&mut self, zeroed: u32) {
        self.pay_entry();
        if self.checks.fuel {
            self.add_cost(zeroed.saturating_sub(tuning::FREE_LOCAL_SLOTS));
        }
        if self.checks.epochs {
            self.emit(Inst::Epoch);
        }
    }

    /// At a loop's header.
    pub(super) fn check_loop(&mut self) {
        self.fuel = None;
        if self.checks.epochs {
            self.emit(Inst::Epoch);
        }
    }
}
