//! The stub to slots for signatures of any shape: for those that there are no stubs of
//! their own for, because there are too many already.
//!
//! It saves all registers that arguments may be in, and asks Rust to move them. It leaves
//! the same record as the others above three words at the bottom, and the saved
//! registers between the two. Functions of such signatures are not optimized, so that it
//! needs no counterpart.

use std::arch::naked_asm;
use std::mem::offset_of;

use super::routines::{ending, load_results, save_arguments};
use crate::store::limits::Limits;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{MemoryInst, StoreCore};
use crate::types::ValType;
use zwasm_compiler::lower::shape::{FLOAT_ARGS, FLOAT_RESULTS, INT_ARGS, INT_RESULTS};
use zwasm_regir::Type;

/// The registers of a call.
#[repr(C)]
struct Saved {
    ints: [u64; INT_ARGS],
    vmctx: *mut VmCtx,
    record: *mut FuncRecord,
    floats: [[u64; 2]; FLOAT_ARGS],
}

const _: () = assert!(size_of::<Saved>() == 192 && offset_of!(Saved, record) == 56);

/// What `code` of a function leads to.
pub(super) fn to_slots() -> *const u8 {
    enter as *const () as *const u8
}

/// The word that the frame of the callee returns through.
static EXIT: unsafe extern "sysv64" fn() = exit;

/// Calls the function whose record is in `r11` on slots. The fuel left is in `r15` if code pays
/// it, and otherwise nobody looks at what is written.
#[unsafe(naked)]
unsafe extern "sysv64" fn enter() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        save_arguments!(),
        "mov rax, [rdi + {limits}]",
        "mov [rax + {fuel}], r15",
        "mov rdi, rsp",
        "mov rsi, rbp",
        "call {store_arguments}",
        "mov rsi, rax",
        "mov rdi, [rsp + 48]",
        "mov rcx, [rsp + 56]",
        "mov rdx, [rcx + {body}]",
        "add rax, [rdx]",
        "cmp rax, [rdi + {call_limit}]",
        "cmova rdx, [rdi + {beyond}]",
        "push rdi",
        "mov r10, [rdi + {store}]",
        "push [r10 + {native_base}]",
        "lea rax, [rip + {ending} + 1]",
        "push rax",
        "mov [r10 + {native_bottom}], rsp",
        "add rdx, 8",
        "mov rax, [rdi + {memory0}]",
        "mov r8, [rax + {base}]",
        "mov r9, [rax + {len}]",
        "jmp [rdx]",
        ".cfi_endproc",
        store_arguments = sym store_arguments,
        limits = const offset_of!(VmCtx, limits),
        fuel = const offset_of!(Limits, fuel),
        store = const offset_of!(VmCtx, store),
        native_base = const offset_of!(StoreCore, native_base),
        native_bottom = const offset_of!(StoreCore, native_bottom),
        body = const offset_of!(FuncRecord, body),
        memory0 = const offset_of!(VmCtx, memory0),
        base = const offset_of!(MemoryInst, base),
        len = const offset_of!(MemoryInst, len),
        ending = sym ending,
        call_limit = const offset_of!(VmCtx, call_limit),
        beyond = const offset_of!(VmCtx, beyond),
    )
}

/// Returns to the native caller. The frame of the stub is in `rsi`.
#[unsafe(naked)]
unsafe extern "sysv64" fn exit() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov rbx, r8",
        "mov rbp, rsi",
        "lea rsp, [rbp - 192]",
        "mov rdi, rsp",
        "call {load_results}",
        load_results!(),
        "mov r10, [rdi + {limits}]",
        "mov r15, [r10 + {fuel}]",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
        ".cfi_endproc",
        limits = const offset_of!(VmCtx, limits),
        fuel = const offset_of!(Limits, fuel),
        load_results = sym load_results,
    )
}

/// Visits the values of a list that are in registers: with the place of each register
/// and its slot. Returns how many slots there are.
fn in_registers(
    types: &[ValType],
    saved: &mut Saved,
    (ints, floats): (usize, usize),
    mut visit: impl FnMut(&mut [u64], usize),
) -> usize {
    let mut ints = saved.ints[..ints].iter_mut();
    let mut floats = saved.floats[..floats].iter_mut();
    let mut slot = 0;
    for ty in types {
        let kind = ty.kind();
        let slots = kind.slots() as usize;
        let register = match kind {
            Type::I32 | Type::I64 | Type::Ref => ints.next().map(std::slice::from_mut),
            Type::F32 | Type::F64 | Type::V128 => floats.next().map(|float| &mut float[..slots]),
        };
        if let Some(register) = register {
            visit(register, slot);
        }
        slot += slots;
    }
    slot
}

/// Makes the frame of the callee.
unsafe extern "sysv64" fn store_arguments(saved: &mut Saved, stub: *mut u64) -> *mut u64 {
    // SAFETY: the record is that of the function being called, in the context. The value
    // stack has room beyond its limit for all parameters, results and a header.
    unsafe {
        let (vm, record) = (saved.vmctx, saved.record);
        let store = (*vm).store;
        let ty = (*store).engine.types().func_type((*record).ty);
        let frame = (*store).value_top;
        let limits = (INT_ARGS, FLOAT_ARGS);
        let params = in_registers(ty.params_slice(), saved, limits, |register, slot| {
            frame.add(slot).copy_from_nonoverlapping(register.as_ptr(), register.len());
        });
        let slots = |ty: &ValType| ty.kind().slots() as usize;
        let results: usize = ty.results_slice().iter().map(slots).sum();
        let header = frame.add(params.max(results));
        header.write(&raw const EXIT as u64);
        header.add(1).write(stub as u64);
        header.add(2).write(vm as u64);
        frame
    }
}

/// Takes the results out of the frame of the callee, which was at the value top.
unsafe extern "sysv64" fn load_results(saved: &mut Saved) {
    // SAFETY: as above; the callee has returned.
    unsafe {
        let store = (*saved.vmctx).store;
        let ty = (*store).engine.types().func_type((*saved.record).ty);
        let frame = (*store).value_top;
        let limits = (INT_RESULTS, FLOAT_RESULTS);
        in_registers(ty.results_slice(), saved, limits, |register, slot| {
            register.copy_from_slice(std::slice::from_raw_parts(frame.add(slot), register.len()));
        });
    }
}
