//! From Rust into compiled code.

use crate::interp::Handler;
use crate::store::vmctx::VmCtx;

/// Calls a handler, which may leave nothing but the stack pointer as it was: saves the
/// registers that a callee has to preserve.
///
/// For the native unwinder this is the end of the stack. Further out it could not go:
/// frames of compiled code do not exist, and the registers that frames further out are
/// found by are lost while it runs. So a backtrace taken in a host function ends here;
/// a panic never gets this far, because it is caught where the host function is called.
///
/// # Safety
///
/// As for a handler, which all arguments but the last are for.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[allow(clippy::too_many_arguments, reason = "they are the handlers' registers")]
pub(crate) unsafe extern "sysv64" fn enter(
    vm: *mut VmCtx,
    fp: *mut u64,
    ip: *const u64,
    acc: u64,
    mem: *mut u8,
    len: usize,
    fd: f64,
    fs: f32,
    handler: Handler,
) -> usize {
    // The handler is the seventh integer argument and so on the stack; one word more
    // than the registers keeps the stack aligned. Whoever ends the activation from
    // further in finds in the store where the way back is.
    #[cfg(optimizer)]
    std::arch::naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rax",
        "mov rax, [rdi + {store}]",
        "lea r10, [rsp - 8]",
        "mov [rax + {native_base}], r10",
        "mov [rax + {native_bottom}], r10",
        "call qword ptr [rsp + 64]",
        "pop rcx",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        ".cfi_endproc",
        store = const std::mem::offset_of!(VmCtx, store),
        native_base = const std::mem::offset_of!(crate::store::StoreCore, native_base),
        native_bottom = const std::mem::offset_of!(crate::store::StoreCore, native_bottom),
    );
    #[cfg(not(optimizer))]
    std::arch::naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rax",
        "call qword ptr [rsp + 64]",
        "pop rcx",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        ".cfi_endproc",
    )
}

/// As on x86-64. The way back is in a register here, which all code leaves alone or
/// restores.
///
/// # Safety
///
/// As for a handler, which all arguments but the last are for.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[allow(clippy::too_many_arguments, reason = "they are the handlers' registers")]
pub(crate) unsafe extern "C" fn enter(
    vm: *mut VmCtx,
    fp: *mut u64,
    ip: *const u64,
    acc: u64,
    mem: *mut u8,
    len: usize,
    fd: f64,
    fs: f32,
    handler: Handler,
) -> usize {
    // Of the vector registers from v8 to v15, the lower halves have to be preserved.
    std::arch::naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "stp x29, x30, [sp, #-160]!",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "blr x6",
        "ldp d14, d15, [sp, #144]",
        "ldp d12, d13, [sp, #128]",
        "ldp d10, d11, [sp, #112]",
        "ldp d8, d9, [sp, #96]",
        "ldp x27, x28, [sp, #80]",
        "ldp x25, x26, [sp, #64]",
        "ldp x23, x24, [sp, #48]",
        "ldp x21, x22, [sp, #32]",
        "ldp x19, x20, [sp, #16]",
        "ldp x29, x30, [sp], #160",
        "ret",
        ".cfi_endproc",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::arch::asm;

    /// Overwrites all that compiled code may, and returns 7.
    #[cfg(target_arch = "x86_64")]
    #[unsafe(naked)]
    unsafe extern "sysv64" fn greedy() -> usize {
        std::arch::naked_asm!(
            ".irp n, rbx, rbp, r12, r13, r14, r15",
            "mov \\n, -1",
            ".endr",
            "mov eax, 7",
            "ret"
        )
    }

    /// Overwrites all that compiled code may, and returns 7.
    #[cfg(target_arch = "aarch64")]
    #[unsafe(naked)]
    unsafe extern "C" fn greedy() -> usize {
        std::arch::naked_asm!(
            ".irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29",
            "mov x\\n, #-1",
            ".endr",
            ".irp n, 8, 9, 10, 11, 12, 13, 14, 15",
            "movi v\\n\\().16b, #255",
            ".endr",
            "mov x0, #7",
            "ret"
        )
    }

    /// Of the registers that have to be preserved, the compiler keeps some for itself,
    /// and would miss them afterwards; the others are looked at.
    #[test]
    fn what_a_callee_has_to_preserve_is_preserved() {
        let numbers: [u64; 17] = std::array::from_fn(|at| 0x1234_5678_0000_0000 + at as u64);
        let mut after = numbers;
        let result: usize;
        // What is written to is a store's, and found through a context.
        #[cfg(target_arch = "x86_64")]
        let mut store = std::mem::MaybeUninit::<crate::store::StoreCore>::zeroed();
        #[cfg(target_arch = "x86_64")]
        let mut vm = std::mem::MaybeUninit::<VmCtx>::zeroed();
        // SAFETY: the context is all zeros.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            (&raw mut (*vm.as_mut_ptr()).store).write(store.as_mut_ptr());
        }
        // SAFETY: the handler looks at none of its arguments, which may be anything but for
        // the context; all that it changes is named or restored.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            asm!(
                "push {handler}",
                "push {handler}",
                "call {enter}",
                "add rsp, 16",
                handler = in(reg) greedy,
                enter = sym enter,
                inout("rdi") vm.as_mut_ptr() => _,
                inout("r12") after[0],
                inout("r13") after[1],
                inout("r14") after[2],
                inout("r15") after[3],
                lateout("rax") result,
                clobber_abi("sysv64"),
            );
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            asm!(
                "bl {enter}",
                enter = sym enter,
                in("x6") greedy,
                inout("x20") after[0],
                inout("x21") after[1],
                inout("x22") after[2],
                inout("x23") after[3],
                inout("x24") after[4],
                inout("x25") after[5],
                inout("x26") after[6],
                inout("x27") after[7],
                inout("x28") after[8],
                inout("d8") after[9],
                inout("d9") after[10],
                inout("d10") after[11],
                inout("d11") after[12],
                inout("d12") after[13],
                inout("d13") after[14],
                inout("d14") after[15],
                inout("d15") after[16],
                lateout("x0") result,
                clobber_abi("C"),
            );
        }
        assert_eq!((result, after), (7, numbers));
    }
}
