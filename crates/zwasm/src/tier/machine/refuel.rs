//! Where compiled code goes that has found, at a check of fuel, that something cost more than
//! was active.
//!
//! The guest may go on there, even on another thread after others had their turn, with all its
//! values in registers. To have each check save them would make code larger by half, so one
//! routine keeps all registers on the native stack, asks the store, and brings them back: all
//! but the vector that is scratch and the register of the fuel, which is what is active by then.
//! Optimized code has values in `r11` as well. For the native unwinder it is the end of the
//! stack, as `routines.rs` says.
//!
//! What may be references among them is found by collections: below a frame of optimized code
//! they look through the native stack, from here outwards, and behind one of slots they are
//! copied to the value stack.
//!
//! # Safety
//!
//! Baseline code jumps to [`from_slots`] with the address to come back to in a scratch
//! register, and optimized code calls [`from_native`]: each in an instance of the store, with
//! the fuel in its register, as `docs/calling-convention.md` has it.

use std::arch::naked_asm;
use std::sync::atomic::Ordering;

use crate::interp::STOPPED;
use crate::stack::walk::Cursor;
use crate::store::StoreCore;
use crate::store::vmctx::VmCtx;

/// The registers that are kept, in the order of addresses.
#[cfg(target_arch = "x86_64")]
#[repr(C)]
struct Kept {
    _vectors: [[u64; 2]; 15],
    fuel: i64,
    _r8_to_r14: [u64; 7],
    /// What optimized code finds its frame by.
    #[cfg_attr(not(optimizer), allow(dead_code, reason = "all frames are of slots"))]
    rbp: *mut u64,
    vm: *mut VmCtx,
    /// What baseline code finds its frame by.
    fp: *mut u64,
    _rax_to_rdx: [u64; 4],
    /// Whether optimized code has called.
    #[cfg_attr(not(optimizer), allow(dead_code, reason = "it has not"))]
    is_native: u64,
    /// Where the code goes on.
    resume: usize,
}

/// The registers that are kept, in the order of addresses.
#[cfg(target_arch = "aarch64")]
#[repr(C)]
struct Kept {
    _vectors: [[u64; 2]; 32],
    vm: *mut VmCtx,
    /// What baseline code finds its frame by.
    fp: *mut u64,
    _x2_to_x14: [u64; 13],
    /// Where the code goes on.
    resume: usize,
    _x19_to_x27: [u64; 9],
    fuel: i64,
    _x29_x30: [u64; 2],
}

/// Words of them that may be references.
const INTS: usize = (size_of::<Kept>() - size_of::<[u64; 2]>() * VECTORS) / size_of::<u64>();
#[cfg(target_arch = "x86_64")]
const VECTORS: usize = 15;
#[cfg(target_arch = "aarch64")]
const VECTORS: usize = 32;

/// From baseline code, which goes on at the address in `r11`.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(super) unsafe extern "sysv64" fn from_slots() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "push r11",
        "push 0",
        "jmp {keep}",
        ".cfi_endproc",
        keep = sym keep,
    )
}

/// From optimized code, which goes on at the return address.
#[cfg(optimizer)]
#[unsafe(naked)]
pub(super) unsafe extern "sysv64" fn from_native() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "push 1",
        "jmp {keep}",
        ".cfi_endproc",
        keep = sym keep,
    )
}

/// Keeps the rest of [`Kept`], and brings it back or ends the activation.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "sysv64" fn keep() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        ".irp n, rdx, rcx, rbx, rax, rsi, rdi, rbp, r14, r13, r12, r11, r10, r9, r8, r15",
        "push \\n",
        ".endr",
        "sub rsp, 240",
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14",
        "movups [rsp + 16 * \\n], xmm\\n",
        ".endr",
        "mov rdi, rsp",
        "mov rbx, rsp",
        "and rsp, -16",
        "call {refuel}",
        "mov rsp, rbx",
        "test rax, rax",
        "jnz 2f",
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14",
        "movups xmm\\n, [rsp + 16 * \\n]",
        ".endr",
        "add rsp, 240",
        ".irp n, r15, r8, r9, r10, r11, r12, r13, r14, rbp, rdi, rsi, rax, rbx, rcx, rdx",
        "pop \\n",
        ".endr",
        "lea rsp, [rsp + 8]",
        "ret",
        "2:",
        "mov rsp, rax",
        "mov eax, {stopped}",
        "ret",
        ".cfi_endproc",
        refuel = sym refuel,
        stopped = const STOPPED,
    )
}

