//! The routines of the runtime that native code and the stubs call or leave to.
//!
//! They are the same for all functions, so they are part of this program and no page has
//! to be mapped for them. What each of them finds and leaves on the native stack is said
//! in `docs/calling-convention.md`, "Optimised code".
//!
//! For the native unwinder each of them is the end of the stack, as the entry into
//! compiled code is: further out it could not go. It looks for the byte before a return
//! address, so those that are returned to without a call begin with one that is never
//! executed.
//!
//! # Safety
//!
//! Native code and stubs call these as the convention says; nothing else can.

use std::arch::naked_asm;
use std::mem::offset_of;

use super::{generic, stubs};
#[cfg(not(tail_dispatch))]
use crate::interp::Regs;
use crate::stack::stop::{Outcome, Stopped};
use crate::stack::walk::{Cursor, Outer};
use crate::store::limits::Limits;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{MemoryInst, StoreCore};
use crate::tier::promote;
use crate::types::ValType;
use zwasm_compiler::code::{KEPT, Routine};
use zwasm_regir::{Signature, TrapCode};

/// Makes a frame that holds all registers of a call, as `generic::Saved` has them.
macro_rules! save_arguments {
    () => {
        "push rbp
        mov rbp, rsp
        sub rsp, 192
        mov [rsp], rax
        mov [rsp + 8], rcx
        mov [rsp + 16], rdx
        mov [rsp + 24], rsi
        mov [rsp + 32], r8
        mov [rsp + 40], r9
        mov [rsp + 48], rdi
        mov [rsp + 56], r11
        movups [rsp + 64], xmm0
        movups [rsp + 80], xmm1
        movups [rsp + 96], xmm2
        movups [rsp + 112], xmm3
        movups [rsp + 128], xmm4
        movups [rsp + 144], xmm5
        movups [rsp + 160], xmm6
        movups [rsp + 176], xmm7"
    };
}
pub(super) use save_arguments;

/// Loads those of them again that results are in, and the `vmctx`.
macro_rules! load_results {
    () => {
        "mov rax, [rsp]
        mov rcx, [rsp + 8]
        mov rdx, [rsp + 16]
        mov rsi, [rsp + 24]
        mov rdi, [rsp + 48]
        movups xmm0, [rsp + 64]
        movups xmm1, [rsp + 80]
        movups xmm2, [rsp + 96]
        movups xmm3, [rsp + 112]"
    };
}
pub(super) use load_results;

/// The address of a routine.
pub(super) fn address(routine: Routine) -> usize {
    match routine {
        Routine::Trap => trap as *const () as usize,
        // What a handler throws does not come back, which is no concern of the call.
        Routine::Handler | Routine::Throw => handler as *const () as usize,
        Routine::Keep => keep as *const () as usize,
        Routine::Bring => bring as *const () as usize,
        Routine::Refuel => super::refuel::from_native as *const () as usize,
        Routine::Restore => restore(),
        Routine::Ending => ending as *const () as usize + 1,
        Routine::Ended => ended as *const () as usize,
    }
}

/// What functions are called through whose stub to slots has not been looked for.
pub(crate) fn resolver() -> *const u8 {
    resolve as *const () as *const u8
}

/// Where a function returns to that was called by a tail call from another instance.
pub(crate) fn restore() -> usize {
    restore_vmctx as *const () as usize + 1
}

/// Finds the stub that leads to the body of the function whose record is in `r11`, and
/// continues there. All registers of arguments stay what they are.
#[unsafe(naked)]
unsafe extern "sysv64" fn resolve() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        save_arguments!(),
        "mov rdi, r11",
        "call {find}",
        "mov r10, rax",
        load_results!(),
        "mov r8, [rsp + 32]",
        "mov r9, [rsp + 40]",
        "mov r11, [rsp + 56]",
        "movups xmm4, [rsp + 128]",
        "movups xmm5, [rsp + 144]",
        "movups xmm6, [rsp + 160]",
        "movups xmm7, [rsp + 176]",
        "mov rsp, rbp",
        "pop rbp",
        "jmp r10",
        ".cfi_endproc",
        find = sym find,
    )
}

/// Finds the stub that leads to a function, and has it called from now on, unless there is
/// optimized code, or will be soon.
unsafe extern "sysv64" fn find(record: *mut FuncRecord) -> *const u8 {
    // SAFETY: the record is that of a function being called, and only the store's thread
    // uses it.
    unsafe {
        let store = (*(*record).vmctx).store;
        let kinds = |types: &[ValType]| types.iter().map(|ty| ty.kind()).collect::<Vec<_>>();
        let (params, results) = {
            let types = (*store).engine.types().read();
            let ty = types.func_type((*record).ty);
            ty.map_or_else(Default::default, |ty| {
                (kinds(ty.params_slice()), kinds(ty.results_slice()))
            })
        };
        let metered = (*store).engine.config().consume_fuel;
        let stubs = stubs::of(Signature { params: &params, results: &results }, metered);
        // Only host functions run in no instance.
        let is_host = (*(*record).vmctx).instance.is_null();
        let stub = match stubs {
            Some(stubs) if is_host => stubs.to_host(),
            Some(stubs) => stubs.to_slots(),
            None => generic::to_slots(),
        };
        (*record).code = stub;
        promote::called(record);
        if (*record).code == resolver() { stub } else { (*record).code }
    }
}

