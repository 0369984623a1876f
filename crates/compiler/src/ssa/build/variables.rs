//! Which value a slot has where.
//!
//! Blocks are filled in the order of the text, and every write to a slot has a position
//! that the plan knows beforehand. To read a slot at some place is to find the last write
//! before it, which is the value
//! - if it is in a block that dominates the place, and
//! - if none of the loops that start in between writes the slot again further down.
//!
//! If the slot is written between the end of a dominator and the start of what it
//! dominates immediately, ways with different values meet there, and that block gets a
//! parameter for the slot; so does the header of a loop that writes the slot. Everywhere
//! else no parameter is needed, and no block is looked at: the trees of dominators and
//! loops are climbed with jumps. Each read therefore takes steps logarithmic to the size
//! of the function, where walking from block to block, as Braun et al. do ("Simple and
//! Efficient Construction of Static Single Assignment Form", CC 2013), takes as many as
//! there are blocks. As there, only what is read gets parameters, and what they are
//! passed is looked up in the same way, when all blocks are there.
//!
//! # Types
//!
//! Slots hold bits, values have types. A value has that of the op that made it; constants
//! and copies have none until they are read. So a parameter has the type of the local, or
//! that as which it was read first. In valid code everybody reads it so, with the
//! exceptions that [`Want`] names. Should somebody not, its bits are converted, as slots
//! would do it.

use super::plan::NONE;
use super::{Builder, Entry};
use crate::CompileError;
use crate::ssa::{Block, Op, Value, Values};
#[cfg(feature = "simd")]
use crate::ssa::{VectorOp, simd_ops};
use crate::tuning;
use core::hash::{BuildHasher, Hasher};
use smallvec::smallvec;
use std::collections::HashMap;
use std::hash::RandomState;
use zwasm_regir::{Type, UnaryOp, work};

/// What a write left in a slot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Record {
    /// Nothing that is read; also, the upper half of a vector.
    #[default]
    Nothing,
    /// A value; of a vector, in the lower of its slots.
    Value(Value),
    /// These bits.
    Const(u64),
    /// What another slot has before this write, whose value is looked up in the block, by
    /// that slot's first write from here on.
    Copy { slot: u32, write: u32 },
}

/// As what a value is read: one of two types, the first unless it is the other already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want(Type, Type);

impl Want {
    /// An integer of 64 bits or a reference, for comparisons.
    pub(super) const WORD: Want = Want(Type::I64, Type::Ref);

    pub(super) fn of(ty: Type) -> Want {
        Want(ty, ty)
    }

    /// The type of a constant that is read so.
    pub(super) fn first(self) -> Type {
        self.0
    }

    /// A lane of a vector of this width, integer or float.
    #[cfg(feature = "simd")]
    pub(super) fn lane(width: zwasm_regir::simd::Width) -> Want {
        use zwasm_regir::simd::Width;
        match width {
            Width::B8 | Width::B16 => Want::of(Type::I32),
            Width::B32 => Want(Type::I32, Type::F32),
            Width::B64 => Want(Type::I64, Type::F64),
        }
    }

    /// Whether a value of a type is read as it is. Exceptions are references of 64 bits, so
    /// that nothing is cut off between words and references.
    fn accepts(self, ty: Type) -> bool {
        let word = |ty| matches!(ty, Type::I64 | Type::Ref);
        ty == self.0 || ty == self.1 || word(ty) && word(self.0)
    }
}

/// A parameter of a block for a slot.
pub(super) struct Phi {
    pub(super) block: u32,
    slot: u32,
    pub(super) value: Value,
}

/// What is known of slots.
pub(super) struct Variables {
    /// What each write of the plan left.
    records: Vec<Record>,
    /// For each slot its next write.
    next: Vec<u32>,
    /// For each slot a block at whose start its value is known.
    cached: Vec<(u32, Value)>,
    /// For each slot of a parameter or local its type.
    declared: Vec<Option<Type>>,
    /// The value of a slot at the start of a block.
    known: HashMap<(u32, u32), Value, Seed>,
    /// The constants, which stand in the entry block.
    constants: HashMap<(u64, u32), Value, Seed>,
    pub(super) phis: Vec<Phi>,
    /// The values passed to each of them, one for each predecessor of its block.
    pub(super) passed: Vec<Value>,
    /// Single successors that were gone through.
    path: Vec<(u32, u32)>,
}

