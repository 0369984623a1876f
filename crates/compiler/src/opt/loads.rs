//! Loads of what is known: stored before, or loaded before, and not changed since.
//!
//! For each block in reverse postorder a short list says what is in which places: of
//! memories by address and offset, globals, elements of tables, fields and elements of
//! objects, lengths. A write removes what it may change: of a memory only places that
//! may overlap, which those do not that have another offset from the same address. Where
//! paths meet, what all of them agree on is left; at the header of a loop what held before
//! and nothing in the loop changes.
//!
//! A load of other type or size than what is known is made of it by conversions where these
//! are exact. Memories that threads share are left alone.
//!
//! Comparisons with the length of a memory are left out where the same address has been
//! compared with at least as much behind it on every way there: memories do not shrink.

use super::Context;
use super::aliases::Aliases;
use super::ints::{Int, mask};
use super::world::{self, Changes};
use crate::ssa::effects::Touch;
use crate::ssa::{Access, Block, Func, Inst, InstData, Op, Value, Values};
use crate::tuning;
use smallvec::smallvec;
use zwasm_regir::gc::{Extend, GcOp};
#[cfg(feature = "simd")]
use zwasm_regir::simd_ops;
use zwasm_regir::{BinaryOp, LoadOp, SourceLoc, Storage, StoreOp, Type, UnaryOp};

pub(super) fn run(func: &mut Func, context: &Context) {
    let changes = world::of_loops(func, context);
    let count = func.blocks.len();
    let mut pass =
        Loads { func, context, aliases: Aliases::default(), known: Vec::new(), out: Vec::new() };
    let mut after = After { lists: vec![None; count], readers: vec![0; count], entries: 0 };
    for &block in &context.graph.order {
        pass.known = after.meet(context, block);
        let back = |from: &&Block| !context.graph.is_before(**from, block);
        let mut backs = context.graph.predecessors(block).iter().filter(back).peekable();
        if backs.peek().is_some() {
            let natural = backs.all(|from| context.graph.dominates(block, *from));
            match world::headed_by(context, block).filter(|_| natural) {
                Some(index) => pass.enter_loop(&changes[index as usize]),
                None => pass.known.clear(),
            }
        }
        pass.block(block);
        after.keep(pass.func, context, block, core::mem::take(&mut pass.known));
    }
    let mut aliases = pass.aliases;
    aliases.apply(func);
    drop_checks(func, context);
}

/// Something whose contents are known.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    place: Place,
    value: Value,
}

/// Where something is.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// Bytes of a memory, the lowest of the value; `exact` is the load that gives just it.
    Memory { mem: u32, addr: Value, offset: u64, size: u64, exact: Exact },
    /// What an op on these arguments gives.
    Other(Op, Values),
}

/// What gives a value as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Exact {
    Scalar(LoadOp),
    #[cfg(feature = "simd")]
    Vector(simd_ops::LoadOp),
    /// None: the upper bits are not in memory.
    Nothing,
}

/// What holds behind blocks, as long as somebody has yet to look at it.
struct After {
    lists: Vec<Option<Vec<Known>>>,
    /// How many edges to blocks that come later have yet to be looked at.
    readers: Vec<u32>,
    /// Entries of all lists.
    entries: usize,
}

impl After {
    /// What all predecessors that have been looked at agree on.
    fn meet(&mut self, context: &Context, block: Block) -> Vec<Known> {
        let mut known: Option<Vec<Known>> = None;
        let mut last = None;
        for &from in context.graph.predecessors(block) {
            if !context.graph.is_before(from, block) {
                continue;
            }
            let left = &mut self.readers[from.0 as usize];
            *left -= 1;
            // Edges of one block follow on each other.
            if last != Some(from) {
                let list = self.lists[from.0 as usize].as_deref().unwrap_or_default();
                match &mut known {
                    Some(known) => known.retain(|each| list.contains(each)),
                    None => known = Some(list.to_vec()),
                }
            }
            last = Some(from);
            if *left == 0 {
                let list = self.lists[from.0 as usize].take();
                self.entries -= list.map_or(0, |list| list.len());
            }
        }
        known.unwrap_or_default()
    }

