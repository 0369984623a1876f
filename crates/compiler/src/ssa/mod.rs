//! The form the optimizing compiler works on: static single assignment with block
//! parameters.
//!
//! A [`Func`] is a list of blocks. A block has parameters, instructions and a
//! terminator; control enters at its start and leaves at its end. Values are results
//! of instructions or parameters of blocks, and each is defined once. Where several
//! blocks lead to one, the [`Edge`] of each passes the values for its parameters.
//!
//! What an instruction does is an [`Op`]; its arguments are values only. Accesses to a
//! memory name the memory's first byte (and its length, where it is compared) as
//! arguments, so that these are moved and shared like any other value. What ops read,
//! change and may end with says [`effects`], in one table.
//!
//! A call inside a `try` ends its block ([`Terminator::Try`]): it has an edge for what it
//! returns to and one for each clause. These edges carry nothing. Their blocks have one
//! predecessor, so that whatever is live there dominates them; the values of an
//! exception are read by [`Op::Landed`] at the start of the clause's block.
//!
//! # What registers hold
//!
//! A value of type `I32` has zeros above its 32 bits, so that `i64.extend_i32_u` is no
//! instruction and an address needs none. An `F32` has zeros in bits 32 to 63 of its
//! register. A `Ref` is what its slot would hold: a number of 32 bits, zero-extended, or
//! one of 64 bits if it refers to an exception. `I64` and `Ref` may stand for each other,
//! as they do where references are compared.

pub mod build;
pub mod display;
pub mod effects;
pub mod graph;
pub mod verify;

use smallvec::SmallVec;
use zwasm_regir::gc::{Extend, GcOp, RefTarget};
use zwasm_regir::inst::WideOp;
use zwasm_regir::{
    AtomicOp, BinaryOp, CompareOp, Inst as SlotInst, LoadOp, SourceLoc, StoreOp, TrapCode, Type,
    UnaryOp,
};
#[cfg(feature = "simd")]
use zwasm_regir::{
    simd::Width,
    simd_ops::{self, ExtractOp, ShiftOp, SplatOp, TernaryOp, TestOp},
};

/// The arguments of an instruction, which are part of it unless they are many.
pub type Values = SmallVec<[Value; 4]>;

/// A value of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub u32);

/// An instruction of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inst(pub u32);

/// A block of a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block(pub u32);

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Def {
    /// The result with this number of an instruction.
    Result(Inst, u32),
    /// The parameter with this number of a block.
    Param(Block, u32),
}

/// A place in a memory, but for its address, which is an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// The memory's index in the module.
    pub mem: u32,
    /// Is added to the address, without wrapping.
    pub offset: u64,
    /// Whether the access has to be compared with the memory's length, which is its third
    /// argument then. If not, guard pages bound it.
    pub checked: bool,
}

