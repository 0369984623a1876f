//! Faults of the process: `SIGSEGV` and `SIGBUS`.
//!
//! One handler for the whole process, which asks a function of the engine whether a
//! fault is the guest's, and hands all others on to the handler that was there
//! before. It wants the thread's alternate stack if there is one. The guest does
//! not depend on that: it faults on its own native stack, which has room.
//!
//! # Safety
//!
//! What the handler runs is async-signal-safe: it reads what was written before
//! the handler was installed, and changes the interrupted context.

use std::ffi::{c_int, c_void};
use std::mem::zeroed;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use libc::{sigaction, siginfo_t};

use super::context::Context;

/// A fault, and the context that it interrupted.
pub(crate) struct Fault<'a> {
    address: usize,
    context: Context<'a>,
}

impl Fault<'_> {
    /// The address that could not be accessed.
    pub(crate) fn address(&self) -> usize {
        self.address
    }

    /// The address of the instruction.
    pub(crate) fn pc(&self) -> usize {
        self.context.pc()
    }

    /// The register that is `vm` where handlers run.
    pub(crate) fn vm(&self) -> *const c_void {
        self.context.vm() as *const c_void
    }

    /// The register with the fuel left, in code that pays it.
    pub(crate) fn fuel(&self) -> i64 {
        self.context.fuel()
    }

    /// Continues at a handler with these values of `ip` and `acc`.
    pub(crate) fn resume(&mut self, handler: usize, ip: usize, acc: u64) {
        self.context.resume(handler, ip, acc);
    }
}

/// Whether a fault was recovered from.
type Recover = fn(&mut Fault<'_>) -> bool;

/// Who decides, and the handlers that were there before.
struct Handlers {
    recover: Recover,
    segv: sigaction,
    bus: sigaction,
}

static HANDLERS: OnceLock<Option<Handlers>> = OnceLock::new();

/// Installs the handler, once per process; false if that is not possible.
pub(crate) fn install(recover: Recover) -> bool {
    let handlers = HANDLERS.get_or_init(|| {
        let handlers =
            Handlers { recover, segv: current(libc::SIGSEGV)?, bus: current(libc::SIGBUS)? };
        Some(handlers)
    });
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    handlers.is_some()
        && *INSTALLED.get_or_init(|| {
            // SAFETY: all zeros is an action without flags and an empty mask.
            let mut action: sigaction = unsafe { zeroed() };
            action.sa_sigaction = on_fault as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // SAFETY: the handler keeps to the module header.
            [libc::SIGSEGV, libc::SIGBUS].iter().all(
                |&signal| unsafe { libc::sigaction(signal, &raw const action, null_mut()) } == 0,
            )
        })
}

fn current(signal: c_int) -> Option<sigaction> {
    // SAFETY: the action is only read, into a structure for which zeros are valid.
    unsafe {
        let mut action: sigaction = zeroed();
        (libc::sigaction(signal, null(), &raw mut action) == 0).then_some(action)
    }
}

unsafe extern "C" fn on_fault(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(Some(handlers)) = HANDLERS.get() else { return };
    // SAFETY: the system passes both for a handler with `SA_SIGINFO`.
    let mut fault =
        unsafe { Fault { address: (*info).si_addr() as usize, context: Context::new(context) } };
    if (handlers.recover)(&mut fault) {
        return;
    }
    let before = if signal == libc::SIGBUS { &handlers.bus } else { &handlers.segv };
    match before.sa_sigaction {
        // Without the handler the same instruction faults again, for good.
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: the action is one the system gave.
            unsafe { libc::sigaction(signal, before, null_mut()) };
        }
        // SAFETY: the action said which kind of function its handler is.
        handler => unsafe {
            if before.sa_flags & libc::SA_SIGINFO != 0 {
                let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                    std::mem::transmute(handler);
                handler(signal, info, context);
            } else {
                let handler: extern "C" fn(c_int) = std::mem::transmute(handler);
                handler(signal);
            }
        },
    }
}
