//! Instances of components.

use std::marker::PhantomData;

use zwasm::{AsContext, AsContextMut, Module, Result};

use crate::types::ComponentItem;
use crate::{Component, ComponentNamedList, Func, Lift, Lower, ResourceType, TypedFunc};

/// An instance of a component in a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    pub(crate) index: u32,
}

/// A component with its imports found.
pub struct InstancePre<T: 'static> {
    component: Component,
    data: PhantomData<fn(T) -> T>,
}

impl<T: 'static> InstancePre<T> {
    /// The component.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// Instantiates the component.
    ///
    /// # Errors
    ///
    /// What stopped a start function.
    pub fn instantiate(&self, store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let _ = (store, self.data);
        todo!()
    }
}

impl Instance {
    /// An exported function. The name may be one within an exported instance:
    /// `namespace:package/interface@version#name`, or that path in parts.
    pub fn get_func(&self, store: impl AsContextMut, name: &str) -> Option<Func> {
        let _ = (store, name, self.index);
        todo!()
    }

    /// An exported function with its types.
    ///
    /// # Errors
    ///
    /// If there is none, or it has other types.
    pub fn get_typed_func<Params, Return>(
        &self,
        store: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<Params, Return>>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        let _ = (store, name);
        todo!()
    }

    /// An exported core module.
    pub fn get_module(&self, store: impl AsContextMut, name: &str) -> Option<Module> {
        let _ = (store, name);
        todo!()
    }

    /// An exported resource type.
    pub fn get_resource(&self, store: impl AsContextMut, name: &str) -> Option<ResourceType> {
        let _ = (store, name);
        todo!()
    }

    /// All exports with their types; those of instances are within.
    pub fn exports(&self, store: impl AsContext) -> Vec<(String, ComponentItem)> {
        let _ = store;
        todo!()
    }
}