/// What an instruction does. The comments name the arguments, then the results.
///
/// Types are those of the table rows; `T` is the type of the result.
#[allow(missing_docs, reason = "the fields are indices of the module and columns of the tables")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// `() -> T`: a constant, as its slot would hold it.
    Const(u64),
    /// `(a) -> T`: the same value under another name, which has a register of its own.
    Copy,
    /// `(a) -> T`.
    Unary(UnaryOp),
    /// `(a, b) -> T`.
    Binary(BinaryOp),
    /// `(a, b) -> I32`.
    Compare(CompareOp),
    /// `(cond, a, b) -> T`: `cond != 0 ? a : b`.
    Select,
    /// `(a) -> T`: the bytes in the opposite order.
    ByteSwap,
    /// `(a, b)` or, of 128 bits, `(a low, a high, b low, b high) -> (low, high)`.
    Wide(WideOp),
    /// `() -> V128`: a constant, low half first.
    #[cfg(feature = "simd")]
    VectorConst([u64; 2]),
    /// As [`VectorOp`] says.
    #[cfg(feature = "simd")]
    Vector(VectorOp),

    /// `() -> I64`: the address of a memory's first byte.
    MemoryBase(u32),
    /// `() -> I64`: a memory's length in bytes.
    MemoryLen(u32),
    /// `(base, addr, [len]) -> T`.
    Load(LoadOp, Access),
    /// `(base, addr, [len], value)`.
    Store(StoreOp, Access),
    /// `(base, addr, [len]) -> V128`.
    #[cfg(feature = "simd")]
    VectorLoad(simd_ops::LoadOp, Access),
    /// `(base, addr, [len], vector) -> V128`.
    #[cfg(feature = "simd")]
    LoadLane(Width, u8, Access),
    /// `(base, addr, [len], vector)`.
    #[cfg(feature = "simd")]
    VectorStore(Access),
    /// `(base, addr, [len], vector)`.
    #[cfg(feature = "simd")]
    StoreLane(Width, u8, Access),
    /// `(base, addr, [len], operands..) -> T or nothing`.
    Atomic(AtomicOp, Access),
    /// `()`.
    AtomicFence,
    /// `() -> I32 or I64`: pages.
    MemorySize(u32),
    /// `(base, len, to, from, count)`, of a memory with 32-bit addresses that is not shared:
    /// copies bytes from one place to another.
    MemoryCopy(u32),
    /// `(base, len, to, value, count)`, of such a memory: fills bytes.
    MemoryFill(u32),

    /// `() -> T`.
    GlobalGet(u32),
    /// `(value)`.
    GlobalSet(u32),
    /// `(index) -> Ref`.
    TableGet(u32),
    /// `(index, value)`.
    TableSet(u32),
    /// `() -> I32 or I64`.
    TableSize(u32),
    /// `(index) -> I32`: whether the table holds this function of the same instance there.
    TableHolds { table: u32, func: u32 },
    /// `() -> Ref`.
    RefFunc(u32),

    /// `(object) -> T`; traps if null.
    StructGet { ty: u32, field: u32, extend: Extend },
    /// `(object, value)`; traps if null.
    StructSet { ty: u32, field: u32 },
    /// `(object, index) -> T`; traps if null or beyond the end.
    ArrayGet { ty: u32, extend: Extend },
    /// `(object, index, value)`; traps if null or beyond the end.
    ArraySet { ty: u32 },
    /// `(object) -> I32`; traps if null.
    ArrayLen,
    /// `(reference) -> I32`.
    RefTest(RefTarget),
    /// `(reference) -> Ref`: the same, or a trap.
    RefCast(RefTarget),
    /// `(reference) -> Ref`: the same, or a trap if null.
    RefAsNonNull,
    /// `(value) -> Ref`.
    I31New,
    /// `(reference) -> I32`; traps if null.
    I31Get(Extend),
    /// `(operands, in the order of slots) -> Ref or nothing`. Allocates, or works on a
    /// range of elements.
    Gc(GcOp),

    /// An instruction that its handler in the interpreter executes: `(operands..) ->
    /// (results..)`, both in the order of the slots that [`Handler`] gives them.
    Handler(Handler),

    /// `()`: pays, or traps.
    Fuel(u32),
    /// `()`: compares the epoch with the deadline.
    Epoch,

    /// `(arguments..) -> (results..)` of the function's type.
    Call { func: u32 },
    /// `(arguments.., index) -> (results..)`.
    CallIndirect { ty: u32, table: u32 },
    /// `(arguments.., reference) -> (results..)`.
    CallRef { ty: u32 },

    /// `() -> T`: a slot of the frame that on-stack replacement enters from; in the entry
    /// block only.
    FrameSlot(u32),
    /// `() -> T`: the value of the exception caught that has this slot among its values,
    /// or behind them the exception itself; at the start of a clause's block only.
    Landed(u32),
}

