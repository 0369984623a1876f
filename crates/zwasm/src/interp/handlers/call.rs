//! Calls of all kinds.
//!
//! Arguments lie from the callee's slot 0 on; the call writes the header behind
//! them (or behind the results, if those are longer), checks that the callee's
//! frame fits, and enters with the callee's record in `acc`, which the stubs for
//! untranslated and host functions need. See `docs/calling-convention.md`.

use super::{DONE, Regs, done, handlers, jump, leave_with, tail, trap};
use std::ptr;

use crate::stack::stop::Outcome;
use crate::stack::walk::Cursor;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{HostFunc, StoreCore};
use crate::tier;
#[cfg(compiler)]
use crate::types::ValType;
use zwasm_regir::TrapCode;

/// Enters `record` with a new frame at `fp + base` whose header is `header`
/// slots into the caller's frame; the call is `words` long. The record goes
/// where the accumulator was, to leave enough registers free.
macro_rules! enter {
    ($regs:ident, $record:expr, $words:expr) => {
        enter!($regs, $record, $words, $regs.slot(0), $regs.slot(1))
    };
    ($regs:ident, $record:expr, $words:expr, $frame:expr, $header:expr) => {{
        $regs.acc = $record as u64;
        let body = (*record(&$regs)).body;
        let frame = $frame;
        if frame.byte_add(*body as usize) > (*$regs.vm).stack_limit {
            trap!($regs, TrapCode::StackOverflow)
        }
        let header = $header;
        *header = $regs.ip.add($words) as u64;
        *header.add(1) = $regs.fp as u64;
        *header.add(2) = $regs.vm as u64;
        $regs.fp = frame;
        $regs.ip = body.add(1);
        if (*record(&$regs)).vmctx != $regs.vm {
            tail!($regs, enter_other)
        }
        jump!($regs)
    }};
}

/// The record of the function with a number; null if there is none.
#[inline(always)]
pub(super) unsafe fn function(vm: *mut VmCtx, reference: u64) -> *const FuncRecord {
    let number = reference as u32;
    // SAFETY: the instance is live, and knows how many numbers there are.
    unsafe {
        match number < (*vm).function_count {
            true => *(*vm).functions.add(number as usize),
            false => ptr::null(),
        }
    }
}

/// The record of the function being entered.
#[inline(always)]
pub(super) fn record(regs: &Regs) -> *mut FuncRecord {
    regs.acc as *mut FuncRecord
}

/// Replaces the frame by one of `record`, whose arguments are at `fp + base`.
/// Field 1 is this frame's header, field 2 the callee's, field 3 how many slots
/// the arguments fill.
macro_rules! replace {
    // The headers are at the same place, and the arguments end below it.
    ($regs:ident, $record:expr) => {{
        $regs.acc = $record as u64;
        let body = (*record(&$regs)).body;
        if $regs.fp.byte_add(*body as usize) > (*$regs.vm).stack_limit {
            trap!($regs, TrapCode::StackOverflow)
        }
        copy_arguments!($regs);
        $regs.ip = (*record(&$regs)).body.add(1);
        if (*record(&$regs)).vmctx != $regs.vm {
            tail!($regs, leave_for_other)
        }
        jump!($regs)
    }};
    ($regs:ident, $record:expr, moved) => {{
        $regs.acc = $record as u64;
        let body = (*record(&$regs)).body;
        if $regs.fp.byte_add(*body as usize) > (*$regs.vm).stack_limit {
            trap!($regs, TrapCode::StackOverflow)
        }
        let header = $regs.slot(1);
        let (ip, fp, caller) = (*header, *header.add(1), *header.add(2));
        copy_arguments!($regs);
        let header = $regs.slot(2);
        *header = ip;
        *header.add(1) = fp;
        *header.add(2) = caller;
        $regs.ip = body.add(1);
        if (*record(&$regs)).vmctx != $regs.vm {
            tail!($regs, leave_for_other)
        }
        jump!($regs)
    }};
}

/// Moves the arguments of a tail call to the frame's start.
macro_rules! copy_arguments {
    ($regs:ident) => {
        let mut at = 0;
        let from = $regs.slot(0);
        let end = $regs.field(3);
        // Volatile, lest the loop become a library call.
        while at < end {
            $regs.fp.add(at).write_volatile(*from.add(at));
            at += 1;
        }
    };
}

