//! From Rust into compiled code.

#[cfg(not(optimizer))]
use crate::interp::Handler;
#[cfg(all(optimizer, not(tail_dispatch)))]
use crate::interp::Regs;
#[cfg(optimizer)]
use crate::store::vmctx::FuncRecord;
use crate::store::vmctx::VmCtx;
#[cfg(optimizer)]
use crate::store::{MemoryInst, StoreCore};
#[cfg(optimizer)]
use std::mem::offset_of;

/// Enters a function through its body, as handlers do, on the native stack that begins at
/// `stack`, or if that is 0 on the one in use. What it runs may leave nothing but the stack
/// pointer as it was, so this saves the registers that a callee has to preserve.
///
/// For the native unwinder this is the end of the stack. Further out it could not go:
/// frames of compiled code do not exist, and the registers that frames further out are
/// found by are lost while it runs. So a backtrace taken in a host function ends here;
/// a panic never gets this far, because it is caught where the host function is called.
///
/// # Safety
///
/// The record is live and its frame at `fp` is complete up to the header; the native stack
/// is the store's.
#[cfg(optimizer)]
#[unsafe(naked)]
pub(crate) unsafe extern "sysv64" fn enter(
    vm: *mut VmCtx,
    fp: *mut u64,
    record: *const FuncRecord,
    stack: usize,
) -> usize {
    // Either stack is aligned before two words are pushed: the old stack pointer, and the
    // context. Whoever ends the activation from further in finds in the store where the
    // way back is.
    macro_rules! code {
        ($($again:literal),* ; $($const:tt)*) => {
            std::arch::naked_asm!(
                ".cfi_startproc",
                ".cfi_undefined rip",
                "push rbx",
                "push rbp",
                "push r12",
                "push r13",
                "push r14",
                "push r15",
                "lea rax, [rsp - 8]",
                "test rcx, rcx",
                "cmovz rcx, rax",
                "mov rax, rsp",
                "mov rsp, rcx",
                "push rax",
                "push rdi",
                "mov rax, [rdi + {store}]",
                "lea r10, [rsp - 8]",
                "mov [rax + {native_base}], r10",
                "mov [rax + {native_bottom}], r10",
                "mov rcx, rdx",
                "mov rdx, [rcx + {body}]",
                "add rdx, 8",
                "mov rax, [rdi + {memory0}]",
                "mov r8, [rax + {base}]",
                "mov r9, [rax + {length}]",
                "2:",
                "call qword ptr [rdx]",
                $($again,)*
                "mov rsp, [rsp + 8]",
                "pop r15",
                "pop r14",
                "pop r13",
                "pop r12",
                "pop rbp",
                "pop rbx",
                "ret",
                ".cfi_endproc",
                store = const offset_of!(VmCtx, store),
                memory0 = const offset_of!(VmCtx, memory0),
                body = const offset_of!(FuncRecord, body),
                base = const offset_of!(MemoryInst, base),
                length = const offset_of!(MemoryInst, len),
                native_base = const offset_of!(StoreCore, native_base),
                native_bottom = const offset_of!(StoreCore, native_bottom),
                $($const)*
            )
        };
    }
    #[cfg(tail_dispatch)]
    code!(;);
    // A handler that wants the next one called has left the registers in the store.
    #[cfg(not(tail_dispatch))]
    code!(
        "cmp rax, {next}",
        "jne 3f",
        "mov r10, [rsp]",
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
        "jmp 2b",
        "3:";
        next = const crate::interp::NEXT,
        parked = const offset_of!(StoreCore, parked),
        vm = const offset_of!(Regs, vm),
        fp = const offset_of!(Regs, fp),
        ip = const offset_of!(Regs, ip),
        acc = const offset_of!(Regs, acc),
        mem = const offset_of!(Regs, mem),
        len = const offset_of!(Regs, len),
        fd = const offset_of!(Regs, fd),
        fs = const offset_of!(Regs, fs),
    );
}

/// Calls a handler, which may leave nothing but the stack pointer as it was: saves the
/// registers that a callee has to preserve. For the native unwinder this is the end of the
/// stack.
///
/// # Safety
///
/// As for a handler, which all arguments but the last are for.
#[cfg(all(target_arch = "x86_64", not(optimizer)))]
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
    // than the registers keeps the stack aligned.
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

    /// Enters a function whose body is that, on a stack; its result, and what is in
    /// registers that have these numbers before.
    #[cfg(optimizer)]
    unsafe fn entered(mut numbers: [u64; 17], stack: usize) -> (usize, [u64; 17]) {
        use std::mem::MaybeUninit;
        // What is written to is a store's, and found through a context.
        let mut store = MaybeUninit::<StoreCore>::zeroed();
        let mut memory = MaybeUninit::<MemoryInst>::zeroed();
        let mut vm = MaybeUninit::<VmCtx>::zeroed();
        let mut record = MaybeUninit::<FuncRecord>::zeroed();
        let body = [0, greedy as *const () as u64];
        let result: usize;
        // SAFETY: nothing more of all these is looked at; what is changed of registers is
        // named or restored.
        unsafe {
            (&raw mut (*vm.as_mut_ptr()).store).write(store.as_mut_ptr());
            (&raw mut (*vm.as_mut_ptr()).memory0).write(memory.as_mut_ptr());
            (&raw mut (*record.as_mut_ptr()).body).write(body.as_ptr());
            asm!(
                "call {enter}",
                enter = sym enter,
                inout("rdi") vm.as_mut_ptr() => _,
                inout("rdx") record.as_ptr() => _,
                inout("rcx") stack => _,
                inout("r12") numbers[0],
                inout("r13") numbers[1],
                inout("r14") numbers[2],
                inout("r15") numbers[3],
                lateout("rax") result,
                clobber_abi("sysv64"),
            );
        }
        (result, numbers)
    }

    #[cfg(optimizer)]
    #[test]
    fn another_stack_is_used_and_left() {
        let numbers: [u64; 17] = std::array::from_fn(|at| at as u64);
        let mut stack = vec![0u128; 64];
        let end = stack.as_mut_ptr_range().end as usize;
        // SAFETY: the stack is large enough for the words that are pushed.
        assert_eq!(unsafe { entered(numbers, end) }, (7, numbers));
        assert!(stack.iter().any(|word| *word != 0), "it was not used");
    }

    /// Of the registers that have to be preserved, the compiler keeps some for itself,
    /// and would miss them afterwards; the others are looked at.
    #[test]
    fn what_a_callee_has_to_preserve_is_preserved() {
        let numbers: [u64; 17] = std::array::from_fn(|at| 0x1234_5678_0000_0000 + at as u64);
        let mut after = numbers;
        let result: usize;
        // SAFETY: the handler looks at none of its arguments; all that it changes is named or
        // restored.
        #[cfg(all(target_arch = "x86_64", not(optimizer)))]
        unsafe {
            asm!(
                "push {handler}",
                "push {handler}",
                "call {enter}",
                "add rsp, 16",
                handler = in(reg) greedy,
                enter = sym enter,
                inout("r12") after[0],
                inout("r13") after[1],
                inout("r14") after[2],
                inout("r15") after[3],
                lateout("rax") result,
                clobber_abi("sysv64"),
            );
        }
        // SAFETY: as above.
        #[cfg(optimizer)]
        unsafe {
            (result, after) = entered(after, 0);
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
