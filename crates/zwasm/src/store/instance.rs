//! Instances, and how a module becomes one.

use std::alloc::Layout;
use std::fmt::Display;
use std::ptr::NonNull;
use std::sync::Arc;

use super::gc::layout;
use super::pool::{Kind, Ticket};
use super::vmctx::{FuncRecord, VmCtx};
use super::{GlobalInst, MemoryInst, StoreCore, TableInst, TagInst};
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::interp;
use crate::module::const_expr::{ConstExpr, Context};
use crate::module::{Elements, Entity, Import, Inner, Module, NO_FUNC, SegmentMode};
use crate::tier;
use crate::tuning::BULK_PIECE;
use crate::types::{Mutability, RefType, TagType, Types};
use zwasm_regir::object;
use zwasm_regir::reader::Reader;
use zwasm_regir::work;

/// Something that can be imported, as the store holds it.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    Func(NonNull<FuncRecord>),
    Table(NonNull<TableInst>),
    Memory(NonNull<MemoryInst>),
    Global(NonNull<GlobalInst>),
    Tag(NonNull<TagInst>),
}

/// An instance. Its `vmctx` points at the arrays kept here.
pub(crate) struct InstanceData {
    pub(crate) vmctx: NonNull<VmCtx>,
    layout: Layout,
    pub(crate) module: Module,
    imported_funcs: Box<[*const FuncRecord]>,
    pub(crate) memories: Box<[*mut MemoryInst]>,
    pub(crate) tables: Box<[*mut TableInst]>,
    pub(crate) globals: Box<[*mut GlobalInst]>,
    pub(crate) tags: Box<[NonNull<TagInst>]>,
    /// The values of passive element segments; empty once dropped.
    pub(crate) elements: Box<[Box<[u64]>]>,
    /// Whether each data segment has been dropped.
    pub(crate) dropped_data: Box<[bool]>,
    /// The memory exported as `memory`, for host functions.
    pub(crate) guest_memory: Option<NonNull<MemoryInst>>,
    /// Whether compiled code leaves checking accesses to the guard pages.
    pub(crate) guarded: bool,
    /// The cells of call sites in baseline code.
    #[cfg(optimizer)]
    pub(crate) cells: Vec<u64>,
    /// Whether its baseline code is asked where it is.
    #[cfg(optimizer)]
    pub(crate) is_asked: bool,
    _ticket: Option<Ticket>,
}

impl InstanceData {
    /// # Safety
    ///
    /// `this` is valid, and nothing uses its `vmctx` any more.
    pub(super) unsafe fn free_vmctx(this: *mut InstanceData) {
        // SAFETY: by the contract.
        unsafe { VmCtx::free((*this).vmctx, (*this).layout) }
    }

    fn store(&self) -> *mut StoreCore {
        // SAFETY: the context lives as long as the instance.
        unsafe { (*self.vmctx.as_ptr()).store }
    }

    /// Whether its data shows in its memory without being written there: a module with an
    /// image has one memory, its own, and only data that fits.
    fn shows_image(&self) -> bool {
        let own = self.module.inner().imported_memories == 0;
        // SAFETY: memories live as long as the store.
        own && self.memories.first().is_some_and(|&memory| unsafe { (*memory).has_image() })
    }

    /// A function reference as slots hold it.
    pub(crate) fn func_ref(&self, func: u32) -> u64 {
        // SAFETY: records live as long as the store.
        u64::from(unsafe { (*self.func_record(func)).number })
    }

    pub(crate) fn func_record(&self, func: u32) -> *const FuncRecord {
        let imported = self.imported_funcs.len() as u32;
        match self.imported_funcs.get(func as usize) {
            Some(record) => *record,
            // SAFETY: validation leaves only indices of defined functions here.
            None => unsafe { VmCtx::record(self.vmctx.as_ptr(), func - imported) },
        }
    }

