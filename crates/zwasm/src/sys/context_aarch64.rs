//! What a fault interrupted, on AArch64.
//!
//! The registers stand in order everywhere, the program counter beside them, but in
//! structures of each system's own.

use std::ffi::c_void;

use libc::ucontext_t;

/// The interrupted registers.
pub(super) struct Context<'a> {
    x: &'a mut [u64],
    pc: &'a mut u64,
}

impl Context<'_> {
    /// # Safety
    ///
    /// The pointer is what the system gave a signal handler, which has not returned.
    pub(super) unsafe fn new<'a>(context: *mut c_void) -> Context<'a> {
        // SAFETY: by the contract, and nothing else uses it while the handler runs.
        let context: &'a mut ucontext_t = unsafe { &mut *context.cast() };
        #[cfg(target_vendor = "apple")]
        // SAFETY: as above; what it points to is part of the context.
        let (x, pc) = unsafe {
            let state = &mut (*context.uc_mcontext).__ss;
            (&mut state.__x[..], &mut state.__pc)
        };
        #[cfg(not(target_vendor = "apple"))]
        let (x, pc) = {
            let state = &mut context.uc_mcontext;
            (&mut state.regs[..], &mut state.pc)
        };
        Context { x, pc }
    }

    /// The address of the instruction.
    pub(super) fn pc(&self) -> usize {
        *self.pc as usize
    }

    /// The register that is `vm` where handlers run: their first argument.
    pub(super) fn vm(&self) -> usize {
        self.x[0] as usize
    }

    /// The register with the fuel left, in code that pays it.
    pub(super) fn fuel(&self) -> i64 {
        self.x[28] as i64
    }

    /// Continues at a handler with these values of its third and fourth argument,
    /// `ip` and `acc`.
    pub(super) fn resume(&mut self, handler: usize, ip: usize, acc: u64) {
        *self.pc = handler as u64;
        self.x[2] = ip as u64;
        self.x[3] = acc;
    }
}