/// The function a table holds, or the trap. Word 2 is table and type.
macro_rules! element {
    ($regs:ident, $index:expr, $mismatch:path) => {{
        let table = *(*$regs.vm).tables.add($regs.word(2) as u32 as usize);
        let index = $index;
        let index = if (*table).is_64 { index } else { u64::from(index as u32) };
        if index >= (*table).len as u64 {
            trap!($regs, TrapCode::UndefinedElement)
        }
        let record = *(*table).base.add(index as usize) as *const FuncRecord;
        checked!($regs, record, TrapCode::UninitializedElement, $mismatch)
    }};
}

/// The function of a reference, or the trap. The upper half of word 2 is the type.
macro_rules! function {
    ($regs:ident, $reference:expr, $mismatch:path) => {{
        let record = function($regs.vm, $reference);
        checked!($regs, record, TrapCode::NullFunctionReference, $mismatch)
    }};
}

/// A record that is not null and of the right type.
macro_rules! checked {
    ($regs:ident, $record:expr, $null:expr, $mismatch:path) => {{
        let record = $record;
        if record.is_null() {
            trap!($regs, $null)
        }
        if (*record).ty != ($regs.word(2) >> 32) as u32 {
            $regs.acc = record as u64;
            tail!($regs, $mismatch)
        }
        record
    }};
}

pub(super) use {checked, element, enter};

handlers! {
    /// Calls a function of this instance; the upper half is its record's offset.
    fn call(regs) {
        regs.acc = regs.vm.byte_add(regs.upper() as usize) as u64;
        let body = (*record(&regs)).body;
        let frame = regs.slot(0);
        if frame.byte_add(*body as usize) > (*regs.vm).stack_limit {
            trap!(regs, TrapCode::StackOverflow)
        }
        let header = regs.slot(1);
        *header = regs.ip.add(2) as u64;
        *header.add(1) = regs.fp as u64;
        *header.add(2) = regs.vm as u64;
        regs.fp = frame;
        regs.ip = body.add(1);
        jump!(regs)
    }

    /// Calls an imported function; the upper half is its index.
    fn call_imported(regs) {
        enter!(regs, *(*regs.vm).imported_funcs.add(regs.upper() as usize), 2)
    }

    /// Calls through a table; field 2 is the index.
    fn call_indirect(regs) {
        enter!(regs, element!(regs, *regs.slot(2), call_subtype), 3)
    }

    /// Calls `acc`, found by its number, if its type is a subtype of the expected.
    #[cold]
    #[inline(never)]
    fn call_subtype(regs) {
        if !is_subtype(&regs) {
            trap!(regs, TrapCode::BadSignature)
        }
        enter!(regs, record(&regs), 3)
    }

    /// Calls the reference in field 2; the upper half of word 2 is the type.
    fn call_ref(regs) {
        enter!(regs, function!(regs, *regs.slot(2), call_subtype), 3)
    }

    /// Word 2 is the record's offset.
    fn return_call(regs) {
        replace!(regs, regs.vm.byte_add(regs.word(2) as usize))
    }

    #[cold]
    fn return_call_moved(regs) {
        replace!(regs, regs.vm.byte_add(regs.word(2) as usize), moved)
    }

    /// Word 2 is the import's index.
    #[cold]
    fn return_call_imported(regs) {
        replace!(regs, *(*regs.vm).imported_funcs.add(regs.word(2) as usize), moved)
    }

    /// Word 2 is table and type, word 3 the slot of the index.
    fn return_call_indirect(regs) {
        let index = *regs.fp.add(regs.word(3) as usize);
        replace!(regs, element!(regs, index, return_call_subtype))
    }

    #[cold]
    fn return_call_indirect_moved(regs) {
        let index = *regs.fp.add(regs.word(3) as usize);
        replace!(regs, element!(regs, index, return_call_subtype), moved)
    }

    #[cold]
    #[inline(never)]
    fn return_call_subtype(regs) {
        if !is_subtype(&regs) {
            trap!(regs, TrapCode::BadSignature)
        }
        replace!(regs, record(&regs), moved)
    }

    /// Word 2 is the slot of the reference and the type.
    fn return_call_ref(regs) {
        let reference = *regs.fp.add(regs.word(2) as u32 as usize);
        replace!(regs, function!(regs, reference, return_call_subtype))
    }

    #[cold]
    fn return_call_ref_moved(regs) {
        let reference = *regs.fp.add(regs.word(2) as u32 as usize);
        replace!(regs, function!(regs, reference, return_call_subtype), moved)
    }

    /// Continues in the instance of the record in `acc`.
    #[cold]
    #[inline(never)]
    fn enter_other(regs) {
        regs.vm = (*record(&regs)).vmctx;
        regs.reload();
        jump!(regs)
    }

    /// As `enter_other`, where the caller's frame is gone.
    #[cold]
    #[inline(never)]
    fn leave_for_other(regs) {
        (*(*record(&regs)).vmctx).tail_caller = regs.vm;
        tail!(regs, enter_other)
    }

    /// Makes the code of the function in `acc`, which is being entered for the first time.
    #[cold]
    fn lazy(regs) {
        done!(regs, prepare(&regs));
        regs.ip = (*record(&regs)).body.add(1);
        jump!(regs)
    }

    /// Enters the function in `acc`, whose frame may end beyond the limit of calls.
    #[cfg(compiler)]
    #[cold]
    fn enter_beyond(regs) {
        done!(regs, make_room(record(&regs), regs.fp));
        regs.ip = (*record(&regs)).body.add(1);
        jump!(regs)
    }

    /// Calls the host function in `acc`; word 1 is the header.
    #[cold]
    fn host_call(regs) {
        let func = record(&regs).cast::<HostFunc>();
        let header = regs.fp.add(regs.word(1) as usize);
        // As little as can be is kept over the call.
        let vm = regs.vm;
        let outcome = ((*func).thunk)(func, regs.fp, header);
        regs = Regs::at(header, regs.fp, vm);
        if outcome != Outcome::DONE {
            leave_with!(regs, outcome)
        }
        regs.ip = *header as *const u64;
        regs.fp = *header.add(1) as *mut u64;
        regs.vm = *header.add(2) as *mut VmCtx;
        regs.reload();
        jump!(regs)
    }

    /// Ends the activation.
    fn exit(_regs) {
        DONE
    }
}

