//! The instructions of the slot form, and the frame they address.
//!
//! Field names are the same everywhere: `dst` is the slot defined, `a` and `b`
//! are read, `base` starts a run of slots, and `mem`, `table`, `func`, `ty`,
//! `data`, `elem` and `global` are the module's indices.

use crate::atomic_ops::AtomicOp;
use crate::gc::{Extend, GcOp, RefTarget};
use crate::ops::{BinaryOp, CompareOp, LoadOp, StoreOp, UnaryOp};
use crate::source::{Inlined, SourceLoc};
use crate::types::{Signature, Type, slots_of};

/// A slot of the frame, counted in 8-byte units from the frame's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

/// What an instruction reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The value in a slot.
    Slot(Slot),
    /// An immediate, as its slot would hold it.
    Const(u64),
}

/// A position in the code that branches name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub u32);

/// A bulk or table operation: its operands lie in consecutive slots.
#[allow(missing_docs, reason = "field names are explained in the module header")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bulk {
    /// `memory.fill`: destination, value, length.
    MemoryFill { mem: u32 },
    /// `memory.copy`: destination, source, length.
    MemoryCopy { dst: u32, src: u32 },
    /// `memory.init`: destination, source, length.
    MemoryInit { mem: u32, data: u32 },
    /// `data.drop`.
    DataDrop { data: u32 },
    /// `table.fill`: destination, value, length.
    TableFill { table: u32 },
    /// `table.copy`: destination, source, length.
    TableCopy { dst: u32, src: u32 },
    /// `table.init`: destination, source, length.
    TableInit { table: u32, elem: u32 },
    /// `elem.drop`.
    ElemDrop { elem: u32 },
    /// `table.grow`: value, delta; the old size replaces the value.
    TableGrow { table: u32 },
}

/// The 128-bit integer ops: operands and results lie in consecutive slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WideOp {
    /// `i64.add128`: two 128-bit operands, one result.
    Add128,
    /// `i64.sub128`: two 128-bit operands, one result.
    Sub128,
    /// `i64.mul_wide_s`: two 64-bit operands, a 128-bit result.
    MulWideS,
    /// `i64.mul_wide_u`: two 64-bit operands, a 128-bit result.
    MulWideU,
}

