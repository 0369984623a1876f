//! Providing imports by name.

use std::collections::BTreeMap;

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use super::caller::{Caller, dynamic_code, slots_code};
use super::externs::Extern;
use super::func::{Func, is_scalar, same_engine};
use super::instance::{Instance, OTHER_ENGINE};
use super::module::ImportType;
use super::store::{AsContext, AsContextMut, StoreContextMut, expect};
use super::types::{ExternType, FuncType};
use super::val::Val;
use super::wasm_ty::IntoFunc;
use crate::engine::Engine;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::module::{Entity, Import, Module};
use crate::store::instance::{Problem, link_error, mismatch};
use crate::store::stored::OTHER_STORE;
use crate::store::{HostCode, StoreCore};
use crate::types;

/// Names that modules may import, and what they stand for.
///
/// ```
/// use zwasm::{Engine, Linker, Module, Store};
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap("env", "log", |x: i32| println!("{x}"))?;
/// let module = Module::new(&engine, r#"(module (import "env" "log" (func (param i32))))"#)?;
/// linker.instantiate(&mut Store::new(&engine, ()), &module)?;
/// # Ok::<(), zwasm::Error>(())
/// ```
///
/// A linker for stores of one type of data is none for another, though the types
/// differ in a lifetime only:
///
/// ```compile_fail
/// fn shorter<'a>(linker: zwasm::Linker<&'static str>) -> zwasm::Linker<&'a str> {
///     linker
/// }
/// ```
///
/// ```compile_fail
/// fn longer<'a>(linker: zwasm::Linker<&'a str>) -> zwasm::Linker<&'static str> {
///     linker
/// }
/// ```
pub struct Linker<T> {
    engine: Engine,
    shadowing: bool,
    unknown_exports: bool,
    modules: BTreeMap<String, BTreeMap<String, Definition>>,
    /// Invariant: what is defined for one type of data is for no other.
    data: std::marker::PhantomData<fn(T) -> T>,
}

#[derive(Clone)]
enum Definition {
    Extern(Extern),
    /// The same, of a store with another engine than the linker's.
    Foreign(Extern),
    /// A host function, made anew in each store.
    Host(types::FuncType, HostCode),
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker {
            engine: self.engine.clone(),
            shadowing: self.shadowing,
            unknown_exports: self.unknown_exports,
            modules: self.modules.clone(),
            data: std::marker::PhantomData,
        }
    }
}