    /// What the instance has at an index.
    pub(crate) fn item(&self, entity: Entity) -> Option<Item> {
        Some(match entity {
            Entity::Func(index) => Item::Func(NonNull::new(self.func_record(index).cast_mut())?),
            Entity::Table(index) => Item::Table(NonNull::new(self.tables[index as usize])?),
            Entity::Memory(index) => Item::Memory(NonNull::new(self.memories[index as usize])?),
            Entity::Global(index) => Item::Global(NonNull::new(self.globals[index as usize])?),
            Entity::Tag(index) => Item::Tag(self.tags[index as usize]),
        })
    }

    /// What the instance exports under a name.
    pub(crate) fn export(&self, name: &str) -> Option<Item> {
        self.item(self.module.inner().export(name)?)
    }

    /// The value of a constant expression.
    fn eval(&self, expr: &ConstExpr) -> Result<u128> {
        expr.eval(self)
    }

    /// Allocates an object, pays for it as the instruction would, and returns its
    /// reference and address.
    fn allocate(&self, word: u32, second: u32, size: usize) -> Result<(u64, *mut u8)> {
        // SAFETY: the instance belongs to a live store, which is being used
        // exclusively to make the instance; the guest does not run.
        unsafe {
            let store = (*self.vmctx.as_ptr()).store;
            // One, and one more for every 8 bytes behind the header.
            (*store).pay(size as u64)?;
            let top = (*store).value_top;
            let object = StoreCore::allocate(store, top, word, second, size)?;
            Ok((object, (*store).gc.heap.base().add(object as usize)))
        }
    }

    /// The references of an element segment.
    fn eval_elements(&self, items: &Elements) -> Result<Box<[u64]>> {
        match items {
            Elements::Funcs(funcs) => {
                work::count(funcs.len());
                let func = |&func: &u32| if func == NO_FUNC { 0 } else { self.func_ref(func) };
                Ok(funcs.iter().map(func).collect())
            }
            Elements::Exprs { count, range } => {
                let mut reader = Reader::new(&self.module.inner().bytes[range.clone()]);
                let mut next = || {
                    work::count(1);
                    let expr = ConstExpr::decode(&mut reader).map_err(|_| {
                        Error::invalid("malformed constant expression", range.start)
                    })?;
                    Ok(self.eval(&expr)? as u64)
                };
                (0..*count).map(|_| next()).collect()
            }
        }
    }
}

impl Context for InstanceData {
    fn global(&self, index: u32) -> u128 {
        // SAFETY: globals live as long as the store.
        unsafe { (*self.globals[index as usize]).value }
    }

    fn func(&self, index: u32) -> u64 {
        self.func_ref(index)
    }

    fn fields(&self, ty: u32) -> usize {
        self.module.inner().storages[ty as usize].len()
    }

    fn structure(&self, ty: u32, fields: &[u128]) -> Result<u64> {
        let module = self.module.inner();
        let storages = &module.storages[ty as usize];
        let (offsets, size) = &module.layouts[ty as usize];
        let word = object::word(module.types[ty as usize], object::Kind::Struct);
        let (object, address) = self.allocate(word, 0, *size)?;
        for ((&storage, &offset), &value) in storages.iter().zip(offsets).zip(fields) {
            // SAFETY: the field is in the new object.
            unsafe { layout::write(storage, address.add(offset as usize), value) }
        }
        Ok(object)
    }

    fn array(&self, ty: u32, elements: &[u128], len: u32) -> Result<u64> {
        let module = self.module.inner();
        let storage = module.storages[ty as usize][0];
        let size = storage.size();
        let word = object::word(module.types[ty as usize], object::Kind::Array);
        let bytes = usize::try_from(object::array_size(storage, len)).unwrap_or(usize::MAX);
        let (object, address) = self.allocate(word, len, bytes)?;
        // SAFETY: the elements are in the new object; the store is live.
        unsafe {
            let first = address.add(object::HEADER);
            for (index, &value) in elements.iter().enumerate().take(len as usize) {
                layout::write(storage, first.add(index * size), value);
            }
            // The rest repeats them; without any it is zero already.
            let all = len as usize * size;
            let mut done = elements.len() * size;
            while 0 < done && done < all {
                let piece = done.min(all - done).min(BULK_PIECE);
                first.add(done).copy_from_nonoverlapping(first, piece);
                done += piece;
                if (*(*self.vmctx.as_ptr()).store).must_stop() {
                    return Err(Trap::Interrupt.into());
                }
            }
        }
        Ok(object)
    }
}

