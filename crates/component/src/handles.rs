//! Handles to resources: a table per instance.

use zwasm::{AsContextMut, Func, Result};

use crate::ResourceType;
use crate::state::RuntimeInstance;

/// `resource.new`: a handle that owns a resource, from its representation.
///
/// # Errors
///
/// If the function cannot be made; likewise below.
pub(crate) fn resource_new<T: 'static>(
    store: impl AsContextMut<Data = T>,
    resource: ResourceType,
    instance: RuntimeInstance,
) -> Result<Func> {
    let _ = (store, resource, instance);
    todo!()
}

/// `resource.rep`: the representation behind a handle.
pub(crate) fn resource_rep<T: 'static>(
    store: impl AsContextMut<Data = T>,
    resource: ResourceType,
    instance: RuntimeInstance,
) -> Result<Func> {
    let _ = (store, resource, instance);
    todo!()
}

/// `resource.drop`: gives up a handle, and the resource with it if it is the owner. The
/// destructor, if there is one, was set before.
pub(crate) fn resource_drop<T: 'static>(
    store: impl AsContextMut<Data = T>,
    resource: ResourceType,
    instance: RuntimeInstance,
) -> Result<Func> {
    let _ = (store, resource, instance);
    todo!()
}
