//! Structures that nobody sees but the function that makes them become values: one for
//! each field.
//!
//! A structure is taken apart if all that is done with it is reading and writing its fields
//! and comparing it with other references. It is equal to nothing but itself then, and no
//! call can change it. Fields that nothing writes are what they were made with. For the
//! others the blocks that the structure's own block dominates are walked in preorder: one
//! with a single predecessor begins with what that ended with, one where several meet with
//! parameters. Those that turn out superfluous are left to the passes that follow.
//!
//! What a structure holds may be a structure that can be taken apart when the first one has
//! been, so this is done a few times.

use super::Context;
use super::aliases::Aliases;
use super::edges;
use super::ints::Int;
use crate::ssa::{Block, Func, Inst, Op, Terminator, Value, Values};
use crate::tuning;
use smallvec::smallvec;
use zwasm_regir::gc::{Extend, GcOp};
use zwasm_regir::{CompareOp, SourceLoc, Storage, Type, UnaryOp};

pub(super) fn run(func: &mut Func, context: &Context) {
    let mut work = tuning::OBJECT_WORK;
    for _ in 0..tuning::OBJECT_ROUNDS {
        if !round(func, context, &mut work) {
            break;
        }
    }
}

/// A structure that may be taken apart.
struct Object {
    ty: u32,
    value: Value,
    /// What makes it, and where.
    made: Inst,
    block: Block,
    /// Whether something else sees it.
    escapes: bool,
    /// What is done with it, in an order in which blocks come behind what dominates them.
    uses: Vec<(Block, Inst)>,
}

/// Takes apart what can be; whether anything was.
fn round(func: &mut Func, context: &Context, work: &mut usize) -> bool {
    let mut objects = Vec::new();
    for &block in &context.graph.order {
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            let (Op::Gc(GcOp::StructNew { ty } | GcOp::StructNewDefault { ty }), &[value]) =
                (data.op, &data.results[..])
            else {
                continue;
            };
            if context.env.struct_type(ty).fields <= tuning::OBJECT_FIELDS {
                let uses = Vec::new();
                objects.push(Object { ty, value, made: inst, block, escapes: false, uses });
            }
        }
    }
    if objects.is_empty() {
        return false;
    }
    find_uses(func, context, &mut objects);
    let mut pass = Objects {
        gone: vec![false; func.insts.len()],
        added: Vec::new(),
        aliases: Aliases::default(),
        places: vec![0; func.blocks.len()],
        func,
        context,
    };
    let mut any = false;
    for object in objects.iter().filter(|object| !object.escapes) {
        any |= pass.take_apart(object, work);
    }
    if any {
        pass.finish();
    }
    any
}

/// Finds what is done with each object, and which are seen by others.
fn find_uses(func: &Func, context: &Context, objects: &mut [Object]) {
    const NONE: u32 = u32::MAX;
    let mut numbers = vec![NONE; func.values.len()];
    for (number, object) in objects.iter().enumerate() {
        numbers[object.value.0 as usize] = number as u32;
    }
    let number = |value: Value| match numbers[value.0 as usize] {
        NONE => None,
        number => Some(number as usize),
    };
    for &block in &context.graph.order {
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            for (index, &arg) in data.args.iter().enumerate() {
                let Some(number) = number(arg) else { continue };
                let object = &mut objects[number];
                match data.op {
                    Op::StructGet { .. } | Op::StructSet { .. } if index == 0 => {}
                    Op::Compare(CompareOp::I64Eq | CompareOp::I64Ne) => {}
                    _ => object.escapes = true,
                }
                // One compared with itself is used once.
                if object.uses.last() != Some(&(block, inst)) {
                    object.uses.push((block, inst));
                }
            }
        }
        func.block(block).terminator.args(&mut |arg| {
            if let Some(number) = number(arg) {
                objects[number].escapes = true;
            }
        });
    }
}

