//! x86-64: selection of instructions, and their emission.
//!
//! What an op becomes stands in the file of its kind; `Select` is what they share.

mod allocate;
mod atomic;
mod bulk;
mod bytes;
mod call;
mod compare;
mod control;
mod emit;
mod float;
mod handler;
mod inst;
mod instance;
mod integer;
mod memory;
mod objects;
mod regs;
pub mod stubs;
#[cfg(all(test, feature = "simd"))]
mod tests;
mod traps;
#[cfg(feature = "simd")]
mod vector;
#[cfg(feature = "simd")]
mod vector_inst;

use super::facts::Facts;
use super::layout::Layout;
use super::machine::{self, Flow, Machine, read, write, write_early_in};
use super::nulls::Nulls;
use super::{Clauses, Scratch};
use crate::asm::AsmLabel;
use crate::code::NativeCode;
use crate::isa::x64::INT_SCRATCH;
use crate::isa::x64::integer::immediate;
use crate::isa::{Primitives, Size};
use crate::ssa::graph::Graph;
use crate::ssa::{Block, Func, InstData, Op, Terminator, Value};
use crate::target::Features;
use crate::tuning::{MAX_LIVES, MAX_MACHINE_INSTS, MAX_MERGES, UNASKED};
use crate::{CompileError, Environment, VmLayout};
use emit::Emission;
pub(crate) use inst::{Address, Callee, Data, Inst, Load, Sequence, Src};
use regalloc2::{Operand, VReg};
use regs::preg;
use zwasm_regir::{SourceLoc, Type};

/// Data behind the code that selection has named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    /// A float.
    Word(u64),
    /// Both halves of a vector, low half first.
    #[cfg(feature = "simd")]
    Pair([u64; 2]),
}

/// Literals that are looked at for one to use again.
const RECENT_LITERALS: usize = 32;

/// Operands of the instruction that is put together.
pub(crate) struct Ops {
    list: [Operand; 12],
    len: usize,
    /// What the instruction is for where it traps, if that is a load which is part of it.
    source: Option<SourceLoc>,
}

impl Ops {
    /// These.
    pub(crate) fn of(operands: &[Operand]) -> Ops {
        let filler = Operand::reg_use(VReg::new(0, regalloc2::RegClass::Int));
        let mut ops = Ops { list: [filler; 12], len: 0, source: None };
        operands.iter().for_each(|operand| ops.push(*operand));
        ops
    }

    /// And one more.
    pub(crate) fn push(&mut self, operand: Operand) {
        self.list[self.len] = operand;
        self.len += 1;
    }

    fn all(&self) -> &[Operand] {
        &self.list[..self.len]
    }
}

/// Selects the instructions of one function.
pub(crate) struct Select<'a> {
    pub(crate) func: &'a Func,
    pub(crate) env: &'a dyn Environment,
    pub(crate) layout: &'a VmLayout,
    pub(crate) features: Features,
    facts: Facts,
    nulls: Nulls,
    blocks: &'a Layout,
    machine: Machine,
    insts: Vec<Inst>,
    sources: Vec<SourceLoc>,
    /// What instructions are put for.
    source: SourceLoc,
    /// For each value its register; none yet if nothing put so far reads it.
    vregs: Vec<Option<VReg>>,
    /// Instructions that are part of one put before.
    taken: Vec<bool>,
    /// The region of the instruction that is selected.
    region: u32,
    literals: Vec<Literal>,
    clauses: Vec<Clauses>,
    /// The successors that jump tables name.
    tables: Vec<Vec<u32>>,
    scratches: Vec<Scratch>,
    /// Whether the function calls or leaves for handlers.
    calls: bool,
    /// The frame that on-stack replacement enters from, if something is read there.
    slots: Option<VReg>,
    /// For each block, by its place, the one whose call leads there, if one does.
    arrivals: Vec<Option<Block>>,
    /// Whether the reference that the instruction selected checks is not null.
    non_null: bool,
    /// The heap's base, if what has been selected since it may have changed wants it.
    heap: Option<VReg>,
    /// Whether memory 0 has [`regs::MEMORY`].
    pinned: bool,
    /// Whether it is entered with arguments.
    with_args: bool,
    failed: Option<CompileError>,
}

