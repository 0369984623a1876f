//! A module as the runtime would describe it, for tests.

use crate::environment::{
    Counting, Environment, HeapType, MemoryInfo, Place, StructType, Threaded, VmLayout,
};
use crate::target::{Isa, Target};
use zwasm_regir::{Frame, Inst, Label, Signature, Storage, Type};

/// Structure types, each with the one that it is below.
pub(crate) type Structs = &'static [(Option<u32>, &'static [Storage])];

/// Parameters and results.
pub(crate) type Signatures = &'static [(&'static [Type], &'static [Type])];

/// A module; function 0, and globals beyond the first two, are imported.
pub(crate) struct TestModule {
    pub(crate) signatures: Signatures,
    pub(crate) func_type: u32,
    pub(crate) tag_type: u32,
    pub(crate) global_type: Type,
    pub(crate) memory: fn(u32) -> MemoryInfo,
    pub(crate) structs: Structs,
    pub(crate) layout: VmLayout,
    pub(crate) target: Target,
}

impl TestModule {
    /// One with functions `(i32, i32) -> i32`, globals of 64 bits, memories with guard pages
    /// and structures of one number; code is for processors with these features.
    pub(crate) fn new(features: &[&str]) -> TestModule {
        let mut target = Target::floor(Isa::X64);
        features.iter().for_each(|name| assert!(target.add(name)));
        TestModule {
            signatures: &[(&[Type::I32, Type::I32], &[Type::I32])],
            func_type: 0,
            tag_type: 0,
            global_type: Type::I64,
            memory: |_| MemoryInfo {
                is_64: false,
                shared: false,
                page_size_log2: 16,
                guard: Some(1 << 31),
                imported: false,
                minimum: 0,
            },
            structs: &[(None, &[Storage::I32])],
            layout: layout(),
            target,
        }
    }

    fn parent(&self, ty: u32) -> Option<u32> {
        self.structs.get(ty as usize).and_then(|(parent, _)| *parent)
    }

    fn ancestry(&self, ty: u32) -> impl Iterator<Item = u32> {
        core::iter::successors(Some(ty), |ty| self.parent(*ty))
    }
}

fn layout() -> VmLayout {
    let mut next = 0;
    let mut field = || {
        next += 8;
        next
    };
    VmLayout {
        call_limit: field(),
        beyond: field(),
        heap: field(),
        memory0: field(),
        memories: field(),
        tables: field(),
        globals: field(),
        imported_funcs: field(),
        limits: field(),
        limits_fuel: 0,
        limits_epoch_deadline: 8,
        epoch: field(),
        tail_caller: field(),
        memory_base: 0,
        memory_len: 8,
        table_base: 0,
        table_len: 8,
        global_value: 0,
        record_body: 0,
        record_code: 8,
        record_vmctx: 16,
        record_type: 24,
        record_number: 28,
        record_thunk: 32,
        feedback: 0,
        functions: field(),
        function_count: field(),
        store: field(),
        value_top: 0,
        native_limit: 8,
        native_base: 48,
        native_bottom: 56,
        heap_cursor: 16,
        heap_limit: 24,
        displays: 32,
        display_mask: 40,
    }
}

impl Environment for TestModule {
    fn table_is_imported(&self, _: u32) -> bool {
        false
    }
    fn table_holds_functions(&self, _: u32) -> bool {
        true
    }
    fn memory_is_pinned(&self) -> bool {
        self.memory(0).guard.is_some()
    }
    fn table_is_64(&self, _: u32) -> bool {
        false
    }
    fn layout(&self) -> &VmLayout {
        &self.layout
    }
    fn func(&self, func: u32) -> Place {
        if func == 0 { Place::Imported(0) } else { Place::Own(0x1000 + func * 0x40) }
    }
    fn func_type(&self, _: u32) -> u32 {
        self.func_type
    }
    fn signature(&self, ty: u32) -> Signature<'_> {
        let (params, results) = self.signatures[ty as usize];
        Signature { params, results }
    }
    fn tag_type(&self, _: u32) -> u32 {
        self.tag_type
    }
    fn frame(&self, ty: u32) -> Frame {
        Frame::of(self.signature(ty))
    }
    fn global(&self, global: u32) -> Place {
        if global < 2 { Place::Own(0x800 + global * 16) } else { Place::Imported(global) }
    }
    fn global_type(&self, _: u32) -> Type {
        self.global_type
    }
    fn memory(&self, memory: u32) -> MemoryInfo {
        (self.memory)(memory)
    }
    fn field(&self, ty: u32, field: u32) -> (Storage, u32) {
        (self.structs[ty as usize].1[field as usize], 8 + 8 * field)
    }
    fn heap_type(&self, ty: u32) -> HeapType {
        HeapType {
            is_final: (0..self.structs.len() as u32).all(|below| self.parent(below) != Some(ty)),
            is_func: false,
            is_array: false,
            depth: self.ancestry(ty).count() as u32 - 1,
        }
    }
    fn is_subtype(&self, sub: u32, sup: u32) -> bool {
        self.ancestry(sub).any(|ty| ty == sup)
    }
    fn family(&self, ty: u32) -> u32 {
        self.ancestry(ty).last().unwrap_or(ty)
    }
    fn struct_type(&self, ty: u32) -> StructType {
        let fields = self.structs[ty as usize].1.len();
        StructType { size: 8 + 8 * fields as u32, is_small: true, fields }
    }
    fn consumes_fuel(&self) -> bool {
        false
    }
    fn threaded(&self, _: &Inst) -> Threaded {
        Threaded { words: vec![1, 2], relocations: Vec::new() }
    }
    fn threaded_on_scratch(&self, inst: &Inst, _: u32) -> Threaded {
        self.threaded(inst)
    }
    fn counting(&self) -> Option<Counting> {
        None
    }
    fn promotion(&self, _: Option<Label>) -> Threaded {
        Threaded::default()
    }
    fn raise(&self) -> i64 {
        0
    }

    fn refuel(&self) -> i64 {
        0
    }
    fn scratch_slots(&self) -> u32 {
        2
    }
    fn target(&self) -> Target {
        self.target
    }
    fn max_code(&self) -> usize {
        1 << 20
    }
    fn stopped(&self) -> bool {
        false
    }
}