impl<T: 'static> Linker<T> {
    /// A linker that defines nothing.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker {
            engine: engine.clone(),
            shadowing: false,
            unknown_exports: false,
            modules: BTreeMap::new(),
            data: std::marker::PhantomData,
        }
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

    /// Whether a command or reactor that [`Linker::module`] is given may export what such a
    /// module has no use for: it is let by, and not defined.
    pub fn allow_unknown_exports(&mut self, allow: bool) -> &mut Self {
        self.unknown_exports = allow;
        self
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition) -> Result<&mut Self> {
        let names = self.modules.entry(module.to_owned()).or_default();
        if !self.shadowing && names.contains_key(name) {
            return Err(Error::of_kind(
                ErrorKind::Link,
                format!("import of `{module}::{name}` defined twice"),
            ));
        }
        names.insert(name.to_owned(), definition);
        Ok(self)
    }

    pub(super) fn insert_host(
        &mut self,
        module: &str,
        name: &str,
        ty: &FuncType,
        code: HostCode,
    ) -> Result<&mut Self> {
        self.insert(module, name, Definition::Host(ty.inner().clone(), code))
    }

    /// Defines a name as something of a store.
    ///
    /// # Errors
    ///
    /// If the name is defined and shadowing not allowed; likewise below.
    pub fn define(
        &mut self,
        store: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        let definition = match Engine::same(&self.engine, store.as_context().engine()) {
            true => Definition::Extern(item.into()),
            false => Definition::Foreign(item.into()),
        };
        self.insert(module, name, definition)
    }

    /// Defines a name as a host function from a closure over typed values.
    pub fn func_wrap<P, R>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoFunc<T, P, R>,
    ) -> Result<&mut Self> {
        let (ty, code) = func.into_func(&self.engine);
        self.insert_host(module, name, &ty, code)
    }

    /// Defines a name as a host function of a type known at run time.
    ///
    /// # Errors
    ///
    /// As [`Linker::define`], and if the type names one of another engine.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        same_engine(&ty, &self.engine)?;
        let code = dynamic_code(ty.inner().clone(), func);
        self.insert_host(module, name, &ty, code)
    }

    /// Defines a name as a host function over raw slots: the arguments' 64-bit
    /// slots come in and the results' are left in their place, from index 0. The
    /// cheapest form, for numbers only.
    ///
    /// # Errors
    ///
    /// If the type has references or vectors in it.
    pub fn func_slots(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [u64]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        same_engine(&ty, &self.engine)?;
        if !is_scalar(ty.inner()) {
            return Err(Error::msg(format!("{module:?}.{name:?} is not over numbers only")));
        }
        let code = slots_code(ty.inner(), func);
        self.insert_host(module, name, &ty, code)
    }

    /// Defines all exports of an instance under a module name.
    ///
    /// # Errors
    ///
    /// As [`Linker::define`], and if the instance is of another store.
    pub fn instance(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        for export in instance.checked_exports(store.as_context_mut())? {
            self.insert(module, export.name(), Definition::Extern(export.into_extern()))?;
        }
        Ok(self)
    }

    /// Defines what a module exports under a module name, instantiated with what is defined
    /// so far. A module that exports a function `_start` is a command: each call of one of
    /// its functions instantiates it anew. Else it is a reactor: it is instantiated once, and
    /// its function `_initialize` called, should it have one.
    ///
    /// ```
    /// use zwasm::{Engine, Linker, Module, Store};
    /// let engine = Engine::default();
    /// let counter = r#"(module
    ///     (global $n (mut i32) (i32.const 0))
    ///     (func (export "_initialize") (global.set $n (i32.const 41)))
    ///     (func (export "next") (result i32)
    ///         (global.set $n (i32.add (global.get $n) (i32.const 1)))
    ///         (global.get $n)))"#;
    /// let mut store = Store::new(&engine, ());
    /// let mut linker = Linker::new(&engine);
    /// linker.module(&mut store, "counter", &Module::new(&engine, counter)?)?;
    /// let next = linker.get(&mut store, "counter", "next")?.into_func().unwrap();
    /// assert_eq!(next.typed::<(), i32>(&store)?.call(&mut store, ())?, 42);
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Linker::instantiate`] and [`Linker::define`], and if a command exports what is no
    /// function or the type of `_start` or `_initialize` is not that without parameters and
    /// results.
    pub fn module(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module_name: &str,
        module: &Module,
    ) -> Result<&mut Self> {
        let Some(starts) = Self::is_reactor(module)? else {
            return self.command(module, |linker, name, ty, pre, of| {
                let call = move |mut caller: Caller<'_, T>, params: &[Val], results: &mut [Val]| {
                    let instance = pre.instantiate(&mut caller)?;
                    let func = instance.get_func(&mut caller, &of);
                    let func = func.ok_or_else(|| Error::msg(format!("no function `{of}`")))?;
                    func.call(&mut caller, params, results)
                };
                linker.func_new(module_name, name, ty, call).map(drop)
            });
        };
        let mut store = store.as_context_mut();
        let instance = self.instantiate(store.as_context_mut(), module)?;
        if starts {
            let start = instance.get_typed_func::<(), ()>(store.as_context_mut(), "_initialize")?;
            start.call(store.as_context_mut(), ())?;
        }
        self.define_reactor(store, module_name, instance)
    }

    /// None for a command; for a reactor whether it has a function to be called first.
    pub(super) fn is_reactor(module: &Module) -> Result<Option<bool>> {
        let runs = |name: &str| match module.get_export(name) {
            Some(ExternType::Func(ty)) if ty.params().len() + ty.results().len() == 0 => Ok(true),
            Some(_) => Err(Error::of_kind(
                ErrorKind::Link,
                format!("`{name}` is no function without parameters and results"),
            )),
            None => Ok(false),
        };
        if runs("_start")? { Ok(None) } else { runs("_initialize").map(Some) }
    }

    /// Defines what a reactor exports.
    pub(super) fn define_reactor(
        &mut self,
        mut store: StoreContextMut<'_, T>,
        module_name: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        for export in instance.checked_exports(store.as_context_mut())? {
            if export.name() != "_initialize" {
                let definition = Definition::Extern(export.clone().into_extern());
                self.insert(module_name, export.name(), definition)?;
            }
        }
        Ok(self)
    }

    /// Defines the functions of a command: `define` is told the name of each, its type, what to
    /// instantiate, and the name again.
    pub(super) fn command(
        &mut self,
        module: &Module,
        define: impl Fn(&mut Self, &str, FuncType, InstancePre<T>, String) -> Result<()>,
    ) -> Result<&mut Self> {
        let mut pre = None::<InstancePre<T>>;
        for export in module.exports() {
            let name = export.name();
            let ExternType::Func(ty) = export.ty() else {
                // What programs show of themselves is of no use to others.
                if matches!(name, "memory" | "__indirect_function_table" | "__data_end")
                    || name == "__heap_base"
                    || self.unknown_exports
                {
                    continue;
                }
                return Err(Error::of_kind(
                    ErrorKind::Link,
                    format!("command export '{name}' is not a function"),
                ));
            };
            let pre = match &pre {
                Some(pre) => pre.clone(),
                None => pre.insert(self.instantiate_pre(module)?).clone(),
            };
            define(self, name, ty, pre, name.to_owned())?;
        }
        Ok(self)
    }

    /// Defines a name as what another stands for.
    ///
    /// # Errors
    ///
    /// As [`Linker::define`], and if the other is not defined.
    pub fn alias(
        &mut self,
        module: &str,
        name: &str,
        as_module: &str,
        as_name: &str,
    ) -> Result<&mut Self> {
        let definition = self.lookup(module, name).cloned();
        let none = || Error::of_kind(ErrorKind::Link, format!("no item named `{module}::{name}`"));
        self.insert(as_module, as_name, definition.ok_or_else(none)?)
    }

    /// Defines all names of a module under the name of another, too.
    ///
    /// # Errors
    ///
    /// As [`Linker::define`].
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<()> {
        for (name, definition) in self.modules.get(module).cloned().unwrap_or_default() {
            self.insert(as_module, &name, definition)?;
        }
        Ok(())
    }

    /// Defines the imports of a module that are not defined as functions that stop the guest
    /// when they are called.
    ///
    /// # Errors
    ///
    /// If such an import is no function.
    pub fn define_unknown_imports_as_traps(&mut self, module: &Module) -> Result<()> {
        for import in module.imports() {
            if self.lookup(import.module(), import.name()).is_some() {
                continue;
            }
            let unknown = UnknownImportError::new(&import);
            let ExternType::Func(ty) = import.ty() else { return Err(unknown.into()) };
            let fail =
                move |_: Caller<'_, T>, _: &[Val], _: &mut [Val]| Err(unknown.clone().into());
            self.func_new(import.module(), import.name(), ty, fail)?;
        }
        Ok(())
    }

    /// Defines the imports of a module that are not defined as functions that give zeros and
    /// nulls, globals and memories of zeros, and tables of null.
    ///
    /// # Errors
    ///
    /// If there is no such value, or as [`ExternType::default_value`].
    pub fn define_unknown_imports_as_default_values(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<()> {
        let mut store = store.as_context_mut();
        for import in module.imports() {
            if self.lookup(import.module(), import.name()).is_some() {
                continue;
            }
            let (from, name) = (import.module(), import.name());
            let item = import.ty().default_value(store.as_context_mut());
            let item = item.with_context(|| format!("no default value for `{from}::{name}`"))?;
            self.insert(from, name, Definition::Extern(item))?;
        }
        Ok(())
    }

    /// All that is defined, by module and name; host functions are made in the store.
    ///
    /// # Panics
    ///
    /// As [`Linker::get_by_import`].
    #[track_caller]
    pub fn iter<'a: 'p, 'p>(
        &'a self,
        mut store: impl AsContextMut<Data = T> + 'p,
    ) -> impl Iterator<Item = (&'a str, &'a str, Extern)> + 'p {
        let names = self.modules.iter().flat_map(|(module, names)| {
            names.iter().map(move |(name, definition)| (&**module, &**name, definition))
        });
        names.map(move |(module, name, definition)| {
            (module, name, expect(self.provide_checked(store.as_context_mut(), definition)))
        })
    }

    fn lookup(&self, module: &str, name: &str) -> Option<&Definition> {
        self.modules.get(module)?.get(name)
    }

    /// # Safety
    ///
    /// `core` is ours alone, of a store with this linker's data.
    unsafe fn provide(core: *mut StoreCore, definition: &Definition) -> Extern {
        match definition {
            Definition::Extern(item) | Definition::Foreign(item) => item.clone(),
            Definition::Host(ty, code) => {
                // SAFETY: by the contract.
                Extern::Func(unsafe { Func::from_code(core, ty, code.clone()) })
            }
        }
    }

    /// What a definition is in a store.
    ///
    /// # Errors
    ///
    /// If that is a host function and the store is of another engine.
    fn provide_checked(
        &self,
        mut store: impl AsContextMut<Data = T>,
        definition: &Definition,
    ) -> Result<Extern> {
        let context = store.as_context_mut();
        // Its type is one of the linker's engine.
        if matches!(definition, Definition::Host(..))
            && !Engine::same(&self.engine, context.engine())
        {
            return Err(Error::msg(OTHER_ENGINES_STORE));
        }
        // SAFETY: the context is exclusive, and its data this linker's.
        Ok(unsafe { Self::provide(context.core(), definition) })
    }

    /// What a name stands for; a host function is made in the store.
    ///
    /// # Errors
    ///
    /// If the name is not defined, or it is a host function and the store is of another
    /// engine.
    pub fn get(
        &self,
        store: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Result<Extern> {
        let definition = self.lookup(module, name);
        let none = || Error::of_kind(ErrorKind::Link, format!("no item named `{module}::{name}`"));
        self.provide_checked(store, definition.ok_or_else(none)?)
    }

    /// What an import gets, if that is defined.
    ///
    /// # Panics
    ///
    /// If that is a host function and the store is of another engine.
    #[track_caller]
    pub fn get_by_import(
        &self,
        store: impl AsContextMut<Data = T>,
        import: &ImportType<'_>,
    ) -> Option<Extern> {
        let definition = self.lookup(import.module(), import.name())?;
        Some(expect(self.provide_checked(store, definition)))
    }

    /// What a module name stands for as a program: the function with the empty name, that
    /// named `_start`, or one that does nothing.
    ///
    /// # Errors
    ///
    /// If such a name is defined as something else, or as [`Linker::get`].
    pub fn get_default(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
    ) -> Result<Func> {
        let mut store = store.as_context_mut();
        for name in ["", "_start"] {
            if let Some(definition) = self.lookup(module, name) {
                let found = self.provide_checked(store.as_context_mut(), definition)?;
                return found.into_func().ok_or_else(|| {
                    let message = format!("default export in '{module}' is not a function");
                    Error::of_kind(ErrorKind::Link, message)
                });
            }
        }
        Ok(Func::wrap(store, || {}))
    }

    /// Instantiates a module, and runs its start function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] with *all* imports that are missing or have other
    /// types, else as [`Instance::new`]. If one is missing, there is an
    /// [`UnknownImportError`] for the first.
    pub fn instantiate(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        let definitions = self.definitions(module)?;
        // Asked for once: who implements the trait could answer with another store.
        let context = store.as_context_mut();
        // SAFETY: the context is exclusive, and its data this linker's.
        unsafe { Self::link(context.core(), &self.engine, module, &definitions, false) }
    }

    /// Looks up what a module imports, so that it is instantiated without.
    ///
    /// ```
    /// use zwasm::{Engine, Linker, Module, Store};
    /// let engine = Engine::default();
    /// let mut linker = Linker::new(&engine);
    /// linker.func_wrap("env", "log", |x: i32| println!("{x}"))?;
    /// let module = Module::new(&engine, r#"(module (import "env" "log" (func (param i32))))"#)?;
    /// let pre = linker.instantiate_pre(&module)?;
    /// for _ in 0..10 {
    ///     pre.instantiate(&mut Store::new(&engine, ()))?;
    /// }
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If imports are missing, or host functions have other types.
    pub fn instantiate_pre(&self, module: &Module) -> Result<InstancePre<T>> {
        let pre = self.found(module)?;
        let inner = module.inner();
        let wrong = |(import, definition): (&Import, &Definition)| match definition {
            Definition::Host(ty, _) => host_mismatch(&self.engine, module, import, ty),
            Definition::Extern(_) => None,
            Definition::Foreign(_) => Some(Problem {
                what: format!("cannot link {:?}.{:?}", import.module, import.name),
                why: "cross-`Engine` definitions are not supported".into(),
            }),
        };
        let problems: Vec<Problem> =
            inner.imports.iter().zip(&*pre.definitions).filter_map(wrong).collect();
        if !problems.is_empty() {
            return Err(link_error(&problems));
        }
        Ok(pre)
    }

    /// The same without a look at types.
    pub(super) fn found(&self, module: &Module) -> Result<InstancePre<T>> {
        Ok(InstancePre {
            engine: self.engine.clone(),
            module: module.clone(),
            definitions: self.definitions(module)?.into_iter().cloned().collect(),
            data: std::marker::PhantomData,
        })
    }

    /// What is defined for the imports of a module.
    fn definitions(&self, module: &Module) -> Result<Vec<&Definition>> {
        if !Engine::same(module.engine(), &self.engine) {
            return Err(Error::msg(OTHER_ENGINE));
        }
        let inner = module.inner();
        let mut definitions = Vec::with_capacity(inner.imports.len());
        let (mut problems, mut first) = (Vec::new(), None);
        for (at, import) in inner.imports.iter().enumerate() {
            match self.lookup(&import.module, &import.name) {
                Some(definition) => definitions.push(definition),
                None => {
                    first.get_or_insert(at);
                    problems.push(Problem {
                        what: format!("unknown import {:?}.{:?}", import.module, import.name),
                        why: inner.entity_type(import.entity).to_string(),
                    });
                }
            }
        }
        let Some(first) = first.and_then(|first| module.imports().nth(first)) else {
            return Ok(definitions);
        };
        // What is there may be wrong, too.
        for import in &inner.imports {
            if let Some(Definition::Host(ty, _)) = self.lookup(&import.module, &import.name) {
                problems.extend(host_mismatch(&self.engine, module, import, ty));
            }
        }
        Err(link_error(&problems).detail(UnknownImportError::new(&first)))
    }

    /// Instantiates a module of the engine. Of host functions that have been `matched` the
    /// types are not compared again.
    ///
    /// # Safety
    ///
    /// `core` is ours alone, of a store with this linker's data.
    unsafe fn link<D: std::borrow::Borrow<Definition>>(
        core: *mut StoreCore,
        engine: &Engine,
        module: &Module,
        definitions: &[D],
        matched: bool,
    ) -> Result<Instance> {
        // SAFETY: by the contract.
        if !Engine::same(engine, unsafe { &(*core).engine }) {
            return Err(Error::msg(OTHER_ENGINES_STORE));
        }
        let inner = module.inner();
        let mut items = Vec::with_capacity(inner.imports.len());
        let mut problems = Vec::new();
        for (import, definition) in inner.imports.iter().zip(definitions) {
            let definition = definition.borrow();
            // SAFETY: by the contract.
            let given = unsafe { Self::provide(core, definition) };
            let Some(item) = given.item(core) else {
                problems.push(Problem {
                    what: format!("cannot link {:?}.{:?}", import.module, import.name),
                    why: OTHER_STORE.into(),
                });
                continue;
            };
            if !(matched && matches!(definition, Definition::Host(..))) {
                problems.extend(mismatch(inner, import, item));
            }
            items.push(item);
        }
        if !problems.is_empty() {
            return Err(link_error(&problems));
        }
        // SAFETY: the context is exclusive, and the items are of this store and fit.
        unsafe { Instance::start(core, module, &items) }
    }
}