/// Compiles a function whose critical edges are split.
pub(super) fn compile(
    func: &Func,
    env: &dyn Environment,
    with_args: bool,
    listing: bool,
) -> Result<NativeCode, CompileError> {
    let graph = Graph::of(func);
    let layout = Layout::of(func, &graph);
    let features = env.target().features;
    let facts = Facts::of(func, &layout, env);
    let (pinned, metered) = (env.memory_is_pinned(), env.consumes_fuel());
    let mut select = Select {
        func,
        env,
        layout: env.layout(),
        features,
        nulls: Nulls::of(func, &graph, &facts),
        facts,
        blocks: &layout,
        machine: Machine::new(layout.blocks.len(), regs::clobbers(pinned, metered)),
        insts: Vec::with_capacity(func.insts.len()),
        sources: Vec::with_capacity(func.insts.len()),
        source: SourceLoc::default(),
        vregs: vec![None; func.values.len()],
        taken: vec![false; func.insts.len()],
        region: 0,
        literals: Vec::new(),
        clauses: Vec::new(),
        heap: None,
        tables: Vec::new(),
        non_null: false,
        scratches: Vec::new(),
        calls: false,
        slots: None,
        arrivals: arrivals(func, &layout),
        pinned,
        with_args,
        failed: None,
    };
    if func.values.iter().any(|value| value.ty == Type::V128) {
        select.machine.float_words = 2;
    }
    select.run()?;
    let registers = regs::environment(pinned, metered);
    let output = machine::allocate(&select.machine, &registers, &regs::SCRATCH)?;
    if env.stopped() {
        return Err(CompileError::Stopped);
    }
    let emission = Emission {
        machine: &select.machine,
        insts: &select.insts,
        sources: &select.sources,
        output: &output,
        order: &layout.memory,
        clauses: &select.clauses,
        tables: &select.tables,
        scratches: &select.scratches,
        literals: &select.literals,
        metered,
        calls: select.calls,
        clears: select.calls && func.values.iter().any(|value| value.ty == Type::Ref),
    };
    let code = emission.run(env, features, listing)?;
    if code.bytes.len() > env.max_code() {
        return Err(CompileError::Unsupported);
    }
    Ok(code)
}

/// For each block, by its place, the one whose call leads there, if one does.
fn arrivals(func: &Func, layout: &Layout) -> Vec<Option<Block>> {
    let mut arrivals = vec![None; layout.blocks.len()];
    for &block in &layout.blocks {
        let terminator = &func.block(block).terminator;
        match terminator {
            Terminator::Try { .. } | Terminator::Throw { .. } | Terminator::ThrowRef { .. } => {
                terminator.successors(&mut |to| {
                    if let Some(place) = layout.place[to.0 as usize] {
                        arrivals[place as usize] = Some(block);
                    }
                });
            }
            Terminator::Jump(_)
            | Terminator::Branch { .. }
            | Terminator::Table { .. }
            | Terminator::Return(_)
            | Terminator::TailCall { .. }
            | Terminator::Trap(_)
            | Terminator::None => {}
        }
    }
    arrivals
}

impl<'a> Select<'a> {
    fn run(&mut self) -> Result<(), CompileError> {
        let mut asked = 0;
        for (place, &block) in self.blocks.blocks.iter().enumerate().rev() {
            self.block(place, block);
            if let Some(error) = self.failed {
                return Err(error);
            }
            if self.machine.len() > MAX_MACHINE_INSTS {
                return Err(CompileError::Unsupported);
            }
            if self.machine.len() - asked > UNASKED {
                asked = self.machine.len();
                if self.env.stopped() {
                    return Err(CompileError::Stopped);
                }
            }
        }
        self.machine.finish();
        if self.machine.lives() > MAX_LIVES || self.machine.merges() > MAX_MERGES {
            return Err(CompileError::Unsupported);
        }
        self.insts.reverse();
        self.sources.reverse();
        Ok(())
    }

