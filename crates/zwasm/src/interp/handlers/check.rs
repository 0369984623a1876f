//! What stands before an instruction that takes an operand from an accumulator when
//! that is checked, see [`Config::check_held`](crate::Config::check_held).

use super::{Handler, InAcc, InSlot, Lane, Source, handlers, next};
use zwasm_regir::Type;

handlers! {
    /// Stops the process unless an accumulator holds what the slot of field 0 does.
    /// The upper half is the instruction, word 2 the function.
    fn check[T: Lane](regs) {
        let held: T = InAcc::get(&regs, 0);
        let right: T = InSlot::get(&regs, 0);
        if held.to_slot() != right.to_slot() {
            differ(regs.ip, held.to_slot(), right.to_slot())
        }
        next!(regs, 3)
    }
}

/// The check of the accumulator of a type.
pub(in crate::interp) fn of(ty: Type) -> Handler {
    match ty {
        Type::I32 => check::<u32>,
        Type::F32 => check::<f32>,
        Type::F64 => check::<f64>,
        Type::I64 | Type::V128 | Type::Ref => check::<u64>,
    }
}

/// Says where the values differ, and stops the process: the guest may be about to
/// leave its sandbox.
#[cold]
#[inline(never)]
unsafe extern "C" fn differ(ip: *const u64, held: u64, right: u64) -> ! {
    // SAFETY: the instruction has the form that `check` describes.
    let (operands, function) = unsafe { (*ip.add(1), *ip.add(2)) };
    let (slot, place) = (operands & 0xFFFF, operands >> 32);
    eprintln!(
        "zwasm: the accumulator is {held:#x} and slot {slot} is {right:#x} before \
         instruction {place} of the slot form of function {function}"
    );
    std::process::abort()
}