/// What is said of a store that is not of the linker's engine.
const OTHER_ENGINES_STORE: &str =
    "cross-`Engine` instantiation is not supported: the linker is of another engine than the store";

/// What is wrong with a host function as an import.
fn host_mismatch(
    engine: &Engine,
    module: &Module,
    import: &Import,
    ty: &types::FuncType,
) -> Option<Problem> {
    let inner = module.inner();
    if let Entity::Func(index) = import.entity {
        let wanted = inner.func_type_id(index);
        let fits = ty.id().is_some_and(|id| engine.types().read().is_subtype(id, wanted));
        if fits {
            return None;
        }
    }
    Some(Problem::mismatch(inner, import, ty))
}

impl<T: 'static> Default for Linker<T> {
    /// A linker of an engine of its own.
    fn default() -> Linker<T> {
        Linker::new(&Engine::default())
    }
}

impl<T> fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linker").finish_non_exhaustive()
    }
}

/// A module with what its imports stand for, see [`Linker::instantiate_pre`]. Cheap to
/// instantiate, in any number of stores of the engine.
pub struct InstancePre<T> {
    engine: Engine,
    module: Module,
    /// Shared by all that are made of this one.
    definitions: Arc<[Definition]>,
    /// Invariant, as the linker.
    data: std::marker::PhantomData<fn(T) -> T>,
}

