//! What the compiler is told about a module and the runtime.

use std::mem::offset_of;

use super::link;
use crate::interp;
use crate::interp::encode::Mark;
use crate::module::Inner;
use crate::module::places;
#[cfg(optimizer)]
use crate::store::HostFunc;
use crate::store::gc::heap::LARGE;
use crate::store::limits::Limits;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{GlobalInst, MemoryInst, StoreCore, TableInst};
use crate::tuning::{MAX_FUNCTION_CODE, MEMORY32_GUARD};
use crate::types::Composite;
use zwasm_compiler::code::{Field, Relocation, TypeForm, Value};
use zwasm_compiler::target::Target;
use zwasm_compiler::{
    Counting, Environment, HeapType, MemoryInfo, Place, StructType, Threaded, VmLayout,
};
use zwasm_regir::object::GRANULE;
use zwasm_regir::{Frame, Function, Inst, Label, Signature, Storage, Type};

pub(super) static LAYOUT: VmLayout = VmLayout {
    #[cfg(optimizer)]
    call_limit: offset_of!(VmCtx, call_limit) as u32,
    #[cfg(not(optimizer))]
    call_limit: offset_of!(VmCtx, stack_limit) as u32,
    beyond: offset_of!(VmCtx, beyond) as u32,
    heap: offset_of!(VmCtx, heap) as u32,
    memory0: offset_of!(VmCtx, memory0) as u32,
    memories: offset_of!(VmCtx, memories) as u32,
    tables: offset_of!(VmCtx, tables) as u32,
    globals: offset_of!(VmCtx, globals) as u32,
    imported_funcs: offset_of!(VmCtx, imported_funcs) as u32,
    limits: offset_of!(VmCtx, limits) as u32,
    limits_fuel: offset_of!(Limits, fuel) as u32,
    limits_epoch_deadline: offset_of!(Limits, epoch_deadline) as u32,
    epoch: offset_of!(VmCtx, epoch) as u32,
    tail_caller: offset_of!(VmCtx, tail_caller) as u32,
    memory_base: offset_of!(MemoryInst, base) as u32,
    memory_len: offset_of!(MemoryInst, len) as u32,
    table_base: offset_of!(TableInst, base) as u32,
    table_len: offset_of!(TableInst, len) as u32,
    global_value: offset_of!(GlobalInst, value) as u32,
    record_body: offset_of!(FuncRecord, body) as u32,
    #[cfg(optimizer)]
    record_code: offset_of!(FuncRecord, code) as u32,
    #[cfg(not(optimizer))]
    record_code: 0,
    record_vmctx: offset_of!(FuncRecord, vmctx) as u32,
    record_type: offset_of!(FuncRecord, ty) as u32,
    record_number: offset_of!(FuncRecord, number) as u32,
    #[cfg(optimizer)]
    record_thunk: offset_of!(HostFunc, thunk) as u32,
    #[cfg(not(optimizer))]
    record_thunk: 0,
    functions: offset_of!(VmCtx, functions) as u32,
    function_count: offset_of!(VmCtx, function_count) as u32,
    store: offset_of!(VmCtx, store) as u32,
    value_top: offset_of!(StoreCore, value_top) as u32,
    native_limit: offset_of!(StoreCore, native_limit) as u32,
    #[cfg(optimizer)]
    native_base: offset_of!(StoreCore, native_base) as u32,
    #[cfg(optimizer)]
    native_bottom: offset_of!(StoreCore, native_bottom) as u32,
    #[cfg(not(optimizer))]
    native_base: 0,
    #[cfg(not(optimizer))]
    native_bottom: 0,
    heap_cursor: offset_of!(StoreCore, gc.heap.window.cursor) as u32,
    heap_limit: offset_of!(StoreCore, gc.heap.window.limit) as u32,
    displays: offset_of!(StoreCore, gc.layouts.displays.base) as u32,
    display_mask: offset_of!(StoreCore, gc.layouts.displays.mask) as u32,
    #[cfg(optimizer)]
    feedback: offset_of!(VmCtx, feedback) as u32,
    #[cfg(not(optimizer))]
    feedback: 0,
};

/// A function to be compiled, and its module.
pub(super) struct ModuleEnvironment<'a> {
    module: &'a Inner,
    function: &'a Function,
    /// The function's index, if calls of itself may stay in the code that is made.
    pub(super) own: Option<u32>,
    /// Whether memories that can have guard pages have them.
    guarded: bool,
    target: Target,
    stop: &'a dyn Fn() -> bool,
    /// What the code does to be optimized, and the record of the function in the `vmctx`.
    counting: Option<(Counting, u32)>,
}

impl ModuleEnvironment<'_> {
    pub(super) fn new<'a>(
        module: &'a Inner,
        function: &'a Function,
        guarded: bool,
        target: Target,
        stop: &'a dyn Fn() -> bool,
    ) -> ModuleEnvironment<'a> {
        ModuleEnvironment { module, function, own: None, guarded, target, stop, counting: None }
    }

    /// The same, with baseline code that does that to be optimized, for the function with a
    /// record there.
    pub(super) fn that_counts(self, counting: Option<(Counting, u32)>) -> Self {
        ModuleEnvironment { counting, ..self }
    }
}

/// A place as the compiler names it.
fn found(place: places::Place) -> Place {
    match place {
        places::Place::Own(offset) => Place::Own(offset),
        places::Place::Imported(index) => Place::Imported(index),
    }
}

