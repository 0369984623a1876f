//! Stores: the owners of everything a guest can reach.
//!
//! # Safety
//!
//! A store's state is one heap allocation that never moves; `vmctx`s point back
//! at it. It is created from a box, only ever reached through the raw pointer,
//! and each use takes a context borrowed from the `Store`, so that two uses
//! never overlap except where the guest, already running for one, calls a host
//! function: that function gets the context of the running call. Memories,
//! tables, globals and functions are boxed likewise and freed with the store.

mod arena;
pub(crate) mod exceptions;
pub(crate) mod functions;
pub(crate) mod gc;
pub(crate) mod growth;
pub(crate) mod held;
pub(crate) mod hooks;
mod host;
pub(crate) mod instance;
pub(crate) mod limiter;
pub(crate) mod limits;
mod memory;
pub(crate) mod pool;
#[cfg(optimizer)]
pub(crate) mod samples;
#[cfg(feature = "threads")]
pub(crate) mod shared;
pub(crate) mod stored;
mod table;
pub(crate) mod total;
pub(crate) mod vmctx;

use std::alloc::{Layout, handle_alloc_error};
use std::any::{self, Any};
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use memory::MemoryInst;
pub(crate) use table::TableInst;

use crate::code::Code;
use crate::engine::Engine;
#[cfg(not(tail_dispatch))]
use crate::interp;
use crate::stack::Stack;
use crate::stack::activation::HostFrame;
use crate::stack::fiber::Fibers;
use crate::stack::stop::{Access, Stop};
#[cfg(feature = "async")]
use crate::stack::waiting::Polled;
use crate::stack::walk::Cursor;
use crate::types::{FuncType, GlobalType, HeapType, Held, TypeId, ValType};
use exceptions::Exceptions;
use functions::Functions;
use gc::Gc;
use growth::FindLimiter;
pub(crate) use host::{HostCode, HostFunc, HostType};
use host::{HostFuncs, Shared};
use instance::InstanceData;
use limits::{Deadline, Limits};
use vmctx::VmCtx;

/// A global of a store.
#[repr(C)]
pub(crate) struct GlobalInst {
    /// The value; one that fits a slot is in the low half.
    pub(crate) value: u128,
    pub(crate) ty: GlobalType,
}

/// A tag of a store: its identity is its address.
pub(crate) struct TagInst {
    pub(crate) ty: TypeId,
    /// Slots of the values.
    pub(crate) slots: usize,
}

