//! Checks that a function is what SSA promises; between passes in debug builds.

use super::graph::Graph;
use super::{Block, Callee, Clause, Def, Edge, Func, Handler, InstData, Op, Terminator, Value};
#[cfg(feature = "simd")]
use super::{VectorOp, simd_ops::ExtractOp};
use crate::Environment;
use zwasm_regir::gc::GcOp;
use zwasm_regir::inst::WideOp;
#[cfg(feature = "simd")]
use zwasm_regir::simd::Width;
use zwasm_regir::types::slots_of;
use zwasm_regir::{Inst as SlotInst, Type};

/// Panics with what is wrong, if something is: a use that its definition does not
/// dominate, an edge with other arguments than its block has parameters, a type that its
/// op does not take, a block without terminator, a call inside a try that is not the last
/// of its block, a block of a clause with other ways to it.
///
/// Of integers of 64 bits and references one may stand for the other.
pub fn verify(func: &Func, env: &dyn Environment, after: &str) {
    let graph = Graph::of(func);
    let mut verifier = Verifier {
        func,
        env,
        after,
        place: vec![None; func.values.len()],
        graph,
        block: func.entry,
    };
    verifier.define_all();
    verifier.check_all();
}

struct Verifier<'a> {
    func: &'a Func,
    env: &'a dyn Environment,
    after: &'a str,
    graph: Graph,
    /// For each value the block it is defined in and how many instructions stand before.
    place: Vec<Option<(Block, usize)>>,
    block: Block,
}

