//! Providing imports by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use zwasm::{AsContextMut, Engine, Error, ErrorKind, Module, Result, StoreContextMut};

use crate::abi::call::{HostFunc, check_func};
use crate::abi::{Check, TypeContext};
use crate::plan::Import;
use crate::types::items::ItemType;
use crate::types::{ComponentFunc, FuncIndex, matching, versions};
use crate::{
    Component, ComponentNamedList, Instance, InstancePre, Lift, Lower, RawCall, ResourceType, Val,
};

/// Names that components may import, and what they stand for. An import of a version
/// finds what is compatible with it.
pub struct Linker<T: 'static> {
    engine: Engine,
    shadowing: bool,
    names: Names<T>,
}

impl<T: 'static> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker { engine: self.engine.clone(), shadowing: self.shadowing, names: self.names.clone() }
    }
}

/// What names of an instance, or of the root, stand for.
pub(crate) struct Names<T: 'static>(BTreeMap<String, Definition<T>>);

pub(crate) enum Definition<T: 'static> {
    Func(FuncDefinition<T>),
    Module(Module),
    Resource(ResourceType, HostDestructor<T>),
    Instance(Names<T>),
}

/// What happens when a guest drops the owner of one of the host's resources.
pub(crate) type HostDestructor<T> =
    Arc<dyn Fn(StoreContextMut<'_, T>, u32) -> Result<()> + Send + Sync>;

/// A host function, and whether it is of a type.
pub(crate) struct FuncDefinition<T: 'static> {
    /// The Rust types of parameters and results; none if all types will do.
    check: Option<(Check, Check)>,
    pub(crate) func: HostFunc<T>,
}

impl<T: 'static> Clone for FuncDefinition<T> {
    fn clone(&self) -> Self {
        FuncDefinition { check: self.check, func: self.func.clone() }
    }
}

impl<T: 'static> FuncDefinition<T> {
    pub(crate) fn check(&self, ty: FuncIndex, cx: &TypeContext<'_>) -> Result<()> {
        self.check.map_or(Ok(()), |(params, results)| check_func(ty, cx, params, results))
    }
}

impl<T: 'static> Clone for Definition<T> {
    fn clone(&self) -> Self {
        match self {
            Definition::Func(func) => Definition::Func(func.clone()),
            Definition::Module(module) => Definition::Module(module.clone()),
            Definition::Resource(ty, destructor) => Definition::Resource(*ty, destructor.clone()),
            Definition::Instance(names) => Definition::Instance(names.clone()),
        }
    }
}

impl<T: 'static> Definition<T> {
    /// What it is, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Definition::Func(_) => "a function",
            Definition::Module(_) => "a core module",
            Definition::Resource(..) => "a resource",
            Definition::Instance(_) => "an instance",
        }
    }
}

impl<T: 'static> Clone for Names<T> {
    fn clone(&self) -> Self {
        Names(self.0.clone())
    }
}

impl<T: 'static> Names<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The defined name that an import's finds: the same, or the newest compatible one.
    fn key<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        if self.0.contains_key(name) {
            return Some(name);
        }
        let place = versions::newest_compatible(name, self.iter())?;
        self.iter().nth(place)
    }

    fn get(&self, name: &str) -> Option<&Definition<T>> {
        self.0.get(self.key(name)?)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.key(name).is_some()
    }

    /// What an import stands for: what is defined under its name, or else the interface
    /// that it says its name stands for.
    pub(crate) fn find(&self, import: &Import) -> Option<&Definition<T>> {
        let names = import.path.iter().map(|name| &**name);
        self.at(names.clone()).or_else(|| {
            let implements = import.implements.as_deref()?;
            self.at(std::iter::once(implements).chain(names.skip(1)))
        })
    }

    fn at<'n>(&self, mut path: impl Iterator<Item = &'n str>) -> Option<&Definition<T>> {
        let mut definition = self.get(path.next()?)?;
        for name in path {
            let Definition::Instance(names) = definition else { return None };
            definition = names.get(name)?;
        }
        Some(definition)
    }

    fn insert(&mut self, name: &str, shadowing: bool, definition: Definition<T>) -> Result<()> {
        if !shadowing && self.0.contains_key(name) {
            return Err(Error::of_kind(ErrorKind::Link, format!("'{name}' is defined twice")));
        }
        self.0.insert(name.to_owned(), definition);
        Ok(())
    }
}

/// The names of one instance, or of the root.
pub struct LinkerInstance<'a, T: 'static> {
    engine: &'a Engine,
    shadowing: bool,
    names: &'a mut Names<T>,
}