/// Why an item does not fit an import, or nothing if it does.
///
/// Source: WebAssembly 3.0, section "Matching", external types.
pub(crate) fn mismatch(module: &Inner, import: &Import, item: Item) -> Option<Problem> {
    // Most instances fit: what there is has words only if it does not.
    (!fits(module, import, item))
        .then(|| Problem::mismatch(module, import, &found(module, import, item)))
}

fn fits(module: &Inner, import: &Import, item: Item) -> bool {
    let types = module.engine.types().read();
    // SAFETY: items belong to the store being instantiated into and live as long.
    unsafe {
        match (import.entity, item) {
            (Entity::Func(index), Item::Func(record)) => {
                types.is_subtype(record.as_ref().ty, module.func_type_id(index))
            }
            (Entity::Table(index), Item::Table(table)) => {
                let (want, table) = (module.tables[index as usize], table.as_ref());
                same_ref(&types, table.ty.element(), want.element())
                    && table.ty.table64 == want.table64
                    && limits(table.len as u64, table.ty.maximum, want.minimum, want.maximum)
            }
            (Entity::Memory(index), Item::Memory(memory)) => {
                (*memory.as_ptr()).refresh();
                let (want, memory) = (module.memories[index as usize], memory.as_ref());
                let have = memory.ty;
                have.memory64 == want.memory64
                    && have.shared == want.shared
                    && have.page_size_log2 == want.page_size_log2
                    && limits(memory.pages(), have.maximum, want.minimum, want.maximum)
            }
            (Entity::Global(index), Item::Global(global)) => {
                let (want, have) = (module.globals[index as usize], global.as_ref().ty);
                want.mutability() == have.mutability()
                    && types.val_matches(have.content(), want.content())
                    && (want.mutability() == Mutability::Const
                        || types.val_matches(want.content(), have.content()))
            }
            (Entity::Tag(index), Item::Tag(tag)) => {
                tag.as_ref().ty == module.types[module.tags[index as usize] as usize]
            }
            (Entity::Func(_), _)
            | (Entity::Table(_), _)
            | (Entity::Memory(_), _)
            | (Entity::Global(_), _)
            | (Entity::Tag(_), _) => false,
        }
    }
}

/// What an item is, in words: its type, if it is at least of the kind that is imported.
fn found(module: &Inner, import: &Import, item: Item) -> String {
    let types = module.engine.types();
    // SAFETY: as above.
    unsafe {
        match (import.entity, item) {
            (Entity::Func(_), Item::Func(record)) => {
                types.func_type(record.as_ref().ty).to_string()
            }
            (Entity::Table(_), Item::Table(table)) => table.as_ref().ty.to_string(),
            (Entity::Memory(_), Item::Memory(memory)) => memory.as_ref().ty.to_string(),
            (Entity::Global(_), Item::Global(global)) => global.as_ref().ty.to_string(),
            (Entity::Tag(_), Item::Tag(tag)) => {
                TagType::new(types.func_type(tag.as_ref().ty)).to_string()
            }
            (_, Item::Func(_)) => "a function".to_owned(),
            (_, Item::Table(_)) => "a table".to_owned(),
            (_, Item::Memory(_)) => "a memory".to_owned(),
            (_, Item::Global(_)) => "a global".to_owned(),
            (_, Item::Tag(_)) => "a tag".to_owned(),
        }
    }
}

fn same_ref(types: &Types, a: RefType, b: RefType) -> bool {
    types.ref_matches(a, b) && types.ref_matches(b, a)
}

fn limits(size: u64, have: Option<u64>, min: u64, want: Option<u64>) -> bool {
    size >= min
        && match (have, want) {
            (_, None) => true,
            (Some(have), Some(want)) => have <= want,
            (None, Some(_)) => false,
        }
}

