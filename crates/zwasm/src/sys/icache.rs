//! Making fresh machine code visible to the processor that fetches it.
//!
//! On x86-64 that is the processor's own work. On AArch64 the caches of data and of
//! instructions are two: what was written is pushed out of the one and thrown out of
//! the other, for all processors, and those that run other threads of the process have
//! to forget what they fetched ahead.

/// Sees to it that whoever is told of the code at `start` from now on, on any thread,
/// executes what stands there now.
#[cfg(target_arch = "x86_64")]
pub(crate) fn publish(_start: *const u8, _len: usize) {}

/// Sees to it that whoever is told of the code at `start` from now on, on any thread,
/// executes what stands there now. The range is readable.
#[cfg(all(target_arch = "aarch64", target_vendor = "apple"))]
pub(crate) fn publish(start: *const u8, len: usize) {
    unsafe extern "C" {
        /// Part of the system's library (`libkern/OSCacheControl.h`).
        fn sys_icache_invalidate(start: *mut std::ffi::c_void, len: usize);
    }
    // SAFETY: it changes caches, no memory.
    unsafe { sys_icache_invalidate(start.cast_mut().cast(), len) }
}

/// Sees to it that whoever is told of the code at `start` from now on, on any thread,
/// executes what stands there now. The range is readable.
#[cfg(all(target_arch = "aarch64", not(target_vendor = "apple")))]
pub(crate) fn publish(start: *const u8, len: usize) {
    use std::arch::asm;

    let cache_type: u64;
    // SAFETY: reads a register that every program may read.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) cache_type, options(nomem, nostack)) };
    // The smallest lines of both, in bytes; the register counts words.
    let data_line = 4_usize << (cache_type >> 16 & 15);
    let code_line = 4_usize << (cache_type & 15);
    let (start, end) = (start as usize, start as usize + len);
    // SAFETY: maintenance of caches by address, which programs may do where they can
    // read, and barriers: no memory changes.
    unsafe {
        for line in (start & !(data_line - 1)..end).step_by(data_line) {
            asm!("dc cvau, {}", in(reg) line, options(nostack));
        }
        asm!("dsb ish", options(nostack));
        for line in (start & !(code_line - 1)..end).step_by(code_line) {
            asm!("ic ivau, {}", in(reg) line, options(nostack));
        }
        asm!("dsb ish", "isb", options(nostack));
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    other_threads();
}

/// Has all threads of the process fetch anew.
#[cfg(all(target_arch = "aarch64", any(target_os = "linux", target_os = "android")))]
fn other_threads() {
    use std::sync::Once;

    /// From `linux/membarrier.h`.
    const PRIVATE_EXPEDITED_SYNC_CORE: u32 = 1 << 5;
    const REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: u32 = 1 << 6;

    // SAFETY: the call touches no memory of the process. A kernel without it says so;
    // then what counts is that code comes to pages that nobody could execute before.
    let barrier = |command: u32| unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        barrier(REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
    });
    barrier(PRIVATE_EXPEDITED_SYNC_CORE);
}
