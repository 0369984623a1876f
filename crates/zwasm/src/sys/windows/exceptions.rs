//! Faults of the process: access violations.
//!
//! One vectored handler for the whole process, which asks a function of the engine
//! whether a fault is the guest's. All others it passes on, to the handlers behind it
//! and to those of the frames. Vectored handlers run before the system looks at any
//! frame, of which compiled code has none. They run on the stack that faulted: the
//! guest's native one, which has room.
//!
//! # Safety
//!
//! What the handler runs reads what was written before the handler was installed,
//! and changes the interrupted context.

use std::ffi::c_void;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{EXCEPTION_ACCESS_VIOLATION, EXCEPTION_IN_PAGE_ERROR};
use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, CONTEXT, EXCEPTION_CONTINUE_EXECUTION, EXCEPTION_CONTINUE_SEARCH,
    EXCEPTION_POINTERS,
};

/// A fault, and the context that it interrupted.
pub(crate) struct Fault<'a> {
    address: usize,
    context: &'a mut CONTEXT,
}

impl Fault<'_> {
    /// The address that could not be accessed.
    pub(crate) fn address(&self) -> usize {
        self.address
    }

    /// The address of the instruction.
    pub(crate) fn pc(&self) -> usize {
        self.context.Rip as usize
    }

    /// The register that is `vm` where handlers run.
    pub(crate) fn vm(&self) -> *const c_void {
        self.context.Rdi as *const c_void
    }

    /// The register with the fuel left, in code that pays it.
    pub(crate) fn fuel(&self) -> i64 {
        self.context.R15 as i64
    }

    /// Continues at a handler with these values of `ip` and `acc`.
    pub(crate) fn resume(&mut self, handler: usize, ip: usize, acc: u64) {
        self.context.Rip = handler as u64;
        self.context.Rdx = ip as u64;
        self.context.Rcx = acc;
    }
}

/// Whether a fault was recovered from.
type Recover = fn(&mut Fault<'_>) -> bool;

/// Who decides.
static RECOVER: OnceLock<Recover> = OnceLock::new();

/// Installs the handler, once per process; false if that is not possible.
pub(crate) fn install(recover: Recover) -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    RECOVER.get_or_init(|| recover);
    *INSTALLED.get_or_init(|| {
        // SAFETY: the handler keeps to the module header, and stays.
        unsafe { !AddVectoredExceptionHandler(1, Some(on_exception)).is_null() }
    })
}

unsafe extern "system" fn on_exception(info: *mut EXCEPTION_POINTERS) -> i32 {
    let Some(recover) = RECOVER.get() else { return EXCEPTION_CONTINUE_SEARCH };
    // SAFETY: the system passes both, for the handler to read and change.
    let (record, context) = unsafe { (&*(*info).ExceptionRecord, &mut *(*info).ContextRecord) };
    let faulted = [EXCEPTION_ACCESS_VIOLATION, EXCEPTION_IN_PAGE_ERROR];
    if !faulted.contains(&record.ExceptionCode) || record.NumberParameters < 2 {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    // The first says how it was accessed.
    let mut fault = Fault { address: record.ExceptionInformation[1], context };
    match recover(&mut fault) {
        true => EXCEPTION_CONTINUE_EXECUTION,
        false => EXCEPTION_CONTINUE_SEARCH,
    }
}
