//! Providing imports by name.

use std::marker::PhantomData;

use zwasm::{AsContextMut, Engine, Module, Result, StoreContextMut};

use crate::types::ComponentFunc;
use crate::{
    Component, ComponentNamedList, Instance, InstancePre, Lift, Lower, RawCall, ResourceType, Val,
};

/// Names that components may import, and what they stand for. An import of a version
/// finds what is compatible with it.
pub struct Linker<T: 'static> {
    engine: Engine,
    data: PhantomData<fn(T) -> T>,
}

/// The names of one instance, or of the root.
pub struct LinkerInstance<'a, T: 'static> {
    linker: &'a mut Linker<T>,
}

impl<T: 'static> Linker<T> {
    /// A linker that defines nothing.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker { engine: engine.clone(), data: PhantomData }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a later definition of a name may replace an earlier one.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        let _ = allow;
        todo!()
    }

    /// Names outside of instances.
    pub fn root(&mut self) -> LinkerInstance<'_, T> {
        LinkerInstance { linker: self }
    }

    /// The names of an instance, `namespace:package/interface@version` for example,
    /// defined if it is not yet.
    ///
    /// # Errors
    ///
    /// If the name is defined as something else.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        let _ = name;
        todo!()
    }

    /// Finds the imports of a component, once for many instantiations.
    ///
    /// # Errors
    ///
    /// All imports that are missing or of another type.
    pub fn instantiate_pre(&self, component: &Component) -> Result<InstancePre<T>> {
        let _ = component;
        todo!()
    }

    /// Instantiates a component.
    ///
    /// # Errors
    ///
    /// As [`Linker::instantiate_pre`], and what stopped a start function.
    pub fn instantiate(
        &self,
        store: impl AsContextMut<Data = T>,
        component: &Component,
    ) -> Result<Instance> {
        let _ = (store, component);
        todo!()
    }

    /// Defines whatever the component imports and is not defined as what traps when
    /// called.
    ///
    /// # Errors
    ///
    /// If an import cannot be made up: a module or a component.
    pub fn define_unknown_imports_as_traps(&mut self, component: &Component) -> Result<()> {
        let _ = component;
        todo!()
    }
}

impl<T: 'static> LinkerInstance<'_, T> {
    /// Defines a function from a closure over typed values.
    ///
    /// # Errors
    ///
    /// If the name is defined and shadowing not allowed; likewise below.
    pub fn func_wrap<F, Params, Return>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, Params) -> Result<Return> + Send + Sync + 'static,
        Params: ComponentNamedList + Lift + 'static,
        Return: ComponentNamedList + Lower + 'static,
    {
        let _ = (name, func, &self.linker);
        todo!()
    }

    /// Defines a function over values of types known at run time: whatever type the
    /// component imports it with. The results have to be set.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn func_new(
        &mut self,
        name: &str,
        func: impl Fn(StoreContextMut<'_, T>, ComponentFunc, &[Val], &mut [Val]) -> Result<()>
        + Send
        + Sync
        + 'static,
    ) -> Result<()> {
        let _ = (name, func);
        todo!()
    }

    /// Defines a function that takes its arguments from the call itself: for tables of
    /// functions, which are code once for stores of all kinds of data. `Params` and
    /// `Return` are what the import's type is checked against.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn func_raw<Params, Return>(
        &mut self,
        name: &str,
        func: impl Fn(StoreContextMut<'_, T>, &mut RawCall<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()>
    where
        Params: ComponentNamedList,
        Return: ComponentNamedList,
    {
        let _ = (name, func);
        todo!()
    }

    /// Defines a resource type and what happens when a guest drops the owner of one.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn resource(
        &mut self,
        name: &str,
        ty: ResourceType,
        dtor: impl Fn(StoreContextMut<'_, T>, u32) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        let _ = (name, ty, dtor);
        todo!()
    }

    /// Defines a core module.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn module(&mut self, name: &str, module: &Module) -> Result<()> {
        let _ = (name, module);
        todo!()
    }

    /// The names of an instance within.
    ///
    /// # Errors
    ///
    /// As [`Linker::instance`].
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        let _ = name;
        todo!()
    }
}