impl Verifier<'_> {
    #[track_caller]
    fn check(&self, holds: bool, what: &dyn core::fmt::Display) {
        if !holds {
            panic!("after {}, in {}: {what}\n{}", self.after, self.block, self.func);
        }
    }

    fn define_all(&mut self) {
        let mut seen = vec![false; self.func.insts.len()];
        for block in self.graph.order.clone() {
            self.block = block;
            let data = self.func.block(block);
            for (number, &param) in data.params.iter().enumerate() {
                self.define(param, 0, Def::Param(block, number as u32));
            }
            for (number, &inst) in data.insts.iter().enumerate() {
                self.check(
                    !core::mem::replace(&mut seen[inst.0 as usize], true),
                    &format_args!("instruction {} is there twice", inst.0),
                );
                for (result, &value) in self.func.inst(inst).results.iter().enumerate() {
                    self.define(value, number + 1, Def::Result(inst, result as u32));
                }
            }
        }
    }

    fn define(&mut self, value: Value, at: usize, def: Def) {
        let first = self.place[value.0 as usize].is_none();
        self.check(first, &format_args!("{value} is defined twice"));
        self.check(
            self.func.def(value) == def,
            &format_args!("{value} is said to be defined elsewhere"),
        );
        self.place[value.0 as usize] = Some((self.block, at));
    }

    /// A value is read by the instruction with this number in its block.
    fn uses(&self, value: Value, at: usize) {
        let Some((block, defined)) = self.place[value.0 as usize] else {
            return self.check(false, &format_args!("{value} is not defined"));
        };
        let before = if block == self.block {
            defined <= at
        } else {
            self.graph.dominates(block, self.block)
        };
        self.check(before, &format_args!("{value} is used where it is not defined"));
    }

    fn check_all(&mut self) {
        self.check(
            self.graph.predecessors(self.func.entry).is_empty(),
            &"control gets back to the entry",
        );
        for block in self.graph.order.clone() {
            self.block = block;
            let data = self.func.block(block);
            for (number, &inst) in data.insts.iter().enumerate() {
                let inst = self.func.inst(inst);
                inst.args.iter().for_each(|value| self.uses(*value, number));
                self.types(inst);
                self.position(inst);
            }
            let mut terminator = data.terminator.clone();
            terminator.args_mut(&mut |value| self.uses(*value, data.insts.len()));
            terminator.edges_mut(&mut |edge| self.edge(edge));
            self.terminator(&data.terminator);
        }
    }

    /// Checks what stands only in certain blocks.
    fn position(&self, inst: &InstData) {
        match inst.op {
            Op::FrameSlot(_) => {
                self.check(self.block == self.func.entry, &"a slot is read behind the entry");
            }
            Op::Landed(_) => {
                let from = self.graph.predecessors(self.block);
                let caught = from.iter().all(|from| {
                    let clauses = match &self.func.block(*from).terminator {
                        Terminator::Throw { clauses, .. }
                        | Terminator::ThrowRef { clauses, .. }
                        | Terminator::Try { clauses, .. } => clauses,
                        _ => return false,
                    };
                    clauses.iter().any(|clause| clause.block == self.block)
                });
                self.check(caught, &"nothing is caught here");
            }
            _ => {}
        }
    }

    fn edge(&self, edge: &Edge) {
        let params = &self.func.block(edge.block).params;
        self.check(
            params.len() == edge.args.len(),
            &format_args!("{edge} passes too much or little"),
        );
        for (arg, param) in edge.args.iter().zip(params) {
            self.fits(*arg, self.func.ty(*param), edge);
        }
    }

    fn fits(&self, value: Value, ty: Type, what: &dyn core::fmt::Display) {
        let found = self.func.ty(value);
        self.check(fits(found, ty), &format_args!("{what}: {value} is no {ty:?} but {found:?}"));
    }

    /// A block that one edge leads to, which passes nothing.
    fn single(&self, block: Block) {
        let edges = self.graph.predecessors(block).len();
        self.check(edges == 1, &format_args!("{block} is reached by {edges} edges"));
        let params = &self.func.block(block).params;
        self.check(params.is_empty(), &format_args!("{block} has parameters"));
    }

    fn clauses(&self, clauses: &[Clause]) {
        clauses.iter().for_each(|clause| self.single(clause.block));
    }

    fn values(&self, values: &[Value], types: &[Type], what: &dyn core::fmt::Display) {
        self.check(values.len() == types.len(), &format_args!("{what}: {} values", values.len()));
        values.iter().zip(types).for_each(|(value, ty)| self.fits(*value, *ty, what));
    }

    fn terminator(&self, terminator: &Terminator) {
        match terminator {
            Terminator::Jump(_) | Terminator::Trap(_) => {}
            Terminator::Branch { cond, .. } => self.fits(*cond, Type::I32, terminator),
            Terminator::Table { index, edges } => {
                self.fits(*index, Type::I32, terminator);
                self.check(!edges.is_empty(), &"a table leads nowhere");
            }
            Terminator::Return(values) => self.values(values, &self.func.results, terminator),
            Terminator::TailCall { callee, args } => {
                let (ty, target) = match *callee {
                    Callee::Direct { func } => (self.env.func_type(func), None),
                    Callee::Indirect { ty, table } => (ty, Some(self.table_index(table))),
                    Callee::Ref { ty } => (ty, Some(Type::Ref)),
                };
                let mut types = self.env.signature(ty).params.to_vec();
                types.extend(target);
                self.values(args, &types, terminator);
            }
            Terminator::Throw { tag, args, clauses } => {
                let types = self.env.signature(self.env.tag_type(*tag)).params;
                self.values(args, types, terminator);
                self.clauses(clauses);
            }
            Terminator::ThrowRef { exception, clauses } => {
                self.fits(*exception, Type::Ref, terminator);
                self.clauses(clauses);
            }
            Terminator::Try { returns, clauses } => {
                let last = self.func.block(self.block).insts.last();
                let calls = last.is_some_and(|inst| {
                    let op = &self.func.inst(*inst).op;
                    matches!(op, Op::Call { .. } | Op::CallIndirect { .. } | Op::CallRef { .. })
                });
                self.check(calls, &"nothing is called inside a try");
                self.single(*returns);
                self.clauses(clauses);
            }
            Terminator::None => self.check(false, &"the block has no end"),
        }
    }

    fn table_index(&self, table: u32) -> Type {
        if self.env.table_is_64(table) { Type::I64 } else { Type::I32 }
    }

    fn index(&self, memory: u32) -> Type {
        if self.env.memory(memory).is_64 { Type::I64 } else { Type::I32 }
    }

    /// Checks the types of arguments and results.
    fn types(&self, inst: &InstData) {
        let types = Types {
            inst,
            func: self.func,
            expected: core::cell::RefCell::new((Vec::new(), Vec::new())),
        };
        self.expect(&inst.op, &types);
        let (args, results) = types.expected.into_inner();
        self.values(&inst.args, &args, &inst.op);
        self.values(&inst.results, &results, &inst.op);
    }

    fn access(&self, access: super::Access, types: &Types<'_>) {
        types.takes(&[Type::I64, self.index(access.mem)]);
        if access.checked {
            types.takes(&[Type::I64]);
        }
    }

    /// Says what an op takes and gives.
    fn expect(&self, op: &Op, types: &Types<'_>) {
        use Type::{I32, I64, Ref, V128};
        let env = self.env;
        match *op {
            Op::Const(_) => types.same_results(),
            Op::Unary(op) => types.are(&[op.operand()], &[op.result()]),
            Op::Binary(op) => types.are(&[op.result(); 2], &[op.result()]),
            Op::Compare(op) => types.are(&[op.operand(); 2], &[I32]),
            Op::Copy | Op::ByteSwap => {
                let ty = types.result();
                types.are(&[ty], &[ty]);
            }
            Op::Select => {
                let ty = types.result();
                types.are(&[I32, ty, ty], &[ty]);
            }
            Op::Wide(WideOp::Add128 | WideOp::Sub128) => types.are(&[I64; 4], &[I64; 2]),
            Op::Wide(WideOp::MulWideS | WideOp::MulWideU) => types.are(&[I64; 2], &[I64; 2]),
            #[cfg(feature = "simd")]
            Op::VectorConst(_) => types.gives(&[V128]),
            #[cfg(feature = "simd")]
            Op::Vector(op) => vector(op, types),
            Op::MemoryBase(_) | Op::MemoryLen(_) => types.gives(&[I64]),
            Op::Load(op, access) => {
                self.access(access, types);
                types.gives(&[op.result()]);
            }
            Op::Store(op, access) => {
                self.access(access, types);
                types.takes(&[op.operand()]);
            }
            #[cfg(feature = "simd")]
            Op::VectorLoad(_, access) => {
                self.access(access, types);
                types.gives(&[V128]);
            }
            #[cfg(feature = "simd")]
            Op::LoadLane(_, _, access) => {
                self.access(access, types);
                types.are(&[V128], &[V128]);
            }
            #[cfg(feature = "simd")]
            Op::VectorStore(access) | Op::StoreLane(_, _, access) => {
                self.access(access, types);
                types.takes(&[V128]);
            }
            Op::Atomic(op, access) => {
                self.access(access, types);
                types.takes(&[op.value(); 2][..op.operands()]);
                types.gives(&[op.value()][..usize::from(op.has_result())]);
            }
            Op::AtomicFence | Op::Fuel(_) | Op::Epoch => {}
            Op::MemoryCopy(_) | Op::MemoryFill(_) => types.takes(&[I64, I64, I32, I32, I32]),
            Op::MemorySize(memory) => types.gives(&[self.index(memory)]),
            Op::GlobalGet(global) => types.gives(&[env.global_type(global)]),
            Op::GlobalSet(global) => types.takes(&[env.global_type(global)]),
            Op::TableGet(table) => types.are(&[self.table_index(table)], &[Ref]),
            Op::TableSet(table) => types.takes(&[self.table_index(table), Ref]),
            Op::TableSize(table) => types.gives(&[self.table_index(table)]),
            Op::TableHolds { table, .. } => types.are(&[self.table_index(table)], &[I32]),
            Op::RefFunc(_) => types.gives(&[Ref]),
            Op::StructGet { ty, field, .. } => types.are(&[Ref], &[env.field(ty, field).0.kind()]),
            Op::StructSet { ty, field } => types.takes(&[Ref, env.field(ty, field).0.kind()]),
            Op::ArrayGet { ty, .. } => types.are(&[Ref, I32], &[env.field(ty, 0).0.kind()]),
            Op::ArraySet { ty } => types.takes(&[Ref, I32, env.field(ty, 0).0.kind()]),
            Op::ArrayLen | Op::RefTest(_) | Op::I31Get(_) => types.are(&[Ref], &[I32]),
            Op::RefCast(_) | Op::RefAsNonNull => types.are(&[Ref], &[Ref]),
            Op::I31New => types.are(&[I32], &[Ref]),
            Op::Gc(op) => self.gc(op, types),
            Op::Handler(ref handler) => self.handler(handler, types),
            Op::Call { func } => self.call(env.func_type(func), &[], types),
            Op::CallIndirect { ty, table } => self.call(ty, &[self.table_index(table)], types),
            Op::CallRef { ty } => self.call(ty, &[Ref], types),
            Op::FrameSlot(_) | Op::Landed(_) => types.same_results(),
        }
    }

    fn call(&self, ty: u32, target: &[Type], types: &Types<'_>) {
        let signature = self.env.signature(ty);
        types.takes(signature.params);
        types.are(target, signature.results);
    }

    fn gc(&self, op: GcOp, types: &Types<'_>) {
        use Type::{I32, Ref};
        let element = |ty| self.env.field(ty, 0).0.kind();
        match op {
            GcOp::StructNew { ty } => {
                let fields = self.env.struct_type(ty).fields as u32;
                (0..fields).for_each(|field| types.takes(&[self.env.field(ty, field).0.kind()]));
            }
            GcOp::StructNewDefault { .. } => {}
            GcOp::ArrayNew { ty } => types.takes(&[element(ty), I32]),
            GcOp::ArrayNewDefault { .. } => types.takes(&[I32]),
            GcOp::ArrayNewFixed { ty, count } => types.takes(&vec![element(ty); count as usize]),
            GcOp::ArrayNewData { .. } | GcOp::ArrayNewElem { .. } => types.takes(&[I32; 2]),
            GcOp::ArrayFill { ty } => types.takes(&[Ref, I32, element(ty), I32]),
            GcOp::ArrayCopy { .. } => types.takes(&[Ref, I32, Ref, I32, I32]),
            GcOp::ArrayInitData { .. } | GcOp::ArrayInitElem { .. } => {
                types.takes(&[Ref, I32, I32, I32]);
            }
        }
        let makes = SlotInst::Gc { op, base: zwasm_regir::Slot(0) }.writes().is_some();
        types.gives(&[Ref][..usize::from(makes)]);
    }

    /// What a handler takes and gives is not said by its types, but it fills its slots.
    fn handler(&self, handler: &Handler, types: &Types<'_>) {
        let list = |values: &[Value]| -> Vec<Type> {
            values.iter().map(|value| self.func.ty(*value)).collect()
        };
        let (args, results) = (list(&types.inst.args), list(&types.inst.results));
        let mut reads = 0;
        handler.inst.reads(&mut |run| {
            if let zwasm_regir::uses::Length::Slots(count) = run.length {
                reads = reads.max(run.from.0 + count);
            }
        });
        self.check(reads == slots_of(&args), &format_args!("{} reads {reads} slots", handler.inst));
        let slots = slots_of(&args).max(slots_of(&results));
        self.check(slots == handler.slots, &format_args!("{} has {slots} slots", handler.inst));
        let writes = handler.inst.writes().map_or(0, |run| match run.length {
            zwasm_regir::uses::Length::Slots(count) => count,
            _ => 0,
        });
        self.check(writes == slots_of(&results), &format_args!("{} writes {writes}", handler.inst));
        types.are(&args, &results);
    }
}