/// Runs the threaded code at `rdx` on the scratch frame in `rsi`, at the bottom of a new
/// world of slots.
#[unsafe(naked)]
unsafe extern "sysv64" fn handler() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "push rbp",
        "push rdi",
        "mov rax, [rdi + {store}]",
        "push [rax + {native_base}]",
        "lea rcx, [rip + {ending} + 1]",
        "push rcx",
        "mov [rax + {native_bottom}], rsp",
        "mov rax, [rdi + {memory0}]",
        "mov r8, [rax + {base}]",
        "mov r9, [rax + {len}]",
        "jmp [rdx]",
        ".cfi_endproc",
        store = const offset_of!(VmCtx, store),
        memory0 = const offset_of!(VmCtx, memory0),
        base = const offset_of!(MemoryInst, base),
        len = const offset_of!(MemoryInst, len),
        native_base = const offset_of!(StoreCore, native_base),
        native_bottom = const offset_of!(StoreCore, native_bottom),
        ending = sym ending,
    )
}

/// Keeps all registers below the frame that calls, and runs the threaded code at `r11` on a
/// scratch frame at the value top.
#[unsafe(naked)]
unsafe extern "sysv64" fn keep() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        ".irp n, r15, r14, r13, r12, r10, r9, r8, rsi, rbx, rdx, rcx, rax",
        "push \\n",
        ".endr",
        "sub rsp, 240",
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14",
        "movups [rsp + 16 * \\n], xmm\\n",
        ".endr",
        "mov rax, [rdi + {store}]",
        "mov rsi, [rax + {value_top}]",
        "mov [rsi], rbp",
        "add rsi, 8",
        "mov rdx, r11",
        "jmp {handler}",
        ".cfi_endproc",
        store = const offset_of!(VmCtx, store),
        value_top = const offset_of!(StoreCore, value_top),
        handler = sym handler,
    )
}

/// Brings back what [`keep`] has kept.
#[unsafe(naked)]
unsafe extern "sysv64" fn bring() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        // Above the address that this returns to.
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14",
        "movups xmm\\n, [rsp + 8 + 16 * \\n]",
        ".endr",
        "mov rax, [rsp + 248]",
        "mov rcx, [rsp + 256]",
        "mov rdx, [rsp + 264]",
        "mov rbx, [rsp + 272]",
        "mov rsi, [rsp + 280]",
        "mov r8, [rsp + 288]",
        "mov r9, [rsp + 296]",
        "mov r10, [rsp + 304]",
        "mov r12, [rsp + 312]",
        "mov r13, [rsp + 320]",
        "mov r14, [rsp + 328]",
        "mov r15, [rsp + 336]",
        "ret {kept}",
        ".cfi_endproc",
        kept = const KEPT,
    )
}

/// Ends the activation, with what the handler has answered in `rax`: the word above the
/// way back says with which stack pointer.
#[cfg(tail_dispatch)]
#[unsafe(naked)]
pub(super) unsafe extern "sysv64" fn ending() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "nop",
        "mov rsp, [rsp]",
        "ret",
        ".cfi_endproc",
    )
}

/// The same where handlers answer that another is to be called: it finds its way back
/// where it is, and the registers in the store.
#[cfg(not(tail_dispatch))]
#[unsafe(naked)]
pub(super) unsafe extern "sysv64" fn ending() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "nop",
        "cmp rax, {next}",
        "jne 2f",
        "lea rax, [rip + {ending} + 1]",
        "mov r10, [rsp + 8]",
        "push rax",
        "mov r10, [r10 + {store}]",
        "lea r10, [r10 + {parked}]",
        "mov rdi, [r10 + {vm}]",
        "mov rsi, [r10 + {fp}]",
        "mov rdx, [r10 + {ip}]",
        "mov rcx, [r10 + {acc}]",
        "mov r8, [r10 + {mem}]",
        "mov r9, [r10 + {len}]",
        "movsd xmm0, [r10 + {fd}]",
        "movss xmm1, [r10 + {fs}]",
        "jmp [rdx]",
        "2:",
        "mov rsp, [rsp]",
        "ret",
        ".cfi_endproc",
        next = const crate::interp::NEXT,
        ending = sym ending,
        store = const offset_of!(VmCtx, store),
        parked = const offset_of!(StoreCore, parked),
        vm = const offset_of!(Regs, vm),
        fp = const offset_of!(Regs, fp),
        ip = const offset_of!(Regs, ip),
        acc = const offset_of!(Regs, acc),
        mem = const offset_of!(Regs, mem),
        len = const offset_of!(Regs, len),
        fd = const offset_of!(Regs, fd),
        fs = const offset_of!(Regs, fs),
    )
}