struct Objects<'a> {
    func: &'a mut Func,
    context: &'a Context<'a>,
    /// Instructions that are taken out at the end.
    gone: Vec<bool>,
    /// Instructions, and constants that are put in front of them.
    added: Vec<(Inst, Inst)>,
    aliases: Aliases,
    /// For each block its place in the part of the tree that is walked.
    places: Vec<u32>,
}

/// What is in the fields of an object, one for each.
type Fields = Vec<Value>;

impl Objects<'_> {
    /// Takes an object apart, if that is not too much work.
    fn take_apart(&mut self, object: &Object, work: &mut usize) -> bool {
        let written: Vec<u32> = self.written(object);
        let local = object.uses.iter().all(|(block, _)| *block == object.block);
        if local || written.is_empty() {
            let mut fields = self.initial(object);
            for &(_, inst) in &object.uses {
                self.replace(object, inst, &mut fields);
            }
            return true;
        }
        let tree = self.context.graph.dominated(object.block);
        let Some(left) = work.checked_sub(tree.len() * (1 + written.len())) else { return false };
        *work = left;
        if tree[1..].iter().any(|block| self.meets_clauses(*block)) {
            return false;
        }
        self.walk(object, tree, &written);
        true
    }

    /// The fields that are written after an object has been made.
    fn written(&self, object: &Object) -> Vec<u32> {
        let mut written = Vec::new();
        for (_, inst) in &object.uses {
            if let Op::StructSet { field, .. } = self.func.inst(*inst).op
                && !written.contains(&field)
            {
                written.push(field);
            }
        }
        written
    }

    /// Whether several ways lead to a block, and one of them can pass nothing.
    fn meets_clauses(&self, block: Block) -> bool {
        let predecessors = self.context.graph.predecessors(block);
        let passes = |from: &Block| {
            let mut edges = false;
            edges::all(&self.func.block(*from).terminator, &mut |_| edges = true);
            edges
        };
        predecessors.len() > 1 && !predecessors.iter().all(passes)
    }

    /// Follows the fields that are written through the blocks that the object's dominates.
    fn walk(&mut self, object: &Object, tree: &[Block], written: &[u32]) {
        for (place, block) in tree.iter().enumerate() {
            self.places[block.0 as usize] = place as u32;
        }
        let mut uses: Vec<Vec<Inst>> = vec![Vec::new(); tree.len()];
        for &(block, inst) in &object.uses {
            uses[self.places[block.0 as usize] as usize].push(inst);
        }
        let initial = self.initial(object);
        let types: Vec<Type> = written
            .iter()
            .map(|field| self.context.env.field(object.ty, *field).0.kind())
            .collect();
        let mut ends: Vec<Vec<Value>> = Vec::with_capacity(tree.len());
        for (place, &block) in tree.iter().enumerate() {
            let mut fields = initial.clone();
            if place > 0 {
                let begins: Vec<Value> = match *self.context.graph.predecessors(block) {
                    [from] => ends[self.places[from.0 as usize] as usize].clone(),
                    _ => types.iter().map(|ty| self.func.add_param(block, *ty)).collect(),
                };
                for (field, value) in written.iter().zip(begins) {
                    fields[*field as usize] = value;
                }
            }
            for inst in &uses[place] {
                self.replace(object, *inst, &mut fields);
            }
            ends.push(written.iter().map(|field| fields[*field as usize]).collect());
        }
        for (place, &block) in tree.iter().enumerate() {
            let graph = &self.context.graph;
            let mut terminator =
                core::mem::replace(&mut self.func.block_mut(block).terminator, Terminator::None);
            terminator.edges_mut(&mut |edge| {
                let several = graph.predecessors(edge.block).len() > 1;
                if several
                    && edge.block != object.block
                    && graph.dominates(object.block, edge.block)
                {
                    edge.args.extend(&ends[place]);
                }
            });
            self.func.block_mut(block).terminator = terminator;
        }
    }

    /// Takes out what makes an object; what its fields hold then.
    fn initial(&mut self, object: &Object) -> Fields {
        let data = self.func.inst(object.made);
        if !matches!(data.op, Op::Gc(GcOp::StructNewDefault { .. })) {
            let fields = data.args.to_vec();
            self.gone[object.made.0 as usize] = true;
            return fields;
        }
        let count = self.context.env.struct_type(object.ty).fields as u32;
        self.gone[object.made.0 as usize] = true;
        let mut zeros: Vec<(Type, Value)> = Vec::new();
        let zero = |field: u32| {
            let ty = self.context.env.field(object.ty, field).0.kind();
            if let Some((_, zero)) = zeros.iter().find(|(each, _)| *each == ty) {
                return *zero;
            }
            let op = match ty {
                #[cfg(feature = "simd")]
                Type::V128 => Op::VectorConst([0; 2]),
                _ => Op::Const(0),
            };
            let zero = self.before(object.made, op, ty);
            zeros.push((ty, zero));
            zero
        };
        (0..count).map(zero).collect()
    }

    /// Puts a constant in front of an instruction.
    fn before(&mut self, inst: Inst, op: Op, ty: Type) -> Value {
        let source: SourceLoc = self.func.inst(inst).source;
        let new = self.func.add_inst(op, Values::new(), &[ty], source);
        self.added.push((inst, new));
        self.func.inst(new).results[0]
    }

    /// Replaces what is done with an object.
    fn replace(&mut self, object: &Object, inst: Inst, fields: &mut Fields) {
        let data = self.func.inst(inst);
        match data.op {
            Op::StructSet { field, .. } => {
                fields[field as usize] = data.args[1];
                self.gone[inst.0 as usize] = true;
            }
            Op::StructGet { field, extend, .. } => {
                let value = fields[field as usize];
                let op = match (self.context.env.field(object.ty, field).0, extend) {
                    (Storage::I8, Extend::Sign) => Op::Unary(UnaryOp::I32Extend8S),
                    (Storage::I16, Extend::Sign) => Op::Unary(UnaryOp::I32Extend16S),
                    (Storage::I8, Extend::Zero) => return self.cut(inst, value, 0xFF),
                    (Storage::I16, Extend::Zero) => return self.cut(inst, value, 0xFFFF),
                    _ => {
                        self.aliases.set(data.results[0], value);
                        self.gone[inst.0 as usize] = true;
                        return;
                    }
                };
                let data = self.func.inst_mut(inst);
                data.op = op;
                data.args = smallvec![value];
            }
            Op::Compare(op) => {
                let same = data.args[0] == data.args[1];
                let holds = same == (op == CompareOp::I64Eq);
                let data = self.func.inst_mut(inst);
                data.op = Op::Const(holds.into());
                data.args.clear();
            }
            // Nothing else is done with one that does not escape.
            _ => {}
        }
    }

    /// Has an instruction give the lower bits of a value.
    fn cut(&mut self, inst: Inst, value: Value, mask: u64) {
        let mask = self.before(inst, Op::Const(mask), Type::I32);
        let data = self.func.inst_mut(inst);
        data.op = Op::Binary(Int::And.on(Type::I32));
        data.args = smallvec![value, mask];
    }

    fn finish(self) {
        let Objects { func, context, gone, mut added, mut aliases, .. } = self;
        added.sort_by_cached_key(|(before, _)| u64::from(before.0));
        for &block in &context.graph.order {
            let insts = core::mem::take(&mut func.block_mut(block).insts);
            let mut kept = Vec::with_capacity(insts.len());
            for inst in insts {
                let first = added.partition_point(|(before, _)| *before < inst);
                let here = added[first..].iter().take_while(|(before, _)| *before == inst);
                kept.extend(here.map(|(_, new)| *new));
                if !gone[inst.0 as usize] {
                    kept.push(inst);
                }
            }
            func.block_mut(block).insts = kept;
        }
        aliases.apply(func);
    }
}