impl<T: 'static> Linker<T> {
    /// A linker that defines nothing.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker { engine: engine.clone(), shadowing: false, names: Names(BTreeMap::new()) }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a later definition of a name may replace an earlier one.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.shadowing = allow;
        self
    }

    /// Names outside of instances.
    pub fn root(&mut self) -> LinkerInstance<'_, T> {
        LinkerInstance { engine: &self.engine, shadowing: self.shadowing, names: &mut self.names }
    }

    /// The names of an instance, `namespace:package/interface@version` for example,
    /// defined if it is not yet.
    ///
    /// # Errors
    ///
    /// If the name is defined as something else.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        self.root().into_instance(name)
    }

    /// Finds the imports of a component, once for many instantiations.
    ///
    /// # Errors
    ///
    /// All imports that are missing or of another type.
    pub fn instantiate_pre(&self, component: &Component) -> Result<InstancePre<T>> {
        if !Engine::same(&self.engine, component.engine()) {
            return Err(Error::msg(
                "cross-`Engine` instantiation is not supported: the linker is of another engine than \
                 the component",
            ));
        }
        let found = matching::resolve(&self.names, &component.0.plan)?;
        InstancePre::new(component.clone(), found)
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
        self.instantiate_pre(component)?.instantiate(store)
    }

    /// Defines whatever the component imports and is not defined as what traps when
    /// called.
    ///
    /// # Errors
    ///
    /// If an import cannot be made up: a module or a component.
    pub fn define_unknown_imports_as_traps(&mut self, component: &Component) -> Result<()> {
        /// What stands for all resources that are not known.
        struct Unknown;
        for import in &component.0.plan.imports {
            if self.names.find(import).is_some() {
                continue;
            }
            let path = import.path.join("#");
            let (name, outer) = import.path.split_last().ok_or_else(|| Error::msg("no name"))?;
            let mut names = self.root();
            for outer in outer {
                let known = names.names.key(outer).map_or_else(|| outer.to_string(), str::to_owned);
                names = names.into_instance(&known)?;
            }
            match &import.ty {
                ItemType::Func(_) => {
                    let func: HostFunc<T> = Arc::new(move |_, _| {
                        Err(Error::msg(format!("the import '{path}' is not defined")))
                    });
                    names.define(name, Definition::Func(FuncDefinition { check: None, func }))?;
                }
                ItemType::Resource(_) => {
                    names.resource(name, ResourceType::host::<Unknown>(), |_, _| Ok(()))?;
                }
                ty => {
                    let kind = ty.kind();
                    let message = format!("the import '{path}' is {kind}, which has to be defined");
                    return Err(Error::of_kind(ErrorKind::Link, message));
                }
            }
        }
        Ok(())
    }
}

impl<'a, T: 'static> LinkerInstance<'a, T> {
    fn define(&mut self, name: &str, definition: Definition<T>) -> Result<()> {
        self.names.insert(name, self.shadowing, definition)
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.engine
    }

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
        self.func_raw::<Params, Return>(name, move |mut store, call| {
            let params = call.args::<Params>(&mut store)?;
            let result = func(store.as_context_mut(), params)?;
            call.finish(&mut store, &result)
        })
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
        self.func_any(name, move |mut store, call| {
            let ty = call.ty();
            let params = call.vals(&mut store)?;
            let mut results = vec![Val::Tuple(Vec::new()); ty.results().len()];
            func(store.as_context_mut(), ty, &params, &mut results)?;
            call.finish_vals(&mut store, &results)
        })
    }

    /// The same over the call itself.
    pub(crate) fn func_any(
        &mut self,
        name: &str,
        func: impl Fn(StoreContextMut<'_, T>, &mut RawCall<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        let func: HostFunc<T> = Arc::new(func);
        self.define(name, Definition::Func(FuncDefinition { check: None, func }))
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
        self.func_checked(name, Params::typecheck, Return::typecheck, func)
    }

    /// The same with the checks as data, so that a whole table of functions is defined by
    /// one piece of code: `typecheck` of the lists of parameters and results.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn func_checked(
        &mut self,
        name: &str,
        params: Check,
        results: Check,
        func: impl Fn(StoreContextMut<'_, T>, &mut RawCall<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        let check = Some((params, results));
        self.define(name, Definition::Func(FuncDefinition { check, func: Arc::new(func) }))
    }

    /// Defines a resource type and what happens when a guest drops the owner of one. A
    /// guest's resource may be passed on to another so; then its own destructor is called.
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
        self.define(name, Definition::Resource(ty, Arc::new(dtor)))
    }

    /// Defines a core module.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn module(&mut self, name: &str, module: &Module) -> Result<()> {
        self.define(name, Definition::Module(module.clone()))
    }

    /// The names of an instance within.
    ///
    /// # Errors
    ///
    /// As [`Linker::instance`].
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        let LinkerInstance { engine, shadowing, names } = self;
        LinkerInstance { engine, shadowing: *shadowing, names }.into_instance(name)
    }

    /// As [`LinkerInstance::instance`], for as long as this one could be used.
    ///
    /// # Errors
    ///
    /// As [`Linker::instance`].
    pub fn into_instance(self, name: &str) -> Result<LinkerInstance<'a, T>> {
        let LinkerInstance { engine, shadowing, names } = self;
        let empty = || Definition::Instance(Names(BTreeMap::new()));
        let definition = names.0.entry(name.to_owned()).or_insert_with(empty);
        if shadowing && !matches!(definition, Definition::Instance(_)) {
            *definition = empty();
        }
        match definition {
            Definition::Instance(names) => Ok(LinkerInstance { engine, shadowing, names }),
            other => Err(Error::of_kind(
                ErrorKind::Link,
                format!("'{name}' is defined as {}, not as an instance", other.kind()),
            )),
        }
    }
}