/// Instantiates a module whose imports have been matched. Its start function has not run.
///
/// # Safety
///
/// `store` is valid and not borrowed elsewhere; the items belong to it and fit
/// the module's imports.
pub(crate) unsafe fn instantiate(
    store: *mut StoreCore,
    module: &Module,
    imports: &[Item],
) -> Result<NonNull<InstanceData>> {
    // SAFETY: by the contract; see the header of the parent module.
    unsafe {
        if (*store).is_beside() {
            // What counts for all of them is refused here, not when a thread has started.
            StoreCore::prepare_stack(store)?;
        }
        let made = (*store).made();
        let instance = allocate(store, module, imports).inspect_err(|_| {
            // Nothing refers to what there is of it.
            (*store).unmake(made);
            // The store has learned how they lie in memory, and no instance holds them.
            module.inner().held_types.iter().for_each(|held| (*store).hold_type(held.clone()));
        })?;
        let paused = StoreCore::pause_collections(store);
        let initialized = initialize(instance);
        drop(paused);
        if let Err(error) = initialized {
            hide_image(instance)?;
            return Err(error);
        }
        Ok(instance)
    }
}

/// Has the memory of an instance whose data was not to be written yet be blank.
///
/// # Safety
///
/// As [`instantiate`].
#[cold]
unsafe fn hide_image(instance: NonNull<InstanceData>) -> Result<()> {
    // SAFETY: by the contract.
    let data = unsafe { &*instance.as_ptr() };
    if !data.shows_image() {
        return Ok(());
    }
    // SAFETY: as above; the memory is the instance's own.
    unsafe { (*data.memories[0]).hide_image() }.map_err(|error| {
        let message = format!("cannot take a memory's contents back: {error}");
        Error::of_kind(ErrorKind::OutOfMemory, message)
    })
}

/// Bytes of an instance beside its memories and tables, at most.
fn size_of_instance(module: &Inner) -> usize {
    let passive = |mode: &SegmentMode| matches!(mode, SegmentMode::Passive);
    let references: usize = module
        .elements
        .iter()
        .filter(|segment| passive(&segment.mode))
        .map(|segment| segment.items.len())
        .sum();
    let pointers = module.imported_funcs as usize
        + module.memories.len()
        + module.tables.len()
        + module.globals.len()
        + module.tags.len() * 3;
    size_of::<InstanceData>()
        + module.bodies.len() * size_of::<FuncRecord>()
        + module.globals.len() * size_of::<GlobalInst>()
        + (references + pointers) * size_of::<u64>()
        + module.elements.len() * size_of::<Box<[u64]>>()
        + module.data.len()
}