    /// Keeps what holds behind a block, if that is not too much altogether.
    fn keep(&mut self, func: &Func, context: &Context, block: Block, known: Vec<Known>) {
        let readers = &mut self.readers[block.0 as usize];
        func.block(block).terminator.successors(&mut |to| {
            *readers += u32::from(context.graph.is_before(block, to));
        });
        if *readers > 0 && self.entries < tuning::PLACES_KEPT {
            self.entries += known.len();
            self.lists[block.0 as usize] = Some(known);
        }
    }
}

struct Loads<'a> {
    func: &'a mut Func,
    context: &'a Context<'a>,
    aliases: Aliases,
    known: Vec<Known>,
    out: Vec<Inst>,
}

impl Loads<'_> {
    fn block(&mut self, block: Block) {
        let insts = core::mem::take(&mut self.func.block_mut(block).insts);
        for inst in insts {
            let data = &mut self.func.insts[inst.0 as usize];
            for arg in &mut data.args {
                *arg = self.aliases.get(*arg);
            }
            if let Some(value) = self.loaded(inst) {
                let result = self.func.inst(inst).results[0];
                self.aliases.set(result, value);
                continue;
            }
            self.out.push(inst);
            self.forget(inst);
            self.learn(inst);
        }
        self.func.block_mut(block).insts = core::mem::take(&mut self.out);
    }

    /// The known value that a load gives.
    fn loaded(&mut self, inst: Inst) -> Option<Value> {
        let data = self.func.inst(inst);
        match data.op {
            Op::Load(op, access) => {
                let addr = data.args[1];
                let source = data.source;
                let found = self.find(addr, access, op.size())?;
                self.convert(found.0, found.1, op, source)
            }
            #[cfg(feature = "simd")]
            Op::VectorLoad(op, access) => {
                let (value, exact) = self.find(data.args[1], access, op.size())?;
                (exact == Exact::Vector(op)).then_some(value)
            }
            _ if is_other(data) && data.results.len() == 1 => {
                let wanted = |place: &Place| match place {
                    Place::Other(op, args) => *args == data.args && self.is_same(op, &data.op),
                    Place::Memory { .. } => false,
                };
                self.known.iter().find(|known| wanted(&known.place)).map(|known| known.value)
            }
            _ => None,
        }
    }

    /// Whether two ops on the same arguments read the same: a field of a structure is that of
    /// its supertypes.
    fn is_same(&self, one: &Op, other: &Op) -> bool {
        let is_subtype = |a: u32, b: u32| self.context.env.is_subtype(a, b);
        match (*one, *other) {
            (
                Op::StructGet { ty: a, field, extend },
                Op::StructGet { ty: b, field: same, extend: way },
            ) => (field, extend) == (same, way) && (a == b || is_subtype(a, b) || is_subtype(b, a)),
            _ => one == other,
        }
    }

    /// What holds the bytes of an access, from the first on.
    fn find(&self, addr: Value, access: Access, size: u64) -> Option<(Value, Exact)> {
        self.known.iter().find_map(|known| match known.place {
            Place::Memory { mem, addr: other, offset, size: all, exact }
                if mem == access.mem && other == addr && offset == access.offset && size <= all =>
            {
                Some((known.value, exact))
            }
            _ => None,
        })
    }

    /// What a load gives of bytes that are the lowest of a value.
    fn convert(
        &mut self,
        value: Value,
        exact: Exact,
        op: LoadOp,
        source: SourceLoc,
    ) -> Option<Value> {
        if exact == Exact::Scalar(op) {
            return Some(value);
        }
        // As an integer of the size of its type.
        let (bits, ty) = match self.func.ty(value) {
            Type::F32 => (self.unary(source, UnaryOp::I32ReinterpretF32, value), Type::I32),
            Type::F64 => (self.unary(source, UnaryOp::I64ReinterpretF64, value), Type::I64),
            ty @ (Type::I32 | Type::I64) => (value, ty),
            Type::V128 | Type::Ref => return None,
        };
        let narrow = match (op.result(), ty) {
            (Type::I32 | Type::F32, Type::I64) => self.unary(source, UnaryOp::I32WrapI64, bits),
            (Type::I64 | Type::F64, Type::I32) => self.unary(source, UnaryOp::I64ExtendI32U, bits),
            _ => bits,
        };
        Some(match op {
            // Nothing that is smaller is known to hold so many bytes.
            LoadOp::I32Load | LoadOp::I64Load => narrow,
            LoadOp::F32Load => self.unary(source, UnaryOp::F32ReinterpretI32, narrow),
            LoadOp::F64Load => self.unary(source, UnaryOp::F64ReinterpretI64, narrow),
            LoadOp::I32Load8S => self.unary(source, UnaryOp::I32Extend8S, narrow),
            LoadOp::I32Load16S => self.unary(source, UnaryOp::I32Extend16S, narrow),
            LoadOp::I64Load8S => self.unary(source, UnaryOp::I64Extend8S, narrow),
            LoadOp::I64Load16S => self.unary(source, UnaryOp::I64Extend16S, narrow),
            LoadOp::I64Load32S => self.unary(source, UnaryOp::I64Extend32S, narrow),
            LoadOp::I32Load8U => self.masked(Type::I32, narrow, 0xFF, source),
            LoadOp::I32Load16U => self.masked(Type::I32, narrow, 0xFFFF, source),
            LoadOp::I64Load8U => self.masked(Type::I64, narrow, 0xFF, source),
            LoadOp::I64Load16U => self.masked(Type::I64, narrow, 0xFFFF, source),
            LoadOp::I64Load32U => self.masked(Type::I64, narrow, mask(Type::I32), source),
        })
    }

    fn unary(&mut self, source: SourceLoc, op: UnaryOp, a: Value) -> Value {
        let inst = self.func.add_inst(Op::Unary(op), smallvec![a], &[op.result()], source);
        self.out.push(inst);
        self.func.inst(inst).results[0]
    }

    fn masked(&mut self, ty: Type, value: Value, mask: u64, source: SourceLoc) -> Value {
        let bits = self.func.add_inst(Op::Const(mask), Values::new(), &[ty], source);
        let op: BinaryOp = Int::And.on(ty);
        let args = smallvec![value, self.func.inst(bits).results[0]];
        let inst = self.func.add_inst(Op::Binary(op), args, &[ty], source);
        self.out.extend([bits, inst]);
        self.func.inst(inst).results[0]
    }

    /// Forgets what an instruction may change.
    fn forget(&mut self, inst: Inst) {
        let data = self.func.inst(inst);
        let writes = self.context.effects(&data.op).writes;
        if writes == Touch::Nothing || self.known.is_empty() {
            return;
        }
        let stored = store_size(&data.op).zip(data.op.access().copied());
        let mut known = core::mem::take(&mut self.known);
        known.retain(|known| match &known.place {
            Place::Other(op, args) => {
                !writes.meets(self.context.effects(op).reads) || self.is_apart(data, op, args)
            }
            &Place::Memory { mem, addr, offset, size, .. } => {
                let part = self.context.memory_part(mem);
                if !writes.has(part) {
                    return true;
                }
                let Some((stored, access)) = stored else { return false };
                if access.mem != mem {
                    return false;
                }
                let one = self.position(addr, offset);
                let other = self.position(data.args[1], access.offset);
                // Counted around the end of the address space, which both may reach.
                let wrap =
                    if self.context.env.memory(mem).is_64 { u64::MAX } else { mask(Type::I32) };
                let ahead = other.1.wrapping_sub(one.1) & wrap;
                let behind = one.1.wrapping_sub(other.1) & wrap;
                one.0 == other.0 && ahead >= size && behind >= stored
            }
        });
        self.known = known;
    }

    /// Whether a write to an element or field is to another one than a known one.
    fn is_apart(&self, write: &InstData, op: &Op, args: &[Value]) -> bool {
        let constants = |a: Value, b: Value| {
            let (a, b) = (self.func.constant(a), self.func.constant(b));
            a.is_some() && b.is_some() && a != b
        };
        // Two that were made are not the same one.
        let apart = |a: Value, b: Value| a != b && self.is_made(a) && self.is_made(b);
        let is_subtype = |a: u32, b: u32| self.context.env.is_subtype(a, b);
        match (&write.op, op) {
            (Op::TableSet(written), Op::TableGet(table)) => {
                written == table && constants(write.args[0], args[0])
            }
            // Arrays of different types may be the same object only if one type is below
            // the other, and then their elements are as large.
            (Op::ArraySet { .. }, Op::ArrayGet { .. }) => {
                constants(write.args[1], args[1]) || apart(write.args[0], args[0])
            }
            // An object is of one type and of those above it.
            (&Op::StructSet { ty: a, .. }, &Op::StructGet { ty: b, .. }) => {
                apart(write.args[0], args[0]) || !(is_subtype(a, b) || is_subtype(b, a))
            }
            _ => false,
        }
    }

    /// Whether a reference is what an instruction has made.
    fn is_made(&self, object: Value) -> bool {
        self.func.def_inst(object).is_some_and(|inst| matches!(inst.op, Op::Gc(_)))
    }

    /// An address as something that is added to a number.
    fn position(&self, addr: Value, offset: u64) -> (Option<Value>, u64) {
        if let Some(bits) = self.func.constant(addr) {
            return (None, bits.wrapping_add(offset));
        }
        if let Some(inst) = self.func.def_inst(addr)
            && let Op::Binary(op) = inst.op
            && let Some((Int::Add, _)) = Int::of(op)
            && let Some(more) = self.func.constant(inst.args[1])
        {
            return (Some(inst.args[0]), more.wrapping_add(offset));
        }
        (Some(addr), offset)
    }

    /// Remembers what an instruction shows or leaves in a place.
    fn learn(&mut self, inst: Inst) {
        let data = self.func.inst(inst);
        let (place, value) = match data.op {
            Op::Gc(GcOp::StructNew { ty }) => return self.learn_made(ty, inst),
            Op::Load(op, access) => {
                let place = self.memory_place(data, access, op.size(), Exact::Scalar(op));
                (place, data.results[0])
            }
            Op::Store(op, access) => {
                let exact = whole_load(op).map_or(Exact::Nothing, Exact::Scalar);
                let place = self.memory_place(data, access, op.size(), exact);
                (place, data.args[data.args.len() - 1])
            }
            #[cfg(feature = "simd")]
            Op::VectorLoad(op, access) => {
                let place = self.memory_place(data, access, op.size(), Exact::Vector(op));
                (place, data.results[0])
            }
            #[cfg(feature = "simd")]
            Op::VectorStore(access) => {
                let exact = Exact::Vector(simd_ops::LoadOp::V128Load);
                let place = self.memory_place(data, access, tuning::ACCESS_BYTES, exact);
                (place, data.args[data.args.len() - 1])
            }
            Op::GlobalSet(global) => {
                (Some(Place::Other(Op::GlobalGet(global), Values::new())), data.args[0])
            }
            Op::TableSet(table) => {
                (Some(Place::Other(Op::TableGet(table), smallvec![data.args[0]])), data.args[1])
            }
            Op::StructSet { ty, field } => {
                let op = Op::StructGet { ty, field, extend: Extend::Zero };
                let whole = self.holds_whole(ty, field);
                (whole.then(|| Place::Other(op, smallvec![data.args[0]])), data.args[1])
            }
            Op::ArraySet { ty } => {
                let op = Op::ArrayGet { ty, extend: Extend::Zero };
                let place = Place::Other(op, smallvec![data.args[0], data.args[1]]);
                (self.holds_whole(ty, 0).then_some(place), data.args[2])
            }
            _ if is_other(data) && data.results.len() == 1 => {
                (Some(Place::Other(data.op, data.args.clone())), data.results[0])
            }
            _ => (None, Value(0)),
        };
        if let Some(place) = place {
            self.remember(place, value);
        }
    }

    /// Remembers what a structure is made with.
    fn learn_made(&mut self, ty: u32, inst: Inst) {
        let count = self.func.inst(inst).args.len().min(tuning::OBJECT_FIELDS);
        for field in 0..count as u32 {
            if self.holds_whole(ty, field) {
                let data = self.func.inst(inst);
                let (object, value) = (data.results[0], data.args[field as usize]);
                let op = Op::StructGet { ty, field, extend: Extend::Zero };
                self.remember(Place::Other(op, smallvec![object]), value);
            }
        }
    }

    fn remember(&mut self, place: Place, value: Value) {
        // What is known of the same bytes still holds, but the latest is found first.
        if self.known.len() == tuning::PLACES {
            self.known.pop();
        }
        self.known.insert(0, Known { place, value });
    }

    fn memory_place(
        &self,
        data: &InstData,
        access: Access,
        size: u64,
        exact: Exact,
    ) -> Option<Place> {
        let Access { mem, offset, .. } = access;
        let shared = self.context.env.memory(mem).shared;
        (!shared).then(|| Place::Memory { mem, addr: data.args[1], offset, size, exact })
    }

    /// Whether a field holds all bits of its value.
    fn holds_whole(&self, ty: u32, field: u32) -> bool {
        !matches!(self.context.env.field(ty, field).0, Storage::I8 | Storage::I16)
    }

    /// Forgets what a loop changes.
    fn enter_loop(&mut self, changes: &Changes) {
        let context = self.context;
        self.known.retain(|known| {
            !changes.meet(match &known.place {
                Place::Memory { mem, .. } => Touch::One(context.memory_part(*mem)),
                Place::Other(op, _) => context.effects(op).reads,
            })
        });
    }
}