impl Variables {
    pub(super) fn new(
        writes: &super::plan::Writes,
        slots: u32,
        declared: Vec<Option<Type>>,
    ) -> Variables {
        Variables {
            records: vec![Record::Nothing; writes.at.len()],
            next: (0..slots).map(|slot| writes.of(slot).start).collect(),
            cached: vec![(NONE, Value(0)); slots as usize],
            declared,
            known: HashMap::with_hasher(Seed::new()),
            constants: HashMap::with_hasher(Seed::new()),
            phis: Vec::new(),
            passed: Vec::new(),
            path: Vec::new(),
        }
    }
}

impl Builder<'_> {
    /// Says which value a slot has when the function is entered.
    pub(super) fn start_with(&mut self, slot: u32, value: Value) {
        self.variables.known.insert((0, slot), value);
    }

    /// The value of a slot here.
    pub(super) fn read(&mut self, slot: u32, want: Want) -> Value {
        let write = self.variables.next[slot as usize];
        let writes = self.plan.writes.of(slot);
        let here = write > writes.start
            && self.plan.writes.at[write as usize - 1]
                >= self.plan.blocks[self.block as usize].start;
        if here {
            return match self.variables.records[write as usize - 1] {
                Record::Value(value) => self.fit(value, want),
                _ => {
                    let value = self.resolve(slot, write, self.block, want);
                    self.fit(value, want)
                }
            };
        }
        match self.variables.cached[slot as usize] {
            (block, value) if block == self.block => self.fit(value, want),
            _ => {
                let value = self.resolve(slot, write, self.block, want);
                self.variables.cached[slot as usize] = (self.block, value);
                self.fit(value, want)
            }
        }
    }

    /// Says what the instruction here leaves in a slot.
    pub(super) fn write(&mut self, slot: u32, record: Record) {
        let write = self.variables.next[slot as usize];
        debug_assert!(
            self.plan.writes.of(slot).contains(&write)
                && self.plan.writes.at[write as usize] == self.at,
            "a write to slot {slot} at {} that was not planned",
            self.at
        );
        self.variables.records[write as usize] = record;
        self.variables.next[slot as usize] = write + 1;
    }

    /// As [`Builder::write`], of a value, which may fill two slots.
    pub(super) fn define(&mut self, slot: u32, value: Value) {
        self.write(slot, Record::Value(value));
        if self.func.ty(value) == Type::V128 {
            self.write(slot + 1, Record::Nothing);
        }
    }

    /// What a copy of a slot that is made here leaves.
    pub(super) fn copy_of(&self, slot: u32) -> Record {
        let write = self.variables.next[slot as usize];
        let writes = self.plan.writes.of(slot);
        let last = write.checked_sub(1).filter(|last| *last >= writes.start);
        let start = self.plan.blocks[self.block as usize].start;
        match last {
            // Copies of copies do not get longer within a block.
            Some(last) if self.plan.writes.at[last as usize] >= start => {
                match self.variables.records[last as usize] {
                    Record::Nothing => Record::Copy { slot, write },
                    record => record,
                }
            }
            _ => Record::Copy { slot, write },
        }
    }

    /// The value of a slot in a block before one of the slot's writes, of whatever type.
    fn resolve(&mut self, slot: u32, write: u32, block: u32, want: Want) -> Value {
        let value = self.look_up(slot, write, block, want);
        for through in core::mem::take(&mut self.variables.path) {
            self.variables.known.insert(through, value);
        }
        value
    }

    /// As [`Builder::resolve`]; blocks with a single way to them that are gone through are
    /// in the path afterwards.
    fn look_up(&mut self, mut slot: u32, mut write: u32, mut block: u32, want: Want) -> Value {
        loop {
            work::count(1);
            let writes = self.plan.writes.of(slot);
            let last = write.checked_sub(1).filter(|last| *last >= writes.start);
            let at = last.map(|last| self.plan.writes.at[last as usize]);
            let is_before =
                |block: u32| at.is_none_or(|at| at < self.plan.blocks[block as usize].start);
            if is_before(block) {
                let again = (write < writes.end).then(|| self.plan.writes.at[write as usize]);
                let header = again.and_then(|again| self.loop_that_reaches(block, again));
                if let Some(header) = header.filter(|header| is_before(*header)) {
                    return self.at_start(header, slot, want);
                }
                let Some(at) = at else { return self.at_start(0, slot, want) };
                let dominators = &self.plan.dominators;
                let join = dominators.lowest(block, |block| !is_before(dominators.parent(block)));
                let above = dominators.parent(join);
                if at >= self.plan.blocks[above as usize].end {
                    // Written on other ways to the join.
                    if self.plan.blocks[join as usize].predecessors.len() > 1 {
                        return self.at_start(join, slot, want);
                    }
                    if let Some(&value) = self.variables.known.get(&(join, slot)) {
                        return value;
                    }
                    self.variables.path.push((join, slot));
                    block = above;
                    write = self.plan.writes.next(slot, self.plan.blocks[above as usize].end);
                    continue;
                }
                block = above;
            }
            let record = last.map_or(Record::Nothing, |last| self.variables.records[last as usize]);
            (slot, write) = match record {
                Record::Value(value) => return value,
                Record::Const(bits) => return self.bits(bits, want.0),
                Record::Nothing => return self.bits(0, want.0),
                Record::Copy { slot, write } => (slot, write),
            };
        }
    }

    /// The header of the innermost loop around a block that reaches to a position.
    fn loop_that_reaches(&self, block: u32, position: u32) -> Option<u32> {
        let inner = self.plan.blocks[block as usize].inner;
        if inner == NONE {
            return None;
        }
        let nesting = &self.plan.nesting;
        let reaches = |node: u32| node == 0 || self.plan.loops[node as usize - 1].end > position;
        let node = nesting.lowest(inner + 1, reaches);
        node.checked_sub(1).map(|index| self.plan.loops[index as usize].header)
    }

    /// The value of a slot at the start of a block, as a parameter; for the entry block,
    /// what it has there.
    fn at_start(&mut self, block: u32, slot: u32, want: Want) -> Value {
        if let Some(&value) = self.variables.known.get(&(block, slot)) {
            return value;
        }
        let declared = self.variables.declared.get(slot as usize).copied().flatten();
        let ty = declared.or_else(|| self.guess(block, slot, want)).unwrap_or(want.0);
        let value = match (block, self.entry) {
            (0, Entry::Start) => self.bits(0, ty),
            (0, Entry::Loop { frame, .. }) => {
                let other = self.frame_slot(slot, frame);
                self.has_lost |= other.is_none();
                let op = Op::FrameSlot(other.unwrap_or(0));
                let inst = self.func.add_inst(op, Values::new(), &[ty], self.source);
                self.first_insts.push(inst);
                self.func.inst(inst).results[0]
            }
            _ => {
                let value = self.func.add_param(Block(block), ty);
                self.variables.phis.push(Phi { block, slot, value });
                value
            }
        };
        self.variables.known.insert((block, slot), value);
        value
    }

    /// The type of the value that the first edge to a block brings in a slot, where several
    /// are fine and it is easily found.
    fn guess(&self, block: u32, slot: u32, want: Want) -> Option<Type> {
        let Want(first, second) = want;
        let &from = self.plan.blocks[block as usize].predecessors.first()?;
        if first == second {
            return None;
        }
        let (mut slot, mut write) =
            (slot, self.plan.writes.next(slot, self.plan.blocks[from as usize].end));
        for _ in 0..tuning::GUESS_STEPS {
            let last =
                write.checked_sub(1).filter(|last| *last >= self.plan.writes.of(slot).start)?;
            match self.variables.records[last as usize] {
                Record::Value(value) => {
                    return Some(self.func.ty(value)).filter(|ty| want.accepts(*ty));
                }
                Record::Copy { slot: other, write: before } => (slot, write) = (other, before),
                Record::Const(_) | Record::Nothing => return None,
            }
        }
        None
    }

    /// Where a slot is in a frame of another translation.
    fn frame_slot(&self, slot: u32, other: zwasm_regir::Frame) -> Option<u32> {
        let frame = &self.function.frame;
        let locals = frame.locals..self.variables.declared.len() as u32;
        if slot < frame.params {
            Some(slot)
        } else if locals.contains(&slot) {
            Some(slot - frame.locals + other.locals)
        } else {
            slot.checked_sub(frame.stack).map(|height| other.stack + height)
        }
    }

    /// A constant.
    pub(super) fn bits(&mut self, bits: u64, ty: Type) -> Value {
        let (bits, op) = match ty {
            Type::I32 | Type::F32 => {
                let bits = u64::from(bits as u32);
                (bits, Op::Const(bits))
            }
            Type::I64 | Type::F64 | Type::Ref => (bits, Op::Const(bits)),
            #[cfg(feature = "simd")]
            Type::V128 => (bits, Op::VectorConst([bits, 0])),
            #[cfg(not(feature = "simd"))]
            Type::V128 => (bits, Op::Const(bits)),
        };
        if let Some(&value) = self.variables.constants.get(&(bits, ty as u32)) {
            return value;
        }
        let inst = self.func.add_inst(op, Values::new(), &[ty], self.source);
        self.first_insts.push(inst);
        let value = self.func.inst(inst).results[0];
        self.variables.constants.insert((bits, ty as u32), value);
        value
    }

    /// A value as it is wanted.
    fn fit(&mut self, value: Value, want: Want) -> Value {
        let ty = self.func.ty(value);
        if want.accepts(ty) {
            return value;
        }
        if let Some(bits) = self.func.constant(value) {
            return self.bits(bits, want.0);
        }
        self.convert(value, ty, want.0)
    }

    /// The value that a slot has for somebody who reads another type than was written.
    #[cold]
    fn convert(&mut self, value: Value, from: Type, to: Type) -> Value {
        let op = match (from, to) {
            (Type::F32, _) => UnaryOp::I32ReinterpretF32,
            (Type::F64, _) => UnaryOp::I64ReinterpretF64,
            (Type::I32, Type::F32) => UnaryOp::F32ReinterpretI32,
            (Type::I32, _) => UnaryOp::I64ExtendI32U,
            (Type::I64 | Type::Ref, Type::F64) => UnaryOp::F64ReinterpretI64,
            (Type::I64 | Type::Ref, Type::I32 | Type::F32) => UnaryOp::I32WrapI64,
            #[cfg(feature = "simd")]
            (Type::V128, _) => {
                let op = VectorOp::Extract(simd_ops::ExtractOp::I64x2ExtractLane, 0);
                let low = self.pure(Op::Vector(op), smallvec![value], Type::I64);
                return self.fit(low, Want::of(to));
            }
            #[cfg(feature = "simd")]
            (Type::I64 | Type::Ref, Type::V128) => {
                let op = VectorOp::Splat(simd_ops::SplatOp::I64x2Splat);
                return self.pure(Op::Vector(op), smallvec![value], Type::V128);
            }
            #[cfg(not(feature = "simd"))]
            (Type::V128, _) | (_, Type::V128) => return self.bits(0, to),
            (Type::I64 | Type::Ref, Type::I64 | Type::Ref) => return value,
        };
        let step = self.pure(Op::Unary(op), smallvec![value], op.result());
        self.fit(step, Want::of(to))
    }

    /// Finds what all edges pass to parameters, among them those that this makes.
    pub(super) fn pass(&mut self) -> Result<(), CompileError> {
        let mut index = 0;
        while let Some(&Phi { block, slot, value }) = self.variables.phis.get(index) {
            if index % tuning::UNASKED == 0 && self.env.stopped() {
                return Err(CompileError::Stopped);
            }
            index += 1;
            let want = Want::of(self.func.ty(value));
            for number in 0..self.plan.blocks[block as usize].predecessors.len() {
                let from = self.plan.blocks[block as usize].predecessors[number];
                self.block = from;
                let write = self.plan.writes.next(slot, self.plan.blocks[from as usize].end);
                let passed = self.resolve(slot, write, from, want);
                let passed = self.fit(passed, want);
                self.variables.passed.push(passed);
            }
            if self.variables.passed.len() > tuning::SSA_PASSED {
                return Err(CompileError::Unsupported);
            }
        }
        Ok(())
    }
}

/// Hashes pairs of numbers that the guest may choose, so that it cannot foresee where they
/// go.
struct Seed(u64);

struct Mixed(u64);

impl Seed {
    fn new() -> Seed {
        Seed(RandomState::new().build_hasher().finish())
    }
}

impl BuildHasher for Seed {
    type Hasher = Mixed;

    fn build_hasher(&self) -> Mixed {
        Mixed(self.0)
    }
}

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio's bits.
        let wide = u128::from(self.0 ^ number) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (wide >> 64) as u64 ^ wide as u64;
    }
}