    fn block(&mut self, place: usize, block: Block) {
        let start = self.machine.len();
        let func = self.func;
        let data = func.block(block);
        self.source = data.source;
        self.region = self.facts.end(block);
        // A call in a try is part of the terminator.
        let mut insts = &data.insts[..];
        let from = start;
        match (&data.terminator, insts.split_last()) {
            (Terminator::Try { returns, clauses }, Some((call, rest))) => {
                insts = rest;
                self.region = self.facts.region(*call);
                self.source = func.inst(*call).source;
                self.call_in_try(place, func.inst(*call), *returns, clauses);
            }
            (terminator, _) => self.terminator(place, terminator),
        }
        self.turn(from);
        let moves = |mem: u32| self.env.memory(mem).guard.is_none();
        for &inst in insts.iter().rev() {
            if self.taken[inst.0 as usize] {
                continue;
            }
            let data = func.inst(inst);
            let is_read = data.results.iter().any(|result| self.vregs[result.0 as usize].is_some());
            if !is_read && data.op.effects(&moves).is_removable() {
                continue;
            }
            self.source = data.source;
            self.region = self.facts.region(inst);
            self.non_null = self.nulls.is_known(inst);
            if data.op.effects(&moves).leaves {
                self.load_heap();
            }
            let from = self.machine.len();
            // A block may be the whole function.
            if from > MAX_MACHINE_INSTS {
                self.failed = Some(CompileError::Unsupported);
                return;
            }
            self.inst(data);
            self.turn(from);
        }
        self.load_heap();
        let from = self.machine.len();
        self.source = data.source;
        self.start(place, block);
        self.turn(from);
        self.machine.block(place, start);
        if place != 0 {
            let params: Vec<VReg> = data.params.iter().map(|param| self.vreg(*param)).collect();
            self.machine.params(place, params.into_iter());
        }
    }

    /// What has been put from here on was put in order.
    fn turn(&mut self, from: usize) {
        self.machine.reverse(from);
        self.insts[from..].reverse();
        self.sources[from..].reverse();
    }

    fn inst(&mut self, data: &InstData) {
        match data.op {
            Op::Const(_) => {}
            Op::Copy => self.copy(data),
            Op::Unary(op) => self.unary(op, data),
            Op::Binary(op) => self.binary(op, data),
            Op::Compare(_) => self.compare(data),
            Op::Select => self.select(data),
            Op::ByteSwap => self.byte_swap(data),
            Op::Wide(op) => self.wide(op, data),
            // It has a register from the start.
            Op::MemoryBase(0) if self.pinned => {}
            Op::MemoryBase(mem) => self.memory_field(mem, self.layout.memory_base, data),
            Op::MemoryLen(mem) => self.memory_field(mem, self.layout.memory_len, data),
            Op::Load(op, access) => self.load(op, access, data),
            Op::Store(op, access) => self.store(op, access, data),
            Op::MemorySize(mem) => self.memory_size(mem, data),
            Op::MemoryCopy(mem) => self.memory_copy(mem, data),
            Op::MemoryFill(mem) => self.memory_fill(mem, data),
            Op::GlobalGet(global) => self.global_get(global, data),
            Op::GlobalSet(global) => self.global_set(global, data),
            Op::TableGet(table) => self.table_get(table, data),
            Op::TableSet(table) => self.table_set(table, data),
            Op::TableSize(table) => self.table_size(table, data),
            Op::RefFunc(func) => self.ref_func(func, data),
            Op::RefAsNonNull => self.ref_as_non_null(data),
            Op::Handler(handler) => self.handler(handler, data),
            Op::Fuel(cost) => self.fuel(cost),
            Op::Epoch => self.epoch(),
            Op::Call { .. } | Op::CallIndirect { .. } | Op::CallRef { .. } => self.call(data),
            // They are read where the block starts.
            Op::FrameSlot(slot) => self.frame_slot(slot, data),
            Op::Landed(slot) => self.landed(slot, data),
            #[cfg(feature = "simd")]
            Op::VectorConst(halves) => self.vector_constant(halves, data),
            #[cfg(feature = "simd")]
            Op::Vector(op) => self.vector(op, data),
            #[cfg(feature = "simd")]
            Op::VectorLoad(op, access) => self.vector_load(op, access, data),
            #[cfg(feature = "simd")]
            Op::LoadLane(width, lane, access) => self.load_lane(width, lane, access, data),
            #[cfg(feature = "simd")]
            Op::VectorStore(access) => self.vector_store(access, data),
            #[cfg(feature = "simd")]
            Op::StoreLane(width, lane, access) => self.store_lane(width, lane, access, data),
            Op::Atomic(op, access) => self.atomic(op, access, data),
            Op::AtomicFence => self.atomic_fence(),
            Op::StructGet { ty, field, extend } => self.struct_get(ty, field, extend, data),
            Op::StructSet { ty, field } => self.struct_set(ty, field, data),
            Op::ArrayGet { ty, extend } => self.array_get(ty, extend, data),
            Op::ArraySet { ty } => self.array_set(ty, data),
            Op::ArrayLen => self.array_len(data),
            Op::RefTest(target) => self.ref_test(target, data),
            Op::RefCast(target) => self.ref_cast(target, data),
            Op::I31New => self.i31_new(data),
            Op::I31Get(extend) => self.i31_get(extend, data),
            Op::Gc(op) => self.gc(op, data),
            Op::TableHolds { table, func } => self.table_holds(table, func, data),
        }
    }

