//! `wasmtime.h`: the C API of wasmtime, as far as `libzwasm` has it.
//!
//! What a store owns is passed by value here, as a few words whose first is the number of
//! the store ([`words`]), and every function is given the store, too: the context, which
//! is a [`Store`]. So a handle of another store is found out, and is an error. Words that
//! no function gave are not found out: that is the caller's promise, as in wasmtime.
//!
//! Functions return an error, or null if there is none.

mod config;
mod error;
mod func;
mod instance;
mod items;
mod linker;
mod module;
mod objects;
mod refs;
mod store;
mod val;
mod wasi;
mod words;

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::{slice, str};

use runtime::Error;

use crate::object::Object;
use crate::store::Store;
use crate::trap;
use crate::vec::Ptr;
use error::Failure;

/// `wasmtime_context_t`: a store that its owner keeps.
type Context = Store;

/// Where a trap goes, or null.
type TrapOut<'a> = Option<&'a mut MaybeUninit<Ptr<Object>>>;

/// Runs the body of a function that returns its error.
fn fallible(body: impl FnOnce() -> runtime::Result<()>) -> Ptr<Failure> {
    run(body).err().map(Failure::new)
}

/// The same, and what the body gives is written if there is no error.
fn giving<T>(out: &mut MaybeUninit<T>, body: impl FnOnce() -> runtime::Result<T>) -> Ptr<Failure> {
    fallible(|| {
        out.write(body()?);
        Ok(())
    })
}

/// Runs the body of a function that runs the guest: what the guest did is a trap, all else
/// an error.
fn stopping(out: TrapOut<'_>, body: impl FnOnce() -> runtime::Result<()>) -> Ptr<Failure> {
    let (trap, failure) = match run(body) {
        Ok(()) => (None, None),
        Err(error) => match trap::of_guest(&error) {
            Some(trap) => (Some(trap), None),
            None => (None, Some(Failure::new(error))),
        },
    };
    if let Some(out) = out {
        out.write(trap);
    }
    failure
}

fn run(body: impl FnOnce() -> runtime::Result<()>) -> runtime::Result<()> {
    let failed = || Err(Error::msg("the library failed: see its message on standard error"));
    crate::guard_or(failed, body)
}

/// An array of C's.
///
/// # Safety
///
/// `data` is to `len` elements that live for `'a`, unless `len` is 0.
unsafe fn array<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: by the contract.
    unsafe { slice::from_raw_parts(data, len) }
}

/// The same, to be written: what is there is not looked at.
///
/// # Safety
///
/// Likewise, and nothing else uses it.
unsafe fn places<'a, T>(data: *mut MaybeUninit<T>, len: usize) -> &'a mut [MaybeUninit<T>] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: by the contract.
    unsafe { slice::from_raw_parts_mut(data, len) }
}

/// A name of C's, which is to be UTF-8.
///
/// # Safety
///
/// As [`array`].
unsafe fn name<'a>(text: *const c_char, len: usize) -> runtime::Result<&'a str> {
    // SAFETY: by the contract.
    let bytes = unsafe { array(text.cast::<u8>(), len) };
    str::from_utf8(bytes).map_err(|_| Error::msg("input was not valid utf-8"))
}

/// Calls as C makes them, for tests.
#[cfg(all(test, feature = "wat"))]
pub mod tests {
    use super::*;
    use crate::vec::CVec;

    /// What comes of a call without arguments and results; there is no trap.
    pub fn called(store: &Store, func: runtime::Func) -> Ptr<Failure> {
        let mut trap = MaybeUninit::uninit();
        let (args, results) = (std::ptr::null(), std::ptr::null_mut());
        let words = func.into();
        let out = Some(&mut trap);
        // SAFETY: there are no arguments and no results.
        let failure = unsafe { func::wasmtime_func_call(store, &words, args, 0, results, 0, out) };
        // SAFETY: it has been written.
        assert!(unsafe { trap.assume_init() }.is_none());
        failure
    }

    /// What an error says.
    pub fn message(failure: &Failure) -> String {
        let mut message = MaybeUninit::uninit();
        error::wasmtime_error_message(failure, &mut message);
        // SAFETY: it has been written.
        let message: CVec<u8> = unsafe { message.assume_init() };
        message.text()
    }
}