/// An instruction of the slot form.
///
/// `base` is the first of consecutive slots that hold operands and receive
/// results; such slots are always operand-stack slots in canonical order.
#[allow(missing_docs, reason = "field names are explained in the module header")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inst {
    /// Marks where a label is. At a loop header every local and live operand is
    /// in its canonical slot.
    Label { label: Label, loop_header: bool },
    /// Sets `count` slots from `from` to zero.
    Zero { from: Slot, count: u32 },
    /// Loads an immediate.
    Const { dst: Slot, value: u64 },
    /// Copies a slot.
    Copy { dst: Slot, src: Slot },
    /// Copies `count` slots, ascending: `dst` is below `src`, and they may overlap.
    CopySlots { dst: Slot, src: Slot, count: u32 },
    /// A one-operand op.
    Unary { op: UnaryOp, dst: Slot, a: Slot },
    /// A two-operand op; at most one operand is an immediate.
    Binary { op: BinaryOp, dst: Slot, a: Operand, b: Operand },
    /// A comparison; at most one operand is an immediate.
    Compare { op: CompareOp, dst: Slot, a: Operand, b: Operand },
    /// `cond != 0 ? a : b`, of values of this type.
    Select { ty: Type, dst: Slot, cond: Slot, a: Operand, b: Operand },
    /// A 128-bit integer op.
    Wide { op: WideOp, base: Slot },
    /// A load from memory `mem` at `addr + offset`.
    Load { op: LoadOp, dst: Slot, addr: Operand, mem: u32, offset: u64 },
    /// A store to memory `mem` at `addr + offset`.
    Store { op: StoreOp, addr: Operand, value: Operand, mem: u32, offset: u64 },
    /// An atomic access to memory `mem` at `addr + offset`; `a` and `b` are its
    /// operands, as many as the op has, and `dst` its result, if it has one.
    Atomic { op: AtomicOp, dst: Slot, addr: Slot, a: Slot, b: Slot, mem: u32, offset: u64 },
    /// `memory.atomic.wait32` or, with `wide`, `wait64`.
    AtomicWait {
        wide: bool,
        dst: Slot,
        addr: Slot,
        expected: Slot,
        timeout: Slot,
        mem: u32,
        offset: u64,
    },
    /// `memory.atomic.notify`.
    AtomicNotify { dst: Slot, addr: Slot, count: Slot, mem: u32, offset: u64 },
    /// `atomic.fence`.
    AtomicFence,
    /// `memory.size`.
    MemorySize { dst: Slot, mem: u32 },
    /// `memory.grow`: the delta, then the old size, is in `base`.
    MemoryGrow { base: Slot, mem: u32 },
    /// A bulk or table operation.
    Bulk { op: Bulk, base: Slot },
    /// `global.get`.
    GlobalGet { dst: Slot, global: u32 },
    /// `global.set`.
    GlobalSet { global: u32, value: Operand },
    /// `table.get`.
    TableGet { dst: Slot, index: Operand, table: u32 },
    /// `table.set`.
    TableSet { index: Operand, value: Operand, table: u32 },
    /// `table.size`.
    TableSize { dst: Slot, table: u32 },
    /// Whether table `table` holds at `index` function `func` of the same instance: not if it
    /// holds another or none, nor beyond its end. "Not" is never wrong, only slow. Only in
    /// translations with [`Inlining::Large`](crate::Inlining::Large).
    TableHolds { dst: Slot, index: Operand, table: u32, func: u32 },
    /// `ref.func`.
    RefFunc { dst: Slot, func: u32 },
    /// An instruction on objects with its operands in consecutive slots.
    Gc { op: GcOp, base: Slot },
    /// `struct.get`.
    StructGet { dst: Slot, object: Slot, ty: u32, field: u32, extend: Extend },
    /// `struct.set`.
    StructSet { object: Slot, value: Operand, ty: u32, field: u32 },
    /// `array.get`.
    ArrayGet { dst: Slot, object: Slot, index: Operand, ty: u32, extend: Extend },
    /// `array.set`.
    ArraySet { object: Slot, index: Operand, value: Operand, ty: u32 },
    /// `array.len`.
    ArrayLen { dst: Slot, object: Slot },
    /// `ref.test`.
    RefTest { dst: Slot, src: Slot, target: RefTarget },
    /// Traps when the reference does not have the type.
    RefCast { src: Slot, target: RefTarget },
    /// `ref.i31`.
    I31New { dst: Slot, src: Slot },
    /// `i31.get_s` or `i31.get_u`.
    I31Get { dst: Slot, src: Slot, extend: Extend },
    /// Traps when the reference is null.
    RefAsNonNull { src: Slot },
    /// A vector instruction.
    #[cfg(feature = "simd")]
    Simd(crate::simd::SimdInst),
    /// Jumps.
    Br { target: Label },
    /// Jumps when the `i32` in `cond` is not zero, or is zero with `negate`.
    BrIf { cond: Slot, negate: bool, target: Label },
    /// Jumps to `targets[index]`, the last one being the default; the targets
    /// are `Function::br_targets[first..first + count]`.
    BrTable { index: Slot, first: u32, count: u32 },
    /// Traps.
    Unreachable,
    /// Returns nothing.
    Return,
    /// Returns one value of one slot.
    ReturnValue { value: Operand },
    /// Returns the `count` slots from `from`.
    ReturnSlots { from: Slot, count: u32 },
    /// Calls function `func`; arguments from `base`, results replace them.
    Call { func: u32, base: Slot },
    /// Calls the function that table `table` holds at `index`.
    CallIndirect { ty: u32, table: u32, index: Operand, base: Slot },
    /// Calls the function reference in `callee`.
    CallRef { ty: u32, callee: Slot, base: Slot },
    /// Replaces this frame by a call of `func`.
    ReturnCall { func: u32, base: Slot },
    /// Replaces this frame by a call through a table.
    ReturnCallIndirect { ty: u32, table: u32, index: Operand, base: Slot },
    /// Replaces this frame by a call of a function reference.
    ReturnCallRef { ty: u32, callee: Slot, base: Slot },
    /// Throws an exception of `tag` with the values from `base`.
    Throw { tag: u32, base: Slot },
    /// Throws the exception in `src` again; traps when it is null.
    ThrowRef { src: Slot },
    /// What follows, up to its end, is the body of `Function::tries[region]`.
    TryBegin { region: u32 },
    /// Ends the body of a try; bodies nest.
    TryEnd { region: u32 },
    /// Pays for the straight run of WebAssembly instructions that starts here, or
    /// traps before the first of them.
    Fuel { cost: u32 },
    /// Traps, or asks the host, if the store's deadline has been reached.
    Epoch,
}

/// A `try_table`: its clauses are tried in order before those of the try around
/// it. A handler finds all locals and the operands below the try in their slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// The try around it.
    pub parent: Option<u32>,
    /// Its clauses are `Function::catches[first..first + count]`.
    pub first: u32,
    /// The number of clauses.
    pub count: u32,
}

/// A clause of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Catch {
    /// The tag it catches; all exceptions without one, and then no values.
    pub tag: Option<u32>,
    /// Whether the exception itself follows the values.
    pub by_ref: bool,
    /// Where it continues.
    pub target: Label,
    /// The slot for the first value.
    pub base: Slot,
}

