//! Throwing exceptions: the walk from the place of a throw to its handler.
//!
//! Frames are walked like a backtrace's. The code of each says whether the call in
//! progress is inside a try that catches the tag; the first that does gets the values, in
//! the slots of its label or, in native code, in the overflow, and everything above it is
//! gone with the frame pointer. If there are native frames above it, the native stack
//! pointer goes back as well. The walk ends where the activation does: an exception not caught there becomes an error of the call from the
//! host, and what the host makes of it is up to the host. If a host function
//! returns such an error, the walk goes on from its caller.

use super::activation;
use super::stop::{Outcome, Why};
use super::walk::{Cursor, Walk};
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
        if land(store, Walk::at(cursor), reference) {
            return Outcome::LANDED;
        }
        StoreCore::stop(store, Why::Thrown(reference, None), cursor).into()
    }
}

/// Finds the handler of an exception thrown where the walk begins, and makes it the
/// place to continue at. False if the activation has none.
///
/// # Safety
///
/// The walk begins in the innermost activation of `store`.
pub(crate) unsafe fn land(store: *mut StoreCore, mut walk: Walk<'_>, reference: u64) -> bool {
    // SAFETY: the frames of an activation are live, each laid out as its code
    // says, and run in instances of the store.
    unsafe {
        let Some((tag, values)) = (*store).exceptions.get(reference) else { return false };
        while let Some(frame) = walk.next() {
            let tags = &(*(*frame.vm).instance).tags;
            let clause = frame.code.find_clause(frame.position, |clause| {
                clause.tag.is_none_or(|index| tags[index as usize] == tag)
            });
            let Some(clause) = clause else { continue };
            if let Some(base) = frame.base {
                (*store).value_top = base.value_top;
            }
            let mut at = frame.fp.add(clause.base as usize);
            #[cfg(optimizer)]
            {
                if let Some(base) = frame.base {
                    (*store).native_bottom = base.sp;
                }
                (*store).landing_sp = frame.base.map_or(0, |base| base.sp);
                if let Some(size) = frame.code.native_frame() {
                    (*store).landing_sp = frame.fp as usize - size;
                    at = (*store).value_top;
                }
            }
            if clause.tag.is_some() {
                at.copy_from_nonoverlapping(values.as_ptr(), values.len());
                at = at.add(values.len());
            }
            if clause.by_ref {
                at.write(reference);
            }
            let ip = frame.code.start().byte_add(clause.target as usize);
            (*store).landing = Cursor { ip, fp: frame.fp, vm: frame.vm };
            return true;
        }
        false
    }
}
