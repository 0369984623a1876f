//! Instances, and the one-liner.

use std::ptr::NonNull;

use super::Stored;
use super::boundary;
use super::externs::{Extern, Global, Memory, Table};
use super::func::{Func, TypedFunc, WasmParams, WasmResults};
use super::linker::Linker;
use super::val::Val;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::module::{Entity, Module};
use crate::store::instance::{InstanceData, Item, instantiate, link_error, mismatch};
use crate::store::{AsContext, AsContextMut, Store, StoreCore};

/// An instance of a module.
///
/// ```
/// use zwasm::{Engine, Instance, Module, Store};
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module (global (export "g") i32 (i32.const 7)))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let global = instance.get_global(&mut store, "g").unwrap();
/// assert_eq!(global.get(&mut store).i32(), Some(7));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance(pub(crate) Stored<InstanceData>);

impl Instance {
    /// Instantiates a module with its imports in order, and runs its start
    /// function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] if number or types of the imports differ,
    /// [`ErrorKind::Limit`] if memories or tables cannot be allocated, and
    /// whatever stopped the start function or a segment's initialisation.
    pub fn new(
        mut store: impl AsContextMut,
        module: &Module,
        imports: &[Extern],
    ) -> Result<Instance> {
        let core = store.as_context_mut().core();
        let declared = &module.inner().imports;
        if declared.len() != imports.len() {
            return Err(Error::new(
                ErrorKind::Link,
                format!("expected {} imports, got {}", declared.len(), imports.len()),
            ));
        }
        let mut items = Vec::with_capacity(imports.len());
        for given in imports {
            let foreign = || Error::new(ErrorKind::Link, "an import belongs to another store");
            items.push(given.item(core).ok_or_else(foreign)?);
        }
        // SAFETY: the context is exclusive.
        unsafe { Instance::link(core, module, &items) }
    }

    /// # Safety
    ///
    /// `core` is valid and ours alone, and owns the items.
    pub(crate) unsafe fn link(
        core: *mut StoreCore,
        module: &Module,
        items: &[Item],
    ) -> Result<Instance> {
        // SAFETY: by the contract.
        if !Engine::same(module.engine(), unsafe { &(*core).engine }) {
            return Err(Error::msg("the module was compiled for another engine than the store's"));
        }
        let declared = &module.inner().imports;
        let problems: Vec<String> = declared
            .iter()
            .zip(items)
            .filter_map(|(import, item)| mismatch(module.inner(), import, *item))
            .collect();
        if !problems.is_empty() {
            return Err(link_error(&problems));
        }
        // SAFETY: by the contract, and the items have just been matched.
        unsafe {
            let instance = instantiate(core, module, items)?;
            if let Some(start) = module.inner().start {
                let record = instance.as_ref().func_record(start);
                // A host function that a module starts with is called by its instance.
                let caller = instance.as_ref().vmctx.as_ptr();
                boundary::call(core, caller, record, &mut [])?;
            }
            Ok(Instance(Stored::new(core, instance)))
        }
    }

    /// What is exported under a name.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get_export(&self, mut store: impl AsContextMut, name: &str) -> Option<Extern> {
        let core = store.as_context_mut().core();
        // SAFETY: the store is borrowed.
        unsafe { export(core, self.0.get(core), name) }
    }

    /// The function exported under a name.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get_func(&self, store: impl AsContextMut, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// The function with this index in the module, imported ones first, whether it is
    /// exported or not: for debuggers and runners of test scripts.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn debug_function(&self, mut store: impl AsContextMut, index: u32) -> Option<Func> {
        let core = store.as_context_mut().core();
        // SAFETY: the store is borrowed; the module has a function with the index.
        unsafe {
            let instance = self.0.get(core).as_ref();
            instance.module.inner().funcs.get(index as usize)?;
            Extern::from_item(core, instance.item(Entity::Func(index))?).into_func()
        }
    }

    /// The memory exported under a name, if it is not shared.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get_memory(&self, store: impl AsContextMut, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// The shared memory exported under a name.
    #[cfg(feature = "threads")]
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get_shared_memory(
        &self,
        store: impl AsContextMut,
        name: &str,
    ) -> Option<crate::SharedMemory> {
        self.get_export(store, name)?.into_shared_memory()
    }

    /// The table exported under a name.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get_table(&self, store: impl AsContextMut, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// The global exported under a name.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get_global(&self, store: impl AsContextMut, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// The function exported under a name, with its types.
    ///
    /// # Errors
    ///
    /// If there is none, it has other types, or the instance is of another store.
    pub fn get_typed_func<P: WasmParams, R: WasmResults>(
        &self,
        mut store: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<P, R>> {
        let context = store.as_context_mut();
        let core = context.core();
        // SAFETY: the store is borrowed.
        let item = unsafe { export(core, self.0.find(core)?, name) };
        let func = item.and_then(Extern::into_func);
        func.ok_or_else(|| no_function(name))?.typed(context)
    }

    /// The module instantiated.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn module(&self, store: impl AsContext) -> Module {
        // SAFETY: the store is borrowed.
        unsafe { self.0.get(store.as_context().core()).as_ref().module.clone() }
    }

    /// All exports in order.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn exports(&self, mut store: impl AsContextMut) -> Vec<(String, Extern)> {
        let core = store.as_context_mut().core();
        // SAFETY: the store is borrowed.
        unsafe { exports(core, self.0.get(core)) }
    }

    /// As [`Instance::exports`].
    ///
    /// # Errors
    ///
    /// If the store is another one than its own.
    pub(super) fn checked_exports(
        &self,
        mut store: impl AsContextMut,
    ) -> Result<Vec<(String, Extern)>> {
        let core = store.as_context_mut().core();
        // SAFETY: the store is borrowed.
        unsafe { Ok(exports(core, self.0.find(core)?)) }
    }
}

/// # Safety
///
/// `core` is valid and owns the instance; likewise below.
unsafe fn export(
    core: *const StoreCore,
    instance: NonNull<InstanceData>,
    name: &str,
) -> Option<Extern> {
    // SAFETY: by the contract.
    unsafe { Some(Extern::from_item(core, instance.as_ref().export(name)?)) }
}

unsafe fn exports(
    core: *const StoreCore,
    instance: NonNull<InstanceData>,
) -> Vec<(String, Extern)> {
    // SAFETY: by the contract.
    let instance = unsafe { instance.as_ref() };
    let exports = &instance.module.inner().exports;
    exports
        .iter()
        .filter_map(|export| {
            let item = instance.item(export.entity)?;
            // SAFETY: the item is of this store.
            Some((export.name.to_string(), unsafe { Extern::from_item(core, item) }))
        })
        .collect()
}

fn no_function(name: &str) -> Error {
    Error::msg(format_args!("no exported function {name:?}"))
}

/// Loads a module that needs no imports and calls one of its exports.
///
/// # Errors
///
/// As [`Module::new`], [`Instance::new`] and [`Func::call`].
pub fn invoke(bytes: impl AsRef<[u8]>, name: &str, args: &[Val]) -> Result<Vec<Val>> {
    let engine = Engine::default();
    let module = Module::new(&engine, bytes)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    let func = instance.get_func(&mut store, name).ok_or_else(|| no_function(name))?;
    let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
    func.call(&mut store, args, &mut results)?;
    Ok(results)
}
