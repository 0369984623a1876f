//! What the compiler is told about a module and the runtime.

use crate::code::Relocation;
use crate::target::Target;
use zwasm_regir::{Frame, Inst, Label, Signature, Storage, Type};

/// Byte offsets of the fields that code addresses.
#[derive(Clone, Copy, Debug)]
pub struct VmLayout {
    /// In the `vmctx`: where the frames of callees must end, 64 bits; 0 while baseline code
    /// is to ask the runtime.
    pub call_limit: u32,
    /// In the `vmctx`: the body to enter instead of that of a callee whose frame ends beyond.
    pub beyond: u32,
    /// In the `vmctx`: the address of offset 0 of the collected heap.
    pub heap: u32,
    /// In the `vmctx`: memory 0.
    pub memory0: u32,
    /// In the `vmctx`: the array of pointers to memories.
    pub memories: u32,
    /// In the `vmctx`: the array of pointers to tables.
    pub tables: u32,
    /// In the `vmctx`: the array of pointers to globals.
    pub globals: u32,
    /// In the `vmctx`: the array of pointers to the records of imported functions.
    pub imported_funcs: u32,
    /// In the `vmctx`: the pointer to the store's limits.
    pub limits: u32,
    /// In the limits: the fuel left, 64 bits, signed.
    pub limits_fuel: u32,
    /// In the limits: the epoch at which the store's guest stops, 64 bits.
    pub limits_epoch_deadline: u32,
    /// In the `vmctx`: the pointer to the engine's epoch, 64 bits.
    pub epoch: u32,
    /// Where a tail call says which context it comes from, in the callee's.
    pub tail_caller: u32,
    /// In a memory: its first byte.
    pub memory_base: u32,
    /// In a memory: its size in bytes.
    pub memory_len: u32,
    /// In a table: its first element.
    pub table_base: u32,
    /// In a table: the number of elements.
    pub table_len: u32,
    /// In a global: the value.
    pub global_value: u32,
    /// In a function's record: the body.
    pub record_body: u32,
    /// In a function's record: the entry with arguments in registers; 0 where there is none.
    pub record_code: u32,
    /// In a function's record: the `vmctx`.
    pub record_vmctx: u32,
    /// In a function's record: the canonical type, 32 bits.
    pub record_type: u32,
    /// In a function's record: its number, which is what references are, 32 bits.
    pub record_number: u32,
    /// In a host function's record: what calls its closure; 0 where there is none.
    pub record_thunk: u32,
    /// In the `vmctx`: the array of pointers to records by number, null for no function.
    pub functions: u32,
    /// In the `vmctx`: how many numbers there are, 32 bits.
    pub function_count: u32,
    /// In the `vmctx`: the store.
    pub store: u32,
    /// In the store: the first slot of the value stack that no frame uses.
    pub value_top: u32,
    /// In the store: the address that native frames must not go below.
    pub native_limit: u32,
    /// In the store: the stack pointer with which the innermost activation is ended.
    pub native_base: u32,
    /// In the store: the native stack pointer of the innermost world of slots.
    pub native_bottom: u32,
    /// In the store: where the heap's allocation window is used up to.
    pub heap_cursor: u32,
    /// In the store: where the window ends.
    pub heap_limit: u32,
    /// In the store: a pointer to 32-bit words. That of a type's number is the index of
    /// the first word of its display, the numbers of its ancestors from the root on.
    pub displays: u32,
    /// In the store: what a type's number has in common with its index there, 32 bits.
    pub display_mask: u32,
    /// In the `vmctx`: the pointer to the cells of call sites.
    pub feedback: u32,
}

/// A type of objects or functions, for casts.
#[derive(Clone, Copy, Debug)]
pub struct HeapType {
    /// Whether it has no subtypes, and its objects can be told by their header.
    pub is_final: bool,
    /// Whether it is of functions.
    pub is_func: bool,
    /// Whether it is of arrays.
    pub is_array: bool,
    /// The number of its supertypes.
    pub depth: u32,
}

/// A structure, for its allocation.
#[derive(Clone, Debug)]
pub struct StructType {
    /// Bytes to allocate.
    pub size: u32,
    /// Whether it fits an allocation window.
    pub is_small: bool,
    /// How many fields it has.
    pub fields: usize,
}

/// What a memory is, as far as accesses care.
#[derive(Clone, Copy, Debug)]
pub struct MemoryInfo {
    /// Whether addresses have 64 bits.
    pub is_64: bool,
    /// Whether threads share it.
    pub shared: bool,
    /// The base-2 logarithm of the page size.
    pub page_size_log2: u8,
    /// For a 32-bit memory with guard pages, how many bytes behind the first
    /// 4 GiB fault when they are accessed; none if accesses must be checked.
    pub guard: Option<u32>,
    /// Whether it is imported, and may be the same as another import.
    pub imported: bool,
    /// How many bytes it has at least.
    pub minimum: u64,
}