    // Registers of values.

    /// A new virtual register, of a value of this type.
    pub(crate) fn fresh(&mut self, ty: Type) -> VReg {
        self.machine.vreg(regs::class(ty))
    }

    /// The register of a value, to be written or read, but not of a constant to be read.
    fn vreg(&mut self, value: Value) -> VReg {
        let value = self.facts.root(value);
        if let Some(vreg) = self.vregs[value.0 as usize] {
            return vreg;
        }
        let vreg = self.fresh(self.func.ty(value));
        self.vregs[value.0 as usize] = Some(vreg);
        vreg
    }

    /// Whether a value is the first byte of memory 0, which has its own register.
    pub(crate) fn is_pinned(&self, value: Value) -> bool {
        self.pinned && self.def(value).is_some_and(|data| data.op == Op::MemoryBase(0))
    }

    /// The register of a result.
    pub(crate) fn result(&mut self, data: &InstData) -> VReg {
        self.vreg(data.results[0])
    }

    /// The register of a value to be read.
    pub(crate) fn reg(&mut self, value: Value) -> VReg {
        let value = self.facts.root(value);
        match self.func.constant(value) {
            Some(bits) => self.constant(self.func.ty(value), bits),
            None if self.is_pinned(value) => {
                let dst = self.fresh(Type::I64);
                let copy: Sequence = |e, regs, _| e.asm.mov(regs.reg(), regs::MEMORY);
                self.plain(copy, Data::bits(0), &[write(dst)]);
                dst
            }
            None => self.vreg(value),
        }
    }

    /// A register with a constant.
    pub(crate) fn constant(&mut self, ty: Type, bits: u64) -> VReg {
        let dst = self.fresh(ty);
        let inst = match ty {
            Type::F32 => Inst::FloatConst { bits, single: true },
            Type::F64 => Inst::FloatConst { bits, single: false },
            Type::I32 | Type::I64 | Type::Ref | Type::V128 => Inst::Const(bits),
        };
        self.put(inst, &[write(dst)]);
        dst
    }

    /// A register whose lower 32 bits are a value's.
    pub(crate) fn reg_32(&mut self, value: Value) -> VReg {
        let value = self.unwrapped(value);
        self.reg(value)
    }

    /// What the lower half of a value is the lower half of.
    pub(crate) fn unwrapped(&self, value: Value) -> Value {
        match self.single_def(value) {
            Some(InstData { op: Op::Unary(zwasm_regir::UnaryOp::I32WrapI64), args, .. }) => {
                self.facts.root(args[0])
            }
            _ => value,
        }
    }

