//! Throwing exceptions: the walk from the place of a throw to its handler.
//!
//! Frames are walked by their headers, like a backtrace's. The code of each
//! says whether the call in progress is inside a try that catches the tag; the
//! first that does gets the values in the slots of its label, and everything
//! above it is gone with the frame pointer. The walk ends where the activation
//! does: an exception not caught there becomes an error of the call from the
//! host, and what the host makes of it is up to the host. If a host function
//! returns such an error, the walk goes on from its caller.

use super::activation;
use super::backtrace::Cursor;
use super::stop::{Outcome, Why};
use crate::code::Code;
use crate::interp;
use crate::store::StoreCore;
use crate::store::vmctx::VmCtx;

/// Throws a new exception with a tag of the instance and the values at
/// `values`.
///
/// # Safety
///
/// The guest executes the `throw` at `ip` in the frame `fp` of `vm`.
#[inline(never)]
pub(crate) unsafe extern "C" fn throw(
    ip: *const u64,
    fp: *mut u64,
    vm: *mut VmCtx,
    tag: u32,
    values: *const u64,
) -> Outcome {
    // SAFETY: the instance has the tag, and the values of its type are in the
    // frame.
    unsafe {
        let store = (*vm).store;
        let tag = (*(*vm).instance).tags[tag as usize];
        // The frame ends with the values now: nothing above them is used again.
        let end = values;
        let values = std::slice::from_raw_parts(values, tag.as_ref().slots);
        let made = activation::attempt(store, Cursor { ip, fp, vm }, || {
            StoreCore::add_exception(store, tag, values, end)
        });
        match made {
            Ok(reference) => raise(ip, fp, vm, reference),
            Err(stopped) => stopped.into(),
        }
    }
}

/// Throws an exception of the store.
///
/// # Safety
///
/// As [`throw`].
#[inline(never)]
pub(crate) unsafe extern "C" fn raise(
    ip: *const u64,
    fp: *mut u64,
    vm: *mut VmCtx,
    reference: u64,
) -> Outcome {
    let cursor = Cursor { ip, fp, vm };
    // SAFETY: by the contract.
    unsafe {
        let store = (*vm).store;
        if land(store, cursor, reference) {
            return Outcome::LANDED;
        }
        StoreCore::stop(store, Why::Thrown(reference, None), cursor).into()
    }
}

/// Finds the handler of an exception thrown at `cursor`, and makes it the place
/// to continue at. False if the activation has none.
///
/// # Safety
///
/// `cursor` is a place in the innermost activation of `store`.
pub(crate) unsafe fn land(store: *mut StoreCore, mut cursor: Cursor, reference: u64) -> bool {
    // SAFETY: the frames of an activation are live, each laid out as its code
    // says, and run in instances of the store.
    unsafe {
        let Some((tag, values)) = (*store).exceptions.get(reference) else { return false };
        let mut last: Option<&Code> = None;
        while !interp::is_exit(cursor.ip) {
            // Frames of a recursive function follow each other.
            let same = last.and_then(|code| Some((code, code.position(cursor.ip)?)));
            let Some((code, position)) = same.or_else(|| (*store).code_at(cursor.ip)) else {
                return false;
            };
            last = Some(code);
            let tags = &(*(*cursor.vm).instance).tags;
            let clause = code.catches.find(position, |clause| {
                clause.tag.is_none_or(|index| tags[index as usize] == tag)
            });
            if let Some(clause) = clause {
                let mut at = cursor.fp.add(clause.base as usize);
                if clause.tag.is_some() {
                    at.copy_from_nonoverlapping(values.as_ptr(), values.len());
                    at = at.add(values.len());
                }
                if clause.by_ref {
                    at.write(reference);
                }
                let ip = code.body().byte_add(clause.target as usize);
                (*store).landing = Cursor { ip, ..cursor };
                return true;
            }
            cursor = Cursor::of_caller(cursor.fp.add(code.header as usize));
        }
        false
    }
}
