//! Throwing exceptions: the walk from the place of a throw to its handler.
//!
//! Frames are walked like a backtrace's. The code of each says whether the call in
//! progress is inside a try that catches the tag; the first that does gets the values, in
//! the slots of its label or, in native code, in the overflow, and everything above it is
//! gone with the frame pointer. If there are native frames above it, the native stack
//! pointer goes back as well. The walk ends where the activation does: an exception not
//! caught there becomes an error of the call from the host, and what the host makes of it is
//! up to the host. If a host function returns such an error, the walk goes on from its caller.

use std::collections::BTreeSet;
use std::ptr::NonNull;

use super::activation;
use super::stop::{Outcome, Why};
use super::walk::{Cursor, Frame, Walk};
use crate::code::Code;
use crate::code::catches::Clause;
use crate::store::vmctx::VmCtx;
use crate::store::{StoreCore, TagInst};
use crate::tuning;
use zwasm_regir::{TrapCode, work};

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
        match land(store, Walk::at(cursor), reference) {
            Search::Caught => Outcome::LANDED,
            Search::Uncaught => StoreCore::stop(store, Why::Thrown(reference, None), cursor).into(),
            Search::Interrupted => {
                StoreCore::stop(store, TrapCode::Interrupt.into(), cursor).into()
            }
        }
    }
}

/// How the search for a handler ended.
pub(crate) enum Search {
    /// The guest goes on there.
    Caught,
    /// The activation has none.
    Uncaught,
    /// The guest has to stop, and was looked at no further.
    Interrupted,
}

/// What a search has looked at. The frames of a deep recursion are mostly at the same few
/// places, in tries of as many clauses as the guest likes: it is told soon that it has to
/// stop, and what is not caught at a place is not looked for there again.
#[derive(Default)]
struct Looked {
    /// Clauses and frames since it was asked whether the guest has to stop.
    steps: usize,
    /// Places with many clauses, none of which catches: the code, the offset, the instance.
    in_vain: BTreeSet<(*const Code, usize, *mut VmCtx)>,
}

impl Looked {
    /// The first clause around a frame that catches a tag.
    ///
    /// # Safety
    ///
    /// The frame is one of a walk.
    unsafe fn find(&mut self, frame: &Frame<'_>, tag: NonNull<TagInst>) -> Option<Clause> {
        let place = (std::ptr::from_ref(frame.code), frame.position, frame.vm);
        self.steps += 1;
        if self.in_vain.contains(&place) {
            return None;
        }
        // SAFETY: by the contract; code has tags of the instance that it runs in.
        let tags = unsafe { &(*(*frame.vm).instance).tags };
        let mut clauses = 0;
        let found = frame.code.find_clause(frame.position, |clause| {
            clauses += 1;
            clause.tag.is_none_or(|index| tags[index as usize] == tag)
        });
        self.steps += clauses;
        work::count(clauses);
        if found.is_none() && clauses > tuning::FEW_CLAUSES {
            self.in_vain.insert(place);
        }
        found
    }
}

/// Finds the handler of an exception thrown where the walk begins, and makes it the
/// place to continue at.
///
/// # Safety
///
/// The walk begins in the innermost activation of `store`.
pub(crate) unsafe fn land(store: *mut StoreCore, mut walk: Walk<'_>, reference: u64) -> Search {
    // SAFETY: the frames of an activation are live, each laid out as its code
    // says, and run in instances of the store.
    unsafe {
        let Some((tag, values)) = (*store).exceptions.get(reference) else {
            return Search::Uncaught;
        };
        let mut looked = Looked::default();
        while let Some(frame) = walk.next() {
            let Some(clause) = looked.find(&frame, tag) else {
                if looked.steps >= tuning::SEARCH_STEPS {
                    looked.steps = 0;
                    if (*store).must_stop() {
                        return Search::Interrupted;
                    }
                }
                continue;
            };
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
            return Search::Caught;
        }
        Search::Uncaught
    }
}