impl Environment for ModuleEnvironment<'_> {
    fn layout(&self) -> &VmLayout {
        &LAYOUT
    }

    fn func(&self, func: u32) -> Place {
        found(self.module.func_place(func))
    }

    fn own_func(&self) -> Option<u32> {
        self.own
    }

    fn func_type(&self, func: u32) -> u32 {
        self.module.funcs[func as usize]
    }

    fn signature(&self, ty: u32) -> Signature<'_> {
        self.module.signature(ty)
    }

    fn tag_type(&self, tag: u32) -> u32 {
        self.module.tags[tag as usize]
    }

    fn frame(&self, ty: u32) -> Frame {
        Frame::of(self.module.signature(ty))
    }

    fn global(&self, global: u32) -> Place {
        found(self.module.global_place(global))
    }

    fn global_type(&self, global: u32) -> Type {
        self.module.globals[global as usize].content().kind()
    }

    fn memory(&self, memory: u32) -> MemoryInfo {
        let ty = self.module.memories[memory as usize];
        let guard = self.guarded && MemoryInst::can_be_guarded(ty);
        MemoryInfo {
            is_64: ty.memory64,
            shared: ty.shared,
            page_size_log2: ty.page_size_log2,
            guard: guard.then_some(MEMORY32_GUARD as u32),
            imported: memory < self.module.imported_memories,
            minimum: ty.minimum.saturating_mul(1 << ty.page_size_log2),
        }
    }

    fn memory_is_pinned(&self) -> bool {
        let memory = self.module.memories.first();
        self.guarded && memory.is_some_and(|ty| MemoryInst::can_be_guarded(*ty))
    }

    fn table_holds_functions(&self, table: u32) -> bool {
        self.module.holds_functions(table)
    }

    fn table_is_64(&self, table: u32) -> bool {
        self.module.tables[table as usize].table64
    }

    fn table_is_imported(&self, table: u32) -> bool {
        table < self.module.imported_tables
    }

    fn runs_pass(&self, pass: &str) -> bool {
        !self.module.engine.config().code.without.iter().any(|name| name == pass)
    }

    fn field(&self, ty: u32, field: u32) -> (Storage, u32) {
        let storages = &self.module.storages[ty as usize];
        (storages[field as usize], self.module.layouts[ty as usize].0[field as usize])
    }

    fn heap_type(&self, ty: u32) -> HeapType {
        let id = self.module.types[ty as usize];
        let types = self.module.engine.types().read();
        let ty = types.get(id);
        HeapType {
            is_final: ty.is_final,
            is_func: matches!(ty.composite, Composite::Func(_)),
            is_array: matches!(ty.composite, Composite::Array(_)),
            depth: types.depth(id) as u32,
        }
    }

    fn is_subtype(&self, sub: u32, sup: u32) -> bool {
        let id = |ty: u32| self.module.types[ty as usize];
        self.module.engine.types().read().is_subtype(id(sub), id(sup))
    }

    fn family(&self, ty: u32) -> u32 {
        self.module.engine.types().read().root(self.module.types[ty as usize])
    }

    fn struct_type(&self, ty: u32) -> StructType {
        let size = self.module.layouts[ty as usize].1.next_multiple_of(GRANULE);
        StructType {
            size: size as u32,
            is_small: size <= LARGE,
            fields: self.module.storages[ty as usize].len(),
        }
    }

    fn consumes_fuel(&self) -> bool {
        self.module.engine.config().consume_fuel
    }

    fn threaded(&self, inst: &Inst) -> Threaded {
        threaded(self.module, self.function, inst)
    }

    #[cfg(feature = "optimize")]
    fn threaded_on_scratch(&self, inst: &Inst, slots: u32) -> Threaded {
        let frame = Frame { size: slots, ..Frame::default() };
        threaded(self.module, &Function { frame, ..Function::default() }, inst)
    }

    fn counting(&self) -> Option<Counting> {
        self.counting.map(|(counting, _)| counting)
    }

    fn promotion(&self, header: Option<Label>) -> Threaded {
        #[cfg(optimizer)]
        if let Some((_, record)) = self.counting {
            return relocated(interp::encode::encode_promotion(record, header));
        }
        let _ = header;
        Threaded::default()
    }

    fn raise(&self) -> i64 {
        link::handler(interp::raise())
    }

    fn refuel(&self) -> i64 {
        link::handler(super::refuel::from_slots as *const () as u64)
    }

    fn scratch_slots(&self) -> u32 {
        zwasm_regir::inst::SCRATCH_SLOTS
    }

    fn max_code(&self) -> usize {
        let max = self.module.engine.config().code.max_bytes;
        usize::try_from(max).unwrap_or(usize::MAX).min(MAX_FUNCTION_CODE)
    }

    fn stopped(&self) -> bool {
        (self.stop)()
    }

    fn target(&self) -> Target {
        self.target
    }
}

/// The interpreter's code of an instruction in a frame of a function.
fn threaded(module: &Inner, function: &Function, inst: &Inst) -> Threaded {
    relocated(interp::encode::encode_one(module, function, inst))
}

/// Code of the interpreter, with what it names as relocations.
fn relocated((words, marks): (Vec<u64>, Vec<(u32, Mark)>)) -> Threaded {
    let relocations = marks.into_iter().map(|(at, mark)| {
        let word = words[at as usize / size_of::<u64>()];
        let (field, value) = match mark {
            Mark::Handler => (Field::Word64, Value::Handler(link::handler(word))),
            Mark::Number(ty) => (Field::Word32, Value::Type(ty, TypeForm::Number)),
            Mark::Header(ty) => (Field::Word32, Value::Type(ty, TypeForm::Header)),
        };
        Relocation { at, field, value }
    });
    Threaded { relocations: relocations.collect(), words }
}
