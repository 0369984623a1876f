//! What stands for machine code in a build without a compiler: there is none.

use std::convert::Infallible;

use crate::code::Code;
use crate::error::Result;
#[cfg(feature = "trace")]
use crate::error::{Error, ErrorKind};
use crate::interp::Handler;
use crate::module::Inner;
use crate::store::vmctx::VmCtx;
use crate::tier::Variant;
use zwasm_regir::SourceLoc;

/// Whether there is a compiler.
pub(crate) const AVAILABLE: bool = false;

/// The machine code of a module.
#[derive(Default)]
pub(crate) struct Compiled;

impl Compiled {
    /// The code of a defined function: none.
    pub(crate) fn get(
        &self,
        _: &Inner,
        _: u32,
        _: Variant,
        _: &dyn Fn() -> bool,
    ) -> Result<Option<&Code>> {
        Ok(None)
    }

    /// What has become of a function: it is not compiled.
    pub(crate) fn made(&self, _: u32, _: Variant) -> Option<Option<&Code>> {
        Some(None)
    }

    /// Whether a function is to be compiled that an instance calls: no.
    pub(crate) fn meet(&self, _: &Inner, _: u32) -> bool {
        false
    }

    /// Compiles every function that can be: none. The bytes of machine code.
    pub(crate) fn all(&self, _: &Inner, _: bool) -> usize {
        0
    }
}

/// The machine code of one function.
pub(crate) struct MachineCode(Infallible);

impl MachineCode {
    /// The first byte.
    pub(crate) fn start(&self) -> *const u8 {
        match self.0 {}
    }

    /// The size in bytes.
    pub(crate) fn len(&self) -> usize {
        match self.0 {}
    }

    /// Where the code at an offset came from.
    pub(crate) fn source(&self, _: usize) -> Option<SourceLoc> {
        match self.0 {}
    }

    /// The offset of the word through which an interpreter at a loop header continues.
    pub(crate) fn loop_entry(&self, _: u32) -> Option<usize> {
        match self.0 {}
    }
}

/// The machine code of a function as text.
///
/// # Errors
///
/// Always.
#[cfg(feature = "trace")]
pub(crate) fn listing(_: &Inner, _: u32, _: Option<&str>) -> Result<String> {
    let message = "this build has no compiler for this processor";
    Err(Error::of_kind(ErrorKind::Unsupported, message))
}

/// Calls a handler.
///
/// # Safety
///
/// As for a handler.
#[allow(clippy::too_many_arguments, reason = "they are the handlers' registers")]
#[inline(always)]
pub(crate) unsafe fn enter(
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
    // SAFETY: by the contract.
    unsafe { handler(vm, fp, ip, acc, mem, len, fd, fs) }
}