/// Creates what the module defines and links it up.
///
/// # Safety
///
/// As [`instantiate`].
unsafe fn allocate(
    store: *mut StoreCore,
    module: &Module,
    imports: &[Item],
) -> Result<NonNull<InstanceData>> {
    let inner = module.inner();
    let mut funcs = Vec::with_capacity(inner.imported_funcs as usize);
    let mut tables = Vec::with_capacity(inner.tables.len());
    let mut memories = Vec::with_capacity(inner.memories.len());
    let mut globals = Vec::with_capacity(inner.globals.len());
    let mut tags = Vec::with_capacity(inner.tags.len());
    for item in imports {
        match *item {
            Item::Func(func) => funcs.push(func.as_ptr().cast_const()),
            Item::Table(table) => tables.push(table.as_ptr()),
            Item::Memory(memory) => memories.push(memory.as_ptr()),
            Item::Global(global) => globals.push(global.as_ptr()),
            Item::Tag(tag) => tags.push(tag),
        }
    }
    // SAFETY: the store is ours by the contract; everything allocated here is
    // owned by it from the moment it is added.
    unsafe {
        (*store).gc.layouts.add(&inner.engine.types().read(), &inner.types)?;
        let (new_tables, new_memories) =
            (&inner.tables[tables.len()..], &inner.memories[memories.len()..]);
        StoreCore::check_counts(store, [1, new_tables.len(), new_memories.len()])?;
        let ticket = (*store).engine.pool().ticket(Kind::Instances)?;
        let bytes = size_of_instance(inner);
        if let Some(pooling) = &(*store).engine.config().pooling {
            pooling.check_module([bytes, new_memories.len(), new_tables.len()])?;
        }
        StoreCore::check_total(store, "an instance", bytes)?;
        (*store).hold(bytes);
        for ty in new_memories {
            let memory = StoreCore::new_memory(store, *ty, inner.image())?;
            memories.push((*store).add_memory(memory).as_ptr());
        }
        for ty in new_tables {
            let table = StoreCore::new_table(store, *ty, 0)?;
            tables.push((*store).add_table(table).as_ptr());
        }
        for ty in &inner.tags[tags.len()..] {
            tags.push((*store).add_tag(inner.types[*ty as usize]));
        }
        let defined = inner.bodies.len() as u32;
        let defined_globals = inner.globals.len() as u32 - inner.imported_globals;
        let no_memory =
            || Error::of_kind(ErrorKind::OutOfMemory, format!("no memory for {defined} functions"));
        let first = StoreCore::number_functions(store, inner.bodies.len()).ok_or_else(no_memory)?;
        let (vmctx, layout) = VmCtx::allocate(defined, defined_globals).ok_or_else(no_memory)?;
        let context = vmctx.as_ptr();
        for index in 0..defined_globals {
            let offset = inner.global_offset(index) as usize;
            let global: *mut GlobalInst = context.byte_add(offset).cast();
            let ty = inner.globals[(inner.imported_globals + index) as usize];
            global.write(GlobalInst { value: 0, ty });
            globals.push(global);
        }
        for index in 0..defined {
            let record = NonNull::new_unchecked(VmCtx::record(context, index));
            record.write(FuncRecord {
                body: interp::lazy_body(),
                #[cfg(optimizer)]
                code: tier::resolver(),
                vmctx: context,
                ty: inner.func_type_id(inner.func_index(index)),
                index: inner.func_index(index),
                number: first + index,
                hot: 0,
                #[cfg(optimizer)]
                patience: 0,
            });
            (*store).set_function(record);
        }
        let guarded = tier::may_rely_on_guards((*store).engine.config(), &memories);
        let no_memory = (*store).no_memory().as_ptr();
        let memory0 = memories.first().copied().unwrap_or(no_memory);
        let instance = (*store).add_instance(InstanceData {
            vmctx,
            layout,
            module: module.clone(),
            imported_funcs: funcs.into(),
            memories: memories.into(),
            tables: tables.into(),
            globals: globals.into(),
            tags: tags.into(),
            elements: Box::default(),
            dropped_data: Box::default(),
            guest_memory: None,
            guarded,
            #[cfg(optimizer)]
            cells: Vec::new(),
            #[cfg(optimizer)]
            is_asked: false,
            _ticket: ticket,
        });
        let data = &mut *instance.as_ptr();
        if let Some(Entity::Memory(index)) = inner.export("memory") {
            data.guest_memory = NonNull::new(data.memories[index as usize]);
        }
        let (functions, function_count) = (*store).functions.entries();
        context.write(VmCtx {
            store,
            stack_limit: (*store).stack_limit,
            #[cfg(optimizer)]
            call_limit: std::sync::atomic::AtomicU64::new((*store).stack_limit.addr() as u64),
            #[cfg(compiler)]
            beyond: interp::beyond_body(),
            heap: (*store).gc.heap.base(),
            instance: instance.as_ptr(),
            memory0,
            memories: data.memories.as_ptr(),
            tables: data.tables.as_ptr(),
            functions,
            function_count,
            globals: data.globals.as_ptr(),
            imported_funcs: data.imported_funcs.as_ptr(),
            limits: Arc::as_ptr(&(*store).limits),
            epoch: (*store).engine.epoch(),
            #[cfg(optimizer)]
            feedback: std::ptr::null_mut(),
            tail_caller: std::ptr::null_mut(),
        });
        Ok(instance)
    }
}

