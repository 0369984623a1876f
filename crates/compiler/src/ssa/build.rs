//! From register IR to SSA: a plan of the blocks (`plan`), one walk over the instructions
//! that fills them (`ops`), then what their edges pass (`variables`, `params`).
//!
//! The slots of the frame are the variables. Copies between slots and constants leave no
//! instruction: they are looked through when a slot is read. All constants stand in the
//! entry block, each once.

mod accesses;
mod control;
mod entry;
mod objects;
mod ops;
mod params;
mod plan;
#[cfg(all(test, feature = "simd"))]
mod tests;
mod tree;
mod variables;
#[cfg(feature = "simd")]
mod vectors;

use super::{Block, Func, Inst, Op, Value, Values};
use crate::{CompileError, Environment, tuning};
use plan::{Code, Plan};
use variables::{Record, Variables};
use zwasm_regir::{Frame, Function, Label, SourceLoc, Type};

/// Where a function is entered.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    /// At its start, with arguments.
    Start,
    /// At a loop header, from a frame whose slots hold everything (on-stack replacement).
    Loop {
        /// The header's label.
        label: Label,
        /// The layout of that frame: that of another translation of the same function,
        /// whose operand stack may start elsewhere.
        frame: Frame,
    },
}

/// Builds the SSA form of a function.
///
/// # Errors
///
/// If the environment says to stop, the function is too large, or it cannot be entered
/// where it is to be: at a header of an inlined function, whose locals the other frame does
/// not have.
pub fn build(
    function: &Function,
    env: &dyn Environment,
    entry: Entry,
) -> Result<Func, CompileError> {
    let header = match entry {
        Entry::Start => None,
        Entry::Loop { label, .. } => Some(label),
    };
    if function.insts.len() + function.br_targets.len() > tuning::SSA_INSTS {
        return Err(CompileError::Unsupported);
    }
    let plan = Plan::of(function, env, header)?;
    let declared = declared(function);
    let mut builder = Builder {
        function,
        env,
        entry,
        variables: Variables::new(&plan.writes, function.frame.size, declared),
        plan,
        func: Func {
            insts: Vec::with_capacity(function.insts.len()),
            values: Vec::with_capacity(function.insts.len()),
            results: function.results.clone(),
            ..Func::default()
        },
        block: 0,
        at: 0,
        source: SourceLoc::default(),
        returned: Vec::new(),
        base: None,
        len: None,
        first_insts: Vec::new(),
        has_lost: false,
    };
    builder.blocks()?;
    builder.pass()?;
    if builder.has_lost {
        return Err(CompileError::Unsupported);
    }
    builder.set_params();
    let Builder { mut func, first_insts, .. } = builder;
    func.block_mut(func.entry).insts.splice(0..0, first_insts);
    Ok(func)
}

/// The types of the slots of parameters and locals; none of gaps and upper halves.
fn declared(function: &Function) -> Vec<Option<Type>> {
    let frame = &function.frame;
    let mut types = Vec::new();
    for &(count, ty) in &function.locals {
        for _ in 0..count {
            if types.len() == frame.params as usize {
                types.resize(frame.locals as usize, None);
            }
            types.push(Some(ty));
            types.extend((1..ty.slots()).map(|_| None));
        }
    }
    types
}

struct Builder<'a> {
    function: &'a Function,
    env: &'a dyn Environment,
    entry: Entry,
    plan: Plan,
    variables: Variables,
    func: Func,
    /// The block that instructions are added to; the plan's and the function's have the
    /// same numbers.
    block: u32,
    /// The position of the instruction.
    at: u32,
    source: SourceLoc,
    /// What a call inside a try returned, and the slots for it.
    returned: Vec<(u32, Value)>,
    /// A memory and its first byte, if known in this block.
    base: Option<(u32, Value)>,
    /// A memory and its length, if known in this block.
    len: Option<(u32, Value)>,
    /// Constants and slots of the frame entered from: what the entry block starts with.
    first_insts: Vec<Inst>,
    /// Whether a slot is read that the frame entered from does not have.
    has_lost: bool,
}

impl Builder<'_> {
    /// Fills all blocks.
    fn blocks(&mut self) -> Result<(), CompileError> {
        for _ in 0..self.plan.blocks.len() {
            self.func.add_block();
        }
        if let Entry::Start = self.entry {
            self.params();
        }
        let mut asked = 0;
        for number in 0..self.plan.blocks.len() {
            let block = &self.plan.blocks[number];
            self.block = number as u32;
            self.at = block.start;
            (self.base, self.len) = (None, None);
            let insts = match block.code.clone() {
                Code::Insts(insts) => insts,
                Code::Returned(insts) => {
                    for (slot, value) in core::mem::take(&mut self.returned) {
                        self.define(slot, value);
                    }
                    self.at += 1;
                    insts
                }
                Code::Landing(clause) => {
                    self.landing(clause);
                    0..0
                }
                Code::Empty => 0..0,
            };
            for index in insts {
                if index >= asked {
                    asked = index + tuning::UNASKED;
                    if self.env.stopped() {
                        return Err(CompileError::Stopped);
                    }
                }
                self.source = self.function.sources[index];
                self.inst(index);
            }
            self.end_block();
        }
        Ok(())
    }

    /// Makes the entry block's parameters, which are those of the function.
    fn params(&mut self) {
        let mut slot = 0;
        for &(count, ty) in &self.function.locals {
            for _ in 0..count {
                if slot >= self.function.frame.params {
                    return;
                }
                let value = self.func.add_param(Block(0), ty);
                self.start_with(slot, value);
                slot += ty.slots();
            }
        }
    }

    /// Adds an instruction, with the types of its results.
    fn emit(&mut self, op: Op, args: Values, results: &[Type]) -> Inst {
        let inst = self.func.add_inst(op, args, results, self.source);
        self.func.blocks[self.block as usize].insts.push(inst);
        inst
    }

    /// Adds an instruction with one result.
    fn pure(&mut self, op: Op, args: Values, ty: Type) -> Value {
        let inst = self.emit(op, args, &[ty]);
        self.func.inst(inst).results[0]
    }

    /// As [`Builder::pure`], whose result goes to a slot.
    fn compute(&mut self, dst: u32, op: Op, args: Values, ty: Type) {
        let value = self.pure(op, args, ty);
        self.define(dst, value);
    }

    /// Copies consecutive slots.
    fn copy_slots(&mut self, dst: u32, src: u32, count: u32) {
        // All are read before any is written.
        let records: Vec<Record> = (src..src + count).map(|slot| self.copy_of(slot)).collect();
        for (slot, record) in (dst..).zip(records) {
            self.write(slot, record);
        }
    }
}