impl Op {
    /// The place in a memory that it accesses.
    pub fn access(&self) -> Option<&Access> {
        match self {
            Op::Load(_, access) | Op::Store(_, access) | Op::Atomic(_, access) => Some(access),
            #[cfg(feature = "simd")]
            Op::VectorLoad(_, access)
            | Op::LoadLane(_, _, access)
            | Op::VectorStore(access)
            | Op::StoreLane(_, _, access) => Some(access),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn access_mut(&mut self) -> Option<&mut Access> {
        match self {
            Op::Load(_, access) | Op::Store(_, access) | Op::Atomic(_, access) => Some(access),
            #[cfg(feature = "simd")]
            Op::VectorLoad(_, access)
            | Op::LoadLane(_, _, access)
            | Op::VectorStore(access)
            | Op::StoreLane(_, _, access) => Some(access),
            _ => None,
        }
    }
}

/// An op on vectors.
#[cfg(feature = "simd")]
#[allow(missing_docs, reason = "named as in `zwasm_regir::simd`")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum VectorOp {
    /// `(a) -> V128`.
    Unary(simd_ops::UnaryOp),
    /// `(a, b) -> V128`.
    Binary(simd_ops::BinaryOp),
    /// `(a, b, c) -> V128`.
    Ternary(TernaryOp),
    /// `(a, count) -> V128`.
    Shift(ShiftOp),
    /// `(a) -> I32`.
    Test(TestOp),
    /// `(scalar) -> V128`.
    Splat(SplatOp),
    /// `(a) -> scalar`.
    Extract(ExtractOp, u8),
    /// `(a, scalar) -> V128`.
    Replace(Width, u8),
    /// `(a, b) -> V128`.
    Shuffle([u8; 16]),
}

/// An instruction of the slot form that is left to its handler. Its operands are moved to
/// a scratch frame, `slots` slots long, and its slots are numbered there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Handler {
    /// The instruction, on slots of the scratch frame. Arguments fill the slots from the
    /// first on, each as many as its type has; results replace them from the first on.
    pub inst: SlotInst,
    /// How many slots its operands or results fill, whichever are more.
    pub slots: u32,
}

/// Where a branch goes, and what it passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// The block.
    pub block: Block,
    /// Its parameters' values.
    pub args: Vec<Value>,
}

/// Whom a tail call calls; the arguments are followed by an index or a reference.
#[allow(missing_docs, reason = "the fields are indices of the module")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    Direct { func: u32 },
    Indirect { ty: u32, table: u32 },
    Ref { ty: u32 },
}

/// A clause of a `try` around a call or throw, innermost `try` first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The tag that it catches; all exceptions without one.
    pub tag: Option<u32>,
    /// Whether the exception itself is wanted.
    pub by_ref: bool,
    /// Where it continues: a block of one predecessor, without parameters.
    pub block: Block,
}

/// How a block ends.
#[allow(missing_docs, reason = "the variants are explained")]
#[derive(Clone, Debug, PartialEq)]
pub enum Terminator {
    /// Goes on.
    Jump(Edge),
    /// Goes to `then` if the `I32` is not zero, else to `otherwise`.
    Branch { cond: Value, then: Edge, otherwise: Edge, likely: Likely },
    /// Goes to the edge with this number; beyond the end to the last.
    Table { index: Value, edges: Vec<Edge> },
    /// Returns these values.
    Return(Values),
    /// Replaces the frame by a call.
    TailCall { callee: Callee, args: Values },
    /// Traps.
    Trap(TrapCode),
    /// Throws a new exception. The clauses are those around it.
    Throw { tag: u32, args: Values, clauses: Vec<Clause> },
    /// Throws an exception again; traps if it is null.
    ThrowRef { exception: Value, clauses: Vec<Clause> },
    /// The block's last instruction is a call, which goes on at `returns`, a block
    /// without parameters and other predecessors, or at a clause.
    Try { returns: Block, clauses: Vec<Clause> },
    /// Not known yet; only while a function is built.
    None,
}

