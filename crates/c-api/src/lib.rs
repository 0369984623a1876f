//! The C API: the standard `wasm.h`, and `zwasm.h` for what only zwasm has.
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
//! No panic leaves a function: [`guard`] turns it into the function's failure.

mod config;
mod foreign;
mod func;
mod instance;
mod items;
mod limits;
mod linker;
mod module;
mod object;
mod store;
mod text;
mod trap;
mod types;
mod value;
mod vec;
mod wasi;

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// Runs the body of a function that C called; if it panics, what `failed` says.
fn guard_or<R>(failed: impl FnOnce() -> R, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        set_last_error("the library failed: see its message on standard error");
        failed()
    })
}

/// As [`guard_or`], with null, false, zero or nothing for a failure.
fn guard<R: Default>(body: impl FnOnce() -> R) -> R {
    guard_or(R::default, body)
}

/// Runs the body of a function that can fail and only returns whether it did; the
/// reason is kept for `zwasm_last_error`.
fn attempt<R>(body: impl FnOnce() -> runtime::Result<R>) -> Option<R> {
    guard(|| body().map_err(|error| set_last_error(&error.to_string())).ok())
}

thread_local! {
    static LAST_ERROR: RefCell<Option<CString>> = const { RefCell::new(None) };
}

fn set_last_error(message: &str) {
    let message = CString::new(message.replace('\0', " ")).ok();
    LAST_ERROR.with(|last| *last.borrow_mut() = message);
}

/// Why the latest function that failed on this thread did; null if none has.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_last_error() -> *const c_char {
    LAST_ERROR.with(|last| last.borrow().as_ref().map_or(ptr::null(), |text| text.as_ptr()))
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