/// The part of a store that does not depend on the user's data.
pub struct StoreCore {
    /// The collected heap; handlers allocate in its window.
    pub(crate) gc: Gc,
    /// What stops the guest in time.
    pub(crate) limits: Arc<Limits>,
    pub(crate) deadline: Deadline,
    limiter: Option<FindLimiter>,
    /// What is called when control passes between host and guest.
    call_hook: Option<hooks::Hook>,
    /// Bytes of memories, tables and instances.
    held: usize,
    /// What this store and those beside it hold.
    total: Arc<total::Total>,
    /// What the total has for this store.
    published: usize,
    /// Whether the store was made beside another.
    beside: bool,
    /// Where guest frames must end.
    pub(crate) stack_limit: *mut u64,
    /// The first slot of the value stack not used by guest frames.
    pub(crate) value_top: *mut u64,
    /// The innermost host function the guest has called.
    pub(crate) host_frame: *const HostFrame,
    /// Whether the native stack in use is this store's.
    pub(crate) on_stack: bool,
    /// Why and where the guest stopped, until it is told to whoever called it.
    pub(crate) stopped: Option<Stop>,
    /// The access for which the guest is about to be stopped, if it is known.
    pub(crate) outside: Option<Access>,
    /// Where the guest continues after a throw.
    pub(crate) landing: Cursor,
    /// The native stack pointer that it continues with; 0 for the one it has.
    #[cfg(optimizer)]
    pub(crate) landing_sp: usize,
    /// What the accumulator has to be where a frame of slots goes on optimized.
    #[cfg(optimizer)]
    pub(crate) replaced_acc: u64,
    /// When baseline code was asked last where it is.
    #[cfg(optimizer)]
    samples: samples::Samples,
    /// The native stack pointer with which the innermost activation is ended.
    #[cfg(optimizer)]
    pub(crate) native_base: usize,
    /// The native stack pointer of the innermost world of slots, or one below it: no
    /// native frame of the guest lies further down when a handler runs.
    #[cfg(optimizer)]
    pub(crate) native_bottom: usize,
    /// The end of the value stack. What lies behind it is native.
    pub(crate) value_end: *mut u64,
    pub(crate) exceptions: Exceptions,
    /// The exception that was thrown last, unless it was caught or taken.
    pub(crate) pending_exception: Option<(gc::Root, held::Token)>,
    /// The code this store has entered, by its address.
    codes: BTreeMap<usize, NonNull<Code>>,
    /// The interpreter's registers between two handlers.
    #[cfg(not(tail_dispatch))]
    pub(crate) parked: interp::Regs,
    /// Borrowed of the engine's pool.
    pub(crate) stack: Option<Stack>,
    /// Whether the stack is given back when the outermost call returns.
    pub(crate) rests: bool,
    /// How many things are being done on the stack during which nothing may wait.
    pub(crate) barriers: u32,
    /// How many of the host functions that run on the stack may be waited across.
    pub(crate) passable: u32,
    /// Who polls what runs.
    #[cfg(feature = "async")]
    pub(crate) polled: Polled,
    /// Stacks of the store besides that one.
    pub(crate) fibers: Fibers,
    pub(crate) engine: Engine,
    /// No other store of the process has it.
    pub(crate) id: NonZeroU64,
    /// The native stack pointer below which neither guest nor host is called.
    pub(crate) native_limit: usize,
    /// The one below which whoever calls the host looks twice: any, if there is a hook.
    pub(crate) host_limit: usize,
    host_vmctx: NonNull<VmCtx>,
    host_layout: Layout,
    no_memory: NonNull<MemoryInst>,
    instances: Vec<NonNull<InstanceData>>,
    memories: Vec<NonNull<MemoryInst>>,
    tables: Vec<NonNull<TableInst>>,
    globals: Vec<NonNull<GlobalInst>>,
    tags: Vec<NonNull<TagInst>>,
    host_funcs: HostFuncs,
    /// What host functions refer to that do not own it.
    shared: Vec<Shared>,
    pub(crate) functions: Functions,
    /// Groups of types that the host gave the store, by their first number. Those of
    /// instances are held by their modules.
    types: BTreeMap<TypeId, Held>,
    /// Types of functions that the host has called without naming them: to ask the engine
    /// takes longer than a call.
    called: BTreeMap<TypeId, Arc<FuncType>>,
    /// What crates above this one keep in the store, a value a type. The type is kept
    /// beside it, because each call of a component's function looks for one.
    attachments: Vec<(any::TypeId, Box<dyn Any + Send + Sync>)>,
}

pub(crate) fn leak<T>(value: T) -> NonNull<T> {
    NonNull::from(Box::leak(Box::new(value)))
}

impl StoreCore {
    pub(crate) fn new(engine: &Engine) -> StoreCore {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let (host_vmctx, host_layout) =
            VmCtx::allocate(0, 0).unwrap_or_else(|| handle_alloc_error(Layout::new::<VmCtx>()));
        StoreCore {
            gc: Gc::new(engine.config()),
            limits: Arc::new(Limits::new(engine.config().consume_fuel)),
            deadline: Deadline::new(),
            limiter: None,
            call_hook: None,
            held: 0,
            total: Arc::default(),
            published: 0,
            beside: false,
            stack_limit: ptr::null_mut(),
            value_top: ptr::null_mut(),
            host_frame: ptr::null(),
            on_stack: false,
            stopped: None,
            outside: None,
            landing: Cursor { ip: ptr::null(), fp: ptr::null_mut(), vm: ptr::null_mut() },
            #[cfg(optimizer)]
            landing_sp: 0,
            #[cfg(optimizer)]
            replaced_acc: 0,
            #[cfg(optimizer)]
            samples: samples::Samples::default(),
            #[cfg(optimizer)]
            native_base: 0,
            #[cfg(optimizer)]
            native_bottom: 0,
            value_end: ptr::null_mut(),
            exceptions: Exceptions::new(engine.config()),
            pending_exception: None,
            codes: BTreeMap::new(),
            #[cfg(not(tail_dispatch))]
            parked: interp::Regs::default(),
            stack: None,
            rests: false,
            barriers: 0,
            passable: 0,
            #[cfg(feature = "async")]
            polled: Polled::NONE,
            fibers: Fibers::default(),
            engine: engine.clone(),
            // So many stores take centuries to make.
            id: NonZeroU64::MIN.saturating_add(NEXT_ID.fetch_add(1, Ordering::Relaxed)),
            native_limit: 0,
            host_limit: 0,
            host_vmctx,
            host_layout,
            no_memory: leak(MemoryInst::none()),
            instances: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            host_funcs: HostFuncs::default(),
            shared: Vec::new(),
            functions: Functions::default(),
            types: BTreeMap::new(),
            called: BTreeMap::new(),
            attachments: Vec::new(),
        }
    }