/// From baseline code, which goes on at the address in `x15`.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn from_slots() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "sub sp, sp, #736",
        ".irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30",
        "str q\\n, [sp, #16 * \\n]",
        ".endr",
        ".irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31",
        "str q\\n, [sp, #16 * \\n]",
        ".endr",
        "add x16, sp, #512",
        "stp x0, x1, [x16]",
        "stp x2, x3, [x16, #16]",
        "stp x4, x5, [x16, #32]",
        "stp x6, x7, [x16, #48]",
        "stp x8, x9, [x16, #64]",
        "stp x10, x11, [x16, #80]",
        "stp x12, x13, [x16, #96]",
        "stp x14, x15, [x16, #112]",
        "stp x19, x20, [x16, #128]",
        "stp x21, x22, [x16, #144]",
        "stp x23, x24, [x16, #160]",
        "stp x25, x26, [x16, #176]",
        "stp x27, x28, [x16, #192]",
        "stp x29, x30, [x16, #208]",
        "mov x0, sp",
        "bl {refuel}",
        "mov x17, x0",
        ".irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30",
        "ldr q\\n, [sp, #16 * \\n]",
        ".endr",
        ".irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31",
        "ldr q\\n, [sp, #16 * \\n]",
        ".endr",
        "add x16, sp, #512",
        "ldp x0, x1, [x16]",
        "ldp x2, x3, [x16, #16]",
        "ldp x4, x5, [x16, #32]",
        "ldp x6, x7, [x16, #48]",
        "ldp x8, x9, [x16, #64]",
        "ldp x10, x11, [x16, #80]",
        "ldp x12, x13, [x16, #96]",
        "ldp x14, x15, [x16, #112]",
        "ldp x19, x20, [x16, #128]",
        "ldp x21, x22, [x16, #144]",
        "ldp x23, x24, [x16, #160]",
        "ldp x25, x26, [x16, #176]",
        "ldp x27, x28, [x16, #192]",
        "ldp x29, x30, [x16, #208]",
        "add sp, sp, #736",
        "cbnz x17, 2f",
        "br x15",
        "2:",
        "mov x0, #{stopped}",
        "ret",
        ".cfi_endproc",
        refuel = sym refuel,
        stopped = const STOPPED,
    )
}

/// The calling convention of what the routines call.
macro_rules! called {
    ($(#[$meta:meta])* unsafe fn $name:ident($($arguments:tt)*) -> $result:ty $body:block) => {
        $(#[$meta])*
        #[cfg(target_arch = "x86_64")]
        unsafe extern "sysv64" fn $name($($arguments)*) -> $result $body
        $(#[$meta])*
        #[cfg(target_arch = "aarch64")]
        unsafe extern "C" fn $name($($arguments)*) -> $result $body
    };
}

called! {
    /// Asks the store: zero if the guest goes on, and else the stack pointer to end the
    /// activation with.
    unsafe fn refuel(kept: *mut Kept) -> usize {
        // SAFETY: the code runs in an instance of the store, and `kept` is on its stack.
        unsafe {
            let vm = (*kept).vm;
            let (store, limits) = ((*vm).store, (*vm).limits);
            (*limits).fuel.store((*kept).fuel, Ordering::Relaxed);
            let ip = ((*kept).resume - 1) as *const u64;
            #[cfg(optimizer)]
            if (*kept).is_native != 0 {
                (*store).native_bottom = kept as usize;
                let place = Cursor { ip, fp: (*kept).rbp, vm };
                let outcome = StoreCore::out_of_fuel(store, place, (*store).value_top);
                (*kept).fuel = (*limits).fuel.load(Ordering::Relaxed);
                return if outcome.is_ok() { 0 } else { (*store).native_base };
            }
            let place = Cursor { ip, fp: (*kept).fp, vm };
            let end = place.frame_end();
            let ints = (&raw const *kept).cast::<[u64; 2]>().add(VECTORS).cast::<u64>();
            end.copy_from_nonoverlapping(ints, INTS);
            let outcome = StoreCore::out_of_fuel(store, place, end.add(INTS));
            (*kept).fuel = (*limits).fuel.load(Ordering::Relaxed);
            if outcome.is_ok() { 0 } else { kept.add(1) as usize }
        }
    }
}