/// Ends a call of the host from native code as the outcome in `rax` says: with the
/// activation, or where the exception was caught that the function has thrown. For that
/// it makes a bottom of the world of slots, where the handler runs that goes there.
#[unsafe(naked)]
unsafe extern "sysv64" fn ended() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov r10, [rdi + {store}]",
        "cmp rax, {landed}",
        "je 2f",
        "mov rsp, [r10 + {native_base}]",
        "mov eax, {stopped}",
        "ret",
        "2:",
        "push rdi",
        "push [r10 + {native_base}]",
        "lea rcx, [rip + {ending} + 1]",
        "push rcx",
        "mov rcx, rax",
        "jmp [rip + {raise}]",
        ".cfi_endproc",
        store = const offset_of!(VmCtx, store),
        native_base = const offset_of!(StoreCore, native_base),
        landed = const Outcome::LANDED.word() as i64,
        stopped = const crate::interp::STOPPED,
        ending = sym ending,
        raise = sym crate::interp::RAISE,
    )
}

/// Brings the caller's context and its memory 0 back after a tail call to another instance.
#[unsafe(naked)]
unsafe extern "sysv64" fn restore_vmctx() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "nop",
        "pop rdi",
        "mov rbx, [rdi + {memory0}]",
        "mov rbx, [rbx + {base}]",
        "ret",
        ".cfi_endproc",
        memory0 = const offset_of!(VmCtx, memory0),
        base = const offset_of!(MemoryInst, base),
    )
}

/// Traps: called with the number in `ecx`, or, if an access left its memory, with the word
/// of [`TrapCode::access`] and in `r8` where the access starts. In code that pays fuel, what is left is in `r15`;
/// without fuel nobody looks at what is written.
#[unsafe(naked)]
pub(super) unsafe extern "sysv64" fn trap() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov rdx, [rsp]",
        "mov rsi, rbp",
        "mov rax, [rdi + {limits}]",
        "mov [rax + {fuel}], r15",
        "and rsp, -16",
        "call {stop}",
        "mov rsp, rax",
        "mov eax, {stopped}",
        "ret",
        ".cfi_endproc",
        limits = const offset_of!(VmCtx, limits),
        fuel = const offset_of!(Limits, fuel),
        stop = sym stop,
        stopped = const crate::interp::STOPPED,
    )
}

/// Where a fault in a guard page continues: the address of the instruction is in `rdx`,
/// the trap's number in `rcx`.
#[unsafe(naked)]
pub(super) unsafe extern "sysv64" fn fault() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "inc rdx",
        "push rdx",
        "jmp {trap}",
        ".cfi_endproc",
        trap = sym trap,
    )
}

/// Remembers where and why native code stopped; the stack pointer to end the activation
/// with.
unsafe extern "sysv64" fn stop(
    vm: *mut VmCtx,
    frame: *mut u64,
    after: usize,
    word: u64,
    address: u64,
) -> usize {
    // SAFETY: native code runs in an instance of the store, and `frame` is its frame.
    unsafe {
        let store = (*vm).store;
        let place = match TrapCode::from_number(word) {
            // The frame that does not fit is none yet: the call is where it happens.
            Some(TrapCode::StackOverflow) => {
                (*vm).tail_caller = std::ptr::null_mut();
                Outer::of_native(frame).place()
            }
            _ => Cursor { ip: (after - 1) as *const u64, fp: frame, vm },
        };
        let _: Stopped = Outcome::stop(word, store, place, address);
        (*store).native_base
    }
}

/// Continues where an exception was caught in a world of slots further out, as a handler
/// that finds the native stack pointer in `acc`.
#[unsafe(naked)]
pub(crate) unsafe extern "sysv64" fn land_in_slots(
    vm: *mut VmCtx,
    fp: *mut u64,
    ip: *const u64,
    acc: u64,
    mem: *mut u8,
    len: usize,
    fd: f64,
    fs: f32,
) -> usize {
    naked_asm!(".cfi_startproc", ".cfi_undefined rip", "mov rsp, rcx", "jmp [rdx]", ".cfi_endproc",)
}

/// The same in native code, whose frame is `fp` and whose address is `ip`, and whose
/// context the frame keeps.
#[unsafe(naked)]
pub(crate) unsafe extern "sysv64" fn land_in_native(
    vm: *mut VmCtx,
    fp: *mut u64,
    ip: *const u64,
    acc: u64,
    mem: *mut u8,
    len: usize,
    fd: f64,
    fs: f32,
) -> usize {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov rsp, rcx",
        "mov rbp, rsi",
        "mov rdi, [rbp - 8]",
        "mov rbx, [rdi + {memory0}]",
        "mov rbx, [rbx + {base}]",
        "mov rax, [rdi + {limits}]",
        "mov r15, [rax + {fuel}]",
        "jmp rdx",
        ".cfi_endproc",
        limits = const offset_of!(VmCtx, limits),
        fuel = const offset_of!(Limits, fuel),
        memory0 = const offset_of!(VmCtx, memory0),
        base = const offset_of!(MemoryInst, base),
    )
}
