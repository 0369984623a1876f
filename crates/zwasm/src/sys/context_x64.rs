//! What a fault interrupted, on x86-64.

use std::ffi::c_void;

use libc::{REG_R15, REG_RCX, REG_RDI, REG_RDX, REG_RIP, ucontext_t};

/// The interrupted registers.
pub(super) struct Context<'a>(&'a mut [i64]);

impl Context<'_> {
    /// # Safety
    ///
    /// The pointer is what the system gave a signal handler, which has not returned.
    pub(super) unsafe fn new<'a>(context: *mut c_void) -> Context<'a> {
        // SAFETY: by the contract, and nothing else uses it while the handler runs.
        Context(unsafe { &mut (*context.cast::<ucontext_t>()).uc_mcontext.gregs })
    }

    /// The address of the instruction.
    pub(super) fn pc(&self) -> usize {
        self.0[REG_RIP as usize] as usize
    }

    /// The register that is `vm` where handlers run: their first argument.
    pub(super) fn vm(&self) -> usize {
        self.0[REG_RDI as usize] as usize
    }

    /// The register with the fuel left, in code that pays it.
    pub(super) fn fuel(&self) -> i64 {
        self.0[REG_R15 as usize]
    }

    /// Continues at a handler with these values of its third and fourth argument,
    /// `ip` and `acc`.
    pub(super) fn resume(&mut self, handler: usize, ip: usize, acc: u64) {
        self.0[REG_RIP as usize] = handler as i64;
        self.0[REG_RDX as usize] = ip as i64;
        self.0[REG_RCX as usize] = acc as i64;
    }
}
