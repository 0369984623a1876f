//! Code that traps, behind the function's blocks.

use super::emit::{Emitter, Late};
use crate::asm::{AsmLabel, Reg, at};
use crate::code::Routine;
use crate::isa::Primitives;
use crate::isa::x64::{Cond, Condition, R8, RCX, emit};
use zwasm_regir::{SourceLoc, TrapCode};

/// Trap stubs that are looked at for one to use again.
const RECENT_TRAPS: usize = 8;

/// An access that is outside of its memory: it starts so many bytes before what a register
/// has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside {
    pub(super) mem: u32,
    pub(super) end: Reg,
    pub(super) size: u32,
}

/// What code traps for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Code(TrapCode),
    Outside(Outside),
}

impl From<TrapCode> for Cause {
    fn from(code: TrapCode) -> Cause {
        Cause::Code(code)
    }
}

impl Emitter<'_> {
    /// The label of code that traps; the place is the instruction that is emitted.
    pub(crate) fn trap(&mut self, code: TrapCode) -> AsmLabel {
        self.trap_for(code.into())
    }

    fn trap_for(&mut self, cause: Cause) -> AsmLabel {
        let source = self.source;
        let same = |(_, at, late): &&(AsmLabel, SourceLoc, Late)| {
            *at == source && matches!(late, Late::Trap(other) if *other == cause)
        };
        let recent = self.late.iter().rev().take(RECENT_TRAPS).find(same);
        match recent {
            Some((label, ..)) => *label,
            None => self.push_late(Late::Trap(cause)),
        }
    }

    /// Traps if a condition holds.
    pub(crate) fn trap_if(&mut self, condition: Condition, code: TrapCode) {
        let label = self.trap(code);
        self.asm.jump_if(condition, label);
    }

    /// Traps if what was compared is above.
    pub(super) fn outside_if(&mut self, outside: Outside) {
        let label = self.trap_for(Cause::Outside(outside));
        self.asm.jump_if(Condition::Flag(Cond::Above), label);
    }

    /// The label of code that traps because of a conversion, whose reason depends on
    /// whether `src` is a number.
    pub(crate) fn conversion_trap(&mut self, single: bool, src: Reg) -> AsmLabel {
        let overflow = self.trap(TrapCode::IntegerOverflow);
        let nan = self.trap(TrapCode::BadConversionToInteger);
        self.push_late(Late::Conversion { single, src, overflow, nan })
    }

    /// Traps here. An access that is outside leaves where it starts in `r8`.
    pub(super) fn raise(&mut self, cause: Cause) {
        let routine = self.routine(Routine::Trap);
        let word = match cause {
            Cause::Code(code) => code as u64,
            Cause::Outside(Outside { mem, end, size }) => {
                self.asm.address_of(R8, at(end, -(size as i32)), true);
                TrapCode::access(mem)
            }
        };
        self.asm.constant(RCX, word);
        emit!(self.asm, callq_m(routine));
    }
}
