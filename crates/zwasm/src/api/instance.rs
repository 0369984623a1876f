//! Instances, and the one-liner.

use super::boundary;
use super::externs::{Export, Extern, Global, Memory, Tag};
use super::func::{Func, TypedFunc};
use super::linker::Linker;
use super::module::ModuleExport;
use super::store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut, expect};
use super::table::Table;
use super::val::Val;
use super::wasm_ty::{WasmParams, WasmResults};
use crate::engine::Engine;
use crate::error::{Context, Error, ErrorKind, FrameInfo, Result, WasmBacktrace};
use crate::module::{Entity, Module};
use crate::stack::backtrace::capture;
use crate::store::StoreCore;
use crate::store::instance::{InstanceData, Item, Problem, instantiate, link_error, mismatch};
use crate::store::stored::{OTHER_STORE, Stored};
use crate::tuning::MAX_BACKTRACE_FRAMES;

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

/// What is said of a module that is not of the store's engine.
pub(super) const OTHER_ENGINE: &str =
    "cross-`Engine` instantiation is not supported: the module is of another engine than the store";

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
        // SAFETY: the context is exclusive.
        unsafe { Instance::new_in(store.as_context_mut().core(), module, imports) }
    }

    /// # Safety
    ///
    /// `core` is valid and ours alone.
    pub(super) unsafe fn new_in(
        core: *mut StoreCore,
        module: &Module,
        imports: &[Extern],
    ) -> Result<Instance> {
        let declared = &module.inner().imports;
        if declared.len() != imports.len() {
            return Err(Error::of_kind(
                ErrorKind::Link,
                format!(
                    "wrong number of imports provided, {} != {}",
                    imports.len(),
                    declared.len()
                ),
            ));
        }
        let mut items = Vec::with_capacity(imports.len());
        for given in imports {
            let foreign = || Error::of_kind(ErrorKind::Link, OTHER_STORE);
            items.push(given.item(core).ok_or_else(foreign)?);
        }
        // SAFETY: by the contract.
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
            return Err(Error::msg(OTHER_ENGINE));
        }
        let declared = &module.inner().imports;
        let problems: Vec<Problem> = declared
            .iter()
            .zip(items)
            .filter_map(|(import, item)| mismatch(module.inner(), import, *item))
            .collect();
        if !problems.is_empty() {
            return Err(link_error(&problems));
        }
        // SAFETY: by the contract, and the items have just been matched.
        unsafe { Instance::start(core, module, items) }
    }

    /// Instantiates a module with items that fit its imports.
    ///
    /// # Safety
    ///
    /// As [`Instance::link`]; the module is of the store's engine.
    pub(crate) unsafe fn start(
        core: *mut StoreCore,
        module: &Module,
        items: &[Item],
    ) -> Result<Instance> {
        // SAFETY: by the contract.
        unsafe {
            let instance = instantiate(core, module, items)?;
            if let Some(start) = module.inner().start {
                let record = instance.as_ref().func_record(start);
                // A host function that a module starts with is called by its instance.
                let caller = instance.as_ref().vmctx.as_ptr();
                let slots = boundary::slots(core, 0)?;
                boundary::call(core, caller, record, slots, 0, || ())?;
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
        let context = store.as_context_mut();
        let context = context.as_context();
        export(&context, expect(self.0.of(&context)), name)
    }

    /// The same by number: of this instance's module, else nothing.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get_module_export(
        &self,
        mut store: impl AsContextMut,
        export: &ModuleExport,
    ) -> Option<Extern> {
        let context = store.as_context_mut();
        let instance = expect(self.0.of(&context.as_context()));
        let item = instance.item(export.of(&instance.module)?)?;
        // SAFETY: the item is of this store.
        Some(unsafe { Extern::from_item(context.core(), item) })
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
        let context = store.as_context_mut();
        let instance = expect(self.0.of(&context.as_context()));
        instance.module.inner().funcs.get(index as usize)?;
        let item = instance.item(Entity::Func(index))?;
        // SAFETY: the item is of this store.
        unsafe { Extern::from_item(context.core(), item) }.into_func()
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

    /// The tag exported under a name.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get_tag(&self, store: impl AsContextMut, name: &str) -> Option<Tag> {
        self.get_export(store, name)?.into_tag()
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
        let item = export(&context.as_context(), self.0.of(&context.as_context())?, name);
        let func = item.and_then(Extern::into_func);
        let func = func.ok_or_else(|| no_function(name))?;
        func.typed(context)
            .with_context(|| format!("failed to convert function `{name}` to given type"))
    }

    /// The module instantiated.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own; likewise below.
    #[track_caller]
    pub fn module<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a Module {
        &expect(self.0.of(&store.into())).module
    }

    /// All exports in order.
    #[track_caller]
    pub fn exports<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> impl ExactSizeIterator<Item = Export<'a>> + 'a {
        expect(self.checked_exports(store.into())).into_iter()
    }

    /// The export at a place in that order.
    ///
    /// # Errors
    ///
    /// If the store is another one than its own.
    #[doc(hidden)]
    pub fn nth_export<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
        nth: usize,
    ) -> Result<Option<Export<'a>>> {
        let context = store.into();
        let core = context.core();
        let instance = self.0.of_shared(context)?;
        let Some(export) = instance.module.inner().exports.get(nth) else { return Ok(None) };
        let item = instance.item(export.entity);
        // SAFETY: the item is of this store.
        Ok(item.map(|item| Export::new(&export.name, unsafe { Extern::from_item(core, item) })))
    }

    /// As [`Instance::exports`].
    ///
    /// # Errors
    ///
    /// If the store is another one than its own.
    pub(super) fn checked_exports<'a, T: 'static>(
        &self,
        context: StoreContextMut<'a, T>,
    ) -> Result<Vec<Export<'a>>> {
        let core = context.core();
        let instance = self.0.of_shared(context)?;
        let exports = &instance.module.inner().exports;
        let export = |export: &'a crate::module::Export| {
            let item = instance.item(export.entity)?;
            // SAFETY: the item is of this store.
            Some(Export::new(&export.name, unsafe { Extern::from_item(core, item) }))
        };
        Ok(exports.iter().filter_map(export).collect())
    }
}

impl WasmBacktrace {
    /// The guest's frames now, which are those of the calls that wait for the host; none if
    /// the engine does not want backtraces.
    pub fn capture(store: impl AsContext) -> WasmBacktrace {
        let context = store.as_context();
        WasmBacktrace::up_to(&context, context.engine().config().backtrace_frames)
    }

    /// The same whatever the engine wants.
    pub fn force_capture(store: impl AsContext) -> WasmBacktrace {
        WasmBacktrace::up_to(&store.as_context(), MAX_BACKTRACE_FRAMES)
    }

    fn up_to<T>(context: &StoreContext<'_, T>, limit: usize) -> WasmBacktrace {
        match limit {
            0 => WasmBacktrace::default(),
            // SAFETY: the store is borrowed, and its frames wait for the host.
            limit => unsafe { capture(context.core(), None, limit) },
        }
    }
}

impl FrameInfo {
    /// The instance whose function it is.
    pub fn instance(&self) -> Instance {
        Instance(self.instance)
    }
}

/// What an instance of the store exports under a name.
fn export<T>(store: &StoreContext<'_, T>, instance: &InstanceData, name: &str) -> Option<Extern> {
    let item = instance.export(name)?;
    // SAFETY: the item is of this store.
    Some(unsafe { Extern::from_item(store.core(), item) })
}

fn no_function(name: &str) -> Error {
    Error::msg(format!("failed to find function export `{name}`"))
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