/// Which way a branch goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Likely {
    /// Nobody knows.
    #[default]
    Unknown,
    /// Nearly always to `then`.
    Then,
    /// Nearly always to `otherwise`.
    Otherwise,
}

/// An instruction: what it does, with what, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct InstData {
    /// What it does.
    pub op: Op,
    /// What with.
    pub args: Values,
    /// What it defines.
    pub results: SmallVec<[Value; 2]>,
    /// The WebAssembly instruction.
    pub source: SourceLoc,
}

/// A block.
#[derive(Clone, Debug)]
pub struct BlockData {
    /// Its parameters.
    pub params: Vec<Value>,
    /// Its instructions, in order.
    pub insts: Vec<Inst>,
    /// How it ends.
    pub terminator: Terminator,
    /// The instruction that the terminator came from.
    pub source: SourceLoc,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
pub struct ValueData {
    /// Its type.
    pub ty: Type,
    /// Where it is defined.
    pub def: Def,
}

/// A function in SSA form.
#[derive(Clone, Debug, Default)]
pub struct Func {
    /// The blocks by number; those that nothing leads to are ignored.
    pub blocks: Vec<BlockData>,
    /// The instructions by number; those in no block are ignored.
    pub insts: Vec<InstData>,
    /// The values by number.
    pub values: Vec<ValueData>,
    /// Where control enters; nothing leads back to it. Its parameters are the function's,
    /// none if it is entered by on-stack replacement.
    pub entry: Block,
    /// The types of the results.
    pub results: Vec<Type>,
}

impl Func {
    /// Adds an empty block.
    pub fn add_block(&mut self) -> Block {
        let block = Block(self.blocks.len() as u32);
        self.blocks.push(BlockData {
            params: Vec::new(),
            insts: Vec::new(),
            terminator: Terminator::None,
            source: SourceLoc::default(),
        });
        block
    }

    /// Adds a parameter to a block.
    pub fn add_param(&mut self, block: Block, ty: Type) -> Value {
        let number = self.block(block).params.len() as u32;
        let value = self.add_value(ty, Def::Param(block, number));
        self.block_mut(block).params.push(value);
        value
    }

    /// Says of the parameters of a block again which they are, after some have gone.
    pub fn number_params(&mut self, block: Block) {
        let data = &self.blocks[block.0 as usize];
        for (number, param) in data.params.iter().enumerate() {
            self.values[param.0 as usize].def = Def::Param(block, number as u32);
        }
    }

    /// Makes an instruction, in no block yet, with results of these types.
    pub fn add_inst(&mut self, op: Op, args: Values, results: &[Type], source: SourceLoc) -> Inst {
        let inst = Inst(self.insts.len() as u32);
        self.insts.push(InstData { op, args, results: SmallVec::new(), source });
        for (number, &ty) in results.iter().enumerate() {
            let value = self.add_value(ty, Def::Result(inst, number as u32));
            self.insts[inst.0 as usize].results.push(value);
        }
        inst
    }

    fn add_value(&mut self, ty: Type, def: Def) -> Value {
        let value = Value(self.values.len() as u32);
        self.values.push(ValueData { ty, def });
        value
    }

    /// A block.
    pub fn block(&self, block: Block) -> &BlockData {
        &self.blocks[block.0 as usize]
    }

    /// A block, to be changed.
    pub fn block_mut(&mut self, block: Block) -> &mut BlockData {
        &mut self.blocks[block.0 as usize]
    }

    /// An instruction.
    pub fn inst(&self, inst: Inst) -> &InstData {
        &self.insts[inst.0 as usize]
    }

