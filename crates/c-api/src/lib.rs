//! The C API: the standard `wasm.h`, `zwasm.h` for what only zwasm has, and `wasmtime.h` for
//! programs that were written for wasmtime.
//!
//! A C pointer to an object is a `Box` here: an `own` parameter arrives as a box,
//! any other as a reference, one that may be null as an `Option` of either. So the
//! headers' ownership rules are Rust's, and most functions need nothing unsafe.
//!
//! # Safety
//!
//! What the headers demand of callers is what everything here relies on:
//!
//! - pointers are null only where the header says so, and otherwise point at an
//!   object of the declared kind that one of these functions made and nothing has
//!   deleted; an object that is being called lives until the call returns;
//! - a vector's `data` holds `size` elements; one that is passed as `own` was made
//!   by a function of its kind;
//! - a store, with everything made in it, is used by one thread at a time. Engines
//!   and shared modules may be used by any number.
//!
//! No panic leaves a function: [`guard`] turns it into the function's failure. For that
//! panics have to unwind, which the profile `c-api` is for: in the profile `release` they
//! end the process.
//!
//! # Finalizers
//!
//! A finalizer of C's may call the library. Where values of the guest's are collected the
//! store is in the middle of something, so finalizers that come up while a function of
//! the library runs wait until it is done, or calls C itself ([`outside`]).

#[cfg(feature = "component")]
mod component;
mod config;
mod foreign;
mod func;
mod gc;
mod instance;
mod items;
mod limits;
mod linker;
mod module;
mod object;
#[cfg(all(test, feature = "wat"))]
mod panics;
mod store;
mod text;
mod trap;
mod types;
mod value;
mod vec;
mod wasi;
mod wasmtime;

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// Says where the library is built in which no panic can be caught.
#[cfg(panic = "abort")]
const _: () = {
    #[deprecated(note = "a panic ends the process: build libzwasm with `--profile c-api`")]
    const PANICS_ABORT: () = ();
    PANICS_ABORT
};

thread_local! {
    /// How many functions of the library run, one inside the other, since C was called.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
    /// What C gets back when none does any more; then it is empty and holds no memory.
    /// C may call when its thread or process is ending and what has to be dropped is gone,
    /// so this is not dropped.
    static LATER: ManuallyDrop<RefCell<Vec<(Finalizer, *mut c_void)>>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// Runs the body of a function that C called; if it panics, what `failed` says.
fn guard_or<R>(failed: impl FnOnce() -> R, body: impl FnOnce() -> R) -> R {
    INSIDE.set(INSIDE.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(INSIDE.get() - 1);
    if INSIDE.get() == 0 {
        // SAFETY: as in `finalize`.
        LATER
            .with(|later| later.take())
            .into_iter()
            .for_each(|(finalizer, data)| unsafe { finalizer(data) });
    }
    outcome.unwrap_or_else(|_| {
        set_last_error("the library failed: see its message on standard error");
        failed()
    })
}

/// Calls a function of C's on behalf of the guest.
fn outside<R>(call: impl FnOnce() -> R) -> R {
    let inside = INSIDE.replace(0);
    let result = call();
    INSIDE.set(inside);
    result
}

/// A function of C's that frees a pointer of C's.
type Finalizer = unsafe extern "C" fn(*mut c_void);

/// Gives a pointer back to C, now or when no function of the library runs any more.
///
/// # Safety
///
/// The finalizer takes the pointer, and gets it once.
unsafe fn finalize(finalizer: Finalizer, data: *mut c_void) {
    if INSIDE.get() > 0 {
        LATER.with(|later| later.borrow_mut().push((finalizer, data)));
    } else {
        // SAFETY: by the contract.
        unsafe { finalizer(data) }
    }
}

/// As [`guard_or`], with null, false, zero or nothing for a failure.
fn guard<R: Default>(body: impl FnOnce() -> R) -> R {
    guard_or(R::default, body)
}

/// Runs the body of a function that can fail and only returns whether it did; the
/// reason is kept for `zwasm_last_error`.
fn attempt<R>(body: impl FnOnce() -> runtime::Result<R>) -> Option<R> {
    guard(|| body().map_err(|error| set_last_error(&error.summary())).ok())
}

thread_local! {
    static LAST_ERROR: RefCell<Option<CString>> = const { RefCell::new(None) };
}

fn set_last_error(message: &str) {
    let message = CString::new(message.replace('\0', " ")).ok();
    // On a thread that is ending nobody asks.
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = message);
}

/// Why the latest function that failed on this thread did; null if none has.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_last_error() -> *const c_char {
    let text = |last: &RefCell<Option<CString>>| {
        last.borrow().as_ref().map_or(ptr::null(), |text| text.as_ptr())
    };
    LAST_ERROR.try_with(text).unwrap_or(ptr::null())
}

/// The library's version.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// A string of C's, as UTF-8.
///
/// # Safety
///
/// The pointer is to a string that ends with a NUL and lives for `'a`.
unsafe fn string<'a>(text: *const c_char) -> runtime::Result<&'a str> {
    if text.is_null() {
        return Err(runtime::Error::msg("a string is null"));
    }
    // SAFETY: by the contract.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| runtime::Error::msg("a string is not UTF-8"))
}
