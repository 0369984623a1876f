//! Foreign objects: values of the host's that the guest can hold.
//!
//! The guest's `externref` is an object of the collected heap which holds what C
//! refers to; when nothing in the guest and no reference of C's is left, a foreign
//! object's finalizer runs. C may pass any reference where an `externref` is
//! wanted, and gets the same one back.

use std::any::Any;
use std::sync::Arc;

use runtime::{AsContextMut, ExternRef};

use crate::object::{Body, Object, OwnInfo};
use crate::store::StoreRef;
use crate::vec::Ptr;

/// `wasm_foreign_t`
#[derive(Default)]
pub struct Foreign {
    pub info: OwnInfo,
}

/// A reference of C's as the guest holds it. It keeps no store alive, since it is
/// in one itself.
struct Passed(Body);

/// The guest's reference to what C refers to.
pub fn pass(store: impl AsContextMut, body: &Body) -> runtime::Result<ExternRef> {
    ExternRef::new(store, Passed(body.clone()))
}

/// What C referred to, if that is what a value of the guest's is.
pub fn passed(value: &(dyn Any + Send + Sync)) -> Option<Body> {
    value.downcast_ref::<Passed>().map(|passed| passed.0.clone())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_new(_store: &StoreRef) -> Ptr<Object> {
    Some(Object::free(Body::Foreign(Arc::default())))
}