    /// An instruction, to be changed.
    pub fn inst_mut(&mut self, inst: Inst) -> &mut InstData {
        &mut self.insts[inst.0 as usize]
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> Type {
        self.values[value.0 as usize].ty
    }

    /// Where a value is defined.
    pub fn def(&self, value: Value) -> Def {
        self.values[value.0 as usize].def
    }

    /// The instruction that defines a value, if one does.
    pub fn def_inst(&self, value: Value) -> Option<&InstData> {
        match self.def(value) {
            Def::Result(inst, _) => Some(self.inst(inst)),
            Def::Param(..) => None,
        }
    }

    /// The bits of a value that is a constant.
    pub fn constant(&self, value: Value) -> Option<u64> {
        match self.def_inst(value)?.op {
            Op::Const(bits) => Some(bits),
            _ => None,
        }
    }
}

impl Terminator {
    /// Visits the blocks that control may go to, in order.
    pub fn successors(&self, visit: &mut dyn FnMut(Block)) {
        match self {
            Terminator::Jump(edge) => visit(edge.block),
            Terminator::Branch { then, otherwise, .. } => {
                visit(then.block);
                visit(otherwise.block);
            }
            Terminator::Table { edges, .. } => edges.iter().for_each(|edge| visit(edge.block)),
            Terminator::Throw { clauses, .. } | Terminator::ThrowRef { clauses, .. } => {
                clauses.iter().for_each(|clause| visit(clause.block));
            }
            Terminator::Try { returns, clauses } => {
                visit(*returns);
                clauses.iter().for_each(|clause| visit(clause.block));
            }
            Terminator::Return(_)
            | Terminator::TailCall { .. }
            | Terminator::Trap(_)
            | Terminator::None => {}
        }
    }

    /// Visits the values that it reads, those that edges pass included.
    pub fn args_mut(&mut self, visit: &mut dyn FnMut(&mut Value)) {
        match self {
            Terminator::Jump(edge) => edge.args.iter_mut().for_each(visit),
            Terminator::Branch { cond, then, otherwise, .. } => {
                visit(cond);
                then.args.iter_mut().chain(&mut otherwise.args).for_each(visit);
            }
            Terminator::Table { index, edges } => {
                visit(index);
                edges.iter_mut().flat_map(|edge| &mut edge.args).for_each(visit);
            }
            Terminator::Return(args)
            | Terminator::TailCall { args, .. }
            | Terminator::Throw { args, .. } => args.iter_mut().for_each(visit),
            Terminator::ThrowRef { exception, .. } => visit(exception),
            Terminator::Trap(_) | Terminator::Try { .. } | Terminator::None => {}
        }
    }

    /// Visits the values that it reads, those that edges pass included.
    pub fn args(&self, visit: &mut dyn FnMut(Value)) {
        let mut each = |args: &[Value]| args.iter().for_each(|arg| visit(*arg));
        match self {
            Terminator::Jump(edge) => each(&edge.args),
            Terminator::Branch { cond, then, otherwise, .. } => {
                each(&[*cond]);
                each(&then.args);
                each(&otherwise.args);
            }
            Terminator::Table { index, edges } => {
                each(&[*index]);
                edges.iter().for_each(|edge| each(&edge.args));
            }
            Terminator::Return(args)
            | Terminator::TailCall { args, .. }
            | Terminator::Throw { args, .. } => each(args),
            Terminator::ThrowRef { exception, .. } => each(&[*exception]),
            Terminator::Trap(_) | Terminator::Try { .. } | Terminator::None => {}
        }
    }

    /// Visits the edges that pass values.
    pub fn edges_mut(&mut self, visit: &mut dyn FnMut(&mut Edge)) {
        match self {
            Terminator::Jump(edge) => visit(edge),
            Terminator::Branch { then, otherwise, .. } => {
                visit(then);
                visit(otherwise);
            }
            Terminator::Table { edges, .. } => edges.iter_mut().for_each(visit),
            Terminator::Return(_)
            | Terminator::TailCall { .. }
            | Terminator::Trap(_)
            | Terminator::Throw { .. }
            | Terminator::ThrowRef { .. }
            | Terminator::Try { .. }
            | Terminator::None => {}
        }
    }
}
