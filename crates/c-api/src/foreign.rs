//! Foreign objects: values of the host's that the guest can hold.
//!
//! The guest's `externref` is an object of the collected heap which holds what C
//! refers to; when nothing in the guest and no reference of C's is left, a foreign
//! object's finalizer runs. C may pass any reference where an `externref` is
//! wanted, and gets the same one back.

use std::any::Any;
use std::sync::Arc;

use std::sync::Weak;

use runtime::{AsContextMut, Error, ExternRef, Rooted};

use crate::object::{Body, Object, OwnInfo};
use crate::store::{Data, Store, StoreRef};
use crate::vec::Ptr;

/// `wasm_foreign_t`
#[derive(Default)]
pub struct Foreign {
    pub info: OwnInfo,
}

/// A reference of C's as the guest holds it. It keeps no store alive, since it is
/// in one itself.
struct Passed {
    body: Body,
    /// The store that it belongs to, where that is another than the guest's.
    elsewhere: Option<Weak<Store>>,
}

/// The guest's reference to what C refers to.
pub fn pass(
    mut store: impl AsContextMut<Data = Data>,
    object: &Object,
) -> runtime::Result<Rooted<ExternRef>> {
    let own = StoreRef::of(store.as_context_mut().data())?;
    let other = object.store().filter(|other| !other.is(&own));
    let elsewhere = other.map(StoreRef::downgrade);
    ExternRef::new(store, Passed { body: object.body.clone(), elsewhere })
}

/// What C referred to, if that is what a value of the guest's in this store is.
///
/// # Errors
///
/// If it belonged to another store, which is gone.
pub fn passed(
    store: &StoreRef,
    value: &(dyn Any + Send + Sync),
) -> runtime::Result<Option<Box<Object>>> {
    let Some(Passed { body, elsewhere }) = value.downcast_ref() else { return Ok(None) };
    let gone = || Error::msg("the store of what is referred to has been deleted");
    let owner = match elsewhere {
        None => store.clone(),
        Some(other) => StoreRef::upgrade(other).ok_or_else(gone)?,
    };
    Ok(Some(Object::of_store(&owner, body.clone())))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_new(_store: &StoreRef) -> Ptr<Object> {
    Some(Object::free(Body::Foreign(Arc::default())))
}