/// Evaluates globals and segments, in the specification's order.
///
/// # Safety
///
/// As [`instantiate`].
unsafe fn initialize(instance: NonNull<InstanceData>) -> Result<()> {
    // SAFETY: the instance has just been made and nothing runs in it yet.
    let data = unsafe { &mut *instance.as_ptr() };
    let module = data.module.clone();
    let inner = module.inner();
    for (index, init) in inner.global_inits.iter().enumerate() {
        let value = data.eval(init)?;
        let global = data.globals[inner.imported_globals as usize + index];
        // SAFETY: defined globals are part of the instance.
        unsafe { (*global).value = value };
    }
    for (index, init) in inner.table_inits.iter().enumerate() {
        let table = data.tables[inner.imported_tables as usize + index];
        if let Some(init) = init {
            let value = data.eval(init)? as u64;
            // SAFETY: tables live as long as the store, and nothing runs in it.
            unsafe {
                let element = (*table).element(&(*data.store()).functions, value);
                (*table).elements_mut().fill(element);
            }
        }
    }
    data.elements = inner
        .elements
        .iter()
        .map(|segment| match segment.mode {
            SegmentMode::Passive => data.eval_elements(&segment.items),
            _ => Ok(Box::default()),
        })
        .collect::<Result<_>>()?;
    data.dropped_data = vec![false; inner.data.len()].into();
    for segment in &inner.elements {
        let SegmentMode::Active { target, offset } = &segment.mode else { continue };
        let table = data.tables[*target as usize];
        // SAFETY: as above.
        let table = unsafe { &mut *table };
        let start = index_of(data.eval(offset)?, table.ty.table64);
        let room = (table.len as u64).checked_sub(start);
        if room.is_none_or(|room| room < segment.items.len() as u64) {
            return Err(Trap::TableOutOfBounds.into());
        }
        let start = start as usize;
        // SAFETY: as above; no table is part of the table of functions.
        let functions = unsafe { &(*data.store()).functions };
        let values = data.eval_elements(&segment.items)?;
        for (index, &value) in values.iter().enumerate() {
            let element = table.element(functions, value);
            table.elements_mut()[start + index] = element;
        }
    }
    let shown = data.shows_image();
    for (index, segment) in inner.data.iter().enumerate() {
        let SegmentMode::Active { target, offset } = &segment.mode else { continue };
        if shown {
            data.dropped_data[index] = true;
            continue;
        }
        let memory = data.memories[*target as usize];
        // SAFETY: memories live as long as the store, and nothing runs in it.
        let memory = unsafe { &mut *memory };
        let start = index_of(data.eval(offset)?, memory.ty.memory64);
        let bytes = &inner.bytes[segment.range.clone()];
        if !memory.init(start, bytes) {
            return Err(Trap::MemoryOutOfBounds.into());
        }
        data.dropped_data[index] = true;
    }
    Ok(())
}

fn index_of(value: u128, is_64: bool) -> u64 {
    if is_64 { value as u64 } else { u64::from(value as u32) }
}

/// Why an import cannot be had.
pub(crate) struct Problem {
    pub(crate) what: String,
    pub(crate) why: String,
}

impl Problem {
    /// What is provided is something else.
    pub(crate) fn mismatch(module: &Inner, import: &Import, found: &dyn Display) -> Problem {
        Problem {
            what: format!(
                "incompatible import type for `{}::{}`",
                import.module.escape_debug(),
                import.name.escape_debug()
            ),
            why: format!("expected {}, found {found}", module.entity_type(import.entity)),
        }
    }
}

/// The error for imports that nothing provides or whose types differ: of one, what it is
/// about, and why; of several, a line with all.
pub(crate) fn link_error(problems: &[Problem]) -> Error {
    if let [Problem { what, why }] = problems {
        return Error::of_kind(ErrorKind::Link, why.clone()).context(what.clone());
    }
    let lines: Vec<_> =
        problems.iter().map(|each| format!("{}: {}", each.what, each.why)).collect();
    Error::of_kind(ErrorKind::Link, lines.join("; "))
}
