//! Providing imports by name.

use std::collections::BTreeMap;

use super::externs::Extern;
use super::func::{Caller, Func, IntoFunc, dynamic_code, is_scalar, slots_code};
use super::instance::Instance;
use super::store::{AsContext, AsContextMut};
use super::val::Val;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::module::Module;
use crate::store::instance::{link_error, mismatch};
use crate::store::{HostCode, StoreCore};
use crate::types::FuncType;

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
    modules: BTreeMap<String, BTreeMap<String, Definition>>,
    /// Invariant: what is defined for one type of data is for no other.
    data: std::marker::PhantomData<fn(T) -> T>,
}

#[derive(Clone)]
enum Definition {
    Extern(Extern),
    /// A host function, made anew in each store.
    Host(FuncType, HostCode),
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker {
            engine: self.engine.clone(),
            shadowing: self.shadowing,
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

    fn insert(&mut self, module: &str, name: &str, definition: Definition) -> Result<&mut Self> {
        let names = self.modules.entry(module.to_owned()).or_default();
        if !self.shadowing && names.contains_key(name) {
            return Err(Error::of_kind(
                ErrorKind::Link,
                format!("{module:?}.{name:?} is defined twice"),
            ));
        }
        names.insert(name.to_owned(), definition);
        Ok(self)
    }

    /// The type is kept defined from here on.
    fn insert_host(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        code: HostCode,
    ) -> Result<&mut Self> {
        let ty = self.engine.types().define_func(ty);
        self.insert(module, name, Definition::Host(ty, code))
    }

    /// Defines a name as something of a store.
    ///
    /// # Errors
    ///
    /// If the name is defined and shadowing not allowed; likewise below.
    pub fn define(
        &mut self,
        _store: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        self.insert(module, name, Definition::Extern(item.into()))
    }

    /// Defines a name as a host function from a closure over typed values.
    pub fn func_wrap<P, R>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoFunc<T, P, R>,
    ) -> Result<&mut Self> {
        let (ty, code) = func.into_func();
        self.insert_host(module, name, ty, code)
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
        self.engine.types().check(ty.all())?;
        let ty = self.engine.types().define_func(ty);
        let code = dynamic_code(ty.clone(), func);
        self.insert_host(module, name, ty, code)
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
        if !is_scalar(&ty) {
            return Err(Error::msg(format!("{module:?}.{name:?} is not over numbers only")));
        }
        let code = slots_code(&ty, func);
        self.insert_host(module, name, ty, code)
    }

    /// Defines all exports of an instance under a module name.
    ///
    /// # Errors
    ///
    /// As [`Linker::define`], and if the instance is of another store.
    pub fn instance(
        &mut self,
        store: impl AsContextMut<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        for (name, item) in instance.checked_exports(store)? {
            self.insert(module, &name, Definition::Extern(item))?;
        }
        Ok(self)
    }

    fn lookup(&self, module: &str, name: &str) -> Option<&Definition> {
        self.modules.get(module)?.get(name)
    }

    /// # Safety
    ///
    /// `core` is ours alone, of a store with this linker's data.
    unsafe fn provide(core: *mut StoreCore, definition: &Definition) -> Extern {
        match definition {
            Definition::Extern(item) => item.clone(),
            Definition::Host(ty, code) => {
                // SAFETY: by the contract.
                Extern::Func(unsafe { Func::from_code(core, ty, code.clone()) })
            }
        }
    }

    /// What a name stands for; a host function is made in the store.
    ///
    /// # Panics
    ///
    /// If that is a host function and the store is of another engine.
    #[track_caller]
    pub fn get(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Option<Extern> {
        let definition = self.lookup(module, name)?;
        let context = store.as_context_mut();
        // Its type is one of the linker's engine.
        if matches!(definition, Definition::Host(..)) {
            let same = Engine::same(&self.engine, context.engine());
            assert!(same, "the linker belongs to another engine than the store");
        }
        // SAFETY: the context is exclusive, and its data this linker's.
        Some(unsafe { Self::provide(context.core(), definition) })
    }

    /// Instantiates a module, and runs its start function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] with *all* imports that are missing or have other
    /// types, else as [`Instance::new`].
    pub fn instantiate(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        // Asked for once: who implements the trait could answer with another store.
        let context = store.as_context_mut();
        if !Engine::same(module.engine(), context.engine()) {
            return Err(Error::msg("the module was compiled for another engine than the store's"));
        }
        if !Engine::same(&self.engine, context.engine()) {
            return Err(Error::msg("the linker belongs to another engine than the store"));
        }
        let core = context.core();
        let inner = module.inner();
        let mut items = Vec::with_capacity(inner.imports.len());
        let mut problems = Vec::new();
        for import in &inner.imports {
            let Some(definition) = self.lookup(&import.module, &import.name) else {
                problems.push(format!(
                    "unknown import {:?}.{:?}: {}",
                    import.module,
                    import.name,
                    inner.entity_type(import.entity)
                ));
                continue;
            };
            // SAFETY: the context is exclusive, and its data this linker's.
            let given = unsafe { Self::provide(core, definition) };
            let Some(item) = given.item(core) else {
                problems.push(format!(
                    "{:?}.{:?} belongs to another store",
                    import.module, import.name
                ));
                continue;
            };
            problems.extend(mismatch(inner, import, item));
            items.push(item);
        }
        if !problems.is_empty() {
            return Err(link_error(&problems));
        }
        // SAFETY: the context is exclusive, and the items are of this store.
        unsafe { Instance::link(core, module, &items) }
    }
}
