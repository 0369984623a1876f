//! What a store knows of the components in it.
//!
//! It is an attachment of the store. Nested components are instances of their own here,
//! each with its table of handles and its flags; a number names one for the life of the
//! store.

use std::sync::Arc;

use zwasm::{Memory, SlotFunc};

use crate::abi::StringEncoding;
use crate::types::{FuncIndex, Types};
use crate::{Func, ResourceType};

/// A component instance of a store, nested ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct RuntimeInstance(pub(crate) u32);

/// The canonical options of a lifted or lowered function, found when it is made.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    pub(crate) instance: RuntimeInstance,
    pub(crate) memory: Option<Memory>,
    pub(crate) realloc: Option<SlotFunc>,
    pub(crate) encoding: StringEncoding,
}

/// A core function as a component function.
#[derive(Clone)]
pub(crate) struct Lifted {
    pub(crate) core: SlotFunc,
    pub(crate) post_return: Option<SlotFunc>,
    pub(crate) types: Arc<Types>,
    pub(crate) ty: FuncIndex,
    /// What the resources of the type are, by their places in the plan.
    pub(crate) resources: Arc<[ResourceType]>,
    pub(crate) options: Options,
}

/// The components of a store.
#[derive(Default)]
pub struct Components {
    pub(crate) instances: Vec<InstanceState>,
}

impl Components {
    /// A new instance, within another if it is not that of the root.
    pub(crate) fn add_instance(&mut self, parent: Option<RuntimeInstance>) -> RuntimeInstance {
        let _ = parent;
        todo!()
    }

    /// A new resource type, defined by an instance.
    pub(crate) fn add_resource(&mut self, instance: RuntimeInstance) -> ResourceType {
        let _ = instance;
        todo!()
    }

    /// What is called with the representation when the owner of a resource is dropped: a
    /// function of the instance that defines it, or, for the host's resources, one made of
    /// a closure.
    pub(crate) fn set_destructor(&mut self, resource: ResourceType, destructor: SlotFunc) {
        let _ = (resource, destructor);
        todo!()
    }

    /// Keeps a function for the host to call.
    pub(crate) fn add_func(&mut self, lifted: Lifted) -> Func {
        let _ = lifted;
        todo!()
    }
}

/// What changes about an instance as it runs.
#[derive(Default)]
pub(crate) struct InstanceState {
    /// Whether its core code may call imports: not while its `realloc` and `post-return`
    /// run.
    pub(crate) may_leave: bool,
}
