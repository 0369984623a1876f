//! References into the collected heap, as the API passes them.
//!
//! A type as [`AnyRef`] says what is referred to, and has the methods; what one holds of it
//! is a [`Rooted`] or an [`OwnedRooted`]. Both name a root that the store owns, never an
//! object, so nothing moves or dies under them. The root of a [`Rooted`] lives until the
//! innermost scope ends in which it was made: a call of a host function is a scope, a
//! [`RootScope`] is one, and the store is the outermost. A handle that outlives its scope
//! is noticed: using it is an error, and never reaches another object.

pub(crate) mod anyref;
pub(crate) mod arrayref;
pub(crate) mod eqref;
pub(crate) mod externref;
pub(crate) mod i31;
mod place;
pub(crate) mod rooted;
pub(crate) mod structref;

#[expect(unused_imports, reason = "the header names them")]
use self::{anyref::AnyRef, rooted::OwnedRooted, rooted::RootScope, rooted::Rooted};

use super::types::HeapType;
use crate::store::StoreCore;
use crate::types;
use zwasm_regir::object::{Kind, is_i31, is_kind, number};

/// The exact type of what a reference of the hierarchy of `any` that is not null refers to,
/// as it is below the interface: `Any` for a value of the host.
///
/// # Safety
///
/// `core` is valid and the reference one of its heap.
pub(crate) unsafe fn heap_type(core: *const StoreCore, reference: u64) -> types::HeapType {
    if is_i31(reference as u32) {
        return types::HeapType::I31;
    }
    // SAFETY: by the contract an object.
    let (word, _) = unsafe { (*core).gc.header(reference) };
    match is_kind(word, Kind::Extern) {
        true => types::HeapType::Any,
        // SAFETY: by the contract.
        false => unsafe { (*core).engine.types().heap_type(number(word)) },
    }
}

/// The same as embedders see it.
///
/// # Safety
///
/// As [`heap_type`].
unsafe fn shown_type(core: *const StoreCore, reference: u64) -> HeapType {
    // SAFETY: by the contract.
    unsafe { HeapType::of(&(*core).engine, heap_type(core, reference)) }
}

/// Whether a reference is to an object of a kind.
///
/// # Safety
///
/// As [`heap_type`].
unsafe fn is_object(core: *const StoreCore, reference: u64, kind: Kind) -> bool {
    // SAFETY: by the contract; what is not an integer is an object.
    unsafe { !is_i31(reference as u32) && is_kind((*core).gc.header(reference).0, kind) }
}