    /// The one value of a type that is kept in the store, made when it is first asked for.
    #[inline]
    pub(crate) fn attachment<A: Any + Default + Send + Sync>(&mut self) -> &mut A {
        let id = any::TypeId::of::<A>();
        if self.attachments.first().is_none_or(|(ty, _)| *ty != id) {
            self.bring_to_front(id, || Box::<A>::default());
        }
        let value: *mut (dyn Any + Send + Sync) = &mut *self.attachments[0].1;
        // SAFETY: beside a value is the number of its type, and this one is looked for.
        unsafe { &mut *value.cast() }
    }

    /// Makes what is kept by the number of its type the first: mostly it is asked for the
    /// same again.
    #[inline(never)]
    fn bring_to_front(&mut self, id: any::TypeId, make: fn() -> Box<dyn Any + Send + Sync>) {
        let found = self.attachments.iter().position(|(ty, _)| *ty == id);
        let at = found.unwrap_or_else(|| {
            let value = make();
            self.attachments.push(((*value).type_id(), value));
            self.attachments.len() - 1
        });
        self.attachments.swap(0, at);
    }

    /// The same, if it was made.
    #[inline]
    pub(crate) fn find_attachment<A: Any>(&self) -> Option<&A> {
        let id = any::TypeId::of::<A>();
        let (_, value) = self.attachments.iter().find(|(ty, _)| *ty == id)?;
        let value: *const (dyn Any + Send + Sync) = &**value;
        // SAFETY: as above.
        Some(unsafe { &*value.cast() })
    }

    /// Decides how far down the host is called without a second look.
    pub(crate) fn limit_host(&mut self) {
        let hooked = self.call_hook.is_some();
        self.host_limit = if hooked { usize::MAX } else { self.native_limit };
    }

    /// Whether a frame is native.
    #[cfg(optimizer)]
    pub(crate) fn is_native(&self, frame: *const u64) -> bool {
        frame >= self.value_end
    }

    /// All instances.
    pub(crate) fn all_instances(&self) -> &[NonNull<InstanceData>] {
        &self.instances
    }

    /// All globals.
    pub(crate) fn all_globals(&self) -> &[NonNull<GlobalInst>] {
        &self.globals
    }

    /// All memories.
    pub(crate) fn all_memories(&self) -> &[NonNull<MemoryInst>] {
        &self.memories
    }

    pub(crate) fn no_memory(&self) -> NonNull<MemoryInst> {
        self.no_memory
    }

    /// What the store has now, for [`StoreCore::unmake`].
    fn made(&self) -> Made {
        let Self { held, memories, tables, tags, .. } = self;
        Made { held: *held, memories: memories.len(), tables: tables.len(), tags: tags.len() }
    }

    /// Frees the memories, tables and tags that were made since, and counts them no
    /// longer.
    ///
    /// # Safety
    ///
    /// Nothing refers to them.
    unsafe fn unmake(&mut self, made: Made) {
        // SAFETY: by the contract.
        unsafe {
            free(&mut self.memories, made.memories);
            free(&mut self.tables, made.tables);
            free(&mut self.tags, made.tags);
        }
        self.go_back(made.held);
    }

    /// Remembers code that lives as long as the store.
    pub(crate) fn add_code(&mut self, code: &Code) {
        self.codes.insert(code.start() as usize, NonNull::from(code));
    }

    /// The code that an address is in, and at which offset.
    pub(crate) fn code_at(&self, ip: *const u64) -> Option<(&Code, usize)> {
        let (_, code) = self.codes.range(..=ip as usize).next_back()?;
        // SAFETY: code is part of a module that an instance of the store holds.
        let code = unsafe { code.as_ref() };
        Some((code, code.position(ip)?))
    }

    pub(crate) fn add_memory(&mut self, mut memory: MemoryInst) -> NonNull<MemoryInst> {
        self.count_memory(&mut memory);
        let memory = leak(memory);
        self.memories.push(memory);
        memory
    }