impl Inst {
    /// The slot (of a vector, the first of two) this instruction defines, if redirecting its result to
    /// another slot keeps its meaning.
    pub fn dst_mut(&mut self) -> Option<&mut Slot> {
        match self {
            Inst::Const { dst, .. }
            | Inst::Copy { dst, .. }
            | Inst::Unary { dst, .. }
            | Inst::Binary { dst, .. }
            | Inst::Compare { dst, .. }
            | Inst::Select { dst, .. }
            | Inst::Load { dst, .. }
            | Inst::AtomicWait { dst, .. }
            | Inst::AtomicNotify { dst, .. }
            | Inst::MemorySize { dst, .. }
            | Inst::GlobalGet { dst, .. }
            | Inst::TableGet { dst, .. }
            | Inst::TableSize { dst, .. }
            | Inst::TableHolds { dst, .. }
            | Inst::StructGet { dst, .. }
            | Inst::ArrayGet { dst, .. }
            | Inst::ArrayLen { dst, .. }
            | Inst::RefTest { dst, .. }
            | Inst::I31New { dst, .. }
            | Inst::I31Get { dst, .. }
            | Inst::RefFunc { dst, .. } => Some(dst),
            #[cfg(feature = "simd")]
            Inst::Simd(inst) => inst.dst_mut(),
            Inst::Atomic { op, dst, .. } if op.has_result() => Some(dst),
            _ => None,
        }
    }
}

/// Slots below the operand stack whose values nobody reads any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// The index of the instruction before which they are dead.
    pub before: usize,
    /// The first slot.
    pub from: Slot,
    /// The number of slots.
    pub count: u32,
}

/// Slots between the parameters and the locals that hold what a return needs:
/// the return address, the caller's frame and the caller's `vmctx`.
pub const HEADER_SLOTS: u32 = 3;

/// Slots behind a frame, or in its window if it has one, for immediates that a rare
/// handler wants in slots.
pub const SCRATCH_SLOTS: u32 = 2;

/// The slots that operands of the interpreter's instructions can name.
pub const NEAR_SLOTS: u32 = 1 << 16;

/// Slots of the largest frame there is: offsets in it fit 32 bits with a sign.
pub const MAX_FRAME_SLOTS: u32 = 1 << 27;

/// Where things lie in a frame.
///
/// Parameters start at slot 0, where the caller left them, and results are
/// returned there; the header follows whichever list is longer, so that results
/// never overwrite it; then come the locals and the operand stack.
///
/// A frame of more than [`NEAR_SLOTS`] has a window in front of the locals: the
/// interpreter copies operands that are too far off for an instruction into it,
/// and results out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Slots of the parameters.
    pub params: u32,
    /// Slots of the results.
    pub results: u32,
    /// First slot of the header.
    pub header: u32,
    /// Slots of the window behind the header; none unless the frame needs one, and none in
    /// a translation for the optimizing compiler.
    pub window: u32,
    /// First slot of the locals that are not parameters, and behind them of those of
    /// inlined functions.
    pub locals: u32,
    /// First slot of the operand stack.
    pub stack: u32,
    /// All slots of the frame, callee headers included.
    pub size: u32,
}

impl Frame {
    /// First slot of the window.
    pub fn window_start(&self) -> u32 {
        self.header + HEADER_SLOTS
    }

    /// The frame of a function without locals of its own.
    pub fn of(signature: Signature<'_>) -> Frame {
        let params = slots_of(signature.params);
        let results = slots_of(signature.results);
        let header = params.max(results);
        let locals = header + HEADER_SLOTS;
        Frame { params, results, header, window: 0, locals, stack: locals, size: locals }
    }
}

/// A translated function.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// The frame's layout.
    pub frame: Frame,
    /// The instructions in order.
    pub insts: Vec<Inst>,
    /// For each instruction, the Wasm instruction it came from.
    pub sources: Vec<SourceLoc>,
    /// The calls that were inlined; `sources` has indices into it.
    pub inlined: Vec<Inlined>,
    /// Where the locals of inlined functions die, in order.
    pub deaths: Vec<Death>,
    /// Targets of all `BrTable`s.
    pub br_targets: Vec<Label>,
    /// The tries; a region is an index into them.
    pub tries: Vec<Try>,
    /// The clauses of all tries.
    pub catches: Vec<Catch>,
    /// For each label the slot from which on nothing is live where it stands.
    pub label_heights: Vec<u32>,
    /// The kinds of parameters and locals, run-length encoded.
    pub locals: Vec<(u32, Type)>,
    /// The kinds of the results.
    pub results: Vec<Type>,
}