/// Whether a value of one type may stand for one of another.
fn fits(found: Type, ty: Type) -> bool {
    let word = |ty| matches!(ty, Type::I64 | Type::Ref);
    found == ty || word(found) && word(ty)
}

/// What an instruction is expected to take and give.
struct Types<'a> {
    inst: &'a InstData,
    func: &'a Func,
    expected: core::cell::RefCell<(Vec<Type>, Vec<Type>)>,
}

impl Types<'_> {
    fn takes(&self, types: &[Type]) {
        self.expected.borrow_mut().0.extend_from_slice(types);
    }

    fn gives(&self, types: &[Type]) {
        self.expected.borrow_mut().1.extend_from_slice(types);
    }

    fn are(&self, args: &[Type], results: &[Type]) {
        self.takes(args);
        self.gives(results);
    }

    fn result(&self) -> Type {
        self.inst.results.first().map_or(Type::I64, |value| self.func.ty(*value))
    }

    /// One result, of any type.
    fn same_results(&self) {
        self.gives(&[self.result()]);
    }
}

#[cfg(feature = "simd")]
fn vector(op: VectorOp, types: &Types<'_>) {
    use Type::{I32, V128};
    match op {
        VectorOp::Unary(_) => types.are(&[V128], &[V128]),
        VectorOp::Binary(_) | VectorOp::Shuffle(_) => types.are(&[V128; 2], &[V128]),
        VectorOp::Ternary(_) => types.are(&[V128; 3], &[V128]),
        VectorOp::Shift(_) => types.are(&[V128, I32], &[V128]),
        VectorOp::Test(_) => types.are(&[V128], &[I32]),
        VectorOp::Splat(op) => types.are(&[op.operand()], &[V128]),
        VectorOp::Extract(op, _) => types.are(&[V128], &[ExtractOp::result(op)]),
        VectorOp::Replace(width, _) => {
            // Of integers or floats: the lane's bits are the same.
            let lane = types.inst.args.get(1).map(|value| types.func.ty(*value));
            let lane = match (width, lane) {
                (Width::B32, Some(Type::F32)) => Type::F32,
                (Width::B64, Some(Type::F64)) => Type::F64,
                (Width::B8 | Width::B16 | Width::B32, _) => I32,
                (Width::B64, _) => Type::I64,
            };
            types.are(&[V128, lane], &[V128]);
        }
    }
}