/// Whether the record in `acc` has a subtype of the type in word 2, which it has not.
#[inline(always)]
pub(super) unsafe fn is_subtype(regs: &Regs) -> bool {
    // SAFETY: the record is live; the instruction carries the type.
    unsafe {
        let displays = &(*(*regs.vm).store).gc.layouts.displays;
        displays.is_subtype((*record(regs)).ty, (regs.word(2) >> 32) as u32)
    }
}

/// Finds out why compiled code has not entered a function with a frame at `fp`, whose header
/// is written: baseline code is asked where it is, or the frame does not fit.
#[cfg(compiler)]
#[inline(never)]
unsafe extern "C" fn make_room(record: *mut FuncRecord, fp: *mut u64) -> Outcome {
    // SAFETY: the record is that of a function of the store, whose signature says where the
    // header is.
    unsafe {
        let store = (*(*record).vmctx).store;
        let ty = (*store).engine.types().func_type((*record).ty);
        let slots = |types: &[ValType]| -> u32 { types.iter().map(|ty| ty.kind().slots()).sum() };
        let header = fp.add(slots(ty.params_slice()).max(slots(ty.results_slice())) as usize);
        if fp.byte_add(*(*record).body as usize) > (*store).stack_limit {
            let caller = Cursor::of_caller(header);
            return StoreCore::stop(store, TrapCode::StackOverflow.into(), caller).into();
        }
        #[cfg(optimizer)]
        tier::promote::entered(record, header);
        Outcome::DONE
    }
}

/// Makes the code of the function in `acc` and checks that its frame fits.
#[inline(never)]
unsafe extern "C" fn prepare(regs: &Regs) -> Outcome {
    // SAFETY: `acc` is the record of a function of a live instance, and its frame
    // starts at `fp` with the header where its signature puts it.
    unsafe {
        let record = record(regs);
        let vm = (*record).vmctx;
        let store = (*vm).store;
        let module = (*(*vm).instance).module.inner();
        // A record with this body is that of a function that the module defines.
        let Some(defined) = module.defined_func((*record).index) else {
            return Outcome::trap(TrapCode::Unreachable);
        };
        let ty = module.funcs[(*record).index as usize];
        let header = zwasm_regir::Frame::of(module.signature(ty)).header;
        let caller = Cursor::of_caller(regs.fp.add(header as usize));
        let body = match tier::start(record, module, defined) {
            Ok(body) => body,
            Err(error) => return StoreCore::stop(store, error.into(), caller).into(),
        };
        if regs.fp.byte_add(*body as usize) > (*store).stack_limit {
            return StoreCore::stop(store, TrapCode::StackOverflow.into(), caller).into();
        }
        Outcome::DONE
    }
}