    /// A constant that an instruction can have in it.
    pub(crate) fn immediate(&self, value: Value, wide: bool) -> Option<i32> {
        self.func.constant(self.facts.root(value)).and_then(|bits| immediate(bits, wide))
    }

    /// The instruction that defines a value, if nobody else reads it.
    pub(crate) fn single_def(&self, value: Value) -> Option<&'a InstData> {
        self.def(value).filter(|_| self.facts.is_single(value))
    }

    /// The instruction that defines a value.
    pub(crate) fn def(&self, value: Value) -> Option<&'a InstData> {
        self.func.def_inst(self.facts.root(value))
    }

    /// What an instruction reads as its last operand, of integers: a constant, a place in
    /// memory if it is loaded for this only, or a register.
    pub(crate) fn src(&mut self, value: Value, wide: bool, ops: &mut Ops) -> Src {
        if let Some(value) = self.immediate(value, wide) {
            return Src::Imm(value);
        }
        self.src_rm(value, if wide { Size::B8 } else { Size::B4 }, ops)
    }

    /// The same, but no constant.
    pub(crate) fn src_rm(&mut self, value: Value, size: Size, ops: &mut Ops) -> Src {
        if let Some(address) = self.take_load(value, size, ops) {
            return Src::Mem(address);
        }
        let value = if size == Size::B4 { self.unwrapped(value) } else { value };
        match (self.func.constant(self.facts.root(value)), self.func.ty(value)) {
            (Some(bits), Type::F32 | Type::F64) if bits != 0 => {
                Src::Label(self.literal(Literal::Word(bits)))
            }
            _ => {
                // Not from its spill slot: another reader nearby may want it in a register too.
                let reg = self.reg(value);
                ops.push(read(reg));
                Src::Operand
            }
        }
    }

    /// The label of data behind the code.
    pub(crate) fn literal(&mut self, literal: Literal) -> AsmLabel {
        let recent = self.literals.iter().rev().take(RECENT_LITERALS);
        let back = recent.into_iter().position(|each| *each == literal);
        let index = match back {
            Some(back) => self.literals.len() - 1 - back,
            None => {
                self.literals.push(literal);
                self.literals.len() - 1
            }
        };
        // Emission gives them the first labels.
        AsmLabel(index as u32)
    }

    // Instructions.

    /// Puts an instruction behind those put for the same op.
    pub(crate) fn put(&mut self, inst: Inst, operands: &[Operand]) {
        self.put_as(inst, Flow::Next, operands, 0);
    }

    fn put_as(&mut self, inst: Inst, flow: Flow, operands: &[Operand], clobbers: u8) {
        let scratch = inst.needs_scratch().then(|| {
            let scratch = self.fresh(Type::I64);
            write_early_in(scratch, preg(INT_SCRATCH))
        });
        self.machine.inst(flow, operands, scratch, clobbers);
        self.insts.push(inst);
        self.sources.push(self.source);
    }

    /// The same, with operands of a place.
    pub(crate) fn put_ops(&mut self, inst: Inst, ops: &Ops) {
        let own = self.source;
        self.source = ops.source.unwrap_or(own);
        self.put(inst, ops.all());
        self.source = own;
    }

    /// Puts a sequence that leaves the scratch register alone.
    pub(crate) fn plain(&mut self, sequence: Sequence, data: Data, operands: &[Operand]) {
        self.put(Inst::Plain(sequence, data), operands);
    }

    /// Puts a sequence.
    pub(crate) fn sequence(&mut self, sequence: Sequence, data: Data, operands: &[Operand]) {
        self.put(Inst::Seq(sequence, data), operands);
    }
}

impl From<regalloc2::RegAllocError> for CompileError {
    /// There is no function without an allocation; one that is found wanting by a mistake
    /// stays where it is.
    fn from(error: regalloc2::RegAllocError) -> CompileError {
        debug_assert!(false, "registers are not allocated: {error}");
        CompileError::Unsupported
    }
}