    /// This store's view of a shared memory.
    #[cfg(feature = "threads")]
    pub(crate) fn shared_memory(&mut self, core: &Arc<shared::SharedCore>) -> NonNull<MemoryInst> {
        let same = |memory: &&NonNull<MemoryInst>| {
            // SAFETY: memories live as long as the store.
            let view = unsafe { memory.as_ref() }.as_shared();
            view.is_some_and(|other| Arc::ptr_eq(other, core))
        };
        match self.memories.iter().find(same) {
            Some(memory) => *memory,
            None => self.add_memory(MemoryInst::shared(core.clone())),
        }
    }

    pub(crate) fn add_table(&mut self, table: TableInst) -> NonNull<TableInst> {
        self.hold(table.bytes());
        let table = leak(table);
        self.tables.push(table);
        table
    }

    pub(crate) fn add_global(&mut self, global: GlobalInst) -> NonNull<GlobalInst> {
        let global = leak(global);
        self.globals.push(global);
        global
    }

    /// Keeps a type defined as long as the store lives.
    pub(crate) fn hold_type(&mut self, held: Held) {
        self.types.entry(held.ids()[0]).or_insert(held);
    }

    /// Keeps the type defined that a value's type names.
    pub(crate) fn hold_types_of(&mut self, ty: ValType) {
        if let ValType::Ref(ty) = ty
            && let HeapType::Concrete(ty) = ty.heap_type()
        {
            let types = self.engine.types().read();
            let held = types.id(ty).and_then(|id| types.held(id));
            drop(types);
            held.into_iter().for_each(|held| self.hold_type(held));
        }
    }

    /// The type with this number, of a function in the store that is called. It stays as
    /// long as the store.
    ///
    /// # Safety
    ///
    /// `this` is valid and ours alone.
    #[inline]
    pub(crate) unsafe fn called_type(this: *mut StoreCore, id: TypeId) -> *const FuncType {
        // SAFETY: by the contract.
        unsafe {
            let called = (*this).called.get(&id);
            called.map_or_else(|| StoreCore::first_called(this, id), Arc::as_ptr)
        }
    }

    /// # Safety
    ///
    /// As [`StoreCore::called_type`].
    #[cold]
    unsafe fn first_called(this: *mut StoreCore, id: TypeId) -> *const FuncType {
        // SAFETY: by the contract.
        unsafe {
            let ty = Arc::new((*this).engine.types().func_type(id));
            let pointer = Arc::as_ptr(&ty);
            (*this).called.insert(id, ty);
            pointer
        }
    }

    pub(crate) fn add_tag(&mut self, ty: TypeId) -> NonNull<TagInst> {
        let func = self.engine.types().func_type(ty);
        let slots = func.params_slice().iter().map(|ty| ty.kind().slots() as usize).sum();
        let tag = leak(TagInst { ty, slots });
        self.tags.push(tag);
        tag
    }

    pub(crate) fn add_instance(&mut self, instance: InstanceData) -> NonNull<InstanceData> {
        let instance = leak(instance);
        self.instances.push(instance);
        instance
    }
}

/// What a store had at some time.
struct Made {
    /// Bytes.
    held: usize,
    memories: usize,
    tables: usize,
    tags: usize,
}

/// Frees all but the first few.
///
/// # Safety
///
/// The pointers came from [`leak`], and those freed are used no more.
unsafe fn free<T>(all: &mut Vec<NonNull<T>>, first: usize) {
    for each in all.drain(first..) {
        // SAFETY: by the contract.
        drop(unsafe { Box::from_raw(each.as_ptr()) });
    }
}

impl Drop for StoreCore {
    fn drop(&mut self) {
        self.publish(0);
        // SAFETY: nothing runs in a store that is dropped.
        unsafe { StoreCore::return_stack(self) };
        #[cfg(optimizer)]
        self.end_samples();
        // SAFETY: the store is dropped, so nothing of it runs or is borrowed, and
        // all these were leaked by it.
        unsafe {
            for instance in &self.instances {
                InstanceData::free_vmctx(instance.as_ptr());
            }
            free(&mut self.instances, 0);
            free(&mut self.memories, 0);
            free(&mut self.tables, 0);
            free(&mut self.globals, 0);
            free(&mut self.tags, 0);
            drop(Box::from_raw(self.no_memory.as_ptr()));
            VmCtx::free(self.host_vmctx, self.host_layout);
        }
    }
}