/// Where something of the module is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the `vmctx` at this byte offset.
    Own(u32),
    /// Through the array of pointers in the `vmctx`, at this index.
    Imported(u32),
}

/// Code of the interpreter among machine code.
#[derive(Clone, Debug, Default)]
pub struct Threaded {
    /// The words; handlers are zero.
    pub words: Vec<u64>,
    /// What has to be written into the words when they are mapped, the handlers among
    /// it; the offsets count from the first word.
    pub relocations: Vec<Relocation>,
}

/// When baseline code asks the runtime for better code.
#[derive(Clone, Copy, Debug)]
pub enum Asking {
    /// When the function's counter, at this place in the `vmctx`, 64 bits, signed, is below
    /// zero: code takes from it what it does.
    Counter(u32),
    /// When no frame is below the `vmctx`'s limit of calls.
    Sampled,
}

/// What baseline code does so that what runs long is optimized.
#[derive(Clone, Copy, Debug)]
pub struct Counting {
    /// When it asks.
    pub asking: Asking,
    /// The first cell of the function's call sites in the instance's, in bytes. It has one
    /// for each call through a table or reference.
    pub cells: u32,
}

/// What the compiler asks the runtime.
pub trait Environment {
    /// Whether a table's elements are the addresses of function records.
    fn table_holds_functions(&self, table: u32) -> bool;

    /// The layout of the runtime's records.
    fn layout(&self) -> &VmLayout;
    /// Where a function's record is.
    fn func(&self, func: u32) -> Place;
    /// The index of the function that is compiled, if its calls of itself need not look
    /// where its code is.
    fn own_func(&self) -> Option<u32> {
        None
    }
    /// The index of the type of a function.
    fn func_type(&self, func: u32) -> u32;
    /// The kinds of a function type of the module.
    fn signature(&self, ty: u32) -> Signature<'_>;
    /// The index of the type of a tag.
    fn tag_type(&self, tag: u32) -> u32;
    /// The frame of a function of this type, without locals.
    fn frame(&self, ty: u32) -> Frame;
    /// Where a global is.
    fn global(&self, global: u32) -> Place;
    /// The kind of a global.
    fn global_type(&self, global: u32) -> Type;
    /// A memory of the module.
    fn memory(&self, memory: u32) -> MemoryInfo;
    /// Whether optimized code has the first byte of memory 0 in a register of its own: the
    /// module has that memory, and it has guard pages, so that it never moves. All functions
    /// of an instance agree on it.
    fn memory_is_pinned(&self) -> bool;
    /// Whether a table has 64-bit indices.
    fn table_is_64(&self, table: u32) -> bool;
    /// Whether a table is imported, and may be the same as another import.
    fn table_is_imported(&self, table: u32) -> bool;
    /// Whether a pass of the optimizing compiler runs, by its name.
    fn runs_pass(&self, pass: &str) -> bool {
        let _ = pass;
        true
    }
    /// What a field of a structure, or as field 0 the elements of an array, holds,
    /// and a field's offset in the object.
    fn field(&self, ty: u32, field: u32) -> (Storage, u32);
    /// A type that references are cast to.
    fn heap_type(&self, ty: u32) -> HeapType;
    /// Whether one type of the module is another one or a subtype of it.
    fn is_subtype(&self, sub: u32, sup: u32) -> bool;
    /// A number that two types have in common if they are below the same one.
    fn family(&self, ty: u32) -> u32;
    /// A structure type.
    fn struct_type(&self, ty: u32) -> StructType;
    /// Whether bulk operations have to be paid for.
    fn consumes_fuel(&self) -> bool;
    /// The interpreter's code of an instruction that is not a branch or return, with
    /// all operands in slots.
    fn threaded(&self, inst: &Inst) -> Threaded;
    /// The same on a scratch frame, of which the instruction's operands and results fill so
    /// many slots.
    #[cfg(feature = "optimize")]
    fn threaded_on_scratch(&self, inst: &Inst, slots: u32) -> Threaded;
    /// Where baseline code counts; none if it does not.
    fn counting(&self) -> Option<Counting>;
    /// The interpreter's code that looks for better code: at the entry, or at the loop header with a label, with all values in slots. It goes on
    /// behind itself if there is none.
    fn promotion(&self, header: Option<Label>) -> Threaded;
    /// The number of the handler that raises the trap whose code is in the accumulator.
    fn raise(&self) -> i64;
    /// The number of what baseline code goes to, as to a handler, when it has found that
    /// something cost more fuel than was active: it comes back to the address in
    /// `Primitives::RESUME` with all registers as they were, but that and the scratch
    /// registers, or does not.
    fn refuel(&self) -> i64;
    /// Slots behind a frame that the threaded code of an instruction uses.
    fn scratch_slots(&self) -> u32;
    /// What code is made for.
    fn target(&self) -> Target;
    /// Bytes of machine code that a function may become.
    fn max_code(&self) -> usize;
    /// Whether to give up; asked now and then.
    fn stopped(&self) -> bool;
}