/// Whether an instruction reads something that is not in a memory, and nothing more.
fn is_other(data: &InstData) -> bool {
    matches!(
        data.op,
        Op::MemoryBase(_)
            | Op::MemoryLen(_)
            | Op::MemorySize(_)
            | Op::GlobalGet(_)
            | Op::TableGet(_)
            | Op::TableSize(_)
            | Op::StructGet { .. }
            | Op::ArrayGet { .. }
    )
}

/// The bytes that a store writes.
fn store_size(op: &Op) -> Option<u64> {
    match op {
        Op::Store(op, _) => Some(op.size()),
        #[cfg(feature = "simd")]
        Op::VectorStore(_) => Some(tuning::ACCESS_BYTES),
        #[cfg(feature = "simd")]
        Op::StoreLane(width, ..) => Some(u64::from(width.bytes())),
        _ => None,
    }
}

/// The load that gives what a store has written, if it writes all of a value.
fn whole_load(op: StoreOp) -> Option<LoadOp> {
    match op {
        StoreOp::I32Store => Some(LoadOp::I32Load),
        StoreOp::I64Store => Some(LoadOp::I64Load),
        StoreOp::F32Store => Some(LoadOp::F32Load),
        StoreOp::F64Store => Some(LoadOp::F64Load),
        StoreOp::I32Store8
        | StoreOp::I32Store16
        | StoreOp::I64Store8
        | StoreOp::I64Store16
        | StoreOp::I64Store32 => None,
    }
}