impl<T> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre {
            engine: self.engine.clone(),
            module: self.module.clone(),
            definitions: self.definitions.clone(),
            data: std::marker::PhantomData,
        }
    }
}

impl<T: 'static> InstancePre<T> {
    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Instantiates the module, and runs its start function.
    ///
    /// # Errors
    ///
    /// As [`Linker::instantiate`].
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        // SAFETY: the context is exclusive, and its data that of the linker.
        unsafe { self.instantiate_in(store.as_context_mut().core(), true) }
    }

    /// The same; of host functions that have been `matched` the types are not compared again.
    ///
    /// # Safety
    ///
    /// `core` is ours alone, of a store with the linker's data.
    pub(super) unsafe fn instantiate_in(
        &self,
        core: *mut StoreCore,
        matched: bool,
    ) -> Result<Instance> {
        let InstancePre { engine, module, definitions, .. } = self;
        // SAFETY: by the contract.
        unsafe { Linker::<T>::link(core, engine, module, definitions, matched) }
    }
}

/// An import is not defined: the payload of the errors of [`Linker::instantiate`] and of
/// functions that [`Linker::define_unknown_imports_as_traps`] defines.
#[derive(Clone, Debug)]
pub struct UnknownImportError {
    module: String,
    name: String,
    ty: ExternType,
}

impl UnknownImportError {
    fn new(import: &ImportType<'_>) -> UnknownImportError {
        UnknownImportError {
            module: import.module().to_owned(),
            name: import.name().to_owned(),
            ty: import.ty(),
        }
    }

    /// The name of the module imported from.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The name of what is imported.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of what is imported.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

impl Display for UnknownImportError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "unknown import: `{}::{}` has not been defined", self.module, self.name)
    }
}

impl StdError for UnknownImportError {}