/// Leaves out comparisons with lengths that a dominating one makes superfluous.
fn drop_checks(func: &mut Func, context: &Context) {
    // For each address the memory and the end that has been compared, and undone at the
    // end of what the block dominates.
    let mut ends: Vec<Option<(u32, u64)>> = vec![None; func.values.len()];
    let mut undo: Vec<(Value, Option<(u32, u64)>)> = Vec::new();
    let mut open: Vec<(Block, usize)> = Vec::new();
    for &block in &context.graph.tree {
        while let Some(&(above, from)) = open.last()
            && !context.graph.dominates(above, block)
        {
            for (value, end) in undo.drain(from..).rev() {
                ends[value.0 as usize] = end;
            }
            open.pop();
        }
        open.push((block, undo.len()));
        for index in 0..func.block(block).insts.len() {
            let inst = func.block(block).insts[index];
            let data = &mut func.insts[inst.0 as usize];
            let Some(size) = access_size(&data.op) else { continue };
            let addr = data.args[1];
            let Some(access) = data.op.access_mut().filter(|access| access.checked) else {
                continue;
            };
            let Some(end) = access.offset.checked_add(size) else { continue };
            let known = ends[addr.0 as usize];
            match known {
                Some((mem, compared)) if mem == access.mem && end <= compared => {
                    access.checked = false;
                    data.args.remove(2);
                }
                _ => {
                    undo.push((addr, known));
                    ends[addr.0 as usize] = Some((access.mem, end));
                }
            }
        }
    }
}

/// The bytes of an access that is no more than that: atomic ones also look at whether they
/// are aligned.
fn access_size(op: &Op) -> Option<u64> {
    match op {
        Op::Load(op, _) => Some(op.size()),
        #[cfg(feature = "simd")]
        Op::VectorLoad(op, _) => Some(op.size()),
        #[cfg(feature = "simd")]
        Op::LoadLane(width, ..) => Some(u64::from(width.bytes())),
        _ => store_size(op),
    }
}
